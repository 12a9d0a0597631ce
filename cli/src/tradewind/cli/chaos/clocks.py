# SPDX-License-Identifier: Apache-2.0
"""Services whose time of day can be set from outside, each by itself.

    python -m tradewind.cli.chaos.clocks MODULE [ARGUMENT ...]

runs a service's module. SIGUSR1 sets its clock an hour ahead, SIGUSR2 an hour back: what
`time.time` and `time.time_ns` say. Clocks that nobody can set go on.
"""

import runpy
import signal
import sys
import time

STEP_S = 3_600
NS_PER_S = 1_000_000_000
SERVICES = ("archiver", "gateway", "oms", "risk", "venue")


class Clock:
    """A time of day with steps."""

    def __init__(self) -> None:
        self._real_ns = time.time_ns
        self._set_by_ns = 0

    def time_ns(self) -> int:
        """As `time.time_ns`."""
        return self._real_ns() + self._set_by_ns

    def time(self) -> float:
        """As `time.time`."""
        return self.time_ns() / NS_PER_S

    def set_ahead(self, *_args: object) -> None:
        """Somebody has set the clock."""
        self._set_by_ns += STEP_S * NS_PER_S

    def set_back(self, *_args: object) -> None:
        """Somebody has set the clock."""
        self._set_by_ns -= STEP_S * NS_PER_S


def instead_of() -> dict[str, list[str]]:
    """The modules and arguments that stand for services with such a clock."""
    return {name: ["tradewind.cli.chaos.clocks", f"tradewind.{name}"] for name in SERVICES}


def main() -> None:
    """Puts the clock in the place of the machine's before anything is imported that looks at it."""
    _program, *sys.argv = sys.argv
    clock = Clock()
    time.time_ns, time.time = clock.time_ns, clock.time
    signal.signal(signal.SIGUSR1, clock.set_ahead)
    signal.signal(signal.SIGUSR2, clock.set_back)
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
