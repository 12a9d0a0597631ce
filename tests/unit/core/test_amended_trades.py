# SPDX-License-Identifier: Apache-2.0
"""Busts, corrections and fees: what was booked can turn out to be another, or nothing."""

import pytest

from tests.golden.life import Life
from tradewind.core.events import OrderReport, ReportIgnored
from tradewind.core.invariants import violations
from tradewind.core.positions import ATTRIBUTES, unrealised
from tradewind.core.state import Fees, Fill, Position
from tradewind.core.testing import ACCOUNT, SYMBOL, one
from tradewind.core.types import ExecType, OrdStatus, Side


def filled(side: Side = Side.BUY) -> tuple[Life, str]:
    """An order of 20 that traded 5 at 990 (F1) and 5 at 1,010 (F2)."""
    desk = Life.opened()
    order_id = desk.make("c1", order_qty=20, side=side)
    desk.fill(order_id, 5, 990, exec_id="F1")
    desk.fill(order_id, 5, 1_010, exec_id="F2")
    return desk, order_id


@pytest.mark.parametrize("side", Side)
def test_a_bust_takes_back_the_fill_and_its_quantity_works_again(side: Side) -> None:
    desk, order_id = filled(side)
    report = one(desk.report(order_id, ExecType.TRADE_CANCEL, exec_ref_id="F1"), OrderReport)
    assert (report.exec_type, report.venue_exec_ref_id) == (ExecType.TRADE_CANCEL, "F1")
    assert (report.ord_status, report.last_qty, report.last_px) == ("PARTIALLY_FILLED", 0, 0)
    assert (report.cum_qty, report.leaves_qty, report.cum_notional) == (5, 15, 5_050)
    assert desk.order(order_id).fills == (Fill(exec_id="F2", qty=5, px=1_010),)
    position = desk.position
    assert position.qty == side.sign * 5
    assert position.cost - position.realised == side.sign * 5_050
    traded = (5, 0) if side is Side.BUY else (0, 5)
    assert (position.bought_qty, position.sold_qty) == traded
    assert position.buy_working + position.sell_working == 15
    assert violations(desk.machine.state) == []


def test_the_bust_of_all_fills_makes_the_order_new_again() -> None:
    desk, order_id = filled()
    for ref in ("F2", "F1"):
        desk.report(order_id, ExecType.TRADE_CANCEL, exec_ref_id=ref)
    order = desk.order(order_id)
    assert (order.ord_status, order.cum_qty, order.cum_notional) == (OrdStatus.NEW, 0, 0)
    assert (desk.position.qty, desk.position.cost) == (0, 0)


def test_a_correction_is_another_fill_in_its_place() -> None:
    desk, order_id = filled()
    events = desk.report(
        order_id, ExecType.TRADE_CORRECT, exec_id="F3", exec_ref_id="F1", last_qty=7, last_px=991
    )
    report = one(events, OrderReport)
    assert (report.venue_exec_id, report.venue_exec_ref_id) == ("F3", "F1")
    assert (report.last_qty, report.last_px) == (7, 991)
    assert (report.cum_qty, report.leaves_qty) == (12, 8)
    assert report.cum_notional == 7 * 991 + 5 * 1_010
    assert desk.order(order_id).fills == (
        Fill(exec_id="F2", qty=5, px=1_010),
        Fill(exec_id="F3", qty=7, px=991),
    )
    assert (desk.position.qty, desk.position.bought_qty, desk.position.sold_qty) == (12, 12, 0)
    desk.report(order_id, ExecType.TRADE_CANCEL, exec_ref_id="F3")  # it can be busted in turn
    assert desk.position.qty == 5
    assert violations(desk.machine.state) == []


def test_what_ended_does_not_reopen() -> None:
    desk, order_id = filled()
    desk.fill(order_id, 10, exec_id="F3")
    desk.report(order_id, ExecType.TRADE_CANCEL, exec_ref_id="F3")
    order = desk.order(order_id)
    assert (order.ord_status, order.cum_qty, order.leaves_qty) == (OrdStatus.FILLED, 10, 0)
    assert desk.position.buy_working == 0
    desk.report(order_id, ExecType.TRADE_CORRECT, exec_ref_id="F1", last_qty=1, last_px=990)
    assert (order.ord_status, order.cum_qty, order.leaves_qty) == (OrdStatus.FILLED, 6, 0)
    assert violations(desk.machine.state) == []


@pytest.mark.parametrize("exec_type", [ExecType.TRADE_CANCEL, ExecType.TRADE_CORRECT])
@pytest.mark.parametrize("ref", ["", "F9"])
def test_an_amendment_of_no_fill_that_stands_is_ignored(exec_type: ExecType, ref: str) -> None:
    desk, order_id = filled()
    (event,) = desk.report(order_id, exec_type, exec_ref_id=ref, last_qty=1, last_px=1)
    assert isinstance(event, ReportIgnored)
    assert (event.text, event.exec_type) == ("refers to no fill", exec_type)
    assert desk.position.qty == 10


def test_a_fill_is_busted_once() -> None:
    desk, order_id = filled()
    desk.report(order_id, ExecType.TRADE_CANCEL, exec_ref_id="F1")
    (event,) = desk.report(order_id, ExecType.TRADE_CANCEL, exec_ref_id="F1")
    assert isinstance(event, ReportIgnored)
    assert desk.position.qty == 5


@pytest.mark.parametrize(
    ("qty", "px", "is_taken"), [(0, 1, False), (-1, 1, False), (1, -1, False), (1, 0, True)]
)
@pytest.mark.parametrize("exec_type", [ExecType.TRADE, ExecType.TRADE_CORRECT])
def test_a_trade_of_nothing_is_ignored(
    exec_type: ExecType, qty: int, px: int, is_taken: bool
) -> None:
    desk, order_id = filled()
    (event,) = desk.report(order_id, exec_type, exec_ref_id="F1", last_qty=qty, last_px=px)
    assert isinstance(event, OrderReport) == is_taken
    if isinstance(event, ReportIgnored):
        assert event.text == "a trade of nothing"


def test_a_bust_is_taken_back_at_its_own_price_and_shows_as_profit() -> None:
    desk, order_id = filled()
    desk.report(order_id, ExecType.TRADE_CANCEL, exec_ref_id="F2")
    position = desk.position
    assert (position.qty, position.cost, position.realised) == (5, 5_000, 50)
    assert unrealised(position, 1_000) == 0
    assert unrealised(position, 990) == -50


def test_fees_add_up_by_account_and_currency_and_rebates_count_against_them() -> None:
    desk = Life.opened()
    desk.limits(account="ALPHA")
    order_id, other = desk.make("c1"), desk.make("c1", account="ALPHA")
    desk.fill(order_id, 1, fee_e8=250, fee_currency="USD")
    report = desk.fill(order_id, 1, fee_e8=-100, fee_currency="USD")
    assert (report.fee_e8, report.fee_currency) == (-100, "USD")
    desk.fill(order_id, 1, fee_e8=7, fee_currency="BNB")
    desk.fill(order_id, 1)
    desk.fill(other, 1, fee_e8=3, fee_currency="USD")
    assert desk.machine.state.fees == {
        (ACCOUNT, "USD"): Fees(amount_e8=150),
        (ACCOUNT, "BNB"): Fees(amount_e8=7),
        ("ALPHA", "USD"): Fees(amount_e8=3),
    }


def test_positions_are_kept_by_every_attribute_and_their_sum_is_the_accounts() -> None:
    assert ATTRIBUTES == ("account", "symbol", "client", "strategy", "algorithm")
    desk = Life.opened()
    for number, who in enumerate(
        ({}, {"client": "other"}, {"strategy": "carry"}, {"algorithm": "TWAP"}), 1
    ):
        desk.fill(desk.make(f"c{number}", **who), number)
    desk.fill(desk.make("s", side=Side.SELL), 10)
    own = (ACCOUNT, SYMBOL, "client", "strategy", "NONE")
    ledgers = desk.machine.state.ledgers
    assert {key: ledger.qty for key, ledger in ledgers.items()} == {
        own: 1 - 10,
        (ACCOUNT, SYMBOL, "other", "strategy", "NONE"): 2,
        (ACCOUNT, SYMBOL, "client", "carry", "NONE"): 3,
        (ACCOUNT, SYMBOL, "client", "strategy", "TWAP"): 4,
    }
    assert ledgers[own] == Position(qty=-9, cost=-9_000, bought_qty=1, sold_qty=10, buy_working=9)
    assert desk.position.qty == 0
    assert violations(desk.machine.state) == []
