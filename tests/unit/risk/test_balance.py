# SPDX-License-Identifier: Apache-2.0
"""Processes of risk on a bus that the test plays, with real cores behind it."""

import asyncio
import json
from typing import cast

import pytest

from tests.property.sharing_world import World
from tradewind.common import subjects
from tradewind.common.errors import Unknown
from tradewind.common.jetstream import Bus
from tradewind.core.commands import Command, TakeShare
from tradewind.core.events import ShareGiven, ShareWanted
from tradewind.core.testing import one
from tradewind.core.types import Side
from tradewind.oms.share_answers import shares_of
from tradewind.risk import balance
from tradewind.risk.balance import Balance

pytestmark = pytest.mark.anyio


class Played:
    """Answers for the shards of a world; journals into them."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.silent: set[int] = set()
        self.journaled: list[tuple[int, Command]] = []

    async def request(self, subject: str, _body: bytes, _timeout_ms: int) -> bytes:
        shards = range(len(self.world.shards))
        shard = next(n for n in shards if subject == subjects.query_oms(n, "shares"))
        if shard in self.silent:
            raise Unknown("no answer")
        return json.dumps(shares_of(self.world.shards[shard].desk.machine.state)).encode()

    async def journal(self, shard: int, command: Command) -> bool:
        self.journaled.append((shard, command))
        self.world.shards[shard].desk.step(command)
        return True

    def process(self, rank: int) -> Balance:
        return Balance(cast(Bus, self), len(self.world.shards), rank, self.journal)


def full() -> World:
    """Shard 0 has used up its half of 8; its next order was refused."""
    world = World(2, "max_open_orders", 8)
    passed = [world.submit(0, 1, Side.BUY) for _order in range(5)]
    assert passed == [True] * 4 + [False]
    return world


async def test_room_that_another_has_is_there_after_one_refusal() -> None:
    bus = Played(full())
    process = bus.process(0)
    process.take(0, one(tuple(bus.world.shards[0].desk.outputs), ShareWanted))
    await process.glance()
    await process.glance()
    assert bus.world.submit(0, 1, Side.BUY)
    bus.world.judge()


async def test_what_was_given_is_passed_on_at_once_by_the_first_process_alone() -> None:
    world = full()
    for rank, expected in ((0, 1), (1, 0)):
        bus = Played(world)
        given = ShareGiven(
            scope="firm", bound="max_open_orders", shard=1, number=9, units=5, left=1
        )
        bus.process(rank).take(0, given)
        await asyncio.sleep(0)
        assert len([command for _shard, command in bus.journaled]) == expected
        assert all(isinstance(command, TakeShare) for _shard, command in bus.journaled)


async def test_another_process_acts_on_what_is_left_undone_after_its_patience(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [100.0]
    monkeypatch.setattr(balance, "_now_s", lambda: now[0])
    bus = Played(full())
    process = bus.process(1)
    await process.glance()
    now[0] += balance.PATIENCE_S / 2
    await process.glance()
    assert bus.journaled == []
    now[0] += balance.PATIENCE_S
    await process.glance()
    assert len(bus.journaled) == 1


async def test_a_silent_shard_keeps_what_it_has_and_the_others_go_on() -> None:
    world = World(3, "max_open_orders", 12)
    for _order in range(5):
        world.submit(0, 1, Side.BUY)
    bus = Played(world)
    bus.silent = {2}
    process = bus.process(0)
    process.take(0, one(tuple(world.shards[0].desk.outputs), ShareWanted))
    await process.glance()
    await process.glance()
    assert world.submit(0, 1, Side.BUY)
    assert world.shards[2].part("max_open_orders") == 4


async def test_with_one_shard_there_is_nothing_to_do() -> None:
    bus = Played(full())
    await asyncio.wait_for(Balance(cast(Bus, bus), 1, 0, bus.journal).run(), 1.0)
    assert bus.journaled == []
