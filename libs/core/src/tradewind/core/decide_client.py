# SPDX-License-Identifier: Apache-2.0
"""What follows from a client's request: new, cancel, replace."""

from hashlib import blake2b

from tradewind.core import reports, risk
from tradewind.core.commands import CancelOrder, Entry, ReplaceOrder, SubmitOrder
from tradewind.core.events import Event, OrderReport, VenueRequest
from tradewind.core.state import Order, State
from tradewind.core.transitions import TRANSITIONS
from tradewind.core.types import ExecType, OrdType, Reason, VenueAction

ClientCommand = SubmitOrder | CancelOrder | ReplaceOrder


def submit_order(state: State, entry: Entry) -> tuple[Event, ...]:
    """Denied with a reason, or accepted: reserved, reported and on its way to the venue."""
    command = entry.command
    assert isinstance(command, SubmitOrder)
    repeated = repeat_of(state, entry, command)
    if repeated is not None:
        return (repeated,)
    intent = risk.Intent(
        account=command.account,
        symbol=command.symbol,
        side=command.side,
        ord_type=command.ord_type,
        order_qty=command.order_qty,
        open_qty=command.order_qty,
        replaced_qty=0,
        price=command.price,
        ts_ns=state.ts_ns,
        void_after_ns=command.void_after_ns,
    )
    reason = risk.check(state, intent) or Reason.NONE
    order_id = id_from(state, entry)
    report = reports.of_submit(command, entry, order_id=order_id, ts_ns=state.ts_ns, reason=reason)
    if reason is not Reason.NONE:
        return (report,)
    request = VenueRequest(
        venue=state.instruments[command.symbol].venue,
        action=VenueAction.NEW,
        account=command.account,
        order_id=order_id,
        request_id=order_id,
        venue_order_id="",
        symbol=command.symbol,
        side=command.side,
        ord_type=command.ord_type,
        time_in_force=command.time_in_force,
        order_qty=command.order_qty,
        price=command.price,
        is_possibly_sent=False,
        send_by_ns=command.void_after_ns,
    )
    return (report, request)


def cancel_order(state: State, entry: Entry) -> tuple[Event, ...]:
    """Passed on whatever the limits and trading states say: a cancel only ever reduces risk."""
    command = entry.command
    assert isinstance(command, CancelOrder)
    repeated = repeat_of(state, entry, command)
    if repeated is not None:
        return (repeated,)
    order = state.order_of(command.account, command.orig_cl_ord_id)
    if order is None:
        return (
            reports.of_no_order(command, entry, ExecType.CANCEL_REJECTED, Reason.UNKNOWN_ORDER),
        )
    reason = _not_now(order, ExecType.PENDING_CANCEL)
    if reason is not None:
        return (_refuse(order, entry, command, ExecType.CANCEL_REJECTED, reason),)
    return _ask_venue(
        state, entry, order, command, VenueAction.CANCEL, order.order_qty, order.price
    )


def replace_order(state: State, entry: Entry) -> tuple[Event, ...]:
    """Checked like a new order of the new size; the old terms hold until the venue confirms."""
    command = entry.command
    assert isinstance(command, ReplaceOrder)
    repeated = repeat_of(state, entry, command)
    if repeated is not None:
        return (repeated,)
    order = state.order_of(command.account, command.orig_cl_ord_id)
    if order is None:
        return (
            reports.of_no_order(command, entry, ExecType.REPLACE_REJECTED, Reason.UNKNOWN_ORDER),
        )
    reason = _not_now(order, ExecType.PENDING_REPLACE) or _replace_check(state, order, command)
    if reason is not None:
        return (_refuse(order, entry, command, ExecType.REPLACE_REJECTED, reason),)
    return _ask_venue(
        state, entry, order, command, VenueAction.REPLACE, command.order_qty, command.price
    )


def repeat_of(state: State, entry: Entry, command: ClientCommand) -> OrderReport | None:
    """The answer to a request id that was used before, or None if it is new.

    The same content gets the original outcome as it stands now; other content is denied.
    """
    use = state.id_uses.get((command.account, command.cl_ord_id))
    if use is None:
        return None
    reason = Reason.DUPLICATE_CL_ORD_ID
    if use.fingerprint != fingerprint(command):
        reason = Reason.CL_ORD_ID_REUSED
    elif use.reason is not Reason.NONE:
        reason = use.reason
    order = state.orders.get(use.order_id)
    if order is not None:
        change = reports.unchanged(
            order, ExecType.DENIED, cl_ord_id=command.cl_ord_id, reason=reason
        )
        return reports.about(order, entry, change)
    if isinstance(command, SubmitOrder):
        return reports.of_submit(command, entry, order_id="", ts_ns=state.ts_ns, reason=reason)
    return reports.of_no_order(command, entry, ExecType.DENIED, reason)


def fingerprint(command: ClientCommand) -> str:
    """Names a request's content, without the deadline that a retry may set anew."""
    match command:
        case SubmitOrder():
            content = (
                f"N|{command.symbol}|{command.side}|{command.ord_type}|{command.time_in_force}"
                f"|{command.order_qty}|{command.price}"
            )
        case CancelOrder():
            content = f"C|{command.orig_cl_ord_id}"
        case ReplaceOrder():
            content = f"R|{command.orig_cl_ord_id}|{command.order_qty}|{command.price}"
    return blake2b(content.encode(), digest_size=8).hexdigest()


def id_from(state: State, entry: Entry) -> str:
    """An id for the venue: unique over segments, shards and time, the same on every replica."""
    return f"{state.segment}-{state.shard}-{entry.seq}"


def _not_now(order: Order, wanted: ExecType) -> Reason | None:
    if order.is_final:
        return Reason.ORDER_IS_FINAL
    return None if (order.ord_status, wanted) in TRANSITIONS else Reason.REQUEST_PENDING


def _replace_check(state: State, order: Order, command: ReplaceOrder) -> Reason | None:
    if order.ord_type is not OrdType.LIMIT:
        return Reason.INVALID_PRICE
    intent = risk.Intent(
        account=order.account,
        symbol=order.symbol,
        side=order.side,
        ord_type=order.ord_type,
        order_qty=command.order_qty,
        open_qty=command.order_qty - order.cum_qty,
        replaced_qty=order.reserved_qty,
        price=command.price,
        ts_ns=state.ts_ns,
        void_after_ns=command.void_after_ns,
    )
    return risk.check(state, intent)


def _refuse(
    order: Order,
    entry: Entry,
    command: CancelOrder | ReplaceOrder,
    exec_type: ExecType,
    reason: Reason,
) -> OrderReport:
    change = reports.unchanged(order, exec_type, cl_ord_id=command.cl_ord_id, reason=reason)
    return reports.about(order, entry, change)


def _ask_venue(
    state: State,
    entry: Entry,
    order: Order,
    command: CancelOrder | ReplaceOrder,
    action: VenueAction,
    order_qty: int,
    price: int,
) -> tuple[Event, ...]:
    is_cancel = action is VenueAction.CANCEL
    exec_type = ExecType.PENDING_CANCEL if is_cancel else ExecType.PENDING_REPLACE
    target = TRANSITIONS[order.ord_status, exec_type]
    change = reports.Change(
        exec_type=exec_type,
        ord_status=target,  # type: ignore[arg-type]  # both entries name a status, not a Next
        cl_ord_id=command.cl_ord_id,
        orig_cl_ord_id=order.cl_ord_id,
        venue_order_id=order.venue_order_id,
        order_qty=order.order_qty,
        price=order.price,
        cum_qty=order.cum_qty,
        leaves_qty=order.leaves_qty,
        cum_notional=order.cum_notional,
    )
    request = venue_request(
        order,
        action=action,
        request_id=id_from(state, entry),
        order_qty=order_qty,
        price=price,
        is_possibly_sent=False,
    )
    return (reports.about(order, entry, change), request)


def venue_request(
    order: Order,
    *,
    action: VenueAction,
    request_id: str,
    order_qty: int,
    price: int,
    is_possibly_sent: bool,
) -> VenueRequest:
    """A request to the venue about an existing order."""
    return VenueRequest(
        venue=order.venue,
        action=action,
        account=order.account,
        order_id=order.order_id,
        request_id=request_id,
        venue_order_id=order.venue_order_id,
        symbol=order.symbol,
        side=order.side,
        ord_type=order.ord_type,
        time_in_force=order.time_in_force,
        order_qty=order_qty,
        price=price,
        is_possibly_sent=is_possibly_sent,
        send_by_ns=order.send_by_ns,
    )
