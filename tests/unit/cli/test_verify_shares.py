# SPDX-License-Identifier: Apache-2.0
"""What shards gave each other is compared by what follows from their journals, bytes and all."""

from random import Random
from typing import Any

from tests.property.sharing_world import FIRM, World
from tradewind.cli.verify_replay import Replay
from tradewind.cli.verify_shares import Ledger, compared
from tradewind.common import codec, subjects
from tradewind.common.jetstream import Record
from tradewind.core.commands import Entry, GiveShare, TakeShare
from tradewind.core.machine import StateMachine
from tradewind.core.types import Side

BOUND = "max_open_orders"
EVERYTHING = 2**62
MOVES = {"scope": FIRM, "bound": BOUND}


def busy_world() -> World:
    """Three shards whose parts have moved from everybody to the first, and back again."""
    world = World(3, BOUND, 12)
    for taker in (0, 1, 0):
        for _order in range(9):
            if not world.submit(taker, 1, Side.BUY):
                world.settle()
        world.end(taker, 9)
        world.quiet()
    return world


def audit(world: World) -> dict[str, Any]:
    """The report on all shards of it, when nothing goes on."""
    return compared([ledger(shard.desk.entries, n) for n, shard in enumerate(world.shards)])


def ledger(
    entries: list[Entry], shard: int, settled: int = EVERYTHING, begins_after: int = 0
) -> Ledger:
    """As `verify` makes one: from records, and from a snapshot if it begins after an entry."""
    machine = StateMachine()
    for entry in entries[:begins_after]:
        machine.step(entry)
    replay = Replay(shard, machine)
    made = Ledger(replay.state, settled)
    for entry in entries[begins_after:]:
        subject = subjects.journal_subject(shard, entry.command)
        record = Record(entry.seq, entry.ts_ns, subject, {}, codec.encode(entry.command))
        made.hear(replay.apply(record))
    made.close(replay.state)
    return made


def codes(report: dict[str, Any]) -> list[str]:
    return [problem["code"] for problem in report["problems"]]


def give(world: World, giver: int, taker: int, number: int, units: int = 1000) -> None:
    world.shards[giver].desk.step(GiveShare(shard=taker, number=number, units=units, **MOVES))


def take(world: World, taker: int, giver: int, number: int, units: int = 1000) -> None:
    world.shards[taker].desk.step(TakeShare(shard=giver, number=number, units=units, **MOVES))


def test_parts_that_moved_to_and_fro_are_equal() -> None:
    world = busy_world()
    assert world.moved > 5
    report = audit(world)
    assert (report["equal"], report["problems"]) == (True, [])
    assert (report["transfers"], report["on_their_way"]) == (world.moved, 0)


def test_what_is_on_its_way_is_counted_with_what_is_held() -> None:
    world = World(2, BOUND, 12)
    give(world, 0, 1, 1)
    report = audit(world)
    assert (report["equal"], report["transfers"], report["on_their_way"]) == (True, 0, 1)


def test_units_that_nobody_gave_are_found() -> None:
    world = World(2, BOUND, 12)
    take(world, 1, 0, 1)
    report = audit(world)
    assert (report["equal"], codes(report)) == (False, ["SHARE_NOT_GIVEN", "SHARES_NOT_WHOLE"])
    assert "transfer 1 of shard 0, which never gave it" in report["problems"][0]["text"]
    assert (report["problems"][0]["scope"], report["problems"][0]["bound"]) == (FIRM, BOUND)


def test_more_or_fewer_units_than_were_given_are_found() -> None:
    for units in (999, 1001):
        world = World(2, BOUND, 12)
        give(world, 0, 1, 1)
        take(world, 1, 0, 1, units)
        assert codes(audit(world)) == ["SHARE_NOT_GIVEN", "SHARES_NOT_WHOLE"]


def test_two_mistakes_that_make_up_for_each_other_are_found() -> None:
    world = World(2, BOUND, 12)
    for number, units in ((1, 1001), (2, 999)):
        give(world, 0, 1, number)
        take(world, 1, 0, number, units)
    assert codes(audit(world)) == ["SHARE_NOT_GIVEN"]


def test_a_gift_before_the_last_one_arrived_is_found() -> None:
    world = World(2, BOUND, 12)
    give(world, 0, 1, 1)
    give(world, 0, 1, 2)
    assert codes(audit(world)) == ["SHARE_OUT_OF_TURN"]


def test_units_that_are_lost_are_found() -> None:
    """A ledger whose shard holds less than follows from what moved, as a faulty core would."""
    world = busy_world()
    made = [ledger(shard.desk.entries, number) for number, shard in enumerate(world.shards)]
    made[1].held[FIRM, BOUND] -= 1
    assert codes(compared(made)) == ["SHARES_NOT_WHOLE"]


def test_halves_that_came_after_the_tails_are_no_mistakes() -> None:
    """The giver's journal was read before it gave; and the taker's before it took twice."""
    world = World(2, BOUND, 12)
    entries = [len(shard.desk.entries) for shard in world.shards]
    give(world, 0, 1, 1)
    take(world, 1, 0, 1)
    give(world, 0, 1, 2)
    giver, taker = (shard.desk.entries for shard in world.shards)
    settled = dict(enumerate(entries))
    early = compared([ledger(giver[: entries[0]], 0, settled[0]), ledger(taker, 1, settled[1])])
    assert (early["equal"], early["problems"]) == (True, [])
    late = compared([ledger(giver, 0, settled[0]), ledger(taker[: entries[1]], 1, settled[1])])
    assert (late["equal"], late["problems"]) == (True, [])
    assert late["on_their_way"] == 2
    settled_take = compared([ledger(giver[: entries[0]], 0), ledger(taker, 1)])
    assert codes(settled_take) == ["SHARE_NOT_GIVEN", "SHARES_NOT_WHOLE"]


def test_replays_that_begin_at_any_entries_see_the_same() -> None:
    world = World(2, BOUND, 12)
    for number in (1, 2, 3):
        give(world, 0, 1, number)
        take(world, 1, 0, number)
    give(world, 0, 1, 4)
    giver, taker = (shard.desk.entries for shard in world.shards)
    for back in range(5):
        made = [
            ledger(giver, 0, begins_after=len(giver) - back),
            ledger(taker, 1, begins_after=len(taker) - min(back, 3)),
        ]
        report = compared(made)
        assert (report["equal"], report["problems"], report["on_their_way"]) == (True, [], 1)


def test_a_shard_that_divides_by_another_number_is_found() -> None:
    world = World(3, BOUND, 12)
    world.shards.pop()
    assert "BOUNDS_DIVIDED_OTHERWISE" in codes(audit(world))


def test_where_nothing_is_divided_there_is_nothing_to_compare() -> None:
    report = compared([ledger([], 0)])
    assert (report["equal"], report["bounds"], report["problems"]) == (None, 0, [])


def test_random_courses_are_equal_whatever_became_of_their_steps() -> None:
    """Late, doubled and lost steps: an auditor has nothing to say about any of it."""
    transfers = on_their_way = 0
    for seed in range(6):
        random = Random(seed)
        world = World(3, BOUND, 17)
        for _act in range(120):
            world.act(random.randrange(8), random.randrange(3), random.randrange(10_000))
        report = audit(world)
        assert (report["equal"], report["problems"]) == (True, [])
        transfers += report["transfers"]
        on_their_way += report["on_their_way"]
    assert (transfers > 5, on_their_way > 0) == (True, True)


def test_units_from_nothing_in_a_busy_journal_are_found() -> None:
    world = busy_world()
    forged = world.shards[0].desk
    last = forged.machine.state.transfers[FIRM, BOUND, "1"].taken
    take(world, 0, 1, last + 1, 7)
    assert codes(audit(world)) == ["SHARE_NOT_GIVEN", "SHARES_NOT_WHOLE"]
