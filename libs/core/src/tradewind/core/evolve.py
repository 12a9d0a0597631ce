# SPDX-License-Identifier: Apache-2.0
"""evolve(state, entry, event) -> None. Never decides; the only code that changes state."""

from collections.abc import Callable
from typing import Any

from tradewind.core import events
from tradewind.core.commands import (
    ApplyVenueReport,
    CancelOrder,
    Entry,
    ReplaceOrder,
    SubmitOrder,
)
from tradewind.core.decide_client import fingerprint
from tradewind.core.events import Event, OrderReport, VenueRequest
from tradewind.core.positions import apply_fill, reserve
from tradewind.core.state import IdUse, Order, Pending, Position, State, VenueSession
from tradewind.core.transitions import ACKS
from tradewind.core.types import ExecType, Reason, VenueAction

SETTLING = frozenset(
    {
        ExecType.CANCELED,
        ExecType.CANCEL_REJECTED,
        ExecType.REPLACED,
        ExecType.REPLACE_REJECTED,
    }
)


def evolve(state: State, entry: Entry, event: Event) -> None:
    """Makes the state what the event says."""
    HANDLERS[type(event)](state, entry, event)


def note_report_number(state: State, report: ApplyVenueReport) -> None:
    """Remembers how far the venue's running execution numbers were heard."""
    session = state.sessions.setdefault(report.venue, VenueSession())
    session.last_exec_no = max(session.last_exec_no, report.exec_no)


def _order_report(state: State, entry: Entry, report: OrderReport) -> None:
    command = entry.command
    if isinstance(command, ApplyVenueReport):
        note_report_number(state, command)
        _apply(state, state.orders[report.order_id], report)
        return
    assert isinstance(command, SubmitOrder | CancelOrder | ReplaceOrder)
    _note_id_use(state, command, report)
    if report.exec_type is ExecType.PENDING_NEW:
        _add(state, entry, command, report)
    elif report.exec_type in (ExecType.PENDING_CANCEL, ExecType.PENDING_REPLACE):
        state.orders[report.order_id].ord_status = report.ord_status
        state.touched.add(("orders", report.order_id))


def _note_id_use(
    state: State, command: SubmitOrder | CancelOrder | ReplaceOrder, report: OrderReport
) -> None:
    """The first use of a request id is the one that counts, for ever."""
    key = (command.account, command.cl_ord_id)
    if key not in state.id_uses:
        state.id_uses[key] = IdUse(
            fingerprint=fingerprint(command), order_id=report.order_id, reason=report.reason
        )
        state.touched.add(("id_uses", key))


def _add(
    state: State,
    entry: Entry,
    command: SubmitOrder | CancelOrder | ReplaceOrder,
    report: OrderReport,
) -> None:
    assert isinstance(command, SubmitOrder)
    order = Order(
        seq=entry.seq,
        account=report.account,
        order_id=report.order_id,
        cl_ord_id=report.cl_ord_id,
        venue=state.instruments[report.symbol].venue,
        venue_order_id="",
        symbol=report.symbol,
        side=report.side,
        ord_type=report.ord_type,
        time_in_force=report.time_in_force,
        order_qty=report.order_qty,
        price=report.price,
        cum_qty=0,
        leaves_qty=report.leaves_qty,
        cum_notional=0,
        ord_status=report.ord_status,
        is_acked=False,
        client=report.client,
        strategy=report.strategy,
        send_by_ns=command.void_after_ns,
        pending=None,
        venue_exec_ids=[],
    )
    state.orders[order.order_id] = order
    state.live_orders[order.order_id] = order
    state.touched.add(("orders", order.order_id))
    reserve(_position(state, order), order.side, order.reserved_qty)


def _apply(state: State, order: Order, report: OrderReport) -> None:
    """What the venue said: terms, fills, the end of a pending request, the end of the order."""
    position = _position(state, order)
    reserve(position, order.side, -order.reserved_qty)
    state.touched.add(("orders", order.order_id))
    order.venue_exec_ids.append(report.venue_exec_id)
    order.venue_order_id = report.venue_order_id
    order.is_acked = order.is_acked or report.exec_type in ACKS
    order.ord_status = report.ord_status
    order.order_qty = report.order_qty
    order.price = report.price
    order.cum_qty = report.cum_qty
    order.leaves_qty = report.leaves_qty
    order.cum_notional = report.cum_notional
    if report.exec_type in SETTLING and order.pending is not None:
        if report.exec_type is not ExecType.CANCEL_REJECTED and report.reason is Reason.NONE:
            order.cl_ord_id = report.cl_ord_id
        order.pending = None
    if report.last_qty:
        apply_fill(position, order.side, report.last_qty, report.last_px)
    reserve(position, order.side, order.reserved_qty)
    if order.is_final:
        state.live_orders.pop(order.order_id, None)


def _venue_request(state: State, entry: Entry, request: VenueRequest) -> None:
    """A cancel or replace is now pending; a repeated request changes nothing."""
    if request.is_possibly_sent or request.action is VenueAction.NEW:
        return
    command = entry.command
    assert isinstance(command, CancelOrder | ReplaceOrder)
    order = state.orders[request.order_id]
    state.touched.add(("orders", order.order_id))
    position = _position(state, order)
    reserve(position, order.side, -order.reserved_qty)
    order.pending = Pending(
        seq=entry.seq,
        action=request.action,
        request_id=request.request_id,
        cl_ord_id=command.cl_ord_id,
        order_qty=request.order_qty,
        price=request.price,
    )
    reserve(position, order.side, order.reserved_qty)


def _session_taken(state: State, _entry: Entry, event: events.SessionTaken) -> None:
    session = state.sessions.setdefault(event.venue, VenueSession())
    session.epoch = event.epoch
    session.owner = event.owner


def _segment_opened(state: State, _entry: Entry, event: events.SegmentOpened) -> None:
    state.segment = event.segment
    state.shard = event.shard


def _instrument_defined(state: State, _entry: Entry, event: events.InstrumentDefined) -> None:
    state.instruments[event.symbol] = event


def _limits_set(state: State, _entry: Entry, event: events.LimitsSet) -> None:
    state.limits[event.account, event.symbol] = event


def _reference_price_set(state: State, _entry: Entry, event: events.ReferencePriceSet) -> None:
    state.references[event.symbol] = event


def _trading_state_set(state: State, _entry: Entry, event: events.TradingStateSet) -> None:
    state.trading_states[event.scope] = event


def _nothing(_state: State, _entry: Entry, _event: events.TimeAdvanced) -> None:
    return


def _report_ignored(state: State, entry: Entry, _event: events.ReportIgnored) -> None:
    assert isinstance(entry.command, ApplyVenueReport)
    note_report_number(state, entry.command)


def _position(state: State, order: Order) -> Position:
    return state.positions.setdefault((order.account, order.symbol), Position())


HANDLERS: dict[type[Any], Callable[[State, Entry, Any], None]] = {
    OrderReport: _order_report,
    VenueRequest: _venue_request,
    events.SessionTaken: _session_taken,
    events.SegmentOpened: _segment_opened,
    events.InstrumentDefined: _instrument_defined,
    events.LimitsSet: _limits_set,
    events.ReferencePriceSet: _reference_price_set,
    events.TradingStateSet: _trading_state_set,
    events.TimeAdvanced: _nothing,
    events.ReportIgnored: _report_ignored,
}
