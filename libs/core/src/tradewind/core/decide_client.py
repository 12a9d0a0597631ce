# SPDX-License-Identifier: Apache-2.0
"""What follows from a client's request about one order: new, cancel, replace, status."""

from tradewind.core import parents, reports, requests, risk, scopes
from tradewind.core.commands import CancelOrder, Entry, ReplaceOrder, RequestStatus, SubmitOrder
from tradewind.core.controls import CONTROL_OF
from tradewind.core.events import Event, OrderReport, TradingStateSet, VenueRequest
from tradewind.core.identity import earlier_use, id_from
from tradewind.core.state import IdUse, Order, State
from tradewind.core.terms import Denial, Intent
from tradewind.core.transitions import TRANSITIONS
from tradewind.core.types import ExecType, OrdStatus, OrdType, Reason, TradingState, VenueAction

PENDINGS_MAX = 8
"""A longer chain of unanswered requests is a client that does not wait, or a venue that hangs."""


def submit_order(state: State, entry: Entry) -> tuple[Event, ...]:
    """Denied with a reason, or accepted: reserved, reported and on its way to the venue."""
    command = entry.command
    assert isinstance(command, SubmitOrder)
    return repeat_of(state, entry, command) or new_order(state, entry, command)


def new_order(state: State, entry: Entry, command: SubmitOrder) -> tuple[Event, ...]:
    """As `submit_order`, for a request id that was never used."""
    check = risk.check_parent if command.is_parent else risk.check
    parent = state.order_of(command.account, command.parent_cl_ord_id)
    denial = check(state, intent_of(state, command)) or _explained(
        state, parents.reason_against_child(command, parent)
    )
    order_id = id_from(state, entry)
    report = reports.of_submit(
        command,
        entry,
        order_id=order_id,
        parent_order_id=parent.order_id if parent is not None else "",
        reason=Reason.NONE if denial is None else denial.reason,
        text="" if denial is None else denial.text,
    )
    if denial is not None:
        return (report, *_follows(denial))
    if command.is_parent:
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
        stop_px=command.stop_px,
        display_qty=command.display_qty,
        is_post_only=command.is_post_only,
        expire_ns=command.expire_ns,
    )
    return (report, request)


def cancel_order(state: State, entry: Entry) -> tuple[Event, ...]:
    """Passed on whatever the limits and trading states say: a cancel only ever reduces risk."""
    command = entry.command
    assert isinstance(command, CancelOrder)
    repeated = repeat_of(state, entry, command)
    if repeated:
        return repeated
    order = state.order_of(command.account, command.orig_cl_ord_id)
    if order is None:
        return (_no_order(state, entry, command, ExecType.CANCEL_REJECTED),)
    reason = not_now(order, ExecType.PENDING_CANCEL)
    if reason is not None:
        return (_refuse(order, entry, command, ExecType.CANCEL_REJECTED, reason),)
    if order.is_parent:
        return parents.cancel(state, entry, order, command.cl_ord_id)
    report = pending_report(order, entry, ExecType.PENDING_CANCEL, command.cl_ord_id)
    return (report, requests.cancel(order, id_from(state, entry)))


def replace_order(state: State, entry: Entry) -> tuple[Event, ...]:
    """Checked like a new order of the new size; the old terms hold until the venue confirms."""
    command = entry.command
    assert isinstance(command, ReplaceOrder)
    repeated = repeat_of(state, entry, command)
    if repeated:
        return repeated
    order = state.order_of(command.account, command.orig_cl_ord_id)
    if order is None:
        return (_no_order(state, entry, command, ExecType.REPLACE_REJECTED),)
    reason = not_now(order, ExecType.PENDING_REPLACE)
    if reason is not None:
        return (_refuse(order, entry, command, ExecType.REPLACE_REJECTED, reason),)
    denial = _replace_check(state, order, command)
    if denial is not None:
        refusal = _refuse(
            order, entry, command, ExecType.REPLACE_REJECTED, denial.reason, denial.text
        )
        return (refusal, *_follows(denial))
    if order.is_parent:
        return (parents.replaced(order, entry, command),)
    request = requests.about(
        order,
        action=VenueAction.REPLACE,
        request_id=id_from(state, entry),
        order_qty=command.order_qty,
        price=command.price,
        stop_px=command.stop_px or order.stop_px,
    )
    return (pending_report(order, entry, ExecType.PENDING_REPLACE, command.cl_ord_id), request)


def request_status(state: State, entry: Entry) -> tuple[Event, ...]:
    """The order as it stands; a venue that owes an answer is asked for it."""
    command = entry.command
    assert isinstance(command, RequestStatus)
    order = state.order_of(command.account, command.cl_ord_id)
    if order is None:
        return (_no_order(state, entry, command, ExecType.ORDER_STATUS),)
    change = reports.unchanged(order, ExecType.ORDER_STATUS, cl_ord_id=order.cl_ord_id)
    report = reports.about(order, entry, change)
    if not requests.owes_an_answer(order):
        return (report,)
    return (report, requests.status(order, id_from(state, entry)))


def repeat_of(
    state: State, entry: Entry, command: SubmitOrder | CancelOrder | ReplaceOrder
) -> tuple[OrderReport, ...]:
    """The answer to a request id that was used before; nothing if it is new."""
    found = earlier_use(state, command)
    return () if found is None else (outcome_of(state, entry, command, *found),)


def outcome_of(
    state: State,
    entry: Entry,
    command: SubmitOrder | CancelOrder | ReplaceOrder,
    use: IdUse,
    reason: Reason,
) -> OrderReport:
    """What came of the earlier use of a request's id, as it stands now."""
    cl_ord_id = command.cl_ord_id
    if use.order_id in state.orders:
        order = state.orders[use.order_id]
        change = reports.unchanged(
            order,
            ExecType.DENIED,
            cl_ord_id=cl_ord_id,
            orig_cl_ord_id=order.cl_ord_id,
            reason=reason,
        )
        return reports.about(order, entry, change)
    if use.order_id in state.retired:
        return reports.of_retired(
            state.retired[use.order_id],
            entry,
            ExecType.DENIED,
            order_id=use.order_id,
            cl_ord_id=cl_ord_id,
            reason=reason,
        )
    if isinstance(command, SubmitOrder):
        return reports.of_submit(command, entry, order_id="", parent_order_id="", reason=reason)
    return reports.of_no_order(command, entry, ExecType.DENIED, reason)


def intent_of(state: State, command: SubmitOrder) -> Intent:
    """What the rules judge."""
    covers = scopes.of(state, command.account, command.symbol, command.client, command.strategy)
    return Intent(
        account=command.account,
        symbol=command.symbol,
        side=command.side,
        ord_type=command.ord_type,
        time_in_force=command.time_in_force,
        order_qty=command.order_qty,
        open_qty=command.order_qty,
        replaced_qty=0,
        price=command.price,
        stop_px=command.stop_px,
        display_qty=command.display_qty,
        is_post_only=command.is_post_only,
        expire_ns=command.expire_ns,
        attribution=(command.client, command.strategy, command.algorithm, command.build),
        ts_ns=state.ts_ns,
        void_after_ns=command.void_after_ns,
        is_replace=False,
        parent_cl_ord_id=command.parent_cl_ord_id,
        scopes=covers,
        limits=scopes.covering(state, covers),
    )


def not_now(order: Order, wanted: ExecType) -> Reason | None:
    """Why the order cannot take this request now, or None if it can."""
    if order.is_final:
        return Reason.ORDER_IS_FINAL
    if (order.ord_status, wanted) not in TRANSITIONS:
        return Reason.REQUEST_PENDING
    if wanted is ExecType.PENDING_REPLACE and len(order.pendings) >= PENDINGS_MAX:
        return Reason.TOO_MANY_PENDING
    return None


def pending_report(
    order: Order, entry: Entry, exec_type: ExecType, cl_ord_id: str, number: int = 0
) -> OrderReport:
    """The venue is being asked: FIX PendingCancel and PendingReplace."""
    change = reports.unchanged(
        order,
        exec_type,
        cl_ord_id=cl_ord_id,
        orig_cl_ord_id=order.cl_ord_id,
        ord_status=OrdStatus(exec_type.value),
    )
    return reports.about(order, entry, change, number)


def _replace_check(state: State, order: Order, command: ReplaceOrder) -> Denial | None:
    if order.ord_type is OrdType.MARKET:
        return risk.explained(state, Reason.INVALID_PRICE)
    check = risk.check_parent if order.is_parent else risk.check
    covers = scopes.of(state, order.account, order.symbol, order.client, order.strategy)
    intent = Intent(
        account=order.account,
        symbol=order.symbol,
        side=order.side,
        ord_type=order.ord_type,
        time_in_force=order.time_in_force,
        order_qty=command.order_qty,
        open_qty=command.order_qty - order.cum_qty,
        replaced_qty=order.reserved_qty,
        price=command.price,
        stop_px=command.stop_px or order.stop_px,
        display_qty=min(order.display_qty, command.order_qty),
        is_post_only=order.is_post_only,
        expire_ns=order.expire_ns,
        attribution=(order.client, order.strategy, order.algorithm, order.build),
        ts_ns=state.ts_ns,
        void_after_ns=command.void_after_ns,
        is_replace=True,
        parent_cl_ord_id="",
        scopes=covers,
        limits=scopes.covering(state, covers),
    )
    reason = parents.reason_against_replace(state, order, command)
    return check(state, intent) or _explained(state, reason)


def _explained(state: State, reason: Reason | None) -> Denial | None:
    return None if reason is None else risk.explained(state, reason)


def _follows(denial: Denial) -> tuple[Event, ...]:
    """Some denials halt a scope, until people open it again; some ask for a larger part."""
    found: list[Event] = []
    if denial.halts:
        found.append(
            TradingStateSet(
                scope=denial.halts,
                state=TradingState.HALTED,
                actor="core",
                reason=f"{CONTROL_OF[denial.reason].code} {denial.reason}",
            )
        )
    if denial.wants is not None:
        found.append(denial.wants)
    return tuple(found)


def _no_order(
    state: State,
    entry: Entry,
    command: CancelOrder | ReplaceOrder | RequestStatus,
    exec_type: ExecType,
) -> OrderReport:
    """The order left memory, or never was."""
    orig = command.cl_ord_id if isinstance(command, RequestStatus) else command.orig_cl_ord_id
    use = state.id_uses.get((command.account, orig))
    retired = state.retired.get(use.order_id) if use is not None else None
    if use is None or retired is None:
        return reports.of_no_order(command, entry, exec_type, Reason.UNKNOWN_ORDER)
    return reports.of_retired(
        retired,
        entry,
        exec_type,
        order_id=use.order_id,
        cl_ord_id=command.cl_ord_id,
        reason=Reason.NONE if isinstance(command, RequestStatus) else Reason.ORDER_IS_FINAL,
    )


def _refuse(
    order: Order,
    entry: Entry,
    command: CancelOrder | ReplaceOrder,
    exec_type: ExecType,
    reason: Reason,
    text: str = "",
) -> OrderReport:
    change = reports.unchanged(
        order,
        exec_type,
        cl_ord_id=command.cl_ord_id,
        orig_cl_ord_id=order.cl_ord_id,
        reason=reason,
        text=text,
    )
    return reports.about(order, entry, change)
