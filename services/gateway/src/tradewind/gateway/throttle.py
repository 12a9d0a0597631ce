# SPDX-License-Identifier: Apache-2.0
"""How fast one key may ask: refused above its rate, sent away far above it. Cancels count apart.

A key's allowance fills up evenly, to one second's worth at most. Cancels and mass cancels have an
allowance of the same size for themselves, so no flood of orders keeps anybody from getting out.
Each gateway counts what reaches it.
"""

from tradewind.gateway.errors import Refusal, refusal

WINDOW_S = 1.0


class Throttle:
    """One key's requests at this gateway; `rate` per second, 0 for no bound."""

    def __init__(self, rate: int) -> None:
        self.rate = rate
        self._left = {True: float(rate), False: float(rate)}
        self._filled_s = {True: 0.0, False: 0.0}
        self._window_s = 0.0
        self._refused = 0

    def take(self, now_s: float, *, is_cancel: bool) -> Refusal | None:
        """None if the request may pass, else that it must wait; `now_s` is monotonic."""
        if not self.rate:
            return None
        grown = self._left[is_cancel] + (now_s - self._filled_s[is_cancel]) * self.rate
        self._left[is_cancel] = min(float(self.rate), grown)
        self._filled_s[is_cancel] = now_s
        if self._left[is_cancel] >= 1.0:
            self._left[is_cancel] -= 1.0
            return None
        if now_s - self._window_s >= WINDOW_S:
            self._window_s, self._refused = now_s, 0
        self._refused += 1
        return refusal("RATE_LIMITED", f"This key may send {self.rate} requests per second.")

    @property
    def is_flooded(self) -> bool:
        """Whether more was refused within a second than may pass in one: end the session."""
        return self._refused > self.rate
