# SPDX-License-Identifier: Apache-2.0
"""What follows from a venue's report, and from a change of who talks to the venue."""

from tradewind.core import decide_kill, external, losses, parents, reports, requests
from tradewind.core.commands import ApplyVenueReport, Entry, TakeSession
from tradewind.core.events import Event, ReportIgnored, SessionTaken, TradingStateSet, VenueRequest
from tradewind.core.state import Order, Pending, State, VenueSession, requested_status
from tradewind.core.transitions import ACKS, Facts, ends_doubt, next_status
from tradewind.core.types import ExecType, Reason, TradingState, VenueAction

NAMED_ANSWERS = {
    ExecType.CANCEL_REJECTED: VenueAction.CANCEL,
    ExecType.REPLACED: VenueAction.REPLACE,
    ExecType.REPLACE_REJECTED: VenueAction.REPLACE,
}
"""These change an order only in answer to a pending request of the kind: a late or repeated answer
to an earlier request must not settle a later one. (A venue also cancels unasked.)"""
REQUEST_ANSWERS = frozenset({ExecType.CANCELED, *NAMED_ANSWERS})
ENDS = frozenset({ExecType.CANCELED, ExecType.EXPIRED, ExecType.REJECTED})
REFUSALS = frozenset({ExecType.REJECTED, ExecType.CANCEL_REJECTED, ExecType.REPLACE_REJECTED})
AMENDED_TRADES = frozenset({ExecType.TRADE_CANCEL, ExecType.TRADE_CORRECT})
TRADES = AMENDED_TRADES | {ExecType.TRADE}
NEW_TERMS = frozenset({ExecType.REPLACED, ExecType.RESTATED})
VENUE_WORDS = (
    REQUEST_ANSWERS
    | ENDS
    | TRADES
    | NEW_TERMS
    | {ExecType.NEW, ExecType.TRIGGERED, ExecType.UNKNOWN}
)
"""What a venue's report can say; the rest of ExecType is ours."""


def apply_venue_report(state: State, entry: Entry) -> tuple[Event, ...]:
    """The venue is believed; the second report with the same execution id is not counted again."""
    report = entry.command
    assert isinstance(report, ApplyVenueReport)
    order = state.orders.get(report.order_id)
    if order is not None:
        return _of_order(state, entry, order, report)
    is_retired = report.order_id in state.retired
    adopted = None if is_retired else external.adopt(state, entry, report)
    if adopted is None:
        return _of_no_live_order(state, report)
    return (adopted, *_of_order(state, entry, external.order_of(entry, adopted), report))


def _of_order(
    state: State, entry: Entry, order: Order, report: ApplyVenueReport
) -> tuple[Event, ...]:
    fault = _fault(order, report)
    if fault:
        return (_ignored(report, fault),)
    change = _change(order, report)
    if change is None:
        return (_ignored(report, f"illegal in {order.ord_status}"),)
    events = (reports.about(order, entry, change), *parents.follow(state, entry, order, change))
    if report.exec_type is not ExecType.TRADE:
        return events
    return (*events, *losses.reduced(state, order, report.last_px))


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
        if order.venue == command.venue and not order.is_parent
        for item in _unsettled(order, is_killed=decide_kill.is_killed(state, order))
    ]
    unsettled.sort(key=lambda item: item[0])
    return (taken, *(request for _seq, request in unsettled))


def _unsettled(order: Order, *, is_killed: bool) -> list[tuple[int, VenueRequest]]:
    """Requests that no report has answered yet, with the sequence they were made at.

    In a scope that is killed none makes new risk: replaces are left out, and an order that turns
    out to be absent is too late to be sent.
    """
    found = [
        (pending.seq, requests.again(order, pending))
        for pending in order.pendings
        if not (is_killed and pending.action is VenueAction.REPLACE)
    ]
    if not order.is_acked:
        found.append((order.seq, requests.new_again(order, is_too_late=is_killed)))
    elif order.is_unknown:
        # It was there once: its absence now would prove nothing, so it is never sent again.
        found.append((order.seq, requests.status(order, order.order_id)))
    return found


def _of_no_live_order(state: State, report: ApplyVenueReport) -> tuple[Event, ...]:
    """A trade of an order that left memory halts its instrument: positions are not what we think.

    Running numbers prove that a report is an old one; a venue without them cannot.
    """
    retired = state.retired.get(report.order_id)
    if retired is None:
        return (_ignored(report, "no order of ours has this id"),)
    session = state.sessions.get(report.venue, VenueSession())
    is_old = 0 < report.exec_no <= session.last_exec_no
    if report.exec_type not in TRADES or is_old:
        return (_ignored(report, "its order was retired"),)
    return (
        _ignored(report, "a trade of a retired order: compare positions with the venue"),
        TradingStateSet(
            scope=f"symbol:{retired.symbol}",
            state=TradingState.HALTED,
            actor="core",
            reason=f"trade {report.exec_id} of retired order {report.order_id}",
        ),
    )


def _fault(order: Order, report: ApplyVenueReport) -> str:
    """Why a report of a known order changes nothing, "" if it may."""
    if report.exec_id in order.venue_exec_ids:
        return "seen before"
    if report.exec_type not in VENUE_WORDS or order.is_parent:
        return "no venue can say this of this order"
    if report.exec_type in NAMED_ANSWERS and not _answers(order, report):
        return "answers no request that is pending"
    if report.exec_type is ExecType.UNKNOWN and not _is_open(order, report.request_id):
        return "its request has been answered"
    if report.exec_type in AMENDED_TRADES and order.fill(report.exec_ref_id) is None:
        return "refers to no fill"
    has_qty = report.exec_type in (ExecType.TRADE, ExecType.TRADE_CORRECT)
    if has_qty and (report.last_qty <= 0 or report.last_px < 0):
        return "a trade of nothing"
    if report.exec_type in NEW_TERMS and (report.order_qty <= 0 or report.price < 0):
        return "terms of nothing"
    return ""


def _change(order: Order, report: ApplyVenueReport) -> reports.Change | None:
    """What the order becomes, or None if the report is illegal now.

    A fill beyond the order's quantity is booked too: it happened. Nothing is left then.
    """
    answered = _answered(order, report) if report.exec_type in REQUEST_ANSWERS else None
    order_qty, price, stop_px = _terms(order, report, answered)
    last_qty, last_px = _last(report)
    cum_qty, cum_notional = _traded(order, report)
    leaves_qty = max(0, order_qty - cum_qty)
    left = tuple(pending for pending in order.pendings if pending is not answered)
    is_settled = ends_doubt(report.exec_type, is_acked=order.is_acked)
    facts = Facts(
        is_acked=order.is_acked or report.exec_type in ACKS,
        is_unknown=report.exec_type is ExecType.UNKNOWN or (order.is_unknown and not is_settled),
        cum_qty=cum_qty,
        leaves_qty=_at_worst(leaves_qty, cum_qty, left),
        requested=requested_status(left),
    )
    status = next_status(order.ord_status, report.exec_type, facts)
    if status is None:
        return None
    has_ended = order.is_final or report.exec_type in ENDS
    return reports.Change(
        exec_type=report.exec_type,
        ord_status=status,
        cl_ord_id=order.cl_ord_id if answered is None else answered.cl_ord_id,
        orig_cl_ord_id="" if answered is None else order.cl_ord_id,
        venue_order_id=report.venue_order_id or order.venue_order_id,
        venue_exec_id=report.exec_id,
        venue_exec_ref_id=report.exec_ref_id,
        order_qty=order_qty,
        price=price,
        stop_px=stop_px,
        cum_qty=cum_qty,
        leaves_qty=0 if has_ended else leaves_qty,
        cum_notional=cum_notional,
        last_qty=last_qty,
        last_px=last_px,
        fee_e8=report.fee_e8,
        fee_currency=report.fee_currency,
        reason=Reason.BY_VENUE if report.exec_type in REFUSALS else Reason.NONE,
        text=report.text,
    )


def _at_worst(leaves_qty: int, cum_qty: int, pendings: tuple[Pending, ...]) -> int:
    """Lots that may still trade, at worst: a replace without an answer may have been granted."""
    asked = [item.order_qty - cum_qty for item in pendings if item.action is VenueAction.REPLACE]
    return max([leaves_qty, *asked])


def _terms(
    order: Order, report: ApplyVenueReport, answered: Pending | None
) -> tuple[int, int, int]:
    """Quantity, price and stop price after the report.

    The confirmation of a replace that comes after that of a newer one no longer changes them.
    """
    is_overtaken = answered is not None and answered.seq < order.replaced_seq
    if report.exec_type not in NEW_TERMS or is_overtaken:
        return order.order_qty, order.price, order.stop_px
    stop_px = order.stop_px if answered is None else answered.stop_px
    return report.order_qty, report.price, stop_px


def _last(report: ApplyVenueReport) -> tuple[int, int]:
    """Size and price of the trade that the report tells, as they count from now on."""
    has_trade = report.exec_type in (ExecType.TRADE, ExecType.TRADE_CORRECT)
    return (report.last_qty, report.last_px) if has_trade else (0, 0)


def _traded(order: Order, report: ApplyVenueReport) -> tuple[int, int]:
    """Cumulative quantity and notional after the report: a bust or a correction undoes first."""
    last_qty, last_px = _last(report)
    cum_qty = order.cum_qty + last_qty
    cum_notional = order.cum_notional + last_qty * last_px
    undone = order.fill(report.exec_ref_id) if report.exec_type in AMENDED_TRADES else None
    if undone is not None:
        cum_qty -= undone.qty
        cum_notional -= undone.qty * undone.px
    return cum_qty, cum_notional


def _answers(order: Order, report: ApplyVenueReport) -> bool:
    """It names a pending request of the kind that it can answer."""
    answered = _answered(order, report)
    return answered is not None and answered.action is NAMED_ANSWERS[report.exec_type]


def _answered(order: Order, report: ApplyVenueReport) -> Pending | None:
    """The pending request that the report names."""
    return next((item for item in order.pendings if item.request_id == report.request_id), None)


def _is_open(order: Order, request_id: str) -> bool:
    """Whether the venue owes an answer to the request. Without an id the order itself is meant.

    A doubt may come into the journal after its answer, and nobody would ever settle it.
    """
    if not request_id:
        return True
    if request_id == order.order_id:
        return not order.is_acked
    return any(pending.request_id == request_id for pending in order.pendings)


def _ignored(report: ApplyVenueReport, text: str) -> ReportIgnored:
    return ReportIgnored(
        venue=report.venue,
        order_id=report.order_id,
        venue_exec_id=report.exec_id,
        exec_type=report.exec_type,
        text=text,
    )
