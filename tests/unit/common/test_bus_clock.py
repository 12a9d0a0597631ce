# SPDX-License-Identifier: Apache-2.0
"""The broker's time between its stamps, whatever the machine's clock says."""

from tradewind.common.bus_clock import BusClock

HOUR_NS = 3_600_000_000_000
NOON_NS = 1_700_000_000_000_000_000


class Machine:
    """Its two clocks; `set_by_ns` is what somebody has done to one of them."""

    def __init__(self) -> None:
        self.passed_ns = 5_000
        self.set_by_ns = 0

    def monotonic_ns(self) -> int:
        return self.passed_ns

    def wall_ns(self) -> int:
        return NOON_NS + self.passed_ns + self.set_by_ns

    def clock(self) -> BusClock:
        return BusClock(monotonic_ns=self.monotonic_ns, wall_ns=self.wall_ns)


def test_it_believes_the_machine_until_it_hears_a_record() -> None:
    machine = Machine()
    machine.set_by_ns = HOUR_NS
    clock = machine.clock()
    assert clock.now_ns() == machine.wall_ns()
    clock.hear(NOON_NS)
    assert clock.now_ns() == NOON_NS


def test_a_clock_that_is_set_changes_nothing() -> None:
    machine = Machine()
    clock = machine.clock()
    clock.hear(NOON_NS)
    machine.set_by_ns = -HOUR_NS
    machine.passed_ns += 700
    assert clock.now_ns() == NOON_NS + 700
    assert clock.now_ms() == NOON_NS // 1_000_000


def test_a_record_that_was_long_on_its_way_makes_it_no_slower() -> None:
    machine = Machine()
    clock = machine.clock()
    clock.hear(NOON_NS)
    machine.passed_ns += 1_000
    clock.hear(NOON_NS + 10)
    assert clock.now_ns() == NOON_NS + 1_000
    clock.hear(NOON_NS + 1_500)
    assert clock.now_ns() == NOON_NS + 1_500
