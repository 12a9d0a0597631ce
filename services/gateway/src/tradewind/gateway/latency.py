# SPDX-License-Identifier: Apache-2.0
"""Percentiles of the most recent latencies: enough to watch, too little to benchmark with."""

from collections import deque

KEPT = 2_000


class Latencies:
    """The last 2000 latencies of one kind, in microseconds."""

    def __init__(self) -> None:
        self._recent_us: deque[int] = deque(maxlen=KEPT)
        self.count = 0

    def add(self, elapsed_ns: int) -> None:
        """Notes one latency."""
        self._recent_us.append(elapsed_ns // 1_000)
        self.count += 1

    def percentiles(self) -> dict[str, int | None]:
        """p50 and p99 of what is kept, null before the first."""
        ordered = sorted(self._recent_us)
        if not ordered:
            return {"p50": None, "p99": None}
        last = len(ordered) - 1
        return {"p50": ordered[last * 50 // 100], "p99": ordered[last * 99 // 100]}
