# SPDX-License-Identifier: Apache-2.0
"""What each scope holds and has working, added up as parts of positions change.

A part is an account in an instrument, or the share of it that one client, strategy and algorithm
have. A scope has a line for each instrument: the sums of its parts.
"""

from dataclasses import dataclass, field

from tradewind.core.types import Side
from tradewind.risk.book import Holding

Key = tuple[str, ...]
"""account, symbol; or account, symbol, client, strategy, algorithm."""


@dataclass(slots=True)
class Part(Holding):
    """A holding, and the lots that may still trade on each side."""

    buys: int = 0
    sells: int = 0

    @property
    def reach(self) -> int:
        """The largest position, of either sign, that working orders can lead to."""
        return max(abs(self.qty + self.buys), abs(self.qty - self.sells))

    def reserve(self, side: Side, lots: int) -> None:
        """So many lots more, or less, may trade."""
        if side is Side.BUY:
            self.buys += lots
        else:
            self.sells += lots

    def empty(self) -> None:
        """Makes it flat; what is working stays."""
        self.qty = self.cash = self.cost = 0


@dataclass(slots=True)
class Line:
    """Sums over a scope's parts in one instrument, in lots."""

    qty: int = 0
    buys: int = 0
    sells: int = 0
    gross: int = 0


@dataclass(slots=True)
class Lines:
    """All parts, and the lines of all scopes; working orders by scope."""

    parts: dict[Key, Part] = field(default_factory=dict)
    scopes: dict[str, dict[str, Line]] = field(default_factory=dict)
    orders: dict[str, int] = field(default_factory=dict)
    _of: dict[Key, list[Line]] = field(default_factory=dict)

    def part(self, key: Key, scopes: tuple[str, ...]) -> Part:
        """The part, which counts in these scopes from the first time on."""
        if key not in self._of:
            self.parts.setdefault(key, Part())
            self._of[key] = [
                self.scopes.setdefault(scope, {}).setdefault(key[1], Line()) for scope in scopes
            ]
        return self.parts[key]

    def release(self, symbol: str) -> None:
        """The instrument may be elsewhere from now on; what is not flat yet stays where it was."""
        for key, part in self.parts.items():
            if key[1] == symbol and not any(counted(part)):
                self._of.pop(key, None)

    def changed(self, key: Key, before: tuple[int, int, int, int]) -> None:
        """Carries a change of a part, which was `before`, to its lines."""
        after = counted(self.parts[key])
        qty, buys, sells, gross = (new - old for new, old in zip(after, before, strict=True))
        for line in self._of.get(key, ()):
            line.qty += qty
            line.buys += buys
            line.sells += sells
            line.gross += gross

    def reset(self, account: str, symbol: str) -> None:
        """A position is flat, with all parts of it; what is working stays."""
        for key, part in self.parts.items():
            if key[:2] == (account, symbol):
                before = counted(part)
                part.empty()
                self.changed(key, before)

    def count_order(self, scopes: tuple[str, ...], more: int) -> None:
        """An order works from now on, or no longer."""
        for scope in scopes:
            self.orders[scope] = self.orders.get(scope, 0) + more


def counted(part: Part) -> tuple[int, int, int, int]:
    """What of a part is summed up."""
    return part.qty, part.buys, part.sells, part.reach
