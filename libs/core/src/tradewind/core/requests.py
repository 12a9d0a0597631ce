# SPDX-License-Identifier: Apache-2.0
"""Builders of requests to a venue."""

from dataclasses import replace

from tradewind.core.events import VenueRequest
from tradewind.core.state import Order, Pending
from tradewind.core.types import OrdStatus, TimeInForce, VenueAction


def about(
    order: Order,
    *,
    action: VenueAction,
    request_id: str,
    order_qty: int,
    price: int,
    stop_px: int,
    is_possibly_sent: bool = False,
) -> VenueRequest:
    """A request about an existing order."""
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
        stop_px=stop_px,
        display_qty=order.display_qty,
        is_post_only=order.is_post_only,
        expire_ns=order.expire_ns,
    )


def cancel(order: Order, request_id: str) -> VenueRequest:
    """A first request to cancel."""
    return about(
        order,
        action=VenueAction.CANCEL,
        request_id=request_id,
        order_qty=order.order_qty,
        price=order.price,
        stop_px=order.stop_px,
    )


def status(order: Order, request_id: str) -> VenueRequest:
    """Asks what the venue knows; it never makes anything be sent."""
    return about(
        order,
        action=VenueAction.STATUS,
        request_id=request_id,
        order_qty=order.order_qty,
        price=order.price,
        stop_px=order.stop_px,
        is_possibly_sent=True,
    )


def again(order: Order, pending: Pending) -> VenueRequest:
    """A pending request once more, for another owner of the session."""
    return about(
        order,
        action=pending.action,
        request_id=pending.request_id,
        order_qty=pending.order_qty,
        price=pending.price,
        stop_px=pending.stop_px,
        is_possibly_sent=True,
    )


def new_again(order: Order, *, is_too_late: bool = False) -> VenueRequest:
    """The order itself once more, for another owner of the session."""
    request = about(
        order,
        action=VenueAction.NEW,
        request_id=order.order_id,
        order_qty=order.order_qty,
        price=order.price,
        stop_px=order.stop_px,
        is_possibly_sent=True,
    )
    return replace(request, send_by_ns=0) if is_too_late else request


def owes_an_answer(order: Order) -> bool:
    """The venue has not said yet what became of the order or of a request about it."""
    is_settled = order.is_acked and not order.is_unknown and not order.pendings
    return not (order.is_final or order.is_parent or is_settled)


def may_have_ended_unheard(order: Order, ts_ns: int) -> bool:
    """By its own terms it should be over, and no one said so."""
    if order.time_in_force is TimeInForce.GTD:
        return order.expire_ns <= ts_ns
    return order.time_in_force is TimeInForce.DAY and order.ord_status is not OrdStatus.PENDING_NEW
