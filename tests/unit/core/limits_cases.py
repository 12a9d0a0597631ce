# SPDX-License-Identifier: Apache-2.0
"""What each bound of a scope measures, on one desk, for a new order and for a replace.

The order is 10 lots at 1,000 ticks (1e7 in the base currency, 1e6 a lot); a replace makes 20 of
them. `new` and `replaced` are what the bound then sees, by hand; None where it does not look.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tradewind.core import commands
from tradewind.core.testing import ACCOUNT, Desk
from tradewind.core.types import OrdType, Reason, Side, TimeInForce

Setup = Callable[[Desk], object]
LOT = 10**6
"""Value of one lot at the reference price."""
SELL: dict[str, Any] = {"side": Side.SELL}
MARKET: dict[str, Any] = {"ord_type": OrdType.MARKET, "price": 0, "time_in_force": TimeInForce.IOC}
TWAP: dict[str, Any] = {"algorithm": "TWAP", "build": "b1"}


@dataclass(frozen=True, kw_only=True)
class Probe:
    """One bound: how to come near it, and what it measures then."""

    name: str
    bound: str
    reason: Reason
    new: int | None
    replaced: int | None
    scope: str = "firm"
    prepare: Setup = lambda _desk: None
    order: dict[str, Any] = field(default_factory=dict)
    """What is not as usual about the order, also about the one to be replaced."""
    change: dict[str, Any] = field(default_factory=dict)
    """What is not as usual about the replace."""


def working(lots: int, **terms: Any) -> Setup:
    return lambda desk: desk.ack(desk.submit("other", order_qty=lots, **terms).order_id)


def holding(lots: int) -> Setup:
    def setup(desk: Desk) -> None:
        side = Side.BUY if lots > 0 else Side.SELL
        desk.fill(desk.submit("held", side=side, order_qty=abs(lots)).order_id, abs(lots))

    return setup


def twice(**terms: Any) -> Setup:
    """Two orders of the same content."""

    def setup(desk: Desk) -> None:
        for number in (1, 2):
            desk.submit(f"same-{number}", **terms)

    return setup


def traded_by_twap(desk: Desk) -> None:
    """An algorithm has traded twice."""
    order = desk.submit("twap", order_qty=5, **TWAP)
    for _ in range(2):
        desk.fill(order.order_id, 1)


def many_denied(desk: Desk) -> None:
    """Two messages more than the hundred that are free, all of them denied: they count too."""
    for number in range(102):
        desk.submit(f"large-{number}", order_qty=101)


def many_denied_some_traded(desk: Desk) -> None:
    many_denied(desk)
    traded_by_twap(desk)


def one_child(desk: Desk) -> None:
    desk.submit("parent", order_qty=50, is_parent=True)
    desk.submit("child", order_qty=1, parent_cl_ord_id="parent")


def fees(desk: Desk) -> None:
    """Ten lots bought and sold at the same price, for a fee of 1,000."""
    for number, side in enumerate((Side.BUY, Side.SELL)):
        order = desk.submit(f"fee-{number}", side=side)
        desk.fill(order.order_id, 10, fee_e8=500, fee_currency="USD")


PROBES = [
    Probe(name="C01", bound="max_order_qty", reason=Reason.MAX_ORDER_QTY, new=10, replaced=20),
    Probe(
        name="C02",
        bound="max_order_value_e8",
        reason=Reason.MAX_NOTIONAL,
        new=10 * LOT,
        replaced=20 * LOT,
    ),
    Probe(
        name="C02 market at the collar's worst price",
        bound="max_order_value_e8",
        reason=Reason.MAX_NOTIONAL,
        new=11 * LOT,
        replaced=None,
        order=MARKET,
    ),
    Probe(
        name="C04 buy above where the price was",
        bound="max_move_bps",
        reason=Reason.PRICE_MOVED,
        prepare=lambda desk: desk.reference(1_050),
        order={"price": 1_020},
        change={"price": 1_030},
        new=200,
        replaced=300,
    ),
    Probe(
        name="C04 sell below where the price was",
        bound="max_move_bps",
        reason=Reason.PRICE_MOVED,
        prepare=lambda desk: desk.reference(950),
        order={"price": 980, **SELL},
        change={"price": 970},
        new=200,
        replaced=300,
    ),
    Probe(
        name="C22",
        bound="max_jump_bps",
        reason=Reason.MARKET_UNSTABLE,
        prepare=lambda desk: desk.reference(1_050),
        new=500,
        replaced=500,
    ),
    Probe(
        name="C07",
        bound="max_duplicates",
        reason=Reason.DUPLICATE_CONTENT,
        prepare=twice(),
        new=3,
        replaced=None,
    ),
    Probe(
        name="C07 of a replace",
        bound="max_duplicates",
        reason=Reason.DUPLICATE_CONTENT,
        prepare=twice(order_qty=20),
        new=None,
        replaced=3,
    ),
    Probe(
        name="C08",
        bound="max_messages",
        reason=Reason.MESSAGE_RATE,
        prepare=twice(),
        new=3,
        replaced=4,
    ),
    Probe(
        name="C08 flood",
        bound="flood_messages",
        reason=Reason.MESSAGE_FLOOD,
        scope=f"account:{ACCOUNT}",
        prepare=twice(),
        new=3,
        replaced=4,
    ),
    Probe(
        name="C09",
        bound="max_repeats",
        reason=Reason.REPEATED_EXECUTION,
        scope="strategy:strategy",
        prepare=traded_by_twap,
        order=TWAP,
        new=3,
        replaced=3,
    ),
    Probe(
        name="C10",
        bound="max_open_orders",
        reason=Reason.MAX_OPEN_ORDERS,
        prepare=twice(),
        new=3,
        replaced=None,
    ),
    Probe(
        name="C10 value",
        bound="max_open_value_e8",
        reason=Reason.MAX_OPEN_VALUE,
        prepare=working(30, **SELL),
        new=40 * LOT,
        replaced=50 * LOT,
    ),
    Probe(
        name="C11 long",
        bound="max_long",
        reason=Reason.MAX_POSITION,
        prepare=holding(5),
        new=15,
        replaced=25,
    ),
    Probe(
        name="C11 short",
        bound="max_short",
        reason=Reason.MAX_POSITION,
        prepare=holding(-5),
        order=SELL,
        new=15,
        replaced=25,
    ),
    Probe(
        name="C12 gross",
        bound="max_gross_e8",
        reason=Reason.MAX_EXPOSURE,
        prepare=working(4),
        new=14 * LOT,
        replaced=24 * LOT,
    ),
    Probe(
        name="C12 gross of a strategy",
        bound="max_gross_e8",
        reason=Reason.MAX_EXPOSURE,
        scope="strategy:*",
        prepare=working(4, strategy="another"),
        new=10 * LOT,
        replaced=20 * LOT,
    ),
    Probe(
        name="C12 net",
        bound="max_net_e8",
        reason=Reason.MAX_EXPOSURE,
        prepare=holding(-5),
        new=5 * LOT,
        replaced=15 * LOT,
    ),
    Probe(
        name="C13 buy",
        bound="max_credit_e8",
        reason=Reason.CREDIT_EXCEEDED,
        scope=f"account:{ACCOUNT}",
        prepare=holding(5),
        new=15 * LOT,
        replaced=25 * LOT,
    ),
    Probe(
        name="C13 more is sold than there is",
        bound="max_credit_e8",
        reason=Reason.CREDIT_EXCEEDED,
        scope=f"account:{ACCOUNT}",
        order=SELL,
        new=10 * LOT,
        replaced=20 * LOT,
    ),
    Probe(
        name="C13 fees",
        bound="max_credit_e8",
        reason=Reason.CREDIT_EXCEEDED,
        scope=f"account:{ACCOUNT}",
        prepare=fees,
        new=10 * LOT + 1_000,
        replaced=20 * LOT + 1_000,
    ),
    Probe(
        name="C14 children",
        bound="max_children",
        reason=Reason.TOO_MANY_CHILDREN,
        prepare=one_child,
        order={"parent_cl_ord_id": "parent"},
        new=2,
        replaced=None,
    ),
    Probe(
        name="C14 value",
        bound="max_parent_value_e8",
        reason=Reason.PARENT_VALUE,
        order={"is_parent": True},
        new=10 * LOT,
        replaced=20 * LOT,
    ),
    Probe(
        name="C15",
        bound="max_turnover_e8",
        reason=Reason.MAX_TURNOVER,
        prepare=holding(5),
        new=15 * LOT,
        replaced=25 * LOT,
    ),
    Probe(
        name="C16",
        bound="max_orders_per_trade",
        reason=Reason.ORDER_TO_TRADE_RATIO,
        prepare=many_denied,
        new=3,
        replaced=4,
    ),
    Probe(
        name="C16 with trades",
        bound="max_orders_per_trade",
        reason=Reason.ORDER_TO_TRADE_RATIO,
        prepare=many_denied_some_traded,
        new=2,
        replaced=3,
    ),
]


def session(status: Any) -> commands.SetTradingSession:
    return commands.SetTradingSession(venue="SIM", status=status, trading_date="2026-01-01")
