# SPDX-License-Identifier: Apache-2.0
"""The pause between sessions grows while they fail, and is short after one that was worth it."""

from tradewind.venue.backoff import FIRST_S, MAX_S, Backoff


def test_a_venue_that_cannot_be_reached_is_tried_less_and_less_often() -> None:
    backoff = Backoff()
    pauses = [backoff.after(0.0) for _ in range(9)]
    assert pauses[:3] == [FIRST_S, FIRST_S * 2, FIRST_S * 4]
    assert pauses[-2:] == [MAX_S, MAX_S]


def test_a_venue_that_breaks_every_session_at_once_is_tried_less_and_less_often() -> None:
    backoff = Backoff()
    pauses = [backoff.after(0.5) for _ in range(9)]
    assert pauses[-2:] == [MAX_S, MAX_S]


def test_sessions_that_work_for_a_while_are_followed_at_once_however_often_they_break() -> None:
    backoff = Backoff()
    assert max(backoff.after(3.0) for _ in range(50)) == FIRST_S


def test_after_a_long_outage_one_good_session_is_enough() -> None:
    backoff = Backoff()
    for _ in range(20):
        backoff.after(0.0)
    assert backoff.after(MAX_S + 1) == FIRST_S
