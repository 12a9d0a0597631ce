# SPDX-License-Identifier: Apache-2.0
"""Builders of order reports: one shape, whatever happened."""

from dataclasses import dataclass

from tradewind.core.commands import CancelOrder, Entry, ReplaceOrder, SubmitOrder
from tradewind.core.events import OrderReport
from tradewind.core.state import Order
from tradewind.core.types import ExecType, OrdStatus, OrdType, Reason, Side, TimeInForce


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What an order is after an event; what is not named stays."""

    exec_type: ExecType
    ord_status: OrdStatus
    cl_ord_id: str
    orig_cl_ord_id: str = ""
    venue_order_id: str = ""
    venue_exec_id: str = ""
    order_qty: int
    price: int
    cum_qty: int
    leaves_qty: int
    cum_notional: int
    last_qty: int = 0
    last_px: int = 0
    reason: Reason = Reason.NONE
    text: str = ""


def unchanged(order: Order, exec_type: ExecType, *, cl_ord_id: str, reason: Reason) -> Change:
    """The order stays as it is; its owner is told why."""
    return Change(
        exec_type=exec_type,
        ord_status=order.ord_status,
        cl_ord_id=cl_ord_id,
        orig_cl_ord_id=order.cl_ord_id,
        venue_order_id=order.venue_order_id,
        order_qty=order.order_qty,
        price=order.price,
        cum_qty=order.cum_qty,
        leaves_qty=order.leaves_qty,
        cum_notional=order.cum_notional,
        reason=reason,
    )


def about(order: Order, entry: Entry, change: Change) -> OrderReport:
    """A report about an existing order."""
    return OrderReport(
        account=order.account,
        order_id=order.order_id,
        cl_ord_id=change.cl_ord_id,
        orig_cl_ord_id=change.orig_cl_ord_id,
        exec_id=exec_id(entry),
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
    )


def of_submit(
    command: SubmitOrder, entry: Entry, *, order_id: str, ts_ns: int, reason: Reason
) -> OrderReport:
    """The first report of an order: PENDING_NEW, or DENIED if there is a reason."""
    is_denied = reason is not Reason.NONE
    return OrderReport(
        account=command.account,
        order_id="" if is_denied else order_id,
        cl_ord_id=command.cl_ord_id,
        orig_cl_ord_id="",
        exec_id=exec_id(entry),
        venue_exec_id="",
        venue_order_id="",
        exec_type=ExecType.DENIED if is_denied else ExecType.PENDING_NEW,
        ord_status=OrdStatus.DENIED if is_denied else OrdStatus.PENDING_NEW,
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
        text="",
        client=command.client,
        strategy=command.strategy,
        transact_time_ns=ts_ns,
    )


def of_no_order(
    command: CancelOrder | ReplaceOrder, entry: Entry, exec_type: ExecType, reason: Reason
) -> OrderReport:
    """An answer to a cancel or replace that names no order: FIX says OrderID "NONE", we say ""."""
    return OrderReport(
        account=command.account,
        order_id="",
        cl_ord_id=command.cl_ord_id,
        orig_cl_ord_id=command.orig_cl_ord_id,
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


def exec_id(entry: Entry) -> str:
    """Our own execution id: one report of an order per entry, so the sequence names it."""
    return f"E{entry.seq}"
