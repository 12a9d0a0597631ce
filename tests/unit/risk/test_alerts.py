# SPDX-License-Identifier: Apache-2.0
"""Alerts of several processes: each there once, handed on where nobody takes it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import cast

import msgspec
import pytest

from tests.unit.memory_bucket import MemoryBucket
from tests.unit.risk.test_trips import DENIED, KILLED
from tradewind.common import alerts as common
from tradewind.common.alerts import Alert
from tradewind.common.jetstream import KeyValue, Record
from tradewind.common.testing import eventually
from tradewind.core.events import Event
from tradewind.risk import alerts
from tradewind.risk.alerts import Alerts

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class World:
    """Processes of risk on one bucket, and a clock that a test moves."""

    def __init__(self) -> None:
        self.bucket = MemoryBucket()
        self.now_s = 0.0
        self.ordinal = 0

    @asynccontextmanager
    async def process(self, tail: int = 0) -> AsyncIterator[Alerts]:
        found = Alerts(
            cast(KeyValue, self.bucket),
            owner="desk",
            escalates_to="head",
            clock=lambda: self.now_s,
        )
        await found.begin({0: tail})
        parts = [
            asyncio.ensure_future(part()) for part in (found.run, found.follow, found.escalate)
        ]
        try:
            yield found
        finally:
            for part in parts:
                part.cancel()
            await asyncio.gather(*parts, return_exceptions=True)

    def record(self) -> Record:
        self.ordinal += 1
        self.bucket.now_ns += 1
        return Record(self.ordinal, self.bucket.now_ns, "events.0", {}, b"")

    def happens(self, event: Event, *processes: Alerts) -> None:
        """All processes hear of an output."""
        record = self.record()
        for process in processes:
            process.take(0, record, event)

    @property
    def stored(self) -> list[Alert]:
        held = self.bucket.held.items()
        return [common.decode(entry) for key, entry in held if key.startswith("alert.")]

    async def acknowledge(self, alert: Alert) -> None:
        key = common.key_of(alert.alert_id)
        taken = msgspec.structs.replace(alert, acknowledged_by="ann")
        await self.bucket.update(key, common.encode(taken), self.bucket.held[key].revision)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    for name in ("LOOK_S", "RETRY_S"):
        monkeypatch.setattr(alerts, name, 0.005)
    return World()


async def test_an_alert_of_two_processes_is_there_once(world: World) -> None:
    async with world.process() as one, world.process() as two:
        world.happens(KILLED, one, two)
        world.happens(DENIED, one, two)
        world.happens(DENIED, one, two)
        await eventually(lambda: len(world.stored) == 2)
        await eventually(lambda: (one.open_count, two.open_count) == (2, 2))
    assert world.bucket.revision == 3, "the place where they began is the first"


async def test_one_that_nobody_takes_is_handed_on_once(world: World) -> None:
    async with world.process() as one, world.process() as two:
        world.happens(KILLED, one, two)
        await eventually(lambda: (one.open_count, two.open_count) == (1, 1))
        world.now_s = alerts.ESCALATES_AFTER_S - 0.1
        await asyncio.sleep(0.03)
        assert [(alert.owner, alert.is_escalated) for alert in world.stored] == [("desk", False)]
        world.now_s = alerts.ESCALATES_AFTER_S
        await eventually(lambda: [alert.owner for alert in world.stored] == ["head"])
        assert world.stored[0].is_escalated
        world.now_s += 100
        await asyncio.sleep(0.03)
        writes = [key for key in world.bucket.held if key.startswith("alert.")]
        assert len(writes) == 1


async def test_one_that_was_taken_is_not_handed_on_and_opens_anew(world: World) -> None:
    async with world.process() as process:
        world.happens(DENIED, process)
        await eventually(lambda: process.open_count == 1)
        await world.acknowledge(world.stored[0])
        await eventually(lambda: process.open_count == 0)
        world.now_s = 100.0
        await asyncio.sleep(0.03)
        assert not world.stored[0].is_escalated
        world.happens(DENIED, process)
        await eventually(lambda: process.open_count == 1)
        assert (world.stored[0].acknowledged_by, world.stored[0].owner) == ("", "desk")


@pytest.mark.parametrize("event", [KILLED, DENIED])
async def test_a_slower_process_does_not_open_what_was_taken(world: World, event: Event) -> None:
    async with world.process() as quick, world.process() as slow:
        record = world.record()
        quick.take(0, record, event)
        await eventually(lambda: (quick.open_count, slow.open_count) == (1, 1))
        await world.acknowledge(world.stored[0])
        await eventually(lambda: (quick.open_count, slow.open_count) == (0, 0))
        slow.take(0, record, event)
        await asyncio.sleep(0.03)
        assert [alert.is_open for alert in world.stored] == [False]
    async with world.process() as again:
        again.take(0, record, event)
        await asyncio.sleep(0.03)
        assert [alert.is_open for alert in world.stored] == [False]


async def test_what_happened_while_nobody_ran_is_raised_at_the_next_start(world: World) -> None:
    async with world.process() as process:
        world.happens(KILLED, process)
        await eventually(lambda: process.open_count == 1)
        world.now_s = 2.0
        await eventually(lambda: common.heard_key(0) in world.bucket.held)
    missed = world.record()
    async with world.process(tail=missed.seq) as process:
        for ordinal, event in ((1, KILLED), (2, replace(KILLED, kill_id="another"))):
            process.take(0, Record(ordinal, 5, "events.0", {}, b""), event)
        await eventually(lambda: len(world.stored) == 2)


async def test_the_past_of_a_first_start_is_not_raised(world: World) -> None:
    async with world.process(tail=1) as process:
        world.happens(KILLED, process)
        world.happens(DENIED, process)
        await eventually(lambda: len(world.stored) == 1)
    assert world.stored[0].control == "C01"


async def test_nothing_is_lost_while_the_bucket_does_not_answer(world: World) -> None:
    async with world.process() as process:
        world.bucket.is_up = False
        world.happens(KILLED, process)
        await asyncio.sleep(0.03)
        world.bucket.is_up = True
        await eventually(lambda: len(world.stored) == 1)
