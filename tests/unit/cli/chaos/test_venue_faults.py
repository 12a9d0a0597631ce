# SPDX-License-Identifier: Apache-2.0
"""Every class is played as often as any other; what was not really played makes a run invalid."""

import random
from itertools import islice

import msgspec
import pytest

from tradewind.cli.chaos.venue_faults import PLAYS, Play, coverage, is_deadly, plays
from tradewind.cli.suite.facts import Protocol
from tradewind.simvenue import admin


@pytest.mark.parametrize("play", PLAYS, ids=str)
def test_the_venue_understands_every_play(play: Play) -> None:
    for message in play.messages:
        admin.decoder.decode(msgspec.json.encode(message))


@pytest.mark.parametrize("protocol", Protocol)
def test_a_round_has_every_play_once_in_an_order_of_its_own(protocol: Protocol) -> None:
    some = [play for play in PLAYS if play.protocol in (None, protocol)]
    drawn = list(islice(plays(random.Random(1), "", protocol), 3 * len(some)))
    rounds = [drawn[place : place + len(some)] for place in range(0, len(drawn), len(some))]
    assert all(sorted(each, key=str) == sorted(some, key=str) for each in rounds)
    assert rounds[0] != rounds[1]
    assert {play.failure_class for play in some} == {
        *(f"F{number}" for number in range(1, 12)),
    } - {"F6"}


def test_numbers_are_lost_only_where_messages_have_numbers() -> None:
    lost = [play for play in PLAYS if play.kinds == ("sequence_reset",)]
    assert [play.protocol for play in lost] == [Protocol.FIX]


def test_one_class_can_be_played_alone() -> None:
    drawn = set(map(str, islice(plays(random.Random(1), "F5"), 10)))
    assert drawn == {"F5 duplicate_report", "F5 reorder_reports"}


def test_a_connector_dies_where_the_class_says_so_and_now_and_then_elsewhere() -> None:
    chance = random.Random(1)
    for play in PLAYS:
        found = {is_deadly(play, chance) for _ in range(100)}
        assert found == ({True, False} if play.is_deadly is None else {play.is_deadly})


def test_what_was_drawn_must_have_been_played() -> None:
    faults = [("F1", 2), ("F4", 0), ("F1", 1)]
    assert coverage(faults, ["NEW", "UNKNOWN"]) == {"unknown": 1, "F1": 3, "F4": 0}
    assert coverage([("", 0)], []) == {}
    assert coverage([("F7", 1)], ["NEW"]) == {"F7": 1}
