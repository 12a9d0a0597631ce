# SPDX-License-Identifier: Apache-2.0
"""Builders of order reports: one shape, whatever happened."""

from tradewind.core.commands import (
    CancelOrder,
    Entry,
    ReplaceOrder,
    RequestStatus,
    SubmitOrder,
)
from tradewind.core.events import OrderReport
from tradewind.core.record import record
from tradewind.core.state import Order, Retired
from tradewind.core.types import ExecType, OrdStatus, OrdType, Reason, Side, TimeInForce


@record
class Change:
    """What an order is after an event; what is not named stays."""

    exec_type: ExecType
    ord_status: OrdStatus
    cl_ord_id: str
    orig_cl_ord_id: str = ""
    venue_order_id: str = ""
    venue_exec_id: str = ""
    venue_exec_ref_id: str = ""
    order_qty: int
    price: int
    stop_px: int
    cum_qty: int
    leaves_qty: int
    cum_notional: int
    last_qty: int = 0
    last_px: int = 0
    fee_e8: int = 0
    fee_currency: str = ""
    reason: Reason = Reason.NONE
    text: str = ""


def unchanged(
    order: Order,
    exec_type: ExecType,
    *,
    cl_ord_id: str,
    orig_cl_ord_id: str = "",
    ord_status: OrdStatus | None = None,
    reason: Reason = Reason.NONE,
    text: str = "",
) -> Change:
    """The order's terms stay as they are; its owner is told what happened, and why."""
    return Change(
        exec_type=exec_type,
        ord_status=order.ord_status if ord_status is None else ord_status,
        cl_ord_id=cl_ord_id,
        orig_cl_ord_id=orig_cl_ord_id,
        venue_order_id=order.venue_order_id,
        order_qty=order.order_qty,
        price=order.price,
        stop_px=order.stop_px,
        cum_qty=order.cum_qty,
        leaves_qty=order.leaves_qty,
        cum_notional=order.cum_notional,
        reason=reason,
        text=text,
    )


def about(order: Order, entry: Entry, change: Change, number: int = 0) -> OrderReport:
    """A report about an existing order, the `number`-th that follows from its entry."""
    return OrderReport(
        account=order.account,
        order_id=order.order_id,
        cl_ord_id=change.cl_ord_id,
        orig_cl_ord_id=change.orig_cl_ord_id,
        exec_id=exec_id(entry, number),
        venue_exec_id=change.venue_exec_id,
        venue_order_id=change.venue_order_id,
        exec_type=change.exec_type,
        ord_status=change.ord_status,
        symbol=order.symbol,
        side=order.side,
        ord_type=order.ord_type,
        time_in_force=order.time_in_force,
        order_qty=change.order_qty,
        price=change.price,
        cum_qty=change.cum_qty,
        leaves_qty=change.leaves_qty,
        cum_notional=change.cum_notional,
        last_qty=change.last_qty,
        last_px=change.last_px,
        reason=change.reason,
        text=change.text,
        client=order.client,
        strategy=order.strategy,
        transact_time_ns=entry.ts_ns,
        stop_px=change.stop_px,
        display_qty=order.display_qty,
        is_post_only=order.is_post_only,
        expire_ns=order.expire_ns,
        algorithm=order.algorithm,
        build=order.build,
        parent_order_id=order.parent_order_id,
        is_parent=order.is_parent,
        venue_exec_ref_id=change.venue_exec_ref_id,
        fee_e8=change.fee_e8,
        fee_currency=change.fee_currency,
    )


def of_submit(
    command: SubmitOrder,
    entry: Entry,
    *,
    order_id: str,
    parent_order_id: str,
    reason: Reason,
    text: str = "",
) -> OrderReport:
    """The first report of an order: DENIED if there is a reason, else PENDING_NEW.

    A parent goes to no venue, so it is NEW at once.
    """
    is_denied = reason is not Reason.NONE
    accepted = ExecType.NEW if command.is_parent else ExecType.PENDING_NEW
    exec_type = ExecType.DENIED if is_denied else accepted
    return OrderReport(
        account=command.account,
        order_id="" if is_denied else order_id,
        cl_ord_id=command.cl_ord_id,
        orig_cl_ord_id="",
        exec_id=exec_id(entry),
        venue_exec_id="",
        venue_order_id="",
        exec_type=exec_type,
        ord_status=OrdStatus(exec_type.value),
        symbol=command.symbol,
        side=command.side,
        ord_type=command.ord_type,
        time_in_force=command.time_in_force,
        order_qty=command.order_qty,
        price=command.price,
        cum_qty=0,
        leaves_qty=0 if is_denied else command.order_qty,
        cum_notional=0,
        last_qty=0,
        last_px=0,
        reason=reason,
        text=text,
        client=command.client,
        strategy=command.strategy,
        transact_time_ns=entry.ts_ns,
        stop_px=command.stop_px,
        display_qty=command.display_qty,
        is_post_only=command.is_post_only,
        expire_ns=command.expire_ns,
        algorithm=command.algorithm,
        build=command.build,
        parent_order_id=parent_order_id,
        is_parent=command.is_parent,
    )


def of_retired(
    retired: Retired,
    entry: Entry,
    exec_type: ExecType,
    *,
    order_id: str,
    cl_ord_id: str,
    reason: Reason,
) -> OrderReport:
    """What is still known of an order that left memory."""
    return OrderReport(
        account=retired.account,
        order_id=order_id,
        cl_ord_id=cl_ord_id,
        orig_cl_ord_id=retired.cl_ord_id,
        exec_id=exec_id(entry),
        venue_exec_id="",
        venue_order_id=retired.venue_order_id,
        exec_type=exec_type,
        ord_status=retired.ord_status,
        symbol=retired.symbol,
        side=retired.side,
        ord_type=retired.ord_type,
        time_in_force=retired.time_in_force,
        order_qty=retired.order_qty,
        price=retired.price,
        cum_qty=retired.cum_qty,
        leaves_qty=0,
        cum_notional=retired.cum_notional,
        last_qty=0,
        last_px=0,
        reason=reason,
        text="",
        client=retired.client,
        strategy=retired.strategy,
        transact_time_ns=entry.ts_ns,
    )


def of_no_order(
    command: CancelOrder | ReplaceOrder | RequestStatus,
    entry: Entry,
    exec_type: ExecType,
    reason: Reason,
) -> OrderReport:
    """An answer to a request that names no order: FIX says OrderID "NONE", we say ""."""
    orig = "" if isinstance(command, RequestStatus) else command.orig_cl_ord_id
    return OrderReport(
        account=command.account,
        order_id="",
        cl_ord_id=command.cl_ord_id,
        orig_cl_ord_id=orig,
        exec_id=exec_id(entry),
        venue_exec_id="",
        venue_order_id="",
        exec_type=exec_type,
        ord_status=OrdStatus.DENIED,
        symbol="",
        side=Side.BUY,
        ord_type=OrdType.LIMIT,
        time_in_force=TimeInForce.DAY,
        order_qty=0,
        price=0,
        cum_qty=0,
        leaves_qty=0,
        cum_notional=0,
        last_qty=0,
        last_px=0,
        reason=reason,
        text="",
        client=command.client,
        strategy="",
        transact_time_ns=entry.ts_ns,
    )


def exec_id(entry: Entry, number: int = 0) -> str:
    """Our own execution id: the entry's sequence, and which of its reports where it has several."""
    return f"E{entry.seq}.{number}" if number else f"E{entry.seq}"
