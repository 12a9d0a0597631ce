# SPDX-License-Identifier: Apache-2.0
"""Clients' requests: identity, replacing, cancelling."""

from typing import Any

import pytest

from tradewind.core.events import OrderReport, VenueRequest
from tradewind.core.invariants import violations
from tradewind.core.snapshot import dump
from tradewind.core.testing import SUBMIT, Desk, one, request_of
from tradewind.core.types import ExecType, OrdStatus, OrdType, Reason, TradingState, VenueAction


def test_an_accepted_order_is_reserved_reported_and_sent_under_an_id_of_its_place() -> None:
    desk = Desk.opened()
    events = desk.step(SUBMIT)
    report, request = one(events, OrderReport), request_of(events)
    assert report.exec_type is ExecType.PENDING_NEW
    assert report.order_id == request.order_id == request.request_id == "seg-0-5"
    assert (report.exec_id, report.transact_time_ns) == ("E5", desk.now_ns)
    assert (request.action, request.is_possibly_sent) == (VenueAction.NEW, False)
    assert desk.position.buy_working == 10


def test_a_denied_order_leaves_no_order_and_no_exposure() -> None:
    desk = Desk.opened()
    desk.step(SUBMIT)
    denied = desk.submit("c2", order_qty=101)
    assert (denied.ord_status, denied.order_id, denied.leaves_qty) == (OrdStatus.DENIED, "", 0)
    assert desk.position.buy_working == 10
    assert len(desk.machine.state.orders) == 1


@pytest.mark.parametrize("fate", ["working", "filled", "canceled"])
def test_a_repeated_order_gets_the_original_as_it_stands_and_is_not_sent_again(fate: str) -> None:
    desk = Desk.opened()
    order_id = desk.submit().order_id
    if fate == "filled":
        desk.fill(order_id, 10)
    if fate == "canceled":
        desk.report(order_id, ExecType.CANCELED)
    before = dump(desk.machine.state)
    events = desk.step(SUBMIT)
    assert not [event for event in events if isinstance(event, VenueRequest)]
    report = one(events, OrderReport)
    order = desk.order(order_id)
    assert (report.exec_type, report.reason) == (ExecType.DENIED, Reason.DUPLICATE_CL_ORD_ID)
    assert (report.order_id, report.ord_status) == (order_id, order.ord_status)
    assert report.cum_qty == order.cum_qty
    after = dump(desk.machine.state)
    assert {k for k in after if after[k] != before[k]} == {"seq", "ts_ns", "ordinal"}


def test_a_retry_with_a_new_deadline_or_through_another_client_is_the_same_request() -> None:
    desk = Desk.opened()
    desk.submit()
    assert desk.submit(void_after_ns=1).reason is Reason.DUPLICATE_CL_ORD_ID
    assert desk.submit(client="other").reason is Reason.DUPLICATE_CL_ORD_ID


def test_a_repeat_of_a_denied_order_is_denied_for_the_original_reason() -> None:
    desk = Desk.opened()
    desk.trading(TradingState.HALTED)
    assert desk.submit().reason is Reason.TRADING_HALTED
    desk.trading(TradingState.ACTIVE)
    report = desk.submit()
    assert (report.exec_type, report.reason) == (ExecType.DENIED, Reason.TRADING_HALTED)
    assert desk.machine.state.orders == {}


@pytest.mark.parametrize(
    "other", [{"order_qty": 11}, {"price": 1_001}, {"side": "SELL"}, {"time_in_force": "IOC"}]
)
def test_an_id_used_for_something_else_is_refused_for_ever(other: dict[str, Any]) -> None:
    desk = Desk.opened()
    desk.report(desk.submit().order_id, ExecType.CANCELED)
    assert desk.submit(**other).reason is Reason.CL_ORD_ID_REUSED
    assert desk.submit(**other).reason is Reason.CL_ORD_ID_REUSED
    assert len(desk.machine.state.orders) == 1


def test_ids_are_an_accounts_own() -> None:
    desk = Desk.opened()
    desk.limits(account="ALPHA")
    assert desk.submit().reason is desk.submit(account="ALPHA").reason is Reason.NONE
    assert desk.cancel("x1", "c1", account="BETA").reason is Reason.UNKNOWN_ORDER


def test_a_repeated_cancel_or_replace_is_not_sent_again() -> None:
    desk = Desk.opened()
    desk.submit("c1")
    desk.submit("c2")
    desk.cancel("x1", "c1")
    desk.replace("r2", "c2")
    sent = len([event for event in desk.outputs if isinstance(event, VenueRequest)])
    assert desk.cancel("x1", "c1").reason is Reason.DUPLICATE_CL_ORD_ID
    assert desk.replace("r2", "c2").reason is Reason.DUPLICATE_CL_ORD_ID
    assert desk.replace("r2", "c2", qty=21).reason is Reason.CL_ORD_ID_REUSED
    assert sent == len([event for event in desk.outputs if isinstance(event, VenueRequest)])


def test_a_repeat_of_a_refused_cancel_tells_the_original_reason() -> None:
    desk = Desk.opened()
    assert desk.cancel("x1", "nothing").reason is Reason.UNKNOWN_ORDER
    assert desk.cancel("x1", "nothing").reason is Reason.UNKNOWN_ORDER
    desk.fill(desk.submit().order_id, 10)
    for _ in range(2):
        report = desk.cancel("x2", "c1")
        assert (report.reason, report.ord_status) == (Reason.ORDER_IS_FINAL, OrdStatus.FILLED)


def test_replaces_may_be_chained_and_cancelled_but_nothing_follows_a_cancel() -> None:
    desk = Desk.opened()
    desk.submit()
    desk.replace()
    assert desk.replace("r2", "r1", qty=30).exec_type is ExecType.PENDING_REPLACE
    assert desk.cancel().exec_type is ExecType.PENDING_CANCEL
    assert desk.replace("r3").reason is Reason.REQUEST_PENDING
    assert desk.cancel("x2").reason is Reason.REQUEST_PENDING
    assert desk.position.buy_working == 30


@pytest.mark.parametrize(("qty", "reserved"), [(20, 20), (10, 10), (4, 10)])
def test_while_a_replace_is_pending_the_larger_of_both_is_reserved(qty: int, reserved: int) -> None:
    desk = Desk.opened()
    order_id = desk.submit().order_id
    desk.ack(order_id)
    request_id = _request_id(desk, desk.replace(qty=qty))
    assert desk.position.buy_working == reserved
    assert desk.order(order_id).order_qty == 10
    desk.report(order_id, ExecType.REPLACED, request_id=request_id, order_qty=qty, price=1_000)
    assert desk.position.buy_working == qty
    assert desk.order(order_id).cl_ord_id == "r1"
    assert desk.cancel("x1", "c1").exec_type is ExecType.PENDING_CANCEL  # the old id still names it


def test_a_refused_replace_frees_what_it_had_reserved_and_keeps_the_terms() -> None:
    desk = Desk.opened()
    order_id = desk.submit().order_id
    request_id = _request_id(desk, desk.replace(qty=50, price=1_050))
    desk.report(order_id, ExecType.REPLACE_REJECTED, request_id=request_id)
    order = desk.order(order_id)
    assert (order.order_qty, order.price, order.cl_ord_id) == (10, 1_000, "c1")
    assert desk.position.buy_working == 10
    assert violations(desk.machine.state) == []


def test_a_fill_while_a_replace_is_pending_counts_against_the_new_size_too() -> None:
    desk = Desk.opened()
    order_id = desk.submit().order_id
    request_id = _request_id(desk, desk.replace(qty=20))
    desk.fill(order_id, 4)
    assert desk.position.buy_working == 16
    desk.report(order_id, ExecType.REPLACED, request_id=request_id, order_qty=20, price=1_000)
    assert (desk.order(order_id).leaves_qty, desk.position.buy_working) == (16, 16)


def test_replacing_to_what_is_already_filled_is_refused() -> None:
    desk = Desk.opened()
    desk.fill(desk.submit().order_id, 4)
    assert desk.replace(qty=4).reason is Reason.INVALID_QUANTITY
    assert desk.replace("r2", qty=5).reason is Reason.NONE


def test_a_market_order_cannot_be_replaced() -> None:
    desk = Desk.opened()
    desk.submit(ord_type=OrdType.MARKET, price=0)
    assert desk.replace().reason is Reason.INVALID_PRICE


def _request_id(desk: Desk, report: OrderReport) -> str:
    return desk.order(report.order_id).pendings[-1].request_id
