# SPDX-License-Identifier: Apache-2.0
"""Which quotes become reference prices, and when. Pure; time is an input.

A quote that is one-sided, crossed or absent never becomes a reference: no value stands in for a
price that is not known, and the core then denies for want of a fresh one.
"""

from dataclasses import dataclass

BPS = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class QuoteSeen:
    """The best prices, in ticks; 0 where a side is empty."""

    bid_px: int
    ask_px: int

    @property
    def mid(self) -> int | None:
        """The price between the best ones, rounded down; None if there is none to be trusted."""
        if self.bid_px <= 0 or self.ask_px <= self.bid_px:
            return None
        return (self.bid_px + self.ask_px) // 2


@dataclass(slots=True, kw_only=True)
class ReferencePolicy:
    """Once an interval, and at once on a move."""

    interval_ms: int
    move_bps: int
    _price: int = 0
    _told_ms: int = 0

    def next_price(self, quote: QuoteSeen, now_ms: int) -> int | None:
        """The reference to journal now, if any. `now_ms` is monotonic."""
        mid = quote.mid
        if mid is None:
            return None
        moved = abs(mid - self._price) * BPS > self._price * self.move_bps
        if not moved and self._price and now_ms - self._told_ms < self.interval_ms:
            return None
        self._price, self._told_ms = mid, now_ms
        return mid
