# SPDX-License-Identifier: Apache-2.0
"""Parts of the trading session: what each takes, and what waits for another. Pure.

Before the opening, orders are taken and wait for it. At the opening they arrive, the oldest
first, and what is left of an at-the-open order expires. At-the-close orders wait for the close.
"""

from tradewind.core.terms import AUCTION, IMMEDIATE
from tradewind.core.types import OrdType, TimeInForce, TradSesStatus
from tradewind.simvenue.orders import Order

TRADING = frozenset({None, TradSesStatus.OPEN, TradSesStatus.PRE_CLOSE})
REFUSALS = {
    TradSesStatus.CLOSED: "SESSION_CLOSED",
    TradSesStatus.HALTED: "SESSION_HALTED",
}


def is_trading(status: TradSesStatus | None) -> bool:
    """Whether orders meet each other now."""
    return status in TRADING


def closed(status: TradSesStatus | None) -> str:
    """Why nothing may be added or changed now, "" if it may."""
    return "" if status is None else REFUSALS.get(status, "")


def refusal(order: Order, status: TradSesStatus | None) -> str:
    """Why the order is not taken in this part of the session, "" if it is."""
    if status is None:
        return "NOT_IN_THIS_SESSION" if order.time_in_force in AUCTION else ""
    if closed(status):
        return closed(status)
    if status is TradSesStatus.PRE_OPEN:
        is_at_once = order.time_in_force in IMMEDIATE or order.ord_type is OrdType.MARKET
        is_too_early = is_at_once and order.time_in_force not in AUCTION
        return "NOT_IN_THIS_SESSION" if is_too_early else ""
    return "NOT_IN_THIS_SESSION" if order.time_in_force is TimeInForce.AT_OPEN else ""


def is_held(order: Order, status: TradSesStatus | None) -> bool:
    """Whether a working order waits outside the book for another part of the session."""
    if order.is_dormant:
        return True
    if order.time_in_force is TimeInForce.AT_CLOSE:
        return status is not TradSesStatus.CLOSED
    return status is TradSesStatus.PRE_OPEN
