# SPDX-License-Identifier: Apache-2.0
"""Where a price has been in the last seconds, and at least where it is."""

from collections import deque
from dataclasses import dataclass, field

SPAN_NS = 10_000_000_000
"""The core looks at this much, and at up to as much again: this much for certain."""

Prices = deque[tuple[int, int]]
"""Times and prices, the oldest first; each further than those after it."""


@dataclass(slots=True)
class Extremes:
    """The lowest and the highest: what a newer one is beyond is not remembered."""

    _lows: Prices = field(default_factory=deque)
    _highs: Prices = field(default_factory=deque)

    def add(self, now_ns: int, price: int) -> None:
        """The price is this from now on."""
        while self._lows and self._lows[-1][1] >= price:
            self._lows.pop()
        while self._highs and self._highs[-1][1] <= price:
            self._highs.pop()
        self._lows.append((now_ns, price))
        self._highs.append((now_ns, price))
        self._forget(now_ns)

    def at(self, now_ns: int) -> tuple[int, int]:
        """Lowest and highest."""
        self._forget(now_ns)
        return self._lows[0][1], self._highs[0][1]

    def _forget(self, now_ns: int) -> None:
        """The newest stays, however old."""
        for prices in (self._lows, self._highs):
            while len(prices) > 1 and now_ns - prices[0][0] >= SPAN_NS:
                prices.popleft()
