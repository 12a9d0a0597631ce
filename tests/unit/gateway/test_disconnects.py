# SPDX-License-Identifier: Apache-2.0
"""The orders of a session end with it, whatever becomes of its gateway."""

from typing import Any, cast

import msgspec
import pytest

from tradewind.common.errors import BusError, Refused
from tradewind.common.jetstream import KeyValue, KvEntry
from tradewind.core.commands import MassCancel
from tradewind.gateway.disconnects import BEATS_MISSED, Disconnects

pytestmark = pytest.mark.anyio


class Bucket:
    """A bucket as the server keeps it."""

    def __init__(self) -> None:
        self.held: dict[str, KvEntry] = {}
        self.revision = 0
        self.is_up = True

    async def get(self, key: str) -> KvEntry | None:
        return self.held.get(key)

    async def entries(self, _pattern: str = ">") -> list[KvEntry]:
        return list(self.held.values())

    async def update(self, key: str, value: bytes, revision: int) -> int:
        if not self.is_up:
            raise BusError("no leader")
        if (self.held[key].revision if key in self.held else 0) != revision:
            raise Refused("wrong last sequence")
        self.revision += 1
        self.held[key] = KvEntry(key, value, self.revision)
        return self.revision

    def put(self, key: str, value: Any) -> None:
        self.revision += 1
        self.held[key] = KvEntry(key, msgspec.json.encode(value), self.revision)


class World:
    """Two gateways on the same buckets, and what is journaled."""

    def __init__(self) -> None:
        self.records, self.beats = Bucket(), Bucket()
        self.journaled: list[MassCancel] = []
        self.beat = 0

    def gateway(self, instance: str) -> Disconnects:
        return Disconnects(
            records=cast(KeyValue, self.records),
            beats=cast(KeyValue, self.beats),
            journal_surely=self.journal,
            instance=instance,
        )

    async def journal(self, command: MassCancel) -> None:
        self.journaled.append(command)

    def tick(self, *instances: str) -> None:
        """The hearts of these gateways beat once."""
        self.beat += 1
        for instance in instances:
            self.beats.put(f"gateway.{instance}", {"beat": self.beat})

    @property
    def canceled(self) -> list[tuple[str, str]]:
        return [(command.account, command.entered_by) for command in self.journaled]


def nothing() -> None:
    raise AssertionError("nobody may close this session")


async def test_a_session_that_ends_has_its_clients_orders_cancelled_in_its_accounts() -> None:
    world = World()
    gateway = world.gateway("g1")
    session = await gateway.open("desk", ["A", "B"], nothing)
    await gateway.close(session)
    await gateway.close(session)
    assert world.canceled == [("A", "desk"), ("B", "desk")]
    assert {command.cl_ord_id for command in world.journaled} == {f"COD-{session}"}


async def test_a_gateway_that_starts_ends_what_its_earlier_life_has_left() -> None:
    world = World()
    session = await world.gateway("g1").open("desk", ["A"], nothing)
    again = world.gateway("g1")
    await again.begin()
    assert [command.cl_ord_id for command in world.journaled] == [f"COD-{session}"]
    await again.open("desk", ["B"], nothing)


async def test_another_gateway_cancels_for_one_whose_heart_stands_still() -> None:
    world = World()
    first, second = world.gateway("g1"), world.gateway("g2")
    await first.open("desk", ["A"], nothing)
    for _ in range(2 * BEATS_MISSED):
        world.tick("g1", "g2")
        await second._look()
    assert world.journaled == []
    for _ in range(BEATS_MISSED):
        world.tick("g2")
        await second._look()
    assert world.canceled == [("A", "desk")]
    await second._look()
    assert len(world.journaled) == 1


async def test_nobody_is_given_up_while_no_heart_beats() -> None:
    world = World()
    first, second = world.gateway("g1"), world.gateway("g2")
    await first.open("desk", ["A"], nothing)
    world.tick("g1", "g2")
    for _ in range(50):
        await second._look()
    assert world.journaled == []


async def test_a_gateway_that_was_seen_to_end_is_given_up_at_once() -> None:
    world = World()
    first, second = world.gateway("g1"), world.gateway("g2")
    await first.open("desk", ["A"], nothing)
    world.tick("g1", "g2")
    await second._look()
    second.hear_end(b'{"instance": "g1", "pid": 7}')
    await second._look()
    assert world.canceled == [("A", "desk")]


async def test_a_gateway_that_hung_closes_the_sessions_that_others_have_ended() -> None:
    world = World()
    first, second = world.gateway("g1"), world.gateway("g2")
    closed: list[str] = []
    session = await first.open("desk", ["A"], lambda: closed.append("A"))
    world.tick("g1", "g2")
    await second._look()
    second.hear_end(b'{"instance": "g1", "pid": 7}')
    await second._look()
    await first._look()
    assert closed == ["A"]
    await first.close(session)
    assert len(world.journaled) == 1
    await first.open("desk", ["A"], nothing)


async def test_a_session_that_cannot_be_written_down_is_not_opened() -> None:
    world = World()
    gateway = world.gateway("g1")
    world.records.is_up = False
    with pytest.raises(BusError):
        await gateway.open("desk", ["A"], nothing)
    world.records.is_up = True
    await gateway.open("desk", ["B"], nothing)
    (entry,) = world.records.held.values()
    assert [s["accounts"] for s in msgspec.json.decode(entry.value)["sessions"]] == [["B"]]


async def test_a_session_that_goes_on_at_another_gateway_ends_there_first() -> None:
    """And what its old gateway does when it notices is the same request: it hits no new order."""
    world = World()
    old, new = world.gateway("a"), world.gateway("b")
    session_id = await old.open("client", ["X"], lambda: None, "trader")
    await old.open("client", ["Y"], lambda: None, "another")
    await old.open("client", ["Z"], lambda: None)
    await new.end_elsewhere("trader")
    assert world.canceled == [("X", "client")]
    await old.close(session_id)
    first, second = world.journaled
    assert first == second
    await old.end_elsewhere("another")
    assert len(world.journaled) == 2, "its own sessions are ended by whoever runs them"
