# SPDX-License-Identifier: Apache-2.0
"""The pre-trade truth table: attribution, order types, instructions, sessions."""

from typing import Any

from tests.unit.core.risk_cases import (
    COLLAR,
    MARKET,
    NOTIONAL,
    OK,
    Case,
    Setup,
    limits,
    small_notional,
    table,
)
from tradewind.core import commands
from tradewind.core.testing import NEVER_NS, START_NS, VENUE, Desk
from tradewind.core.types import OrdType, Reason, TimeInForce, TradSesStatus


def session(status: TradSesStatus) -> Setup:
    command = commands.SetTradingSession(venue=VENUE, status=status, trading_date="2026-01-01")
    return lambda desk: desk.step(command)


def nothing(_desk: Desk) -> None:
    """The desk as it opens."""


def cell(name: str, reason: Reason, setup: Setup = nothing, **terms: Any) -> Case:
    return Case(name=name, reason=reason, setup=setup, terms=terms)


STOP: dict[str, Any] = {"ord_type": OrdType.STOP, "price": 0, "stop_px": 1_000}
STOP_LIMIT: dict[str, Any] = {"ord_type": OrdType.STOP_LIMIT, "price": 1_000, "stop_px": 1_000}
GTD: dict[str, Any] = {"time_in_force": TimeInForce.GTD}
BAD_STOP = Reason.INVALID_STOP_PRICE
BAD_DISPLAY, BAD_POST = Reason.INVALID_DISPLAY_QUANTITY, Reason.INVALID_POST_ONLY
BAD_TIME, ELSEWHEN = Reason.INVALID_EXPIRE_TIME, Reason.NOT_IN_THIS_SESSION

TERMS_CASES = [
    *(
        cell(f"attribution without {name}", Reason.ATTRIBUTION_MISSING, limits(), **{name: ""})
        for name in ("client", "strategy", "algorithm", "build")
    ),
    # C05 stop orders: which prices a type has
    cell("a stop", OK, **STOP),
    cell("a stop with a price", Reason.INVALID_PRICE, **STOP | {"price": 1_000}),
    cell("a stop without a stop price", BAD_STOP, **STOP | {"stop_px": 0}),
    cell("a stop below nothing", BAD_STOP, **STOP | {"stop_px": -1}),
    cell("a stop limit", OK, **STOP_LIMIT),
    cell("a stop limit without a price", Reason.INVALID_PRICE, **STOP_LIMIT | {"price": 0}),
    cell("a limit with a stop price", BAD_STOP, stop_px=1_000),
    # C02, C03 a stop waits away from the market; it is worth its stop price at least
    cell("a far stop limit near its stop", OK, **STOP_LIMIT | {"stop_px": 500, "price": 550}),
    cell("a stop limit off its stop", COLLAR, **STOP_LIMIT | {"stop_px": 500, "price": 551}),
    *table(
        "a far stop's value",
        {5: OK, 6: NOTIONAL},
        "order_qty",
        small_notional,
        **STOP | {"stop_px": 2_000},
    ),
    *table(
        "a near stop's value",
        {10: OK, 11: NOTIONAL},
        "order_qty",
        small_notional,
        **STOP | {"stop_px": 1},
    ),
    # display quantity
    *table(
        "iceberg", {-1: BAD_DISPLAY, 0: OK, 1: OK, 10: OK, 11: BAD_DISPLAY}, "display_qty", limits()
    ),
    cell("an iceberg that cannot rest", BAD_DISPLAY, display_qty=1, time_in_force=TimeInForce.IOC),
    cell("a market iceberg", BAD_DISPLAY, **MARKET, display_qty=1),
    # post-only
    cell("post-only", OK, is_post_only=True),
    cell("post-only at once", BAD_POST, is_post_only=True, time_in_force=TimeInForce.FOK),
    cell("post-only at the open", BAD_POST, is_post_only=True, time_in_force=TimeInForce.AT_OPEN),
    cell("post-only stop", BAD_POST, **STOP_LIMIT, is_post_only=True),
    # expiry
    cell("dated", OK, **GTD, expire_ns=NEVER_NS),
    cell("dated to nothing", BAD_TIME, **GTD),
    cell("a date on another", BAD_TIME, expire_ns=NEVER_NS),
    cell("dated to the past", BAD_TIME, **GTD, expire_ns=START_NS),
    # sessions
    cell("at the open without sessions", ELSEWHEN, time_in_force=TimeInForce.AT_OPEN),
    cell("at the close without sessions", ELSEWHEN, time_in_force=TimeInForce.AT_CLOSE),
    cell("closed", Reason.VENUE_CLOSED, session(TradSesStatus.CLOSED)),
    cell("halted", Reason.VENUE_HALTED, session(TradSesStatus.HALTED)),
    *(
        cell(f"{status} {tif}", reason, session(status), time_in_force=tif)
        for status, tifs in {
            TradSesStatus.PRE_OPEN: {
                TimeInForce.DAY: OK,
                TimeInForce.IOC: ELSEWHEN,
                TimeInForce.AT_OPEN: OK,
                TimeInForce.AT_CLOSE: OK,
            },
            TradSesStatus.OPEN: {
                TimeInForce.DAY: OK,
                TimeInForce.IOC: OK,
                TimeInForce.AT_OPEN: ELSEWHEN,
                TimeInForce.AT_CLOSE: OK,
            },
            TradSesStatus.PRE_CLOSE: {TimeInForce.AT_OPEN: ELSEWHEN, TimeInForce.AT_CLOSE: OK},
        }.items()
        for tif, reason in tifs.items()
    ),
    cell(
        "a market order before the open",
        ELSEWHEN,
        session(TradSesStatus.PRE_OPEN),
        ord_type=OrdType.MARKET,
        price=0,
    ),
]
