# SPDX-License-Identifier: Apache-2.0
"""Parents and children: an order that an algorithm works by other orders (C14).

A parent goes to no venue and reserves no exposure; its children do both. What children have
traded and may still trade never exceeds the parent, so an algorithm cannot send more than it
was asked to. Children's fills are the parent's; a parent is cancelled by cancelling them.
"""

from tradewind.core import logic, reports, requests
from tradewind.core.commands import Entry, ReplaceOrder, SubmitOrder
from tradewind.core.events import Event, OrderReport
from tradewind.core.identity import id_from
from tradewind.core.state import Order, State
from tradewind.core.transitions import TRANSITIONS, Facts, next_status
from tradewind.core.types import TERMINAL, ExecType, OrdStatus, Reason

TRADES = frozenset({ExecType.TRADE, ExecType.TRADE_CANCEL, ExecType.TRADE_CORRECT})
WORKING = frozenset({OrdStatus.NEW, OrdStatus.PARTIALLY_FILLED})


def reason_against_child(command: SubmitOrder, parent: Order | None) -> Reason | None:
    """Why an order may not be a child of the parent that it names; None if it names none."""
    if not command.parent_cl_ord_id:
        return None
    if parent is None or not parent.is_parent:
        return Reason.UNKNOWN_PARENT
    if parent.ord_status not in WORKING:
        return Reason.PARENT_NOT_WORKING
    is_alike = (command.symbol, command.side) == (parent.symbol, parent.side)
    if command.is_parent or not is_alike:
        return Reason.PARENT_MISMATCH
    return Reason.PARENT_EXCEEDED if command.order_qty > _free(parent) else None


def reason_against_replace(state: State, order: Order, command: ReplaceOrder) -> Reason | None:
    """Why an order may not have this size, as a parent or as a child."""
    open_qty = command.order_qty - order.cum_qty
    if order.is_parent:
        return Reason.PARENT_EXCEEDED if open_qty < order.child_working else None
    parent = state.orders.get(order.parent_order_id)
    if parent is None and not (
        order.parent_order_id and logic.is_on(state, logic.REVISED_CONTROLS)
    ):
        return None
    room = 0 if parent is None else max(0, _free(parent))
    return Reason.PARENT_EXCEEDED if open_qty - order.reserved_qty > room else None


def replaced(parent: Order, entry: Entry, command: ReplaceOrder) -> OrderReport:
    """A parent's new terms hold at once: no venue is to be asked."""
    change = reports.Change(
        exec_type=ExecType.REPLACED,
        ord_status=parent.ord_status,
        cl_ord_id=command.cl_ord_id,
        orig_cl_ord_id=parent.cl_ord_id,
        order_qty=command.order_qty,
        price=command.price,
        stop_px=command.stop_px or parent.stop_px,
        cum_qty=parent.cum_qty,
        leaves_qty=command.order_qty - parent.cum_qty,
        cum_notional=parent.cum_notional,
    )
    return reports.about(parent, entry, change)


def cancel(state: State, entry: Entry, parent: Order, cl_ord_id: str) -> tuple[Event, ...]:
    """Ends a parent without children at once, otherwise asks for the end of each child."""
    events = list(begin_cancel(state, entry, parent, cl_ord_id))
    for number, child in enumerate(_live_children(state, parent), 1):
        events.extend(cancel_unasked(state, entry, child, child.cl_ord_id, number))
    return tuple(events)


def begin_cancel(
    state: State, entry: Entry, parent: Order, cl_ord_id: str, number: int = 0
) -> tuple[Event, ...]:
    """A parent's own part in its end: at once without children, pending with them.

    Nothing if it is being cancelled already.
    """
    if (parent.ord_status, ExecType.PENDING_CANCEL) not in TRANSITIONS:
        return ()
    if not _live_children(state, parent):
        return (_ended(parent, entry, cl_ord_id, number),)
    pending = reports.unchanged(
        parent,
        ExecType.PENDING_CANCEL,
        cl_ord_id=cl_ord_id,
        orig_cl_ord_id=parent.cl_ord_id,
        ord_status=OrdStatus.PENDING_CANCEL,
    )
    return (reports.about(parent, entry, pending, number),)


def cancel_unasked(
    state: State, entry: Entry, order: Order, cl_ord_id: str, number: int
) -> tuple[Event, ...]:
    """A cancel that no request of the order's own asks for: it keeps its request id.

    Nothing if it is being cancelled already, or has ended.
    """
    if (order.ord_status, ExecType.PENDING_CANCEL) not in TRANSITIONS:
        return ()
    change = reports.unchanged(
        order,
        ExecType.PENDING_CANCEL,
        cl_ord_id=cl_ord_id,
        ord_status=OrdStatus.PENDING_CANCEL,
    )
    request = requests.cancel(order, id_from(state, entry, number))
    return (reports.about(order, entry, change, number), request)


def follow(state: State, entry: Entry, child: Order, change: reports.Change) -> tuple[Event, ...]:
    """What a child's report means for its parent."""
    parent = state.orders.get(child.parent_order_id)
    if parent is None:
        return ()
    events: list[Event] = []
    if change.exec_type in TRADES:
        events.append(_traded(parent, entry, child, change))
    others = [order for order in _live_children(state, parent) if order is not child]
    has_child_ended = change.ord_status in TERMINAL and not child.is_final
    if parent.ord_status is OrdStatus.PENDING_CANCEL and has_child_ended and not others:
        cum_qty = parent.cum_qty + change.cum_qty - child.cum_qty
        if cum_qty < parent.order_qty:
            cl_ord_id = parent.pendings[0].cl_ord_id
            events.append(_ended(parent, entry, cl_ord_id, 2, child, change))
    return tuple(events)


def _traded(parent: Order, entry: Entry, child: Order, change: reports.Change) -> OrderReport:
    cum_qty = parent.cum_qty + change.cum_qty - child.cum_qty
    leaves_qty = 0 if parent.is_final else max(0, parent.order_qty - cum_qty)
    facts = Facts(
        is_acked=True,
        is_unknown=False,
        cum_qty=cum_qty,
        leaves_qty=leaves_qty,
        requested=parent.requested_status,
    )
    status = next_status(parent.ord_status, change.exec_type, facts)
    assert status is not None  # every status of a parent takes trades, also after its end
    traded = reports.Change(
        exec_type=change.exec_type,
        ord_status=status,
        cl_ord_id=parent.cl_ord_id,
        venue_exec_id=change.venue_exec_id,
        venue_exec_ref_id=change.venue_exec_ref_id,
        order_qty=parent.order_qty,
        price=parent.price,
        stop_px=parent.stop_px,
        cum_qty=cum_qty,
        leaves_qty=leaves_qty,
        cum_notional=parent.cum_notional + change.cum_notional - child.cum_notional,
        last_qty=change.last_qty,
        last_px=change.last_px,
    )
    return reports.about(parent, entry, traded, 1)


def _ended(
    parent: Order,
    entry: Entry,
    cl_ord_id: str,
    number: int,
    child: Order | None = None,
    change: reports.Change | None = None,
) -> OrderReport:
    """Cancelled, with what the last child's last report may have added."""
    cum_qty, cum_notional = parent.cum_qty, parent.cum_notional
    if child is not None and change is not None:
        cum_qty += change.cum_qty - child.cum_qty
        cum_notional += change.cum_notional - child.cum_notional
    canceled = reports.Change(
        exec_type=ExecType.CANCELED,
        ord_status=OrdStatus.CANCELED,
        cl_ord_id=cl_ord_id,
        orig_cl_ord_id=parent.cl_ord_id,
        order_qty=parent.order_qty,
        price=parent.price,
        stop_px=parent.stop_px,
        cum_qty=cum_qty,
        leaves_qty=0,
        cum_notional=cum_notional,
    )
    return reports.about(parent, entry, canceled, number)


def _free(parent: Order) -> int:
    """Lots that no child has traded or may still trade."""
    return parent.leaves_qty - parent.child_working


def _live_children(state: State, parent: Order) -> list[Order]:
    return [
        order for order in state.live_orders.values() if order.parent_order_id == parent.order_id
    ]
