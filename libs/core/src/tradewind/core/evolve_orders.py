# SPDX-License-Identifier: Apache-2.0
"""How reports change orders, request ids, reservations, positions and fees."""

from collections.abc import Callable
from typing import get_args

from tradewind.core import activity, evolve_limits, losses, tallies
from tradewind.core.commands import (
    ApplyVenueReport,
    CancelOrder,
    Entry,
    FlattenPosition,
    ReplaceOrder,
    SubmitOrder,
)
from tradewind.core.events import (
    MassCancelReport,
    OrderAdopted,
    OrderReport,
    PositionAdjusted,
    VenueRequest,
)
from tradewind.core.external import order_of
from tradewind.core.identity import Identified, fingerprint, id_from
from tradewind.core.positions import adjust, apply_fill, reserve, reset, undo_fill
from tradewind.core.state import (
    Fees,
    Fill,
    IdUse,
    Order,
    Pending,
    Position,
    State,
    VenueSession,
)
from tradewind.core.tallies import change_ledger, change_position
from tradewind.core.transitions import ACKS, ends_doubt
from tradewind.core.types import ExecType, Reason, VenueAction

IDENTIFIED = get_args(Identified)
ANSWERS = frozenset(
    {
        ExecType.CANCELED,
        ExecType.CANCEL_REJECTED,
        ExecType.REPLACED,
        ExecType.REPLACE_REJECTED,
    }
)
FIRST_REPORTS = frozenset({ExecType.PENDING_NEW, ExecType.NEW})
AMENDED_TRADES = frozenset({ExecType.TRADE_CANCEL, ExecType.TRADE_CORRECT})


def order_report(state: State, entry: Entry, report: OrderReport) -> None:
    """A report of an order: by its venue, or in answer to a request."""
    command = entry.command
    if isinstance(command, ApplyVenueReport):
        note_report_number(state, command)
        order = state.orders[report.order_id]
        if order.is_parent:
            _follow_child(state, entry, order, report)
        else:
            _apply(state, entry, order, report, command)
        return
    if isinstance(command, IDENTIFIED):
        is_new = (command.account, command.cl_ord_id) not in state.id_uses
        if is_new and isinstance(command, SubmitOrder | ReplaceOrder | FlattenPosition):
            evolve_limits.request_decided(state, entry, report)
        note_id_use(state, command, report.order_id, report.reason)
    order_or_none = state.orders.get(report.order_id)
    if order_or_none is None:
        if report.exec_type in FIRST_REPORTS and report.reason is Reason.NONE:
            _add(state, entry, report)
    elif report.exec_type in (ExecType.PENDING_CANCEL, ExecType.PENDING_REPLACE):
        _ask(state, entry, order_or_none, report)
    elif order_or_none.is_parent and report.exec_type in (ExecType.CANCELED, ExecType.REPLACED):
        _settle_parent(state, entry, order_or_none, report)


def note_id_use(state: State, command: Identified, order_id: str, reason: Reason) -> None:
    """The first use of a request id is the one that counts, for ever."""
    key = (command.account, command.cl_ord_id)
    if key not in state.id_uses:
        state.id_uses[key] = IdUse(
            fingerprint=fingerprint(command), order_id=order_id, reason=reason
        )
        state.touched.add(("id_uses", key))


def note_report_number(state: State, report: ApplyVenueReport) -> None:
    """Remembers how far the venue's running execution numbers were heard."""
    session = state.sessions.setdefault(report.venue, VenueSession())
    session.last_exec_no = max(session.last_exec_no, report.exec_no)


def mass_cancel_report(state: State, entry: Entry, report: MassCancelReport) -> None:
    """The request's id is used."""
    assert isinstance(entry.command, IDENTIFIED)
    note_id_use(state, entry.command, "", report.reason)


def position_adjusted(state: State, entry: Entry, event: PositionAdjusted) -> None:
    """An adjustment belongs to the account, to no client or strategy."""
    assert isinstance(entry.command, IDENTIFIED)
    note_id_use(state, entry.command, "", event.reason)
    if event.reason is not Reason.NONE:
        return
    key = (event.account, event.symbol)
    if event.is_reset:
        for ledger_key in sorted(state.ledgers):
            if ledger_key[:2] == key:
                change_ledger(state, ledger_key, reset)
        change_position(state, *key, reset)
        return

    def change(position: Position) -> None:
        adjust(position, event.qty, event.price)

    change_position(state, *key, change)
    change_ledger(state, (*key, "", "", ""), change)


def venue_request(state: State, entry: Entry, request: VenueRequest) -> None:
    """A cancel or replace is now pending; a question or a repeated request changes nothing."""
    if request.is_possibly_sent or request.action in (VenueAction.NEW, VenueAction.STATUS):
        return
    command = entry.command
    order = state.orders[request.order_id]
    is_asked_for = request.request_id == id_from(state, entry)
    cl_ord_id = order.cl_ord_id
    if is_asked_for and isinstance(command, CancelOrder | ReplaceOrder):
        cl_ord_id = command.cl_ord_id
    pending = Pending(
        seq=entry.seq,
        action=request.action,
        request_id=request.request_id,
        cl_ord_id=cl_ord_id,
        order_qty=request.order_qty,
        price=request.price,
        stop_px=request.stop_px,
    )
    before = order.reserved_qty
    order.pendings = (*order.pendings, pending)
    _touch(state, order, before)


def order_adopted(state: State, entry: Entry, event: OrderAdopted) -> None:
    """An order of nobody's is one of the account's that stands for such orders."""
    order = order_of(entry, event)
    state.orders[order.order_id] = order
    state.live_orders[order.order_id] = order
    tallies.entered(state, order)
    key = (order.account, order.cl_ord_id)
    state.id_uses[key] = IdUse(fingerprint="", order_id=order.order_id, reason=Reason.NONE)
    state.touched.add(("id_uses", key))
    _touch(state, order, 0)


def _add(state: State, entry: Entry, report: OrderReport) -> None:
    """A new order. What many orders share is kept once."""
    command = entry.command
    assert isinstance(command, SubmitOrder | FlattenPosition)
    order = Order(
        seq=entry.seq,
        account=state.shared(report.account),
        order_id=report.order_id,
        cl_ord_id=report.cl_ord_id,
        venue="" if report.is_parent else state.instruments[report.symbol].venue,
        venue_order_id="",
        symbol=state.shared(report.symbol),
        side=report.side,
        ord_type=report.ord_type,
        time_in_force=report.time_in_force,
        order_qty=report.order_qty,
        price=report.price,
        cum_qty=0,
        leaves_qty=report.leaves_qty,
        cum_notional=0,
        ord_status=report.ord_status,
        is_acked=report.is_parent,
        client=state.shared(report.client),
        strategy=state.shared(report.strategy),
        send_by_ns=command.void_after_ns,
        stop_px=report.stop_px,
        display_qty=report.display_qty,
        is_post_only=report.is_post_only,
        expire_ns=report.expire_ns,
        algorithm=state.shared(report.algorithm),
        build=state.shared(report.build),
        parent_order_id=report.parent_order_id,
        is_parent=report.is_parent,
        child_working=0,
        is_unknown=False,
        replaced_seq=0,
        ended_ns=0,
        pendings=(),
        fills=(),
        venue_exec_ids=[],
    )
    state.orders[order.order_id] = order
    state.live_orders[order.order_id] = order
    tallies.entered(state, order)
    _touch(state, order, 0)


def _ask(state: State, entry: Entry, order: Order, report: OrderReport) -> None:
    """A request is pending; a parent keeps it itself, since no venue is asked."""
    order.ord_status = report.ord_status
    if order.is_parent:
        pending = Pending(
            seq=entry.seq,
            action=VenueAction.CANCEL,
            request_id=id_from(state, entry),
            cl_ord_id=report.cl_ord_id,
            order_qty=order.order_qty,
            price=order.price,
            stop_px=order.stop_px,
        )
        order.pendings = (*order.pendings, pending)
    state.touched.add(("orders", order.order_id))


def _apply(
    state: State, entry: Entry, order: Order, report: OrderReport, command: ApplyVenueReport
) -> None:
    """What the venue said: terms, fills, the end of a pending request, the end of the order."""
    before = order.reserved_qty
    order.venue_exec_ids.append(report.venue_exec_id)
    order.venue_order_id = report.venue_order_id
    if report.exec_type is ExecType.UNKNOWN:
        order.is_unknown = True
    elif ends_doubt(report.exec_type, is_acked=order.is_acked):
        order.is_unknown = False
    order.is_acked = order.is_acked or report.exec_type in ACKS
    _take_terms(order, report)
    if report.exec_type in ANSWERS:
        _settle(order, report, command.request_id)
    if report.exec_type in AMENDED_TRADES:
        _undo(state, order, report)
    if report.last_qty:
        _book(state, order, report)
    if report.fee_e8:
        fees = state.fees.setdefault((order.account, report.fee_currency), Fees())
        fees.amount_e8 += report.fee_e8
    _touch(state, order, before)
    _end_if_final(state, entry, order)


def _take_terms(order: Order, report: OrderReport) -> None:
    order.ord_status = report.ord_status
    order.order_qty = report.order_qty
    order.price = report.price
    order.stop_px = report.stop_px
    order.cum_qty = report.cum_qty
    order.leaves_qty = report.leaves_qty
    order.cum_notional = report.cum_notional


def _settle(order: Order, report: OrderReport, request_id: str) -> None:
    """The pending request that was answered is gone; one that was granted names the order now.

    A cancelled order answers every cancel of it, also one that the venue did not mean.
    """
    answered = [item for item in order.pendings if item.request_id == request_id]
    is_over = report.exec_type is ExecType.CANCELED
    order.pendings = tuple(
        item
        for item in order.pendings
        if item not in answered and not (is_over and item.action is VenueAction.CANCEL)
    )
    if answered and report.reason is Reason.NONE:
        order.cl_ord_id = report.cl_ord_id
        if answered[0].action is VenueAction.REPLACE:
            order.replaced_seq = max(order.replaced_seq, answered[0].seq)


def _book(state: State, order: Order, report: OrderReport) -> None:
    def change(position: Position) -> None:
        apply_fill(position, order.side, report.last_qty, report.last_px)

    if report.exec_type is ExecType.TRADE:
        losses.traded(state, order, report.last_px)
    _change(state, order, change)
    if report.exec_type is ExecType.TRADE:
        activity.traded(state, order, report.last_qty, report.last_px)
    fill = Fill(exec_id=report.venue_exec_id, qty=report.last_qty, px=report.last_px)
    order.fills = (*order.fills, fill)


def _undo(state: State, order: Order, report: OrderReport) -> None:
    fill = order.fill(report.venue_exec_ref_id)
    assert fill is not None
    qty, price = fill.qty, fill.px

    def change(position: Position) -> None:
        undo_fill(position, order.side, qty, price)

    _change(state, order, change)
    order.fills = tuple(item for item in order.fills if item is not fill)


def _follow_child(state: State, entry: Entry, parent: Order, report: OrderReport) -> None:
    """A child's trades and end are its parent's; positions were the child's."""
    _take_terms(parent, report)
    if report.exec_type is ExecType.CANCELED:
        parent.cl_ord_id = report.cl_ord_id
    state.touched.add(("orders", parent.order_id))
    _end_if_final(state, entry, parent)


def _settle_parent(state: State, entry: Entry, parent: Order, report: OrderReport) -> None:
    """A parent's request is granted without a venue."""
    _take_terms(parent, report)
    parent.cl_ord_id = report.cl_ord_id
    state.touched.add(("orders", parent.order_id))
    _end_if_final(state, entry, parent)


def _end_if_final(state: State, entry: Entry, order: Order) -> None:
    if order.is_final and order.ended_ns == 0:
        order.ended_ns = entry.ts_ns
        state.live_orders.pop(order.order_id, None)
        tallies.ended(state, order)


def _touch(state: State, order: Order, reserved_before: int) -> None:
    """Carries a change of what the order reserves to its positions and its parent."""
    state.touched.add(("orders", order.order_id))
    more = order.reserved_qty - reserved_before
    if more == 0:
        return

    def change(position: Position) -> None:
        reserve(position, order.side, more)

    _change(state, order, change)
    parent = state.orders.get(order.parent_order_id)
    if parent is not None:
        parent.child_working += more
        state.touched.add(("orders", parent.order_id))


def _change(state: State, order: Order, change: Callable[[Position], None]) -> None:
    """Changes the account's position, and the part of it that has the order's attributes."""
    change_position(state, order.account, order.symbol, change)
    key = (order.account, order.symbol, order.client, order.strategy, order.algorithm)
    change_ledger(state, key, change)
