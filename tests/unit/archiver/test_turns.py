# SPDX-License-Identifier: Apache-2.0
"""One archiver writes; the others find out by its silence."""

from collections.abc import Callable

import pytest

from tradewind.archiver.turns import BEAT_S, PATIENCE_S, STUCK_S, Turn


class Clock:
    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def turn(clock: Clock) -> Callable[[str], Turn]:
    return lambda name: Turn(name, clock=clock)


def test_nobody_writes_before_it_has_listened_for_a_while(
    clock: Clock, turn: Callable[[str], Turn]
) -> None:
    one = turn("a")
    assert not one.look()
    clock.now_s += PATIENCE_S
    assert one.look()


def test_who_hears_a_writer_does_not_write_and_takes_over_when_it_is_silent(
    clock: Clock, turn: Callable[[str], Turn]
) -> None:
    one = turn("a")
    for _ in range(100):
        clock.now_s += BEAT_S
        one.hear("b")
        assert not one.look()
    clock.now_s += PATIENCE_S
    assert one.look()


def test_who_is_seen_to_end_is_not_waited_for(clock: Clock, turn: Callable[[str], Turn]) -> None:
    one = turn("archiver-1.f00")
    clock.now_s += BEAT_S
    one.hear("archiver-0.cafe")
    one.hear_end("archiver-1")
    assert not one.look()
    one.hear_end("archiver-0")
    assert one.look()


def test_of_two_that_write_the_lower_name_goes_on(
    clock: Clock, turn: Callable[[str], Turn]
) -> None:
    low, high = turn("a"), turn("b")
    clock.now_s += PATIENCE_S
    assert low.look()
    assert high.look()
    low.hear("b")
    high.hear("a")
    assert (low.look(), high.look()) == (True, False)


def test_a_writer_that_is_stuck_is_silent(clock: Clock, turn: Callable[[str], Turn]) -> None:
    one = turn("a")
    clock.now_s += PATIENCE_S
    one.look()
    one.begin()
    assert one.may_tell
    clock.now_s += STUCK_S
    assert not one.may_tell
    one.end()
    assert one.may_tell


def test_who_does_not_write_says_nothing(turn: Callable[[str], Turn]) -> None:
    assert not turn("a").may_tell
