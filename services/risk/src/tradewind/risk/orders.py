# SPDX-License-Identifier: Apache-2.0
"""Orders as the second look knows them, and which of them rest at a price."""

from dataclasses import dataclass, field

from tradewind.core.types import OrdType, Side
from tradewind.risk.book import Traded
from tradewind.risk.lines import Key

PRICED = (OrdType.LIMIT, OrdType.STOP_LIMIT)
BY_HAND = "NONE"
"""The algorithm of what no algorithm decided."""


@dataclass(slots=True, kw_only=True)
class Order:
    """An order as far as it counts. `asked` are lots and price of replaces without an answer."""

    order_id: str
    key: Key
    scopes: tuple[str, ...]
    side: Side
    is_parent: bool
    is_priced: bool
    parent_id: str
    qty: int
    price: int
    is_live: bool = True
    ended_ns: int = 0
    reserved: int = 0
    traded: Traded = field(default_factory=Traded)
    asked: dict[str, tuple[int, int]] = field(default_factory=dict)

    @property
    def at_worst(self) -> int:
        """Lots that may still trade, whatever comes of its replaces."""
        if self.is_parent or not self.is_live:
            return 0
        most = max(self.qty, *(qty for qty, _price in self.asked.values()), 0)
        return max(0, most - self.traded.qty)


class Resting:
    """Live orders that have a limit, by account, instrument and side."""

    def __init__(self) -> None:
        self._of: dict[tuple[str, str, Side], dict[str, Order]] = {}

    def put(self, order: Order) -> None:
        """It may rest from now on."""
        if order.is_priced and not order.is_parent:
            self._of.setdefault(_place(order), {})[order.order_id] = order

    def remove(self, order: Order) -> None:
        """It has ended."""
        self._of.get(_place(order), {}).pop(order.order_id, None)

    def best(self, account: str, symbol: str, side: Side) -> int | None:
        """The price, of those at which a side may rest, that the other side meets first."""
        resting = self._of.get((account, symbol, side))
        if not resting:
            return None
        prices = [order.price for order in resting.values()]
        prices += [price for order in resting.values() for _qty, price in order.asked.values()]
        return max(prices) if side is Side.BUY else min(prices)


def _place(order: Order) -> tuple[str, str, Side]:
    return order.key[0], order.key[1], order.side
