# SPDX-License-Identifier: Apache-2.0
"""Losing trades in a row (C27): a scope that has too many of them may only reduce.

A trade loses that takes lots off a position at a worse price than they had on average, fees aside;
the comparison is exact. One that gains ends the row; at just the average it does neither. However
many executions an order has, it loses once. Busts and corrections neither count nor take back. No
timer opens a scope again: people do, and the row begins anew then, as with the day.
"""

from tradewind.core import scopes
from tradewind.core.activity import is_reached
from tradewind.core.bounds import UNSET
from tradewind.core.covers import NONE, Covers
from tradewind.core.events import Event, TradingStateSet
from tradewind.core.positions import unrealised
from tradewind.core.results import is_reduced
from tradewind.core.state import Losses, Order, Position, State
from tradewind.core.types import TradingState

NONE_YET = Losses()


def reduced(state: State, order: Order, price: int) -> tuple[Event, ...]:
    """Scopes that this trade gives one loss more than they may have; before it is booked."""
    found: dict[str, Event] = {}
    for scope, limits in _covers(state, order).all:
        limit, window_ms = limits.max_losses, limits.loss_window_ms
        if limit == UNSET or scope in found or is_reduced(state, scope):
            continue
        known = state.losses.get(scope, NONE_YET)
        if _gain(state, order, scope, price) >= 0 or order.order_id in known.orders:
            continue
        if is_reached(known.times, limit, window_ms, state.ts_ns):
            reason = f"C27 {limit + 1} losses in a row of {limit} in {window_ms} ms"
            found[scope] = TradingStateSet(
                scope=scope,
                state=TradingState.REDUCING,
                actor="core",
                reason=f"{reason}, version {limits.version}",
            )
    return tuple(found.values())


def traded(state: State, order: Order, price: int) -> None:
    """Remembers as many losses as a bound needs; before the trade is booked."""
    for scope, keep in _covers(state, order).most("max_losses").items():
        gain = _gain(state, order, scope, price)
        if gain > 0:
            state.losses.pop(scope, None)
        elif gain < 0 and keep:
            known = state.losses.setdefault(scope, Losses())
            if order.order_id not in known.orders:
                known.times.append(state.ts_ns)
                known.orders.append(order.order_id)
                del known.times[:-keep], known.orders[:-keep]


def _covers(state: State, order: Order) -> Covers:
    of = scopes.of(state, order.account, order.symbol, order.client, order.strategy)
    covers = scopes.covering(state, of)
    return covers if covers.of("max_losses") else NONE


def _gain(state: State, order: Order, scope: str, price: int) -> int:
    """By its sign whether the trade gains or loses for a scope; 0 if it takes nothing off.

    Strategies and clients have the part of the position that has their name.
    """
    if scope.startswith(("strategy:", "client:")):
        key = (order.account, order.symbol, order.client, order.strategy, order.algorithm)
        position = state.ledgers.get(key) or Position()
    else:
        position = state.position(order.account, order.symbol)
    is_reducing = position.qty * order.side.sign < 0
    return unrealised(position, price) if is_reducing else 0
