# SPDX-License-Identifier: Apache-2.0
"""Requests as the core makes them."""

from dataclasses import replace
from typing import Any

from tradewind.core.events import VenueRequest
from tradewind.core.types import OrdType, Side, TimeInForce, VenueAction

VENUE = "SIM"
SYMBOL = "BTC-USD"
FAR_NS = 2**62
QTY = 10
PRICE = 100


def new(order_id: str, side: Side = Side.BUY, **terms: Any) -> VenueRequest:
    """A limit order, good till cancelled, unless told otherwise."""
    request = VenueRequest(
        venue=VENUE,
        action=VenueAction.NEW,
        account="DEMO",
        order_id=order_id,
        request_id=order_id,
        venue_order_id="",
        symbol=SYMBOL,
        side=side,
        ord_type=OrdType.LIMIT,
        time_in_force=TimeInForce.GTC,
        order_qty=QTY,
        price=PRICE,
        is_possibly_sent=False,
        send_by_ns=FAR_NS,
    )
    return replace(request, **terms)


def cancel(order: VenueRequest, request_id: str, **terms: Any) -> VenueRequest:
    """Cancels an order."""
    terms = {"action": VenueAction.CANCEL, "request_id": request_id, **terms}
    return replace(order, **terms)


def change(order: VenueRequest, request_id: str, **terms: Any) -> VenueRequest:
    """Replaces an order's terms by `terms`."""
    return replace(order, action=VenueAction.REPLACE, request_id=request_id, **terms)
