# SPDX-License-Identifier: Apache-2.0
"""Venues' reports and sessions: what happened is booked once, what is unsettled is asked again."""

import pytest

from tradewind.core.commands import TakeSession
from tradewind.core.events import OrderReport, ReportIgnored, SessionTaken, VenueRequest
from tradewind.core.invariants import violations
from tradewind.core.snapshot import dump
from tradewind.core.testing import Desk, one
from tradewind.core.types import ExecType, OrdStatus, Reason, VenueAction


def test_fills_move_order_and_position() -> None:
    desk = Desk.opened()
    order_id = desk.submit().order_id
    assert desk.fill(order_id, 4, 990).ord_status is OrdStatus.PARTIALLY_FILLED
    report = desk.fill(order_id, 6, 1_000)
    assert (report.ord_status, report.cum_qty, report.leaves_qty) == (OrdStatus.FILLED, 10, 0)
    assert report.cum_notional == desk.position.cost == 4 * 990 + 6 * 1_000
    assert (desk.position.qty, desk.position.buy_working) == (10, 0)


def test_a_single_lot_is_reserved_and_freed_like_any_other() -> None:
    desk = Desk.opened()
    order_id = desk.submit(order_qty=1).order_id
    assert desk.position.buy_working == 1
    desk.fill(order_id, 1)
    assert (desk.position.qty, desk.position.buy_working) == (1, 0)


def test_a_fill_after_the_cancel_is_booked() -> None:
    desk = Desk.opened()
    order_id = desk.submit().order_id
    desk.report(order_id, ExecType.CANCELED)
    report = desk.fill(order_id, 3)
    assert (report.ord_status, report.cum_qty, report.leaves_qty) == (OrdStatus.CANCELED, 3, 0)
    assert (desk.position.qty, desk.position.buy_working) == (3, 0)
    assert violations(desk.machine.state) == []


def test_the_second_report_with_an_execution_id_is_ignored() -> None:
    desk = Desk.opened()
    order_id = desk.submit().order_id
    desk.fill(order_id, 3, exec_id="same")
    before = dump(desk.machine.state)
    (event,) = desk.report(order_id, ExecType.TRADE, last_qty=3, last_px=1_000, exec_id="same")
    assert isinstance(event, ReportIgnored)
    after = dump(desk.machine.state)
    changed = {name for name in after if after[name] != before[name]}
    assert changed == {"seq", "ts_ns", "ordinal", "sessions"}


def test_more_than_the_order_is_booked_too() -> None:
    desk = Desk.opened()
    order_id = desk.submit().order_id
    report = desk.fill(order_id, 13)
    assert (report.ord_status, report.cum_qty, report.leaves_qty) == (OrdStatus.FILLED, 13, 0)
    desk.fill(order_id, 1)
    assert (desk.position.qty, desk.position.buy_working) == (14, 0)
    assert violations(desk.machine.state) == []


def test_a_fill_before_the_acknowledgement_proves_that_the_venue_has_the_order() -> None:
    desk = Desk.opened()
    order_id = desk.submit().order_id
    desk.fill(order_id, 1)
    assert desk.ack(order_id).ord_status is OrdStatus.PARTIALLY_FILLED
    assert len(desk.take_session()) == 1


@pytest.mark.parametrize(
    ("answer", "status", "working"),
    [
        (ExecType.REPLACED, OrdStatus.PARTIALLY_FILLED, 5),
        (ExecType.REPLACE_REJECTED, OrdStatus.FILLED, 0),
    ],
)
def test_a_full_fill_does_not_end_an_order_that_may_have_become_larger(
    answer: ExecType, status: OrdStatus, working: int
) -> None:
    desk = Desk.opened()
    order_id = desk.submit().order_id
    desk.replace("r1", qty=15)
    request_id = desk.order(order_id).pendings[0].request_id
    assert desk.fill(order_id, 10).ord_status is OrdStatus.PENDING_REPLACE
    assert desk.position.buy_working == 5
    events = desk.report(order_id, answer, request_id=request_id, order_qty=15, price=1_000)
    assert one(events, OrderReport).ord_status is status
    assert desk.position.buy_working == working
    assert violations(desk.machine.state) == []


def test_a_doubt_about_a_request_that_has_been_answered_is_ignored() -> None:
    desk = Desk.opened()
    order_id = desk.submit().order_id
    (event,) = desk.report(order_id, ExecType.UNKNOWN, request_id=order_id)
    assert one((event,), OrderReport).ord_status is OrdStatus.UNKNOWN
    desk.ack(order_id)
    desk.cancel("x1")
    request_id = desk.order(order_id).pendings[0].request_id
    (event,) = desk.report(order_id, ExecType.UNKNOWN, request_id=order_id)
    assert isinstance(event, ReportIgnored)
    desk.report(order_id, ExecType.CANCEL_REJECTED, request_id=request_id)
    (event,) = desk.report(order_id, ExecType.UNKNOWN, request_id=request_id)
    assert isinstance(event, ReportIgnored)
    assert desk.order(order_id).ord_status is OrdStatus.NEW


@pytest.mark.parametrize("refusal", [ExecType.CANCEL_REJECTED, ExecType.REPLACE_REJECTED])
def test_a_refused_request_ends_the_doubt_about_it(refusal: ExecType) -> None:
    desk = Desk.opened()
    order_id = desk.submit().order_id
    desk.ack(order_id)
    if refusal is ExecType.CANCEL_REJECTED:
        desk.cancel("x1")
    else:
        desk.replace("r1")
    request_id = desk.order(order_id).pendings[0].request_id
    desk.report(order_id, ExecType.UNKNOWN, request_id=request_id)
    events = desk.report(order_id, refusal, request_id=request_id)
    assert one(events, OrderReport).ord_status is OrdStatus.NEW


@pytest.mark.parametrize("end", [ExecType.CANCELED, ExecType.EXPIRED, ExecType.REJECTED])
def test_the_end_of_an_order_frees_its_exposure(end: ExecType) -> None:
    desk = Desk.opened()
    order_id = desk.submit().order_id
    desk.fill(order_id, 4)
    report = one(desk.report(order_id, end, text="why"), OrderReport)
    assert (report.leaves_qty, report.text) == (0, "why")
    assert report.reason is (Reason.BY_VENUE if end is ExecType.REJECTED else Reason.NONE)
    assert (desk.position.qty, desk.position.buy_working) == (4, 0)
    assert desk.machine.state.live_orders == {}


def test_a_new_session_gets_every_unsettled_request_in_the_order_it_was_made() -> None:
    desk = Desk.opened()
    ids = {name: desk.submit(name).order_id for name in ("a", "b", "c", "d", "e")}
    desk.ack(ids["b"])
    desk.cancel("xb", "b")
    desk.ack(ids["c"])
    desk.replace("rc", "c", qty=15, price=1_010)
    desk.cancel("xa", "a")
    desk.ack(ids["d"])
    desk.fill(ids["e"], 10)
    taken, *requests = desk.take_session("life-2")
    assert isinstance(taken, SessionTaken)
    assert (taken.epoch, taken.owner, taken.last_exec_no) == (1, "life-2", 4)
    session = desk.machine.state.sessions[taken.venue]
    assert (session.epoch, session.owner) == (1, "life-2")
    found = []
    for request in requests:
        assert isinstance(request, VenueRequest)
        assert request.is_possibly_sent
        found.append((request.action, request.order_id, request.order_qty, request.price))
    assert found == [
        (VenueAction.NEW, ids["a"], 10, 1_000),
        (VenueAction.CANCEL, ids["b"], 10, 1_000),
        (VenueAction.REPLACE, ids["c"], 15, 1_010),
        (VenueAction.CANCEL, ids["a"], 10, 1_000),
    ]


def test_a_session_taken_again_repeats_the_same_requests_with_the_same_ids() -> None:
    desk = Desk.opened()
    desk.submit("a")
    desk.cancel("xa", "a")
    first = desk.take_session("one")
    orders = dump(desk.machine.state)["orders"]
    second = desk.take_session("two")
    assert first[1:] == second[1:]
    assert dump(desk.machine.state)["orders"] == orders
    assert one(second, SessionTaken).epoch == 2


def test_another_venues_session_gets_nothing_of_this_venues() -> None:
    desk = Desk.opened()
    desk.submit()
    events = desk.step(TakeSession(venue="OTHER", owner="x"))
    assert len(events) == 1
