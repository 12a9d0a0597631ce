# SPDX-License-Identifier: Apache-2.0
"""Which shard should have how much: what risk proposes to shards that say what they hold."""

from typing import Any

from tradewind.core.bounds import UNSET
from tradewind.core.commands import AgreeBound, GiveShare, TakeShare
from tradewind.core.shares import WHOLE, units_for
from tradewind.risk.sharing import Holding, Key, Sent, Told, steps

KEY: Key = ("firm", "max_open_orders")
ABOUT: dict[str, Any] = {"scope": "firm", "bound": "max_open_orders"}
PART = WHOLE // 100


def told(units: int, needed: int | None, *sent: tuple[int, Sent], **changes: Any) -> Told:
    """A shard with so many hundredths, of which it needs so many, of a limit of 100."""
    fields = {"limit": 100, "version": 1, "agreed": 100, "since_seq": 7} | changes
    need = None if needed is None else needed * PART
    holding = Holding(units=units * PART, needed=need, **fields)
    return Told(holdings={KEY: holding}, sent={(KEY, shard): item for shard, item in sent})


def gave(number: int, units: int = 0) -> Sent:
    return Sent(given=number, units=units, taken=0)


def give(shard: int, hundredths: int, number: int = 1) -> GiveShare:
    return GiveShare(shard=shard, number=number, units=hundredths * PART, **ABOUT)


def test_shards_that_have_enough_are_left_alone() -> None:
    assert steps({0: told(50, 30), 1: told(50, 10)}, {}, 2) == []


def test_a_shard_that_runs_short_gets_an_even_part_of_what_is_free() -> None:
    assert steps({0: told(50, 46), 1: told(50, 10)}, {}, 2) == [(1, give(0, 18))]


def test_a_refused_order_gets_its_room_first_and_what_is_left_is_halved() -> None:
    shards = {0: told(50, 10), 1: told(50, 10)}
    wanted = units_for(100, 80)
    half = (100 * PART - wanted - 10 * PART) // 2
    move = GiveShare(shard=0, number=1, units=wanted + half - 50 * PART, **ABOUT)
    assert steps(shards, {(KEY, 0): 80}, 2) == [(1, move)]


def test_an_order_that_there_is_no_room_for_moves_no_more_than_without_it() -> None:
    shards = {0: told(50, 50), 1: told(50, 46)}
    assert steps(shards, {(KEY, 0): 90}, 2) == steps(shards, {}, 2) == [(1, give(0, 2))]


def test_what_is_used_beyond_a_part_is_covered_by_others_to_the_last_unit() -> None:
    shards = {0: told(20, 60), 1: told(40, 30), 2: told(40, 35)}
    assert steps(shards, {}, 3) == [(1, give(0, 10)), (2, give(0, 5))]


def test_a_transfer_that_did_not_arrive_is_ended_before_anything_else_moves() -> None:
    shards = {0: told(10, 10), 1: told(70, 10, (0, gave(3, 20 * PART)))}
    arriving = TakeShare(shard=1, number=3, units=20 * PART, **ABOUT)
    assert steps(shards, {}, 2) == [(0, arriving)]


def test_the_next_transfer_has_the_next_number() -> None:
    came = Sent(given=0, units=0, taken=3)
    shards = {0: told(30, 30, (1, came)), 1: told(70, 10, (0, gave(3, 20 * PART)))}
    assert steps(shards, {}, 2) == [(1, give(0, 30, number=4))]


def test_a_limit_that_every_shard_holds_and_that_fits_is_agreed_to() -> None:
    lowered = {"limit": 60, "version": 2}
    shards = {0: told(50, 20, agreed=100, **lowered), 1: told(50, 30, agreed=UNSET, **lowered)}
    said = AgreeBound(limit=60, since_seq=7, **ABOUT)
    assert steps(shards, {}, 2) == [(0, said), (1, said)]


def test_nothing_is_agreed_to_while_a_shard_is_silent_behind_or_over_its_part() -> None:
    one = told(50, 20, limit=60, version=2)
    assert steps({0: one}, {}, 2) == []
    assert steps({0: one, 1: told(50, 20)}, {}, 2) == []
    assert steps({0: one, 1: told(50, 20, limit=60, version=3)}, {}, 2) == []
    assert steps({0: one, 1: told(50, None, limit=60, version=2)}, {}, 2) == []
    over = steps({0: one, 1: told(50, 60, limit=60, version=2)}, {}, 2)
    assert [type(command) for _shard, command in over] == [GiveShare]


def test_a_bound_that_nobody_sets_is_left_alone() -> None:
    unset = {"limit": UNSET, "version": 2, "agreed": UNSET}
    assert steps({0: told(50, None, **unset), 1: told(50, None, **unset)}, {}, 2) == []
