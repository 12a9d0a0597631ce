# SPDX-License-Identifier: Apache-2.0
"""Requests about one order that follow each other: chains, several pending, status."""

from dataclasses import replace
from typing import Any

import pytest

from tests.golden.life import Life, session
from tradewind.core import commands
from tradewind.core.decide_client import PENDINGS_MAX
from tradewind.core.events import OrderReport, ReportIgnored, VenueRequest
from tradewind.core.invariants import violations
from tradewind.core.testing import ACCOUNT, MILLISECOND_NS, NEVER_NS, one, request_of
from tradewind.core.types import (
    ExecType,
    OrdStatus,
    OrdType,
    Reason,
    TimeInForce,
    TradSesStatus,
    VenueAction,
)

STATUS = commands.RequestStatus(account=ACCOUNT, cl_ord_id="c1", client="client")
PROOFS = (
    ExecType.NEW,
    ExecType.TRIGGERED,
    ExecType.TRADE,
    ExecType.RESTATED,
    ExecType.REPLACED,
    ExecType.CANCELED,
    ExecType.EXPIRED,
    ExecType.REJECTED,
)
STOP_LIMIT: dict[str, Any] = {"ord_type": OrdType.STOP_LIMIT, "stop_px": 1_010}


def chain(*sizes: int) -> tuple[Life, str]:
    """An order of 10 that waits for replaces r1, r2, ... to these sizes."""
    desk = Life.opened()
    order_id = desk.make("c1")
    for number, qty in enumerate(sizes, 1):
        assert desk.replace(f"r{number}", qty=qty, price=1_000 + number).reason is Reason.NONE
    return desk, order_id


def terms(desk: Life, order_id: str) -> tuple[str, str, int, int, int]:
    order = desk.order(order_id)
    assert violations(desk.machine.state) == []
    working = desk.position.buy_working
    return order.cl_ord_id, str(order.ord_status), order.order_qty, order.price, working


def test_the_first_request_to_the_venue_says_all_there_is_to_an_order() -> None:
    desk = Life.opened()
    shape: dict[str, Any] = {
        **STOP_LIMIT,
        "order_qty": 50,
        "display_qty": 5,
        "time_in_force": TimeInForce.GTD,
        "expire_ns": NEVER_NS - 1,
    }
    desk.submit("c1", **shape)
    request = desk.outputs[-1]
    assert isinstance(request, VenueRequest)
    assert {name: getattr(request, name) for name in shape} == shape
    assert (request.action, request.request_id) == (VenueAction.NEW, request.order_id)
    assert (request.price, request.send_by_ns, request.venue_order_id) == (1_000, NEVER_NS, "")
    assert not request.is_possibly_sent
    order = desk.order(request.order_id)
    assert {name: getattr(order, name) for name in shape} == shape
    again = desk.take_session()[1]
    assert again == replace(request, is_possibly_sent=True)


def test_post_only_reaches_the_venue() -> None:
    desk = Life.opened()
    desk.submit("post", is_post_only=True)
    request = desk.outputs[-1]
    assert isinstance(request, VenueRequest)
    assert request.is_post_only
    assert desk.order(request.order_id).is_post_only


def test_replaces_of_a_chain_are_confirmed_one_by_one() -> None:
    desk, order_id = chain(20, 15)
    assert terms(desk, order_id) == ("c1", "PENDING_REPLACE", 10, 1_000, 20)
    desk.answer(order_id, ExecType.REPLACED)
    assert terms(desk, order_id) == ("r1", "PENDING_REPLACE", 20, 1_001, 20)
    desk.answer(order_id, ExecType.REPLACED)
    assert terms(desk, order_id) == ("r2", "NEW", 15, 1_002, 15)


def test_the_confirmation_of_an_overtaken_replace_does_not_change_the_terms() -> None:
    desk, order_id = chain(20, 30, 40)
    desk.answer(order_id, ExecType.REPLACED, 1)
    assert terms(desk, order_id) == ("r2", "PENDING_REPLACE", 30, 1_002, 40)
    desk.answer(order_id, ExecType.REPLACED, 0)
    assert terms(desk, order_id) == ("r1", "PENDING_REPLACE", 30, 1_002, 40)
    desk.answer(order_id, ExecType.REPLACE_REJECTED)
    assert terms(desk, order_id) == ("r1", "NEW", 30, 1_002, 30)


def test_a_confirmed_replace_is_told_with_the_ids_before_and_after() -> None:
    desk, order_id = chain(20)
    (pending,) = desk.order(order_id).pendings
    assert (pending.cl_ord_id, pending.order_qty, pending.price) == ("r1", 20, 1_001)
    assert (pending.seq, pending.action) == (desk.machine.state.seq, VenueAction.REPLACE)
    events = desk.report(
        order_id,
        ExecType.REPLACED,
        request_id=pending.request_id,
        order_qty=20,
        price=1_001,
        venue_order_id="V2",
    )
    report = one(events, OrderReport)
    assert (report.cl_ord_id, report.orig_cl_ord_id) == ("r1", "c1")
    assert (report.venue_order_id, desk.order(order_id).venue_order_id) == ("V2", "V2")
    events = desk.report(order_id, ExecType.RESTATED, order_qty=20, price=1, venue_order_id="")
    assert one(events, OrderReport).venue_order_id == "V2"
    assert one(events, OrderReport).orig_cl_ord_id == ""


def test_terms_of_nothing_are_ignored() -> None:
    desk, order_id = chain(20)
    (pending,) = desk.order(order_id).pendings
    for wrong in ({"order_qty": 0, "price": 1}, {"order_qty": 1, "price": -1}):
        for exec_type in (ExecType.REPLACED, ExecType.RESTATED):
            (event,) = desk.report(order_id, exec_type, request_id=pending.request_id, **wrong)
            assert isinstance(event, ReportIgnored)
            assert event.text == "terms of nothing"
    (event,) = desk.report(order_id, ExecType.RESTATED, order_qty=1, price=0)
    assert isinstance(event, OrderReport)


def test_new_terms_unasked_hold_at_once_and_keep_stop_price_and_requests() -> None:
    desk = Life.opened()
    order_id = desk.make("c1", **STOP_LIMIT)
    desk.replace("r1", qty=20, price=1_005, stop_px=1_020)
    desk.report(order_id, ExecType.RESTATED, order_qty=8, price=995)
    order = desk.order(order_id)
    assert (order.order_qty, order.price, order.stop_px, order.leaves_qty) == (8, 995, 1_010, 8)
    assert (desk.position.buy_working, len(order.pendings)) == (20, 1)
    desk.answer(order_id, ExecType.REPLACED)
    assert (order.order_qty, order.price, order.stop_px) == (20, 1_005, 1_020)


def test_a_replace_without_a_stop_price_keeps_it() -> None:
    desk = Life.opened()
    order_id = desk.make("c1", **STOP_LIMIT)
    desk.replace("r1", qty=20)
    request = desk.outputs[-1]
    assert isinstance(request, VenueRequest)
    assert (request.stop_px, request.order_qty, request.action) == (1_010, 20, VenueAction.REPLACE)
    desk.answer(order_id, ExecType.REPLACED)
    assert desk.order(order_id).stop_px == 1_010
    assert desk.replace("r2", qty=20, price=10_000).reason is Reason.PRICE_COLLAR


def test_a_stop_that_triggers_works_and_is_proved_to_be_at_the_venue() -> None:
    desk = Life.opened()
    order_id = desk.submit("c1", **STOP_LIMIT).order_id
    report = one(desk.report(order_id, ExecType.TRIGGERED), OrderReport)
    assert (report.ord_status, report.stop_px) == (OrdStatus.NEW, 1_010)
    assert len(desk.take_session()) == 1


def test_a_replace_is_judged_by_the_orders_time_in_force() -> None:
    desk = Life.opened()
    session(desk, TradSesStatus.PRE_OPEN)
    desk.make("c1", time_in_force=TimeInForce.AT_OPEN)
    assert desk.replace("r1").reason is Reason.NONE
    session(desk, TradSesStatus.OPEN)
    assert desk.replace("r2").reason is Reason.NOT_IN_THIS_SESSION
    expire_ns = desk.now_ns + 4 * MILLISECOND_NS
    desk.make("dated", time_in_force=TimeInForce.GTD, expire_ns=expire_ns)
    assert desk.replace("r3", "dated").reason is Reason.NONE
    assert desk.replace("r4", "dated").reason is Reason.INVALID_EXPIRE_TIME


def test_a_fill_of_the_largest_size_that_was_asked_for_leaves_nothing() -> None:
    desk, order_id = chain(15)
    assert desk.fill(order_id, 14).ord_status is OrdStatus.PENDING_REPLACE
    assert desk.position.buy_working == 1
    assert desk.fill(order_id, 1).ord_status is OrdStatus.FILLED
    assert desk.position.buy_working == 0


@pytest.mark.parametrize("word", PROOFS)
def test_every_word_that_proves_that_the_venue_has_the_order_ends_the_doubt(word: ExecType) -> None:
    desk = Life.opened()
    order_id = desk.submit().order_id
    desk.replace("r1", qty=20)
    desk.report(order_id, ExecType.UNKNOWN)
    order = desk.order(order_id)
    assert (order.is_acked, order.is_unknown) == (False, True)
    desk.report(
        order_id,
        word,
        request_id=order.pendings[0].request_id,
        last_qty=1,
        last_px=1_000,
        order_qty=20,
        price=1_000,
    )
    assert (order.is_acked, order.is_unknown) == (True, False)


def test_an_iceberg_can_become_smaller_than_what_it_shows() -> None:
    desk = Life.opened()
    desk.make("c1", order_qty=50, display_qty=20)
    assert desk.replace("r1", qty=5).reason is Reason.NONE


def test_a_chain_has_an_end_and_a_cancel_passes_it() -> None:
    assert PENDINGS_MAX == 8
    desk, order_id = chain(*range(11, 11 + PENDINGS_MAX))
    assert desk.replace("more", qty=50).reason is Reason.TOO_MANY_PENDING
    assert desk.cancel("x1", "r3").reason is Reason.NONE
    assert len(desk.order(order_id).pendings) == PENDINGS_MAX + 1
    _taken, *requests = desk.take_session()
    actions = [request.action for request in requests if isinstance(request, VenueRequest)]
    assert actions == [VenueAction.REPLACE] * PENDINGS_MAX + [VenueAction.CANCEL]
    sizes = [request.order_qty for request in requests if isinstance(request, VenueRequest)]
    assert sizes[:PENDINGS_MAX] == list(range(11, 11 + PENDINGS_MAX))


def test_a_cancel_that_is_granted_answers_every_cancel_but_no_replace() -> None:
    desk, order_id = chain(20)
    desk.cancel("x1")
    replaced, canceled = desk.order(order_id).pendings
    desk.report(order_id, ExecType.CANCELED)  # unasked: it names no request
    assert desk.order(order_id).pendings == (replaced,)
    assert desk.order(order_id).cl_ord_id == "c1"
    (event,) = desk.report(order_id, ExecType.CANCEL_REJECTED, request_id=canceled.request_id)
    assert isinstance(event, ReportIgnored)
    assert event.text == "answers no request that is pending"
    (event,) = desk.report(order_id, ExecType.REPLACE_REJECTED, request_id=replaced.request_id)
    assert isinstance(event, OrderReport)
    assert (event.cl_ord_id, event.ord_status) == ("r1", OrdStatus.CANCELED)
    assert event.reason is Reason.BY_VENUE
    assert desk.order(order_id).pendings == ()


@pytest.mark.parametrize(
    ("index", "exec_type"),
    [
        (0, ExecType.CANCEL_REJECTED),
        (1, ExecType.REPLACED),
        (1, ExecType.REPLACE_REJECTED),
    ],
)
def test_an_answer_settles_only_a_request_of_its_kind(index: int, exec_type: ExecType) -> None:
    desk, order_id = chain(20)
    desk.cancel("x1")
    pending = desk.order(order_id).pendings[index]
    (event,) = desk.report(
        order_id, exec_type, request_id=pending.request_id, order_qty=5, price=1_000
    )
    assert isinstance(event, ReportIgnored)
    assert event.text == "answers no request that is pending"
    assert len(desk.order(order_id).pendings) == 2
    assert terms(desk, order_id) == ("c1", "PENDING_CANCEL", 10, 1_000, 20)


def test_a_granted_cancel_names_the_order_from_then_on() -> None:
    desk, order_id = chain()
    desk.cancel("x1")
    (pending,) = desk.order(order_id).pendings
    (event,) = desk.report(order_id, ExecType.CANCELED, request_id=pending.request_id)
    assert isinstance(event, OrderReport)
    assert (event.cl_ord_id, event.orig_cl_ord_id) == ("x1", "c1")
    assert desk.order(order_id).cl_ord_id == "x1"
    assert desk.order(order_id).replaced_seq == 0


@pytest.mark.parametrize(
    ("is_acked", "status", "action"),
    [(False, OrdStatus.UNKNOWN, VenueAction.NEW), (True, OrdStatus.NEW, None)],
)
def test_a_refused_request_ends_the_doubt_about_an_order_that_the_venue_has(
    is_acked: bool, status: OrdStatus, action: VenueAction | None
) -> None:
    desk = Life.opened()
    order_id = desk.make("c1") if is_acked else desk.submit().order_id
    desk.replace("r1", qty=20)
    desk.report(order_id, ExecType.UNKNOWN)
    assert desk.order(order_id).ord_status is OrdStatus.PENDING_REPLACE
    desk.answer(order_id, ExecType.REPLACE_REJECTED)
    assert desk.order(order_id).ord_status is status
    asked = [event.action for event in desk.take_session() if isinstance(event, VenueRequest)]
    assert asked == ([action] if action else [])


def test_a_new_session_asks_about_an_order_that_was_there_and_never_sends_it_again() -> None:
    desk, order_id = chain()
    desk.report(order_id, ExecType.UNKNOWN)
    question = request_of(desk.take_session())
    assert (question.action, question.request_id) == (VenueAction.STATUS, order_id)
    assert question.is_possibly_sent
    desk.report(order_id, ExecType.UNKNOWN)
    assert desk.order(order_id).ord_status is OrdStatus.UNKNOWN
    desk.fill(order_id, 1)
    assert desk.order(order_id).ord_status is OrdStatus.PARTIALLY_FILLED


def test_an_unknown_order_that_was_never_acknowledged_is_sent_again_marked() -> None:
    desk = Life.opened()
    order_id = desk.submit().order_id
    desk.report(order_id, ExecType.UNKNOWN)
    assert desk.position.buy_working == 10
    assert request_of(desk.take_session()).action is VenueAction.NEW
    desk.replace("r1", qty=20)
    desk.cancel("x1")
    assert desk.position.buy_working == 20


def test_a_status_request_asks_a_venue_that_owes_an_answer() -> None:
    desk = Life.opened()
    order_id = desk.submit().order_id
    owing = desk.step(STATUS)
    report, request = one(owing, OrderReport), request_of(owing)
    assert (report.exec_type, report.ord_status) == (ExecType.ORDER_STATUS, OrdStatus.PENDING_NEW)
    assert (report.cl_ord_id, report.reason) == ("c1", Reason.NONE)
    assert (request.action, request.order_id) == (VenueAction.STATUS, order_id)
    assert request.is_possibly_sent
    desk.ack(order_id)
    assert len(desk.step(STATUS)) == 1
    desk.cancel()
    assert len(desk.step(STATUS)) == 2
    desk.answer(order_id, ExecType.CANCEL_REJECTED)
    desk.report(order_id, ExecType.UNKNOWN)
    assert len(desk.step(STATUS)) == 2
    desk.report(order_id, ExecType.CANCELED)
    assert len(desk.step(STATUS)) == 1
    desk.make("parent", is_parent=True)
    assert len(desk.step(replace(STATUS, cl_ord_id="parent"))) == 1
    nobody = one(desk.step(replace(STATUS, cl_ord_id="nobody")), OrderReport)
    assert (nobody.exec_type, nobody.reason) == (ExecType.ORDER_STATUS, Reason.UNKNOWN_ORDER)
    assert (nobody.cl_ord_id, nobody.order_id, nobody.ord_status) == ("nobody", "", "DENIED")
