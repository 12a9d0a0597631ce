# SPDX-License-Identifier: Apache-2.0
"""Accepted orders and replaces that are the same but for their ids, while a bound looks at them."""

from tradewind.core.types import Side
from tradewind.risk.recent import MILLISECOND_NS, Recent

Content = tuple[str, str, Side, int, int]
"""account, symbol, side, lots, price."""


class Contents:
    """When each content was accepted; the one that was longest ago is the first."""

    def __init__(self) -> None:
        self._of: dict[Content, tuple[int, Recent]] = {}

    def take(self, content: Content, most: int, window_ms: int, now_ns: int) -> Recent:
        """It is accepted now; when else it was, if so many in such a window are looked at."""
        if most < 0:
            return Recent()
        until_ns, recent = self._of.pop(content, (0, Recent()))
        if now_ns >= until_ns:
            recent = Recent()
        recent.add(now_ns, most)
        self._of[content] = (now_ns + window_ms * MILLISECOND_NS, recent)
        self._forget(now_ns)
        return recent

    def _forget(self, now_ns: int) -> None:
        while self._of:
            oldest = next(iter(self._of))
            if now_ns < self._of[oldest][0]:
                return
            del self._of[oldest]
