# SPDX-License-Identifier: Apache-2.0
"""A journal that says nothing is told apart from one that is slow."""

from dataclasses import dataclass

from tradewind.gateway.silence import PROBE_EVERY_NS, QUIET_AFTER_NS, SILENT_AFTER_NS, Silence


@dataclass(eq=False)
class Request:
    started_ns: int
    shard: int = 0


class Clock:
    def __init__(self) -> None:
        self.now_ns = 10 * SILENT_AFTER_NS

    def __call__(self) -> int:
        return self.now_ns


def waiting(count: int = 1) -> tuple[Silence[Request], Clock, list[Request]]:
    clock = Clock()
    silence: Silence[Request] = Silence(clock)
    requests = [Request(clock.now_ns) for _ in range(count)]
    for request in requests:
        silence.sent(request)
    return silence, clock, requests


def test_a_journal_at_which_nothing_waits_is_not_silent() -> None:
    silence, clock, _ = waiting(0)
    clock.now_ns += 10 * SILENT_AFTER_NS
    assert not silence.is_silent(0)
    assert silence.overdue() == []


def test_a_journal_that_says_nothing_for_too_long_is_silent() -> None:
    silence, clock, requests = waiting(2)
    clock.now_ns += SILENT_AFTER_NS
    assert not silence.is_silent(0)
    clock.now_ns += 1
    assert silence.is_silent(0)
    assert silence.overdue() == requests
    assert not silence.is_silent(1)


def test_a_shard_is_quiet_while_something_waits_and_nothing_is_heard() -> None:
    silence, clock, requests = waiting(3)
    clock.now_ns += QUIET_AFTER_NS
    assert silence.quiet_shards() == []
    clock.now_ns += 1
    assert silence.quiet_shards() == [0]
    silence.ended(requests[0], is_answered=True)
    assert silence.quiet_shards() == [], "it has been heard"


def test_a_slow_journal_is_not_silent_however_long_a_request_waits() -> None:
    silence, clock, requests = waiting(50)
    for request in requests[:-1]:
        clock.now_ns += SILENT_AFTER_NS // 2
        silence.ended(request, is_answered=True)
        assert not silence.is_silent(0)
    assert silence.overdue() == []


def test_a_request_is_overdue_if_later_ones_were_answered() -> None:
    silence, clock, (lost,) = waiting()
    clock.now_ns += 1
    later = Request(clock.now_ns)
    silence.sent(later)
    silence.ended(later, is_answered=True)
    assert silence.overdue() == []
    clock.now_ns += SILENT_AFTER_NS
    newest = Request(clock.now_ns)
    silence.sent(newest)
    silence.ended(newest, is_answered=True)
    assert not silence.is_silent(0)
    assert silence.overdue() == [lost]


def test_a_wait_that_timed_out_is_no_word_of_the_journal() -> None:
    silence, clock, requests = waiting(2)
    clock.now_ns += 2 * SILENT_AFTER_NS
    silence.ended(requests[0], is_answered=False)
    assert silence.is_silent(0)
    silence.ended(requests[1], is_answered=True)
    assert not silence.is_silent(0)


def test_a_silent_journal_is_tried_again_now_and_then() -> None:
    silence, clock, _ = waiting()
    clock.now_ns += 2 * SILENT_AFTER_NS
    assert silence.may_try(0)
    assert not silence.may_try(0)
    clock.now_ns += PROBE_EVERY_NS
    assert silence.may_try(0)


def test_only_what_has_waited_too_long_is_overdue() -> None:
    silence, clock, requests = waiting()
    clock.now_ns += 2 * SILENT_AFTER_NS
    silence.sent(Request(clock.now_ns))
    assert silence.overdue() == requests


def test_what_was_sent_before_one_that_is_answered_is_overtaken_once() -> None:
    silence, _clock, requests = waiting(4)
    assert silence.overtaken_by(requests[2]) == requests[:2]
    assert silence.overtaken_by(requests[3]) == [requests[2]]
    silence.ended(requests[2], is_answered=True)
    assert silence.overtaken_by(requests[0]) == [requests[3]]
