# SPDX-License-Identifier: Apache-2.0
"""The life of an order: the table is what we mean, and what is not in it changes nothing."""

from itertools import product

import pytest

from tradewind.core.events import OrderReport, ReportIgnored
from tradewind.core.invariants import violations
from tradewind.core.snapshot import dump
from tradewind.core.testing import Desk, one
from tradewind.core.transitions import TRANSITIONS, Facts, next_status
from tradewind.core.types import ExecType, OrdStatus

WORKING, SAME, FILLS = "computed", "same", "same, or FILLED by the last lot"
REQUESTS = "what still is requested, or computed"
QUANTITIES = ("TRADE", "RESTATED")
AMENDED = ("TRADE_CANCEL", "TRADE_CORRECT")
ENDS = {"CANCELED": "CANCELED", "EXPIRED": "EXPIRED", "REJECTED": "REJECTED"}

# Written out by hand, so that a change of the table is a change of this text too.
MEANT: dict[str, dict[str, str]] = {
    **{
        status: {
            "NEW": WORKING,
            "TRIGGERED": WORKING,
            "UNKNOWN": WORKING,
            **dict.fromkeys(QUANTITIES, WORKING),
            **(
                dict.fromkeys(AMENDED, WORKING) if status in ("PARTIALLY_FILLED", "UNKNOWN") else {}
            ),
            "PENDING_CANCEL": "PENDING_CANCEL",
            "PENDING_REPLACE": "PENDING_REPLACE",
            **ENDS,
        }
        for status in ("PENDING_NEW", "NEW", "PARTIALLY_FILLED", "UNKNOWN")
    },
    "PENDING_CANCEL": {
        "NEW": SAME,
        "TRIGGERED": SAME,
        "UNKNOWN": SAME,
        **dict.fromkeys((*QUANTITIES, *AMENDED), FILLS),
        **ENDS,
        "CANCEL_REJECTED": REQUESTS,
        "REPLACED": REQUESTS,
        "REPLACE_REJECTED": REQUESTS,
    },
    "PENDING_REPLACE": {
        "NEW": SAME,
        "TRIGGERED": SAME,
        "UNKNOWN": SAME,
        **dict.fromkeys((*QUANTITIES, *AMENDED), FILLS),
        **ENDS,
        "PENDING_CANCEL": "PENDING_CANCEL",
        "PENDING_REPLACE": "PENDING_REPLACE",
        "REPLACED": REQUESTS,
        "REPLACE_REJECTED": REQUESTS,
    },
    **{
        status: dict.fromkeys(("TRADE", *AMENDED, "CANCEL_REJECTED", "REPLACE_REJECTED"), SAME)
        for status in ("FILLED", "REJECTED", "EXPIRED")
    },
    "CANCELED": dict.fromkeys(("TRADE", *AMENDED, "REPLACE_REJECTED"), SAME),
    "DENIED": {},
}

REQUESTED = (None, OrdStatus.PENDING_CANCEL, OrdStatus.PENDING_REPLACE)
WORK = {
    (False, False, 0): "PENDING_NEW",
    (True, False, 0): "NEW",
    (True, False, 4): "PARTIALLY_FILLED",
    (False, True, 0): "UNKNOWN",
    (True, True, 4): "UNKNOWN",
}
"""Acknowledged, unknown, lots filled: the status of an order that waits for nothing."""
FROM_VENUE = (
    ExecType.NEW,
    ExecType.TRIGGERED,
    ExecType.UNKNOWN,
    ExecType.RESTATED,
    ExecType.REJECTED,
    ExecType.CANCELED,
    ExecType.REPLACED,
    ExecType.TRADE,
    ExecType.EXPIRED,
    ExecType.CANCEL_REJECTED,
    ExecType.REPLACE_REJECTED,
)
ANSWERED_IN = {
    ExecType.CANCEL_REJECTED: OrdStatus.PENDING_CANCEL,
    ExecType.REPLACED: OrdStatus.PENDING_REPLACE,
    ExecType.REPLACE_REJECTED: OrdStatus.PENDING_REPLACE,
}


@pytest.mark.parametrize("status", OrdStatus)
def test_every_pair_goes_where_the_written_table_says(status: OrdStatus) -> None:
    for exec_type, leaves_qty, requested, (work, open_status) in product(
        ExecType, (0, 6), REQUESTED, WORK.items()
    ):
        is_acked, is_unknown, cum_qty = work
        facts = Facts(
            is_acked=is_acked,
            is_unknown=is_unknown,
            cum_qty=cum_qty,
            leaves_qty=leaves_qty,
            requested=requested,
        )
        computed = "FILLED" if leaves_qty == 0 else open_status
        answers: dict[str | None, str | None] = {
            WORKING: computed,
            REQUESTS: requested if requested and leaves_qty else computed,
            FILLS: "FILLED" if leaves_qty == 0 else status,
            SAME: status,
        }
        target = MEANT[status].get(exec_type)
        found = next_status(status, exec_type, facts)
        assert found == answers.get(target, target), f"{status}, {exec_type}, {facts}"


def test_the_table_holds_nothing_that_was_not_meant() -> None:
    meant = {(s, e) for s, row in MEANT.items() for e in row}
    assert {(str(s), str(e)) for s, e in TRANSITIONS} == meant


def order_in(status: OrdStatus) -> tuple[Desk, str]:
    """A desk with one order of 10 in this status."""
    desk = Desk.opened()
    order_id = desk.submit().order_id
    match status:
        case OrdStatus.NEW:
            desk.ack(order_id)
        case OrdStatus.PARTIALLY_FILLED:
            desk.fill(order_id, 4)
        case OrdStatus.FILLED:
            desk.fill(order_id, 10)
        case OrdStatus.PENDING_CANCEL:
            desk.ack(order_id)
            desk.cancel()
        case OrdStatus.PENDING_REPLACE:
            desk.ack(order_id)
            desk.replace()
        case OrdStatus.UNKNOWN:
            desk.report(order_id, ExecType.UNKNOWN)
        case OrdStatus.CANCELED | OrdStatus.REJECTED | OrdStatus.EXPIRED:
            desk.report(order_id, ExecType(status.value))
        case _:
            pass
    assert desk.order(order_id).ord_status is status
    return desk, order_id


@pytest.mark.parametrize("status", [s for s in OrdStatus if s is not OrdStatus.DENIED])
def test_a_report_is_in_the_table_or_is_ignored_and_changes_nothing(status: OrdStatus) -> None:
    for exec_type in FROM_VENUE:
        report_in(status, exec_type)


def report_in(status: OrdStatus, exec_type: ExecType) -> None:
    desk, order_id = order_in(status)
    order = desk.order(order_id)
    before = dump(desk.machine.state)
    request_id = order.pendings[0].request_id if order.pendings else ""
    is_trade = exec_type is ExecType.TRADE
    (event,) = desk.report(
        order_id,
        exec_type,
        request_id=request_id,
        last_qty=1 if is_trade else 0,
        last_px=1_000 if is_trade else 0,
        order_qty=20,
        price=1_000,
    )
    after = dump(desk.machine.state)
    assert violations(desk.machine.state) == []
    is_legal = exec_type in MEANT[status] and ANSWERED_IN.get(exec_type, status) is status
    if is_legal:
        assert isinstance(event, OrderReport), exec_type
        assert event.ord_status is desk.order(order_id).ord_status
        return
    assert isinstance(event, ReportIgnored), exec_type
    for name in ("orders", "positions", "id_uses"):
        assert after[name] == before[name], exec_type


@pytest.mark.parametrize("end", [ExecType.CANCELED, ExecType.REJECTED, ExecType.EXPIRED, None])
def test_a_refused_cancel_is_answered_after_the_order_ended(end: ExecType | None) -> None:
    desk, order_id = order_in(OrdStatus.PENDING_CANCEL)
    (pending,) = desk.order(order_id).pendings
    if end is None:
        desk.fill(order_id, 10)
    else:
        desk.report(order_id, end)
    status = desk.order(order_id).ord_status
    (event,) = desk.report(order_id, ExecType.CANCEL_REJECTED, request_id=pending.request_id)
    if end is ExecType.CANCELED:
        assert isinstance(event, ReportIgnored)  # the end was the answer
    else:
        assert isinstance(event, OrderReport)
        assert (event.cl_ord_id, event.ord_status) == ("x1", status)
    assert desk.order(order_id).ord_status is status


def test_a_partial_fill_leaves_a_pending_cancel_pending_and_a_full_one_ends_it() -> None:
    desk, order_id = order_in(OrdStatus.PENDING_CANCEL)
    assert desk.fill(order_id, 4).ord_status is OrdStatus.PENDING_CANCEL
    assert desk.fill(order_id, 6).ord_status is OrdStatus.FILLED


def test_an_answer_to_an_earlier_request_does_not_settle_a_later_one() -> None:
    desk, order_id = order_in(OrdStatus.PENDING_CANCEL)
    (first,) = desk.order(order_id).pendings
    desk.report(order_id, ExecType.CANCEL_REJECTED, request_id=first.request_id)
    desk.cancel("x2")
    (event,) = desk.report(order_id, ExecType.CANCEL_REJECTED, request_id=first.request_id)
    assert isinstance(event, ReportIgnored)
    assert desk.order(order_id).ord_status is OrdStatus.PENDING_CANCEL


def test_a_refused_cancel_does_not_prove_that_the_venue_has_the_order() -> None:
    desk = Desk.opened()
    order_id = desk.submit().order_id
    desk.cancel()
    (pending,) = desk.order(order_id).pendings
    events = desk.report(order_id, ExecType.CANCEL_REJECTED, request_id=pending.request_id)
    assert one(events, OrderReport).ord_status is OrdStatus.PENDING_NEW
    assert [type(event).__name__ for event in desk.take_session()] == [
        "SessionTaken",
        "VenueRequest",
    ]


def test_a_report_of_no_order_of_ours_is_ignored_but_its_number_is_kept() -> None:
    desk = Desk.opened()
    (event,) = desk.report("seg-0-999", ExecType.TRADE, last_qty=1, last_px=1, exec_no=77)
    assert isinstance(event, ReportIgnored)
    assert desk.machine.state.sessions["SIM"].last_exec_no == 77
