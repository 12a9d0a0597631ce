# SPDX-License-Identifier: Apache-2.0
"""What follows from requests about a whole account: mass cancel, flatten, adjust, reset."""

from tradewind.core import parents, reports
from tradewind.core.commands import (
    AdjustPosition,
    Entry,
    FlattenPosition,
    MassCancel,
    ResetPosition,
    SubmitOrder,
)
from tradewind.core.decide_client import new_order, outcome_of
from tradewind.core.events import Event, MassCancelReport, PositionAdjusted
from tradewind.core.identity import earlier_use
from tradewind.core.state import Order, State
from tradewind.core.types import OrdType, Reason, Side, TimeInForce


def mass_cancel(state: State, entry: Entry) -> tuple[Event, ...]:
    """Asks for the end of every live order that matches, oldest first."""
    command = entry.command
    assert isinstance(command, MassCancel)
    found = earlier_use(state, command)
    events: list[Event] = []
    count = 0
    wanted = _wanted(state, command) if found is None else []
    for number, order in enumerate(wanted, 1):
        ask = parents.begin_cancel if order.is_parent else parents.cancel_unasked
        asked = ask(state, entry, order, order.cl_ord_id, number)
        events.extend(asked)
        count += bool(asked)
    reason = Reason.NONE if found is None else found[1]
    return (mass_canceled(command, entry, count, reason), *events)


def mass_canceled(
    command: MassCancel, entry: Entry, count: int, reason: Reason
) -> MassCancelReport:
    """The report that goes before those of the orders."""
    return MassCancelReport(
        account=command.account,
        cl_ord_id=command.cl_ord_id,
        exec_id=reports.exec_id(entry),
        symbol=command.symbol,
        strategy=command.strategy,
        order_count=count,
        reason=reason,
        client=command.client,
        transact_time_ns=entry.ts_ns,
    )


def flatten_position(state: State, entry: Entry) -> tuple[Event, ...]:
    """A market order of the size that closes the position, under all rules of a new order."""
    command = entry.command
    assert isinstance(command, FlattenPosition)
    qty = state.position(command.account, command.symbol).qty
    order = closing_order(command, qty)
    found = earlier_use(state, command)
    if found is not None:
        return (outcome_of(state, entry, order, *found),)
    if qty == 0:
        reason = Reason.NOTHING_TO_FLATTEN
        return (reports.of_submit(order, entry, order_id="", parent_order_id="", reason=reason),)
    return new_order(state, entry, order)


def closing_order(command: FlattenPosition, qty: int) -> SubmitOrder:
    """The order that closes a position of so many lots."""
    return SubmitOrder(
        account=command.account,
        cl_ord_id=command.cl_ord_id,
        symbol=command.symbol,
        side=Side.SELL if qty > 0 else Side.BUY,
        ord_type=OrdType.MARKET,
        time_in_force=TimeInForce.IOC,
        order_qty=abs(qty),
        price=0,
        client=command.client,
        strategy=command.strategy,
        void_after_ns=command.void_after_ns,
        algorithm=command.algorithm,
        build=command.build,
    )


def adjust_position(state: State, entry: Entry) -> tuple[Event, ...]:
    """Books what people say must be booked."""
    command = entry.command
    assert isinstance(command, AdjustPosition)
    reason = _adjust_reason(state, command)
    if reason is Reason.NONE and (command.qty == 0 or command.price < 0):
        reason = Reason.INVALID_QUANTITY if command.qty == 0 else Reason.INVALID_PRICE
    return (_adjusted(entry, command, qty=command.qty, price=command.price, reason=reason),)


def reset_position(state: State, entry: Entry) -> tuple[Event, ...]:
    """Makes a position flat without a trade; `qty` tells what it was."""
    command = entry.command
    assert isinstance(command, ResetPosition)
    qty = state.position(command.account, command.symbol).qty
    reason = _adjust_reason(state, command)
    return (_adjusted(entry, command, qty=-qty, price=0, reason=reason),)


def _wanted(state: State, command: MassCancel) -> list[Order]:
    """What matches, and the children of parents that match: a parent ends with its children."""
    live = list(state.live_orders.values())
    family = {order.order_id for order in live if order.is_parent and _matches(order, command)}
    return [order for order in live if _matches(order, command) or order.parent_order_id in family]


def _matches(order: Order, command: MassCancel) -> bool:
    return (
        command.account in ("", order.account)
        and command.symbol in ("", order.symbol)
        and command.strategy in ("", order.strategy)
        and command.entered_by in ("", order.client)
    )


def _adjust_reason(state: State, command: AdjustPosition | ResetPosition) -> Reason:
    found = earlier_use(state, command)
    if found is not None:
        return found[1]
    is_known = command.symbol in state.instruments
    return Reason.NONE if is_known else Reason.UNKNOWN_INSTRUMENT


def _adjusted(
    entry: Entry,
    command: AdjustPosition | ResetPosition,
    *,
    qty: int,
    price: int,
    reason: Reason,
) -> PositionAdjusted:
    return PositionAdjusted(
        account=command.account,
        cl_ord_id=command.cl_ord_id,
        symbol=command.symbol,
        is_reset=isinstance(command, ResetPosition),
        qty=qty,
        price=price,
        actor=command.actor,
        why=command.reason,
        reason=reason,
        transact_time_ns=entry.ts_ns,
    )
