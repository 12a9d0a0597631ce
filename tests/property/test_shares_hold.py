# SPDX-License-Identifier: Apache-2.0
"""A bound over all shards is never exceeded, whatever becomes of the steps that divide it."""

from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.property.sharing_world import UNIT, World
from tradewind.core import shares, uses
from tradewind.core.commands import GiveShare, TakeShare
from tradewind.core.types import Side
from tradewind.risk import sharing

ACTS = st.lists(
    st.tuples(st.integers(0, 7), st.integers(0, 2), st.integers(0, 10_000)), max_size=60
)


@settings(max_examples=40, deadline=None)
@given(count=st.integers(2, 3), bound=st.sampled_from(sorted(UNIT)), acts=ACTS)
def test_shards_together_never_use_more_than_the_bound_and_lose_nothing(
    count: int, bound: str, acts: list[tuple[int, int, int]]
) -> None:
    world = World(count, bound, 17)
    for act in acts:
        world.act(*act)
    world.nothing_is_lost()


def days(count: int) -> tuple[int, int, int]:
    """Random courses: how many orders passed, how many were refused, how many parts moved."""
    passed = refused = moved = 0
    for seed in range(count):
        random = Random(seed)
        world = World(2 + seed % 2, sorted(UNIT)[seed % len(UNIT)], 17)
        for _act in range(80):
            world.act(random.randrange(8), random.randrange(3), random.randrange(10_000))
        world.nothing_is_lost()
        passed, refused, moved = (
            passed + world.accepted,
            refused + world.denied,
            moved + world.moved,
        )
    return passed, refused, moved


def test_random_courses_meet_the_bound_and_move_parts() -> None:
    passed, refused, moved = days(20)
    assert passed > 200
    assert refused > 100
    assert moved > 50


def test_a_part_that_is_granted_before_it_is_given_up_is_noticed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real = sharing.steps

    def hasty(*args: Any) -> list[sharing.Step]:
        found = real(*args)
        for giver, command in list(found):
            if isinstance(command, GiveShare):
                granted = TakeShare(
                    scope=command.scope,
                    bound=command.bound,
                    shard=giver,
                    number=command.number,
                    units=command.units,
                )
                found.append((command.shard, granted))
        return found

    monkeypatch.setattr(sharing, "steps", hasty)
    with pytest.raises(AssertionError):
        days(20)


def test_a_part_that_is_given_up_while_it_is_used_is_noticed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(uses, "needed", lambda *_args: 0)
    with pytest.raises(AssertionError, match="no room"):
        days(40)


def lowered() -> World:
    """One shard uses 8 of 17, the other nothing; then the limit is 6, and both have heard of it."""
    world = World(2, "max_open_orders", 17)
    for _order in range(8):
        assert world.submit(0, 1, Side.BUY)
    world.operate(6)
    return world


def test_a_bound_that_is_lowered_below_what_is_used_stops_every_shard_at_once() -> None:
    world = lowered()
    assert not world.submit(0, 1, Side.BUY)
    assert not world.submit(1, 1, Side.BUY)
    world.settle()
    assert not world.submit(1, 1, Side.BUY)
    world.end(0, 5)
    world.settle()
    assert [world.submit(1, 1, Side.BUY) for _order in range(3)] == [True, True, False]
    world.settle()
    assert [world.submit(1, 1, Side.BUY) for _order in range(2)] == [True, False]


def test_a_lowered_bound_that_is_used_before_all_hold_it_is_noticed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def proportional(state: Any, limits: Any, bound: str) -> int:
        limit: int = getattr(limits, bound)
        if bound not in shares.DIVISIBLE or not shares.is_divided(state, limits.scope):
            return limit
        return shares.amount(limit, shares.share_of(state, limits.scope, bound).units)

    monkeypatch.setattr("tradewind.core.scopes.part", proportional)
    with pytest.raises(AssertionError, match="no room"):
        lowered().submit(1, 1, Side.BUY)


def test_a_step_that_is_lost_is_found_again() -> None:
    """A process of risk dies between the two halves of a transfer; another one ends it."""
    world = World(2, "max_open_orders", 4)
    for _order in range(3):
        world.submit(0, 1, Side.BUY)
    told = {place: shard.told() for place, shard in enumerate(world.shards)}
    (giver, command), *_rest = sharing.steps(told, world.wants, 2)
    assert isinstance(command, GiveShare)
    world.shards[giver].desk.step(command)
    assert world.shards[0].part("max_open_orders") == 2
    world.judge()
    world.settle()
    assert world.submit(0, 1, Side.BUY)
