# SPDX-License-Identifier: Apache-2.0
"""Parents and children: never more than the parent was asked for, one end for all of them."""

from typing import Any

import pytest

from tests.golden.life import Life, session
from tradewind.core import commands
from tradewind.core.events import OrderReport, ReportIgnored, VenueRequest
from tradewind.core.invariants import violations
from tradewind.core.snapshot import digest
from tradewind.core.state import Pending
from tradewind.core.testing import ACCOUNT, SYMBOL
from tradewind.core.types import (
    ExecType,
    OrdStatus,
    OrdType,
    Reason,
    Side,
    TradingState,
    TradSesStatus,
    VenueAction,
)

CHILD = {"parent_cl_ord_id": "parent", "algorithm": "TWAP", "build": "b1"}


def family(qty: int = 30, *children: int) -> tuple[Life, str, list[str]]:
    """A parent and its acknowledged children of these sizes."""
    desk = Life.opened()
    parent = desk.make("parent", order_qty=qty, is_parent=True)
    ids = [desk.make(f"k{n}", order_qty=size, **CHILD) for n, size in enumerate(children, 1)]
    return desk, parent, ids


def quantities(desk: Life, order_id: str) -> tuple[str, int, int, int]:
    order = desk.order(order_id)
    assert violations(desk.machine.state) == []
    return str(order.ord_status), order.cum_qty, order.leaves_qty, order.child_working


def reports(events: tuple[Any, ...]) -> list[OrderReport]:
    return [event for event in events if isinstance(event, OrderReport)]


def test_a_parent_is_new_at_once_goes_to_no_venue_and_reserves_nothing() -> None:
    desk = Life.opened()
    report = desk.submit("parent", is_parent=True, order_qty=30)
    assert (report.exec_type, report.ord_status) == (ExecType.NEW, OrdStatus.NEW)
    assert (report.is_parent, report.leaves_qty) == (True, 30)
    assert desk.outputs[-1] is report
    order = desk.order(report.order_id)
    assert (order.venue, order.is_acked, order.reserved_qty) == ("", True, 0)
    assert desk.position.buy_working == 0
    assert len(desk.take_session()) == 1


@pytest.mark.parametrize(
    ("terms", "reason"),
    [
        ({"order_qty": 1_000}, Reason.NONE),  # its children are bounded, it is not
        ({"price": 10_000}, Reason.NONE),
        ({"order_qty": 0}, Reason.INVALID_QUANTITY),
        ({"strategy": ""}, Reason.ATTRIBUTION_MISSING),
        ({"symbol": "?"}, Reason.UNKNOWN_INSTRUMENT),
        ({"void_after_ns": 1}, Reason.TOO_LATE),
        ({"display_qty": -1}, Reason.INVALID_DISPLAY_QUANTITY),
    ],
)
def test_a_parent_is_judged_by_its_own_terms_alone(terms: dict[str, Any], reason: Reason) -> None:
    assert Life.opened().submit("parent", is_parent=True, **terms).reason is reason


def test_a_parent_is_denied_when_trading_is_halted_or_its_venue_closed() -> None:
    desk = Life.opened()
    session(desk, TradSesStatus.CLOSED)
    assert desk.submit("early", is_parent=True).reason is Reason.VENUE_CLOSED
    desk.trading(TradingState.HALTED)
    session(desk, TradSesStatus.OPEN)
    assert desk.submit("parent", is_parent=True).reason is Reason.TRADING_HALTED


@pytest.mark.parametrize(
    ("terms", "reason"),
    [
        ({}, Reason.NONE),
        ({"order_qty": 20}, Reason.NONE),
        ({"order_qty": 21}, Reason.PARENT_EXCEEDED),
        ({"order_qty": 101}, Reason.MAX_ORDER_QTY),
        ({"side": Side.SELL}, Reason.PARENT_MISMATCH),
        ({"symbol": "ETH-USD"}, Reason.UNKNOWN_INSTRUMENT),
        ({"is_parent": True}, Reason.PARENT_MISMATCH),
        ({"parent_cl_ord_id": "nobody"}, Reason.UNKNOWN_PARENT),
        ({"parent_cl_ord_id": "k1"}, Reason.UNKNOWN_PARENT),
        ({"account": "ALPHA"}, Reason.UNKNOWN_PARENT),
    ],
)
def test_a_child_is_like_its_parent_and_fits_into_what_is_free(
    terms: dict[str, Any], reason: Reason
) -> None:
    desk, parent, _ = family(30, 10)
    desk.limits(account="ALPHA")
    report = desk.submit("k2", **{**CHILD, **terms})
    assert report.reason is reason
    if reason is Reason.NONE:
        assert (report.parent_order_id, report.algorithm) == (parent, "TWAP")
        assert quantities(desk, parent) == ("NEW", 0, 30, 10 + report.order_qty)


def test_a_child_in_another_instrument_is_no_child() -> None:
    desk, _, _ = family()
    desk.machine.state.instruments["ETH-USD"] = desk.machine.state.instruments[SYMBOL]
    desk.limits(symbol="ETH-USD")
    desk.machine.state.references["ETH-USD"] = desk.machine.state.references[SYMBOL]
    assert desk.submit("k1", symbol="ETH-USD", **CHILD).reason is Reason.PARENT_MISMATCH


def test_childrens_fills_are_the_parents_until_both_are_filled() -> None:
    desk, parent, (first, second) = family(20, 10, 10)
    child, of_parent = reports(
        desk.report(first, ExecType.TRADE, last_qty=4, last_px=990, exec_id="F1")
    )
    assert (child.order_id, of_parent.order_id) == (first, parent)
    assert child.exec_id != of_parent.exec_id
    assert (of_parent.exec_type, of_parent.ord_status) == (ExecType.TRADE, "PARTIALLY_FILLED")
    assert (of_parent.last_qty, of_parent.last_px, of_parent.venue_exec_id) == (4, 990, "F1")
    assert (of_parent.cum_qty, of_parent.leaves_qty, of_parent.cum_notional) == (4, 16, 3_960)
    assert (of_parent.cl_ord_id, of_parent.order_qty, of_parent.price) == ("parent", 20, 1_000)
    assert (of_parent.orig_cl_ord_id, of_parent.venue_order_id) == ("", "")
    assert quantities(desk, parent) == ("PARTIALLY_FILLED", 4, 16, 16)
    desk.fill(first, 6)
    desk.fill(second, 10)
    assert quantities(desk, parent) == ("FILLED", 20, 0, 0)
    assert desk.position.qty == 20
    assert parent not in desk.machine.state.live_orders
    assert desk.submit("k3", **CHILD).reason is Reason.PARENT_NOT_WORKING


def test_what_a_child_frees_another_may_use() -> None:
    desk, parent, (first,) = family(10, 10)
    assert desk.submit("k2", **CHILD).reason is Reason.PARENT_EXCEEDED
    desk.fill(first, 4)
    desk.report(first, ExecType.CANCELED)
    assert quantities(desk, parent) == ("PARTIALLY_FILLED", 4, 6, 0)
    assert desk.submit("k3", order_qty=7, **CHILD).reason is Reason.PARENT_EXCEEDED
    assert desk.submit("k4", order_qty=6, **CHILD).reason is Reason.NONE


def test_a_childs_replace_fits_into_what_is_free_too() -> None:
    desk, parent, (first, _second) = family(30, 10, 10)
    assert desk.replace("r1", "k1", qty=21).reason is Reason.PARENT_EXCEEDED
    assert desk.replace("r2", "k1", qty=20).reason is Reason.NONE
    assert desk.replace("r2+", "k2", qty=11).reason is Reason.PARENT_EXCEEDED
    assert quantities(desk, parent) == ("NEW", 0, 30, 30)
    desk.answer(first, ExecType.REPLACE_REJECTED)
    desk.fill(first, 5)
    assert desk.replace("r3", "k1", qty=21).reason is Reason.PARENT_EXCEEDED
    assert desk.replace("r4", "k1", qty=20).reason is Reason.NONE


def test_a_child_may_shrink_even_after_its_venue_filled_too_much() -> None:
    desk, parent, (first, _second) = family(20, 10, 10)
    desk.fill(first, 15)
    assert quantities(desk, parent) == ("PARTIALLY_FILLED", 15, 5, 10)
    assert desk.replace("r1", "k2", qty=5).reason is Reason.NONE
    assert desk.submit("k3", order_qty=1, **CHILD).reason is Reason.PARENT_EXCEEDED


def test_a_parent_is_replaced_at_once_but_not_below_what_works() -> None:
    desk, parent, (first,) = family(30, 10)
    desk.fill(first, 4)
    assert desk.replace("r1", "parent", qty=9).reason is Reason.PARENT_EXCEEDED
    report = desk.replace("r2", "parent", qty=10, price=1_001)
    assert (report.exec_type, report.ord_status) == (ExecType.REPLACED, "PARTIALLY_FILLED")
    assert (report.cl_ord_id, report.orig_cl_ord_id) == ("r2", "parent")
    assert (report.order_qty, report.leaves_qty, report.cum_qty) == (10, 6, 4)
    assert (report.price, report.cum_notional) == (1_001, 4_000)
    order = desk.order(parent)
    assert (order.cl_ord_id, order.order_qty, order.price) == ("r2", 10, 1_001)
    assert quantities(desk, parent) == ("PARTIALLY_FILLED", 4, 6, 6)
    assert desk.replace("r3", "r2", qty=4).reason is Reason.INVALID_QUANTITY


def test_a_parent_stop_keeps_its_stop_price_when_replaced() -> None:
    desk = Life.opened()
    stop = {"ord_type": OrdType.STOP_LIMIT, "stop_px": 1_010}
    parent = desk.make("parent", is_parent=True, **stop)
    assert desk.replace("r1", "parent").stop_px == 1_010
    assert desk.replace("r2", "r1", stop_px=1_020).stop_px == desk.order(parent).stop_px == 1_020
    assert desk.cancel("x1", "parent").stop_px == 1_020


def test_a_parent_without_children_is_cancelled_at_once() -> None:
    desk, parent, _ = family(30)
    report = desk.cancel("x1", "parent")
    assert (report.exec_type, report.ord_status) == (ExecType.CANCELED, OrdStatus.CANCELED)
    assert (report.cl_ord_id, report.orig_cl_ord_id, report.leaves_qty) == ("x1", "parent", 0)
    assert quantities(desk, parent) == ("CANCELED", 0, 0, 0)
    assert desk.order(parent).cl_ord_id == "x1"
    assert desk.cancel("x2", "parent").reason is Reason.ORDER_IS_FINAL


def test_a_parents_cancel_is_its_childrens_and_done_with_the_last_of_them() -> None:
    desk, parent, (first, second) = family(30, 10, 10)
    desk.fill(first, 4)
    desk.cancel("xk2", "k2")
    desk.cancel("x1", "parent")
    asked, of_child, sent = desk.outputs[-3:]
    assert isinstance(asked, OrderReport)
    assert (asked.cl_ord_id, asked.orig_cl_ord_id) == ("x1", "parent")
    assert isinstance(of_child, OrderReport)
    assert (of_child.cl_ord_id, of_child.orig_cl_ord_id) == ("k1", "")
    assert of_child.exec_id == f"E{desk.machine.state.seq}.1"
    assert isinstance(sent, VenueRequest)
    assert sent.order_id == first
    (pending,) = desk.order(parent).pendings
    assert pending == Pending(
        seq=desk.machine.state.seq,
        action=VenueAction.CANCEL,
        request_id=f"seg-0-{desk.machine.state.seq}",
        cl_ord_id="x1",
        order_qty=30,
        price=1_000,
        stop_px=0,
    )
    desk.step(commands.MassCancel(account=ACCOUNT, cl_ord_id="m", client="client"))
    assert len(desk.order(parent).pendings) == 1
    assert quantities(desk, parent) == ("PENDING_CANCEL", 4, 26, 16)
    assert desk.order(first).pendings[0].cl_ord_id == "k1"
    assert desk.cancel("x2", "parent").reason is Reason.REQUEST_PENDING
    assert desk.submit("k3", order_qty=1, **CHILD).reason is Reason.PARENT_NOT_WORKING
    desk.answer(first, ExecType.CANCELED)
    assert quantities(desk, parent) == ("PENDING_CANCEL", 4, 26, 10)
    answer = desk.order(second).pendings[0].request_id
    child, ended = reports(desk.report(second, ExecType.CANCELED, request_id=answer))
    assert (child.order_id, ended.order_id) == (second, parent)
    assert child.exec_id != ended.exec_id
    assert (ended.exec_type, ended.cl_ord_id, ended.orig_cl_ord_id) == (
        ExecType.CANCELED,
        "x1",
        "parent",
    )
    assert (ended.cum_qty, ended.cum_notional, ended.leaves_qty) == (4, 4_000, 0)
    assert (ended.order_qty, ended.price, ended.exec_id[-2:]) == (30, 1_000, ".2")
    assert desk.order(parent).cl_ord_id == "x1"
    assert quantities(desk, parent) == ("CANCELED", 4, 0, 0)
    assert desk.order(parent).ended_ns == desk.now_ns


def test_the_fill_that_ends_the_last_child_ends_a_parent_that_is_being_cancelled() -> None:
    desk, parent, (first, second) = family(30, 10, 10)
    desk.cancel("x1", "parent")
    desk.answer(second, ExecType.CANCELED)
    assert quantities(desk, parent) == ("PENDING_CANCEL", 0, 30, 10)
    child, traded, ended = reports(
        desk.report(first, ExecType.TRADE, last_qty=10, last_px=999, exec_id="F")
    )
    assert (traded.order_id, traded.ord_status) == (parent, OrdStatus.PENDING_CANCEL)
    assert (ended.order_id, ended.ord_status) == (parent, OrdStatus.CANCELED)
    assert (ended.cum_qty, ended.cum_notional) == (10, 9_990)
    assert len({child.exec_id, traded.exec_id, ended.exec_id}) == 3
    assert quantities(desk, parent) == ("CANCELED", 10, 0, 0)


def test_only_the_end_of_the_last_child_ends_a_parent_that_is_being_cancelled() -> None:
    desk, parent, (first,) = family(12, 10)
    desk.fill(first, 4, 990)
    desk.cancel("x1", "parent")
    desk.fill(first, 1)
    assert quantities(desk, parent) == ("PENDING_CANCEL", 5, 7, 5)
    events = desk.report(first, ExecType.TRADE, last_qty=5, last_px=1_000)
    ended = reports(events)[-1]
    assert (ended.exec_type, ended.cum_qty, ended.cum_notional) == (ExecType.CANCELED, 10, 9_960)
    assert quantities(desk, parent) == ("CANCELED", 10, 0, 0)


def test_a_parent_that_is_filled_by_the_last_child_is_filled_even_when_cancelled() -> None:
    desk, parent, (first,) = family(10, 10)
    desk.cancel("x1", "parent")
    events = desk.report(first, ExecType.TRADE, last_qty=10, last_px=1_000)
    assert [report.ord_status for report in reports(events)] == [OrdStatus.FILLED] * 2
    assert quantities(desk, parent) == ("FILLED", 10, 0, 0)


def test_a_child_that_has_ended_does_not_end_its_parents_cancel_again() -> None:
    desk, parent, (first, second) = family(30, 10, 10)
    desk.report(first, ExecType.CANCELED)
    desk.cancel("x1", "parent")
    desk.fill(first, 1, exec_id="late")
    assert quantities(desk, parent) == ("PENDING_CANCEL", 1, 29, 10)
    desk.report(second, ExecType.EXPIRED)
    assert quantities(desk, parent) == ("CANCELED", 1, 0, 0)
    desk.machine.digest()
    desk.fill(second, 2, exec_id="later")
    assert desk.machine.digest() == digest(desk.machine.state)
    assert quantities(desk, parent) == ("CANCELED", 3, 0, 0)
    assert len(reports(desk.report(second, ExecType.TRADE_CANCEL, exec_ref_id="later"))) == 2
    assert quantities(desk, parent) == ("CANCELED", 1, 0, 0)


def test_busts_and_corrections_of_children_are_the_parents_too() -> None:
    desk, parent, (first,) = family(10, 10)
    desk.fill(first, 10, 990, exec_id="F1")
    assert quantities(desk, parent) == ("FILLED", 10, 0, 0)
    _child, corrected = reports(
        desk.report(
            first,
            ExecType.TRADE_CORRECT,
            exec_id="F2",
            exec_ref_id="F1",
            last_qty=6,
            last_px=980,
        )
    )
    assert (corrected.venue_exec_id, corrected.venue_exec_ref_id) == ("F2", "F1")
    assert (corrected.last_qty, corrected.last_px) == (6, 980)
    assert (corrected.cum_qty, corrected.cum_notional) == (6, 5_880)
    assert quantities(desk, parent) == ("FILLED", 6, 0, 0)


def test_a_bust_of_a_working_child_opens_its_parent_again() -> None:
    desk, parent, (first,) = family(30, 10)
    desk.fill(first, 4, exec_id="F1")
    desk.report(first, ExecType.TRADE_CANCEL, exec_ref_id="F1")
    assert quantities(desk, parent) == ("NEW", 0, 30, 10)
    assert desk.position.qty == 0


def test_no_venue_can_speak_of_a_parent() -> None:
    desk, parent, _ = family(30)
    (event,) = desk.report(parent, ExecType.TRADE, last_qty=1, last_px=1)
    assert isinstance(event, ReportIgnored)
    assert event.text == "no venue can say this of this order"
