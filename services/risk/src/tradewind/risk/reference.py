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
    """Once an interval, and at once on a move; unless another one tells it within `patience_ms`.

    Several processes see the same quotes. Each has another patience: while the most impatient one
    works, the others hear the reference that it journaled before theirs would be due.
    """

    interval_ms: int
    move_bps: int
    patience_ms: int = 0
    _price: int = 0
    _told_ms: int = 0
    _due_ms: int | None = None

    def next_price(self, quote: QuoteSeen, now_ms: int) -> int | None:
        """The reference to journal now, if any. `now_ms` is monotonic."""
        mid = quote.mid
        if mid is None or not self._is_due(mid, now_ms):
            self._due_ms = None
            return None
        if self._due_ms is None:
            self._due_ms = now_ms
        if now_ms - self._due_ms < self.patience_ms:
            return None
        self.heard(mid, now_ms)
        return mid

    def heard(self, price: int, now_ms: int) -> None:
        """The reference is this one since now, whoever told it."""
        self._price, self._told_ms, self._due_ms = price, now_ms, None

    def _is_due(self, mid: int, now_ms: int) -> bool:
        moved = abs(mid - self._price) * BPS > self._price * self.move_bps
        return moved or not self._price or now_ms - self._told_ms >= self.interval_ms
