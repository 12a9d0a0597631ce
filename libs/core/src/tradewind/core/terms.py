# SPDX-License-Identifier: Apache-2.0
"""What an order may look like: rules about its own terms and its venue's session."""

from collections.abc import Callable
from dataclasses import dataclass

from tradewind.core.covers import Covers
from tradewind.core.record import record
from tradewind.core.share_events import ShareWanted
from tradewind.core.state import State
from tradewind.core.types import OrdType, Reason, Side, TimeInForce, TradSesStatus


@record
class Intent:
    """What an order would be once accepted.

    `order_qty` is its whole size, `open_qty` what could still trade, `replaced_qty` what the
    order already reserves (0 for a new one). `attribution` is who and what it is from: client,
    strategy, algorithm, build. `scopes` are those that cover it, `limits` what holds in them.
    """

    account: str
    symbol: str
    side: Side
    ord_type: OrdType
    time_in_force: TimeInForce
    order_qty: int
    open_qty: int
    replaced_qty: int
    price: int
    stop_px: int
    display_qty: int
    is_post_only: bool
    expire_ns: int
    attribution: tuple[str, ...]
    ts_ns: int
    void_after_ns: int
    is_replace: bool
    parent_cl_ord_id: str
    scopes: tuple[str, ...]
    limits: Covers

    @property
    def algorithm(self) -> str:
        """The algorithm that decided, or BY_HAND."""
        return self.attribution[2]


@record
class Denial:
    """Why an order is denied, what was seen of which limit, and a scope that it halts.

    `wants` is what this shard would need of a bound that has room for the order as a whole.
    """

    reason: Reason
    text: str = ""
    halts: str = ""
    wants: ShareWanted | None = None


def over(reason: Reason, seen: int, limit: int, scope: str, version: int) -> Denial:
    """More was seen than the limit of a scope."""
    return Denial(reason=reason, text=f"{seen} of {limit} in {scope}, version {version}")


Rule = Callable[[State, Intent], "Reason | Denial | None"]


@dataclass(frozen=True, slots=True)
class Shape:
    """Which prices an order type has."""

    has_price: bool
    has_stop: bool


SHAPES = {
    OrdType.MARKET: Shape(False, False),
    OrdType.LIMIT: Shape(True, False),
    OrdType.STOP: Shape(False, True),
    OrdType.STOP_LIMIT: Shape(True, True),
}
IMMEDIATE = frozenset({TimeInForce.IOC, TimeInForce.FOK})
AUCTION = frozenset({TimeInForce.AT_OPEN, TimeInForce.AT_CLOSE})

CLOSED = {
    TradSesStatus.CLOSED: Reason.VENUE_CLOSED,
    TradSesStatus.HALTED: Reason.VENUE_HALTED,
}


def in_time(state: State, intent: Intent) -> Reason | None:
    """The journal took it before the client's deadline (C32)."""
    return Reason.TOO_LATE if state.ts_ns > intent.void_after_ns else None


def attributed(_state: State, intent: Intent) -> Reason | None:
    """Client, strategy, algorithm and build are named (RTS 6 article 12: whose order is it?)."""
    return None if all(intent.attribution) else Reason.ATTRIBUTION_MISSING


def instrument_known(state: State, intent: Intent) -> Reason | None:
    """The instrument exists (C19)."""
    return None if intent.symbol in state.instruments else Reason.UNKNOWN_INSTRUMENT


def terms_sane(_state: State, intent: Intent) -> Reason | None:
    """Quantity and prices are positive, and there are just those that the type has (C05)."""
    if intent.order_qty <= 0 or intent.open_qty <= 0:
        return Reason.INVALID_QUANTITY
    shape = SHAPES[intent.ord_type]
    if intent.price < 0 or shape.has_price != (intent.price > 0):
        return Reason.INVALID_PRICE
    if intent.stop_px < 0 or shape.has_stop != (intent.stop_px > 0):
        return Reason.INVALID_STOP_PRICE
    return None


def instructions_sane(_state: State, intent: Intent) -> Reason | None:
    """Display quantity, post-only and expiry fit the type and the time in force."""
    rests = SHAPES[intent.ord_type].has_price and intent.time_in_force not in IMMEDIATE
    if intent.display_qty and not (rests and 0 < intent.display_qty <= intent.order_qty):
        return Reason.INVALID_DISPLAY_QUANTITY
    can_post = intent.ord_type is OrdType.LIMIT and intent.time_in_force not in IMMEDIATE | AUCTION
    if intent.is_post_only and not can_post:
        return Reason.INVALID_POST_ONLY
    is_dated = intent.time_in_force is TimeInForce.GTD
    if is_dated != (intent.expire_ns != 0) or (is_dated and intent.expire_ns <= intent.ts_ns):
        return Reason.INVALID_EXPIRE_TIME
    return None


def session_takes(state: State, intent: Intent) -> Reason | None:
    """The venue's session takes this order now. A venue without sessions is always open."""
    venue = state.instruments[intent.symbol].venue
    session = state.trading_sessions.get(venue)
    if session is None:
        return Reason.NOT_IN_THIS_SESSION if intent.time_in_force in AUCTION else None
    if session.status in CLOSED:
        return CLOSED[session.status]
    if session.status is TradSesStatus.PRE_OPEN:
        return None if _waits_for_the_open(intent) else Reason.NOT_IN_THIS_SESSION
    return Reason.NOT_IN_THIS_SESSION if intent.time_in_force is TimeInForce.AT_OPEN else None


def _waits_for_the_open(intent: Intent) -> bool:
    if intent.time_in_force in AUCTION:
        return True
    return intent.ord_type is not OrdType.MARKET and intent.time_in_force not in IMMEDIATE
