# SPDX-License-Identifier: Apache-2.0
"""The appender: who appends, when, and what a refusal or silence leads to."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast

import pytest

from tests.unit.oms.test_replica import entry, stored
from tradewind.common.errors import CorruptionError, Refused, Unknown
from tradewind.common.jetstream import Bus, Message, PubAck, StreamReader
from tradewind.common.lifecycle import Stop, serve_until
from tradewind.common.testing import eventually
from tradewind.core.commands import OpenSegment
from tradewind.oms.appender import BATCH_MESSAGES_MAX, Appender
from tradewind.oms.replica import Replica, Tail

PATIENCE_MS = 20


@dataclass
class MemoryStream:
    """EVENTS as the server keeps it: an append fits only at the tail."""

    records: list[Message] = field(default_factory=list)
    answers: list[Exception] = field(default_factory=list)
    appends: int = 0
    offset: int = 0

    async def append_batch(
        self, messages: Sequence[Message], expected_last_seq: int, timeout_ms: int
    ) -> PubAck:
        self.appends += 1
        await asyncio.sleep(0)
        if self.answers:
            raise self.answers.pop(0)
        if expected_last_seq != len(self.records):
            raise Refused("wrong last sequence", err_code=10071)
        self.records.extend(messages)
        return PubAck(stream="EVENTS_0", seq=len(self.records) + self.offset)


class Reader:
    """Counts how often the tail was asked for."""

    def __init__(self) -> None:
        self.hurried = 0

    def hurry(self) -> None:
        self.hurried += 1


def make(
    stream: MemoryStream, *, instance: str = "oms-0-0", patience_ms: int = PATIENCE_MS
) -> tuple[Replica, Appender, Reader]:
    replica = Replica(0, Tail())
    reader = Reader()
    appender = Appender(
        cast(Bus, stream),
        replica,
        cast(StreamReader, reader),
        instance=instance,
        patience_ms=patience_ms,
    )
    return replica, appender, reader


def feed(replica: Replica, appender: Appender, count: int) -> None:
    start = replica.seq
    for seq in range(start + 1, start + count + 1):
        command = OpenSegment(segment="seg", shard=0) if seq == 1 else None
        replica.apply(entry(seq, command))
    appender.outputs_ready()


async def work_until(appender: Appender, done: "asyncio.Event") -> None:
    stop = Stop()

    async def watch() -> None:
        await done.wait()
        stop.set()
        appender.outputs_ready()

    async with asyncio.timeout(5):
        await serve_until(stop, appender.run(stop), watch())


async def emptied(replica: Replica) -> None:
    await eventually(lambda: not replica.outbox)


async def over(task: "asyncio.Task[None]") -> None:
    """Ends a task, so that it cannot fail in somebody else's test."""
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def run_until_empty(replica: Replica, appender: Appender) -> None:
    done = asyncio.Event()

    async def watch() -> None:
        await emptied(replica)
        done.set()

    watcher = asyncio.create_task(watch())
    try:
        await work_until(appender, done)
    finally:
        await over(watcher)


@pytest.mark.anyio
async def test_missing_outputs_are_appended_after_patience_and_then_at_once() -> None:
    stream = MemoryStream()
    replica, appender, _ = make(stream)
    feed(replica, appender, 3)
    await run_until_empty(replica, appender)
    assert len(stream.records) == 3
    assert appender.is_leading
    assert appender.takeovers == 1


@pytest.mark.anyio
async def test_who_hears_that_the_leader_has_ended_is_not_patient() -> None:
    stream = MemoryStream([Message("events.0.x", b"")])
    replica, appender, _ = make(stream, patience_ms=3_600_000)
    feed(replica, appender, 2)
    replica.confirm(stored(replica.outbox[0], by="oms-0-1"))
    appender.tail_moved()
    appender.hear_end(b'{"instance": "oms-0-2", "pid": 1}')
    running = asyncio.create_task(appender.run(Stop()))
    await asyncio.wait({running}, timeout=0.05)
    assert replica.outbox, "another one's end means nothing"
    appender.hear_end(b'{"instance": "oms-0-1", "pid": 1}')
    await emptied(replica)
    await over(running)


@pytest.mark.anyio
async def test_an_append_that_lands_after_its_authors_end_makes_nobody_patient() -> None:
    stream = MemoryStream([Message("events.0.x", b""), Message("events.0.x", b"")])
    replica, appender, reader = make(stream, patience_ms=3_600_000)
    feed(replica, appender, 3)
    replica.confirm(stored(replica.outbox[0], by="oms-0-1"))
    appender.tail_moved()
    appender.hear_end(b'{"instance": "oms-0-1", "pid": 1}')
    appender.hear_end(b'{"instance": "gateway-0", "pid": 2}')
    running = asyncio.create_task(appender.run(Stop()))
    await eventually(lambda: reader.hurried)
    assert appender.refusals == 1, "the second output is the dead leader's"
    replica.confirm(stored(replica.outbox[0], by="oms-0-1"))
    appender.tail_moved()
    await emptied(replica)
    await over(running)
    assert len(stream.records) == 3
    assert appender.is_leading


@pytest.mark.anyio
async def test_a_replica_that_lost_the_race_appends_nothing_twice() -> None:
    stream = MemoryStream()
    first, first_appender, _ = make(stream, instance="a")
    second, second_appender, reader = make(stream, instance="b")
    feed(first, first_appender, 4)
    feed(second, second_appender, 4)
    outputs = list(first.outbox)
    await run_until_empty(first, first_appender)

    async def hear() -> None:
        await eventually(lambda: reader.hurried)
        for output in outputs:
            second.confirm(stored(output, by="a"))

    heard = asyncio.create_task(hear())
    await run_until_empty(second, second_appender)
    await heard
    assert len(stream.records) == 4
    assert second_appender.refusals >= 1
    assert not second_appender.is_leading


@pytest.mark.anyio
async def test_an_unanswered_append_is_tried_again_at_the_same_place() -> None:
    stream = MemoryStream(answers=[Unknown("no answer"), Refused("no leader", err_code=None)])
    replica, appender, reader = make(stream)
    feed(replica, appender, 2)
    await run_until_empty(replica, appender)
    assert len(stream.records) == 2
    assert stream.appends == 3
    assert reader.hurried == 2


@pytest.mark.anyio
async def test_an_append_that_landed_elsewhere_stops_the_replica() -> None:
    stream = MemoryStream(offset=1)
    replica, appender, _ = make(stream)
    feed(replica, appender, 1)
    with pytest.raises(CorruptionError, match="stored up to 2"):
        await run_until_empty(replica, appender)


@pytest.mark.anyio
async def test_a_large_outbox_is_cut_into_bounded_batches() -> None:
    stream = MemoryStream()
    replica, appender, _ = make(stream)
    feed(replica, appender, BATCH_MESSAGES_MAX * 2 + 1)
    await run_until_empty(replica, appender)
    assert len(stream.records) == BATCH_MESSAGES_MAX * 2 + 1
    assert stream.appends == 3
