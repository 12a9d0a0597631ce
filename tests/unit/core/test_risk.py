# SPDX-License-Identifier: Apache-2.0
"""The pre-trade truth table: exact decision and reason code in every cell, on new and replace.

And the table has teeth: with any one rule removed, some cell changes.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from tradewind.core import commands, risk
from tradewind.core.invariants import violations
from tradewind.core.testing import (
    ACCOUNT,
    LIMITS,
    MILLISECOND_NS,
    NEVER_NS,
    START_NS,
    SYMBOL,
    VENUE,
    Desk,
)
from tradewind.core.types import (
    ExecType,
    OrdType,
    Reason,
    Side,
    TimeInForce,
    TradingState,
    TradSesStatus,
)

Setup = Callable[[Desk], object]


@dataclass(frozen=True, kw_only=True)
class Case:
    """One cell: a prepared desk, a request, and the one reason it must meet."""

    name: str
    reason: Reason
    setup: Setup = lambda _desk: None
    terms: dict[str, Any]
    is_replace: bool = False


MARKET: dict[str, Any] = {"ord_type": OrdType.MARKET, "price": 0, "time_in_force": TimeInForce.IOC}
SELL = {"side": Side.SELL}
OK = Reason.NONE
# The 5th entry of a desk is the request of a new order, the 6th that of a replace.
NOW = START_NS + 5 * MILLISECOND_NS


def limits(**changes: Any) -> Setup:
    return lambda desk: desk.limits(**changes)


def trading(state: TradingState, scope: str) -> Setup:
    return lambda desk: desk.trading(state, scope)


def holding(qty: int) -> Setup:
    """A position of `qty` lots, from one filled order."""

    def setup(desk: Desk) -> None:
        side = Side.BUY if qty > 0 else Side.SELL
        desk.fill(desk.submit("h", side=side, order_qty=abs(qty)).order_id, abs(qty))

    return setup


def working(qty: int, **changes: Any) -> Setup:
    return lambda desk: desk.ack(desk.submit("w", order_qty=qty, **changes).order_id)


def both(*setups: Setup) -> Setup:
    def setup(desk: Desk) -> None:
        for one in setups:
            one(desk)

    return setup


def aged(age_ms: int) -> Setup:
    """The request's entry comes `age_ms` after the reference price."""

    def setup(desk: Desk) -> None:
        desk.reference(1_000)
        desk.now_ns += (age_ms - 1) * MILLISECOND_NS

    return setup


QTY, NOTIONAL = Reason.MAX_ORDER_QTY, Reason.MAX_NOTIONAL
COLLAR, POSITION = Reason.PRICE_COLLAR, Reason.MAX_POSITION
small_notional = limits(max_notional=11_000)


def table(name: str, cells: dict[int, Reason], key: str, setup: Setup, **terms: Any) -> list[Case]:
    return [
        Case(name=f"{name} {key} {value}", reason=want, setup=setup, terms={key: value, **terms})
        for value, want in cells.items()
    ]


NEW_CASES = [
    # C01 clip size
    *table("C01", {99: OK, 100: OK, 101: QTY}, "order_qty", limits()),
    *table("C01 sell", {99: OK, 100: OK, 101: QTY}, "order_qty", limits(), **SELL),
    # C02 order value; a market order at the collar's worst price (1,100), never at zero
    *table("C02", {10: OK, 11: OK, 12: NOTIONAL}, "order_qty", small_notional),
    *table("C02 price", {1_099: OK, 1_100: OK}, "price", small_notional),
    *table("C02 market", {9: OK, 10: OK, 11: NOTIONAL}, "order_qty", small_notional, **MARKET),
    *table(
        "C02 market sell", {10: OK, 11: NOTIONAL}, "order_qty", small_notional, **MARKET, **SELL
    ),
    Case(
        name="C02 value one above the limit",
        reason=NOTIONAL,
        setup=limits(max_notional=9_999),
        terms={},
    ),
    Case(name="C02 value at the limit", reason=OK, setup=limits(max_notional=10_000), terms={}),
    # C03 collar, both sides of the price, both sides of the book
    *table("C03", {899: COLLAR, 900: OK, 901: OK}, "price", limits()),
    *table("C03", {1_099: OK, 1_100: OK, 1_101: COLLAR}, "price", limits()),
    *table("C03 sell", {899: COLLAR, 900: OK, 1_100: OK, 1_101: COLLAR}, "price", limits(), **SELL),
    # C05 sane terms
    *table(
        "C05",
        {-1: Reason.INVALID_QUANTITY, 0: Reason.INVALID_QUANTITY, 1: OK},
        "order_qty",
        limits(),
    ),
    *table("C05", {-1: Reason.INVALID_PRICE, 0: Reason.INVALID_PRICE}, "price", limits()),
    Case(
        name="C05 a market order has no price",
        reason=Reason.INVALID_PRICE,
        terms={**MARKET, "price": 1_000},
    ),
    # C11 position and everything working on the same side (limit 200)
    *table(
        "C11 long", {49: OK, 50: OK, 51: POSITION}, "order_qty", both(holding(100), working(50))
    ),
    *table(
        "C11 short",
        {49: OK, 50: OK, 51: POSITION},
        "order_qty",
        both(holding(-100), working(50, side=Side.SELL)),
        **SELL,
    ),
    Case(
        name="C11 orders entered count, the other side's do not",
        reason=OK,
        setup=both(working(100), limits(max_position=100)),
        terms={"order_qty": 100, **SELL},
    ),
    # C19 allow-list
    Case(name="C19 unknown", reason=Reason.UNKNOWN_INSTRUMENT, terms={"symbol": "ETH-USD"}),
    Case(name="C19 other case", reason=Reason.UNKNOWN_INSTRUMENT, terms={"symbol": "btc-usd"}),
    # C21 stale reference (limit 5,000 ms)
    Case(name="C21 4999 ms", reason=OK, setup=aged(4_999), terms={}),
    Case(name="C21 5000 ms", reason=OK, setup=aged(5_000), terms={}),
    Case(name="C21 5001 ms", reason=Reason.STALE_REFERENCE_PRICE, setup=aged(5_001), terms={}),
    Case(
        name="C21 market 5001 ms",
        reason=Reason.STALE_REFERENCE_PRICE,
        setup=aged(5_001),
        terms=MARKET,
    ),
    Case(
        name="C21 no reference",
        reason=Reason.NO_REFERENCE_PRICE,
        setup=lambda desk: desk.reference(0),
        terms={},
    ),
    # Missing limits deny
    Case(name="no limits", reason=Reason.LIMIT_MISSING, terms={"account": "OTHER"}),
    # C23 trading state: the strictest of the scopes that cover the order
    *[
        Case(
            name=f"C23 {state} {scope}",
            reason=want,
            setup=trading(state, scope),
            terms={},
        )
        for state, want in (
            (TradingState.ACTIVE, OK),
            (TradingState.REDUCING, Reason.REDUCE_ONLY),
            (TradingState.HALTED, Reason.TRADING_HALTED),
        )
        for scope in ("firm", f"account:{ACCOUNT}", f"symbol:{SYMBOL}")
    ],
    *[
        Case(
            name=f"C23 other {scope}",
            reason=OK,
            setup=trading(TradingState.HALTED, scope),
            terms={},
        )
        for scope in ("account:OTHER", "symbol:ETH-USD")
    ],
    Case(
        name="C23 the strictest wins",
        reason=Reason.TRADING_HALTED,
        setup=both(
            trading(TradingState.ACTIVE, "firm"),
            trading(TradingState.REDUCING, f"symbol:{SYMBOL}"),
            trading(TradingState.HALTED, f"account:{ACCOUNT}"),
        ),
        terms={},
    ),
    *table(
        "C23 reducing a long of 30, 10 working",
        {19: OK, 20: OK, 21: Reason.REDUCE_ONLY},
        "order_qty",
        both(holding(30), working(10, **SELL), trading(TradingState.REDUCING, "firm")),
        **SELL,
    ),
    *table(
        "C23 reducing a short of 30",
        {29: OK, 30: OK, 31: Reason.REDUCE_ONLY},
        "order_qty",
        both(holding(-30), trading(TradingState.REDUCING, "firm")),
    ),
    # C32 age of the intent: the journal's stamp against the client's deadline
    Case(name="C32 1 ns before", reason=OK, terms={"void_after_ns": NOW + 1}),
    Case(name="C32 at the deadline", reason=OK, terms={"void_after_ns": NOW}),
    Case(name="C32 1 ns after", reason=Reason.TOO_LATE, terms={"void_after_ns": NOW - 1}),
]


def replaced(
    name: str, cells: dict[int, Reason], key: str, setup: Setup, **terms: Any
) -> list[Case]:
    base = {"qty": 10, "price": 1_000, **terms}
    return [
        Case(
            name=f"replace {name} {key} {value}",
            reason=want,
            setup=setup,
            terms={**base, key: value},
            is_replace=True,
        )
        for value, want in cells.items()
    ]


base = working(10)
"""The order "w" of 10 at 1,000 that is to be replaced."""

REPLACE_CASES = [
    *replaced("C01", {99: OK, 100: OK, 101: QTY}, "qty", base),
    *replaced("C02", {10: OK, 11: OK, 12: NOTIONAL}, "qty", both(base, small_notional)),
    *replaced("C03", {899: COLLAR, 900: OK, 1_100: OK, 1_101: COLLAR}, "price", base),
    *replaced("C05", {-1: Reason.INVALID_QUANTITY, 0: Reason.INVALID_QUANTITY, 1: OK}, "qty", base),
    *replaced("C05", {-1: Reason.INVALID_PRICE, 0: Reason.INVALID_PRICE}, "price", base),
    # The replaced order's own reservation is not counted twice: 100 held, 10 working, limit 200.
    *replaced("C11", {99: OK, 100: OK}, "qty", both(holding(100), base)),
    *replaced(
        "C11",
        {89: OK, 90: OK, 91: POSITION},
        "qty",
        both(holding(100), base, lambda d: d.submit("w2", order_qty=10)),
    ),
    *replaced("C21", {10: OK}, "qty", both(base, aged(5_000))),
    *replaced("C21", {10: Reason.STALE_REFERENCE_PRICE}, "qty", both(base, aged(5_001))),
    *[
        case
        for state, want in (
            (TradingState.ACTIVE, OK),
            (TradingState.REDUCING, Reason.REDUCE_ONLY),
            (TradingState.HALTED, Reason.TRADING_HALTED),
        )
        for case in replaced(f"C23 {state}", {11: want}, "qty", both(base, trading(state, "firm")))
    ],
    *replaced(
        "C23 reducing a long of 30 by replace",
        {29: OK, 30: OK, 31: Reason.REDUCE_ONLY},
        "qty",
        both(holding(30), working(10, **SELL), trading(TradingState.REDUCING, "firm")),
    ),
    # base takes entries 5 and 6, so the replace is the 7th
    *replaced(
        "C32",
        {
            START_NS + 7 * MILLISECOND_NS: OK,
            START_NS + 7 * MILLISECOND_NS - 1: Reason.TOO_LATE,
        },
        "void_after_ns",
        base,
    ),
]


def session(status: TradSesStatus) -> Setup:
    command = commands.SetTradingSession(venue=VENUE, status=status, trading_date="2026-01-01")
    return lambda desk: desk.step(command)


def cell(name: str, reason: Reason, setup: Setup = limits(), **terms: Any) -> Case:
    return Case(name=name, reason=reason, setup=setup, terms=terms)


STOP: dict[str, Any] = {"ord_type": OrdType.STOP, "price": 0, "stop_px": 1_000}
STOP_LIMIT: dict[str, Any] = {"ord_type": OrdType.STOP_LIMIT, "price": 1_000, "stop_px": 1_000}
GTD: dict[str, Any] = {"time_in_force": TimeInForce.GTD}
BAD_STOP = Reason.INVALID_STOP_PRICE
BAD_DISPLAY, BAD_POST = Reason.INVALID_DISPLAY_QUANTITY, Reason.INVALID_POST_ONLY
BAD_TIME, ELSEWHEN = Reason.INVALID_EXPIRE_TIME, Reason.NOT_IN_THIS_SESSION

NEW_CASES += [
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

CASES = NEW_CASES + REPLACE_CASES


def decided(case: Case) -> Reason:
    """What the machine says to a case."""
    desk = Desk.opened()
    case.setup(desk)
    if case.is_replace:
        return desk.replace("r", "w", **case.terms).reason
    report = desk.submit("n", **case.terms)
    assert (report.exec_type is ExecType.DENIED) == (report.reason is not Reason.NONE)
    assert violations(desk.machine.state) == []
    return report.reason


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_decision_is_the_one_in_the_table(case: Case) -> None:
    assert decided(case) is case.reason


def test_every_reason_of_the_rules_is_in_the_table() -> None:
    from_rules = {
        Reason.TOO_LATE,
        Reason.UNKNOWN_INSTRUMENT,
        Reason.INVALID_QUANTITY,
        Reason.INVALID_PRICE,
        Reason.TRADING_HALTED,
        Reason.REDUCE_ONLY,
        Reason.LIMIT_MISSING,
        Reason.MAX_ORDER_QTY,
        Reason.NO_REFERENCE_PRICE,
        Reason.STALE_REFERENCE_PRICE,
        Reason.PRICE_COLLAR,
        Reason.MAX_NOTIONAL,
        Reason.MAX_POSITION,
        Reason.ATTRIBUTION_MISSING,
        Reason.INVALID_STOP_PRICE,
        Reason.INVALID_DISPLAY_QUANTITY,
        Reason.INVALID_POST_ONLY,
        Reason.INVALID_EXPIRE_TIME,
        Reason.NOT_IN_THIS_SESSION,
        Reason.VENUE_CLOSED,
        Reason.VENUE_HALTED,
    }
    assert from_rules == {case.reason for case in CASES} - {Reason.NONE}


@pytest.mark.parametrize("rule", risk.RULES, ids=lambda rule: rule.__name__)
def test_without_any_one_rule_the_table_fails(
    rule: risk.Rule, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(risk, "RULES", tuple(r for r in risk.RULES if r is not rule))

    def differs(case: Case) -> bool:
        try:
            return decided(case) is not case.reason
        except (KeyError, AssertionError):
            return True  # a later rule or the request itself needed what this one had checked

    assert any(differs(case) for case in CASES)


@pytest.mark.parametrize("state", list(TradingState))
@pytest.mark.parametrize("scope", ["firm", f"account:{ACCOUNT}", f"symbol:{SYMBOL}"])
def test_a_cancel_passes_in_every_trading_state(state: TradingState, scope: str) -> None:
    desk = Desk.opened()
    desk.submit()
    desk.trading(state, scope)
    assert desk.cancel().exec_type is ExecType.PENDING_CANCEL


def test_a_cancel_passes_without_limits_or_a_fresh_reference() -> None:
    desk = Desk.opened()
    desk.submit()
    desk.limits(max_order_qty=0, max_notional=0, max_position=0, collar_bps=0)
    desk.now_ns += 3_600_000 * MILLISECOND_NS
    assert desk.cancel().exec_type is ExecType.PENDING_CANCEL


def test_no_reference_was_ever_set() -> None:
    desk = Desk()
    desk.step(
        commands.DefineInstrument(
            symbol=SYMBOL, venue=VENUE, tick_size="0.01", lot_size="0.001", currency="USD"
        )
    )
    desk.step(LIMITS)
    assert desk.submit(void_after_ns=NEVER_NS).reason is Reason.NO_REFERENCE_PRICE


def test_many_small_orders_stop_at_the_position_limit() -> None:
    desk = Desk.opened()
    reasons = [desk.submit(f"c{n}", order_qty=7).reason for n in range(40)]
    assert reasons.count(Reason.NONE) == 200 // 7
    assert desk.position.buy_working <= 200


@pytest.mark.parametrize(("reference", "worst"), [(1_000, 1_100), (999, 1_099), (1, 2)])
def test_the_collars_worst_price_is_rounded_up(reference: int, worst: int) -> None:
    for value, reason in ((worst, Reason.NONE), (worst - 1, Reason.MAX_NOTIONAL)):
        desk = Desk.opened()
        desk.limits(max_notional=value)
        desk.reference(reference)
        assert desk.submit(order_qty=1, **MARKET).reason is reason
