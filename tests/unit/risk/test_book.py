# SPDX-License-Identifier: Apache-2.0
"""Risk's own positions, from executions."""

from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tradewind.core.events import OrderReport, PositionAdjusted
from tradewind.core.types import ExecType, OrdStatus, OrdType, Reason, Side, TimeInForce
from tradewind.risk.book import Holding, RiskBook

ACCEPTED = OrderReport(
    account="A",
    order_id="seg-0-1",
    cl_ord_id="c",
    orig_cl_ord_id="",
    exec_id="E1",
    venue_exec_id="",
    venue_order_id="",
    exec_type=ExecType.PENDING_NEW,
    ord_status=OrdStatus.PENDING_NEW,
    symbol="S",
    side=Side.BUY,
    ord_type=OrdType.LIMIT,
    time_in_force=TimeInForce.GTC,
    order_qty=10,
    price=100,
    cum_qty=0,
    leaves_qty=10,
    cum_notional=0,
    last_qty=0,
    last_px=0,
    reason=Reason.NONE,
    text="",
    client="c",
    strategy="s",
    transact_time_ns=1,
)

fills = st.lists(
    st.tuples(st.sampled_from(Side), st.integers(1, 1000), st.integers(1, 10**7)), max_size=40
)


@given(fills)
def test_profit_and_open_value_are_the_cash_that_moved(
    trades: list[tuple[Side, int, int]],
) -> None:
    holding = Holding()
    for side, qty, price in trades:
        holding.trade(side, qty, price)
    assert holding.qty == sum(qty * side.sign for side, qty, _ in trades)
    cash = -sum(qty * price * side.sign for side, qty, price in trades)
    mark = 123
    assert holding.realised + holding.unrealised(mark) == cash + holding.qty * mark


def test_a_flat_holding_has_no_cost() -> None:
    holding = Holding()
    holding.trade(Side.BUY, 3, 10)
    holding.trade(Side.SELL, 1, 12)
    holding.trade(Side.SELL, 2, 13)
    assert (holding.qty, holding.cost, holding.realised) == (0, 0, 8)


def test_a_fill_through_zero_opens_the_other_side_at_its_own_price() -> None:
    holding = Holding()
    holding.trade(Side.BUY, 2, 10)
    holding.trade(Side.SELL, 5, 12)
    assert (holding.qty, holding.cost, holding.realised) == (-3, -36, 4)


def told(exec_type: ExecType, cum: tuple[int, int], **changes: Any) -> OrderReport:
    qty, notional = cum
    return replace(ACCEPTED, exec_type=exec_type, cum_qty=qty, cum_notional=notional, **changes)


def test_a_bust_and_a_correction_take_back_what_was_booked() -> None:
    made = RiskBook()
    made.take(told(ExecType.TRADE, (4, 400), last_qty=4, last_px=100))
    made.take(told(ExecType.TRADE, (10, 1_012), last_qty=6, last_px=102))
    made.take(told(ExecType.TRADE_CORRECT, (9, 905), last_qty=5, last_px=101))
    holding = made.holdings["A", "S"]
    assert (holding.qty, -holding.cash) == (9, 905)
    made.take(told(ExecType.TRADE_CANCEL, (5, 505)))
    assert (holding.qty, -holding.cash) == (5, 505)


def test_a_parents_trades_are_its_childrens() -> None:
    made = RiskBook()
    made.take(told(ExecType.TRADE, (4, 400), last_qty=4, last_px=100, is_parent=True))
    assert made.holdings == {}


def test_positions_follow_adjustments_and_resets() -> None:
    made = RiskBook()
    adjusted = PositionAdjusted(
        account="A",
        cl_ord_id="a",
        symbol="S",
        is_reset=False,
        qty=-3,
        price=100,
        actor="op",
        why="give-up",
        reason=Reason.NONE,
        transact_time_ns=1,
    )
    made.take(adjusted)
    assert (made.holdings["A", "S"].qty, made.holdings["A", "S"].realised) == (-3, 0)
    made.take(replace(adjusted, reason=Reason.DUPLICATE_CL_ORD_ID))
    assert made.holdings["A", "S"].qty == -3
    made.take(replace(adjusted, is_reset=True, qty=3, price=0))
    assert made.holdings["A", "S"] == Holding()


def test_unknown_orders_and_fees_are_counted() -> None:
    made = RiskBook()
    made.take(replace(ACCEPTED, exec_type=ExecType.UNKNOWN, ord_status=OrdStatus.UNKNOWN))
    assert made.unknown == {"seg-0-1"}
    fee = {"fee_e8": 50, "fee_currency": "USD"}
    made.take(told(ExecType.TRADE, (4, 400), last_qty=4, last_px=100, **fee))
    made.take(told(ExecType.TRADE_CANCEL, (0, 0), fee_e8=-20, fee_currency="USD"))
    assert (made.unknown, made.fees) == (set(), {("A", "USD"): 30})
