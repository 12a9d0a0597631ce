# SPDX-License-Identifier: Apache-2.0
"""What happened lately, as far back as the bounds on it can see."""

from bisect import bisect_right
from dataclasses import dataclass, field

MILLISECOND_NS = 1_000_000


@dataclass(slots=True)
class Recent:
    """Times at which something happened, the newest last.

    What happened under a narrow bound is not held against anybody under a wider one: of all before
    the newest only as many count as the bounds asked for when the one before it came.
    """

    keep: int = 0
    times: list[int] = field(default_factory=list)

    def add(self, now_ns: int, keep: int) -> None:
        """It happens once more, where bounds look at so many; below 0, where none looks."""
        self.forget()
        self.keep = keep
        if keep < 0:
            self.times.clear()
        else:
            self.times.append(now_ns)

    def forget(self) -> None:
        """What no bound looks at is gone."""
        if len(self.times) > self.keep:
            del self.times[: len(self.times) - max(0, self.keep)]

    def count(self, window_ms: int, now_ns: int) -> int:
        """How often in the time that ends now."""
        return len(self.times) - bisect_right(self.times, now_ns - window_ms * MILLISECOND_NS)
