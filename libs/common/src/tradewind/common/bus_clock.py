# SPDX-License-Identifier: Apache-2.0
"""The time of day as the bus tells it: whoever sets this machine's clock changes nothing.

How long an order may wait is decided where it enters, where it is applied and where it leaves. All
three go by the broker's stamps; between two of them a clock counts that cannot be set.
"""

import time
from collections.abc import Callable


class BusClock:
    """Runs on from the stamps of records that were read as they came.

    A record that was on its way for long makes it no slower. Until the first one it believes the
    machine.
    """

    def __init__(
        self,
        *,
        monotonic_ns: Callable[[], int] = time.monotonic_ns,
        wall_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self._monotonic_ns = monotonic_ns
        self._ahead_ns = wall_ns() - monotonic_ns()
        self._has_heard = False

    def hear(self, ts_ns: int) -> None:
        """A record came that the broker stamped so."""
        ahead_ns = ts_ns - self._monotonic_ns()
        self._ahead_ns = max(ahead_ns, self._ahead_ns) if self._has_heard else ahead_ns
        self._has_heard = True

    def now_ns(self) -> int:
        """Nanoseconds since the epoch."""
        return self._monotonic_ns() + self._ahead_ns

    def now_ms(self) -> int:
        """Milliseconds since the epoch."""
        return self.now_ns() // 1_000_000
