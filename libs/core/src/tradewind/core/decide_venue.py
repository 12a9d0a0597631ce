# SPDX-License-Identifier: Apache-2.0
"""What follows from a venue's report, and from a change of who talks to the venue."""

from tradewind.core import reports
from tradewind.core.commands import ApplyVenueReport, Entry, TakeSession
from tradewind.core.decide_client import venue_request
from tradewind.core.events import Event, ReportIgnored, SessionTaken, VenueRequest
from tradewind.core.state import Order, State, VenueSession
from tradewind.core.transitions import ACKS, next_status
from tradewind.core.types import ExecType, Reason, VenueAction

REQUEST_ANSWERS = frozenset(
    {
        ExecType.CANCELED,
        ExecType.CANCEL_REJECTED,
        ExecType.REPLACED,
        ExecType.REPLACE_REJECTED,
    }
)
NAMED_ANSWERS = REQUEST_ANSWERS - {ExecType.CANCELED}
"""These change an order only in answer to its pending request: a late or repeated answer to an
earlier request must not settle a later one. (A venue also cancels unasked.)"""
ENDS = frozenset({ExecType.CANCELED, ExecType.EXPIRED, ExecType.REJECTED})
REFUSALS = frozenset({ExecType.REJECTED, ExecType.CANCEL_REJECTED, ExecType.REPLACE_REJECTED})


def apply_venue_report(state: State, entry: Entry) -> tuple[Event, ...]:
    """The venue is believed; the second report with the same execution id is not counted again."""
    report = entry.command
    assert isinstance(report, ApplyVenueReport)
    order = state.orders.get(report.order_id)
    if order is None:
        return (_ignored(report, "no order of ours has this id"),)
    if report.exec_id in order.venue_exec_ids:
        return (_ignored(report, "seen before"),)
    if report.exec_type in NAMED_ANSWERS and not _answers_pending(order, report):
        return (_ignored(report, "answers no request that is pending"),)
    change = _change(order, report)
    if change is None:
        return (_ignored(report, f"illegal in {order.ord_status}"),)
    return (reports.about(order, entry, change),)


def take_session(state: State, entry: Entry) -> tuple[Event, ...]:
    """A new owner gets every unsettled request again, in the order it was first made.

    Whether it was sent is no longer known, so each is marked: the venue is asked first.
    """
    command = entry.command
    assert isinstance(command, TakeSession)
    session = state.sessions.get(command.venue, VenueSession())
    taken = SessionTaken(
        venue=command.venue,
        epoch=session.epoch + 1,
        owner=command.owner,
        last_exec_no=session.last_exec_no,
    )
    unsettled = [
        item
        for order in state.live_orders.values()
        if order.venue == command.venue
        for item in _unsettled(order)
    ]
    unsettled.sort(key=lambda item: item[0])
    return (taken, *(request for _seq, request in unsettled))


def _unsettled(order: Order) -> list[tuple[int, VenueRequest]]:
    """Requests about `order` that the venue has not answered, with the entry that made each."""
    found = []
    if not order.is_acked and order.cum_qty == 0:
        request = venue_request(
            order,
            action=VenueAction.NEW,
            request_id=order.order_id,
            order_qty=order.order_qty,
            price=order.price,
            is_possibly_sent=True,
        )
        found.append((order.seq, request))
    if order.pending is not None:
        request = venue_request(
            order,
            action=order.pending.action,
            request_id=order.pending.request_id,
            order_qty=order.pending.order_qty,
            price=order.pending.price,
            is_possibly_sent=True,
        )
        found.append((order.pending.seq, request))
    return found


def _change(order: Order, report: ApplyVenueReport) -> reports.Change | None:
    """What the order becomes, or None if the report is illegal now.

    A fill beyond the order's quantity is booked too: it happened. Nothing is left then.
    """
    last_qty = report.last_qty if report.exec_type is ExecType.TRADE else 0
    is_replaced = report.exec_type is ExecType.REPLACED
    order_qty = report.order_qty if is_replaced else order.order_qty
    cum_qty = order.cum_qty + last_qty
    leaves_qty = max(0, order_qty - cum_qty)
    status = next_status(
        order.ord_status,
        report.exec_type,
        is_acked=order.is_acked or report.exec_type in ACKS,
        cum_qty=cum_qty,
        leaves_qty=leaves_qty,
    )
    if status is None:
        return None
    has_ended = order.is_final or report.exec_type in ENDS
    cl_ord_id, orig_cl_ord_id = _ids_answered(order, report)
    return reports.Change(
        exec_type=report.exec_type,
        ord_status=status,
        cl_ord_id=cl_ord_id,
        orig_cl_ord_id=orig_cl_ord_id,
        venue_order_id=report.venue_order_id or order.venue_order_id,
        venue_exec_id=report.exec_id,
        order_qty=order_qty,
        price=report.price if is_replaced else order.price,
        cum_qty=cum_qty,
        leaves_qty=0 if has_ended else leaves_qty,
        cum_notional=order.cum_notional + last_qty * report.last_px,
        last_qty=last_qty,
        last_px=report.last_px if last_qty else 0,
        reason=Reason.BY_VENUE if report.exec_type in REFUSALS else Reason.NONE,
        text=report.text,
    )


def _ids_answered(order: Order, report: ApplyVenueReport) -> tuple[str, str]:
    if (
        order.pending is not None
        and report.exec_type in REQUEST_ANSWERS
        and _answers_pending(order, report)
    ):
        return order.pending.cl_ord_id, order.cl_ord_id
    return order.cl_ord_id, ""


def _answers_pending(order: Order, report: ApplyVenueReport) -> bool:
    return order.pending is not None and report.request_id == order.pending.request_id


def _ignored(report: ApplyVenueReport, text: str) -> ReportIgnored:
    return ReportIgnored(
        venue=report.venue,
        order_id=report.order_id,
        venue_exec_id=report.exec_id,
        exec_type=report.exec_type,
        text=text,
    )
