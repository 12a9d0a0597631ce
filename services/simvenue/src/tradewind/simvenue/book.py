# SPDX-License-Identifier: Apache-2.0
"""The order book: price-time priority, integer ticks and lots, background and client orders alike.

Pure and synchronous. The book knows where orders rest and in which order they would trade;
what a trade means is decided in `matching`.
"""

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass

from tradewind.core.types import Side

OPPOSITE = {Side.BUY: Side.SELL, Side.SELL: Side.BUY}


@dataclass(slots=True)
class Resting:
    """One order at rest. `arrival` grows with every order that comes to rest.

    An iceberg shows `display_qty` at a time: `leaves_qty` is what it shows now.
    """

    order_id: str
    side: Side
    price: int
    leaves_qty: int
    is_client: bool
    arrival: int = 0
    display_qty: int = 0
    hidden_qty: int = 0


class _Half:
    """One side: price levels from best to worst, orders of a level from first to last."""

    def __init__(self, side: Side) -> None:
        self._sign = -side.sign
        self.keys: list[int] = []
        self.levels: dict[int, dict[str, Resting]] = {}

    def add(self, order: Resting) -> None:
        key = order.price * self._sign
        level = self.levels.get(key)
        if level is None:
            level = self.levels[key] = {}
            self.keys.insert(bisect_left(self.keys, key), key)
        level[order.order_id] = order

    def remove(self, order: Resting) -> None:
        key = order.price * self._sign
        level = self.levels[key]
        del level[order.order_id]
        if not level:
            del self.levels[key]
            del self.keys[bisect_left(self.keys, key)]

    def price_of(self, key: int) -> int:
        return key * self._sign

    def reaches(self, key: int, limit: int | None) -> bool:
        """Whether a level is good enough for an opposite order with this limit."""
        return limit is None or key <= limit * self._sign


class Book:
    """Both sides of one instrument."""

    def __init__(self) -> None:
        self._halves = {side: _Half(side) for side in Side}
        self._orders: dict[str, Resting] = {}
        self._arrivals = 0
        self.version = 0

    def __len__(self) -> int:
        return len(self._orders)

    def get(self, order_id: str) -> Resting | None:
        """The resting order of this id."""
        return self._orders.get(order_id)

    def add(self, order: Resting) -> None:
        """Puts an order behind all others of its price; of an iceberg, a slice."""
        if order.display_qty:
            whole = order.leaves_qty + order.hidden_qty
            order.leaves_qty = min(order.display_qty, whole)
            order.hidden_qty = whole - order.leaves_qty
        self._arrivals += 1
        order.arrival = self._arrivals
        self._orders[order.order_id] = order
        self._halves[order.side].add(order)
        self.version += 1

    def remove(self, order_id: str) -> Resting | None:
        """Takes an order out, if it is there."""
        order = self._orders.pop(order_id, None)
        if order is not None:
            self._halves[order.side].remove(order)
            self.version += 1
        return order

    def reduce(self, order_id: str, leaves_qty: int) -> None:
        """Leaves an order with this much, in its place; with nothing left it goes."""
        if leaves_qty <= 0:
            self.remove(order_id)
            return
        self._orders[order_id].leaves_qty = leaves_qty
        self.version += 1

    def trade(self, order_id: str, qty: int) -> None:
        """Takes this much of what an order shows; an iceberg then shows its next slice."""
        order = self._orders[order_id]
        if qty < order.leaves_qty or order.hidden_qty == 0:
            self.reduce(order_id, order.leaves_qty - qty)
            return
        self.remove(order_id)
        order.leaves_qty = 0
        self.add(order)

    def resize(self, order_id: str, leaves_qty: int) -> None:
        """Leaves an order with this much in all, in its place."""
        order = self._orders[order_id]
        shown = min(order.leaves_qty, leaves_qty)
        order.hidden_qty = leaves_qty - shown if order.display_qty else 0
        self.reduce(order_id, shown)

    def best(self, side: Side) -> Resting | None:
        """The order of this side that would trade first."""
        half = self._halves[side]
        if not half.keys:
            return None
        return next(iter(half.levels[half.keys[0]].values()))

    def against(self, side: Side, limit: int | None) -> Iterator[Resting]:
        """What an order of `side` with this limit (None: any price) meets, in trading order.

        The book must not change while this is read.
        """
        half = self._halves[OPPOSITE[side]]
        for key in half.keys:
            if not half.reaches(key, limit):
                return
            yield from half.levels[key].values()

    def first_level(self, side: Side, limit: int | None) -> list[Resting]:
        """What an order of `side` meets first: all of the best price that its limit reaches."""
        half = self._halves[OPPOSITE[side]]
        if not half.keys or not half.reaches(half.keys[0], limit):
            return []
        return list(half.levels[half.keys[0]].values())

    def is_reached(self, side: Side, limit: int | None) -> bool:
        """Whether an order of `side` with this limit would trade at once."""
        return bool(self.first_level(side, limit))

    def is_fillable(self, side: Side, limit: int | None, qty: int) -> bool:
        """Whether an order would be filled in full at once."""
        for resting in self.against(side, limit):
            qty -= resting.leaves_qty + resting.hidden_qty
            if qty <= 0:
                return True
        return False

    def depth(self, side: Side, levels: int) -> list[tuple[int, int]]:
        """Price and quantity of the best levels."""
        half = self._halves[side]
        return [
            (half.price_of(key), sum(order.leaves_qty for order in half.levels[key].values()))
            for key in half.keys[:levels]
        ]

    def is_crossed(self) -> bool:
        """Whether the best bid is at or above the best ask."""
        bid, ask = self.best(Side.BUY), self.best(Side.SELL)
        return bid is not None and ask is not None and bid.price >= ask.price

    def clear_background(self) -> None:
        """Takes out everything but client orders."""
        for order in [order for order in self._orders.values() if not order.is_client]:
            self.remove(order.order_id)
