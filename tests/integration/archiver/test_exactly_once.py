# SPDX-License-Identifier: Apache-2.0
"""Whatever kills the archiver, the archive equals the streams, row for row."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from pathlib import Path

import clickhouse_connect
import pytest

from tests.integration.archiver.database import Database
from tests.integration.archiver.process import ArchiverProcess
from tradewind.common import codec, subjects
from tradewind.common.fingerprint import MODULUS, fingerprint
from tradewind.common.jetstream import Bus, StreamReader
from tradewind.common.testing import LocalCluster, eventually
from tradewind.core.commands import AdvanceTime, Command, OpenSegment
from tradewind.core.events import TimeAdvanced

pytestmark = [pytest.mark.anyio, pytest.mark.cluster, pytest.mark.timeout(240)]

RECORDS = 5000
KILLS = 10
SEED = 20261123
JOURNAL, EVENTS = subjects.journal_stream(0), subjects.events_stream(0)


async def journal(bus: Bus, command: Command) -> None:
    await bus.publish(subjects.journal_subject(0, command), codec.encode(command))


async def publish_both(bus: Bus, count: int) -> None:
    """Half of `count` to each stream, in small bursts, so that blocks are cut everywhere."""
    command, event = AdvanceTime(source="test"), TimeAdvanced(ts_ns=1)
    random_sizes = random.Random(SEED)
    left = count // 2
    while left:
        burst = min(left, random_sizes.randint(1, 60))
        left -= burst
        acks = []
        for _ in range(burst):
            acks.append(
                bus.publish_nowait(subjects.journal_subject(0, command), codec.encode(command))
            )
            acks.append(bus.publish_nowait(subjects.events_subject(0, event), codec.encode(event)))
        await asyncio.gather(*acks)


async def fingerprint_sum(bus: Bus, stream: str, subject: str, last: int) -> str:
    reader = StreamReader(bus, stream, subjects.live(subject), 1)
    await reader.open()
    total = 0
    while reader.next_seq <= last:
        total += sum(fingerprint(record) for record in await reader.next_batch())
    await reader.close()
    return f"{total % MODULUS:016x}"


async def positions(archiver: ArchiverProcess) -> dict[str, int]:
    """What an archiver knows to be stored."""
    return {row["stream"]: row["last"] for row in (await archiver.get("/v1/positions"))["streams"]}


async def warehouse_has(warehouse: Database, stream: str, last: int) -> None:
    """Waits until the warehouse holds a stream up to `last`: no archiver is asked."""
    client = await asyncio.to_thread(
        clickhouse_connect.get_client, dsn=warehouse.dsn, password="secret", compress=False
    )

    async def is_there() -> bool:
        sql = f"SELECT max(seq) FROM records WHERE stream = '{stream}'"
        rows = (await asyncio.to_thread(client.query, sql)).result_rows
        return bool(rows[0][0] >= last)

    check: Callable[[], bool | Awaitable[bool]] = is_there
    await eventually(check, 20, what=f"{stream} up to {last} in the warehouse")


async def test_ten_kills_lose_and_double_nothing(
    cluster: LocalCluster, archiver: ArchiverProcess
) -> None:
    bus = await cluster.bus("admin")
    await journal(bus, OpenSegment(segment="seg", shard=0))
    moments = random.Random(SEED)
    half = RECORDS // 2
    for round_number in range(KILLS):
        archiver.start()
        publishing = asyncio.ensure_future(publish_both(bus, RECORDS // KILLS))
        if round_number % 3:
            await archiver.ready()
        assert await archiver.ended(moments.uniform(0.0, 0.6)) is None, archiver.log
        archiver.kill()
        await publishing
    archiver.start()
    await archiver.ready()
    expected = {JOURNAL: half + 1, EVENTS: half}
    for stream, last in expected.items():
        await archiver.has_archived(stream, last)
        held = await archiver.held(stream)
        assert (held["first"], held["last"], held["count"], held["rows"]) == (1, last, last, last)
        (whole,) = (
            await archiver.get(f"/v1/sums?stream={stream}&segment=seg&last={last}&block=100000")
        )["blocks"]
        subject = subjects.journal_all(0) if stream == JOURNAL else subjects.events_all(0)
        assert whole["count"] == last
        assert whole["fingerprint_sum"] == await fingerprint_sum(bus, stream, subject, last)


async def test_of_two_archivers_one_writes_and_the_other_takes_over_from_a_dead_or_silent_one(
    cluster: LocalCluster, archiver: ArchiverProcess, warehouse: Database, tmp_path: Path
) -> None:
    bus = await cluster.bus("admin")
    await journal(bus, OpenSegment(segment="seg", shard=0))
    second = ArchiverProcess(cluster, warehouse, tmp_path, "archiver-2")
    for each in (archiver, second):
        each.start()
    try:
        for each in (archiver, second):
            await each.ready()
        last = 1
        for stop, again in ((archiver.pause, archiver.wake), (second.kill, second.start)):
            stop()
            await publish_both(bus, 400)
            last += 200
            await warehouse_has(warehouse, JOURNAL, last)
            again()
        await second.ready()
        for each in (archiver, second):
            await each.has_archived(JOURNAL, last)
            held = await each.held(JOURNAL)
            assert (held["first"], held["last"], held["count"]) == (1, last, last)
            assert await positions(each) == {JOURNAL: last, EVENTS: last - 1}
    finally:
        second.kill()


async def test_a_warehouse_that_is_killed_loses_nothing_that_was_told_to_be_stored(
    cluster: LocalCluster, archiver: ArchiverProcess, warehouse: Database
) -> None:
    bus = await cluster.bus("admin")
    await journal(bus, OpenSegment(segment="seg", shard=0))
    archiver.start()
    await archiver.ready()
    for round_number in range(3):
        publishing = asyncio.ensure_future(publish_both(bus, 600))
        await archiver.has_archived(JOURNAL, 300 * round_number + 50)
        warehouse.kill()
        await publishing
        await asyncio.to_thread(warehouse.start)
    await archiver.has_archived(JOURNAL, 901)
    held = await archiver.held(JOURNAL)
    assert (held["first"], held["last"], held["count"]) == (1, 901, 901)
    archiver.terminate()
    assert await archiver.ended(20) == 0, archiver.log
    assert "Traceback" not in archiver.log


async def test_a_stream_of_another_life_is_never_mixed_into_the_archive(
    cluster: LocalCluster, archiver: ArchiverProcess
) -> None:
    bus = await cluster.bus("admin")
    await journal(bus, OpenSegment(segment="seg", shard=0))
    await journal(bus, AdvanceTime(source="first life"))
    archiver.start()
    await archiver.ready()
    await archiver.has_archived(JOURNAL, 2)
    archiver.kill()
    await bus.api(f"STREAM.PURGE.{JOURNAL}")
    await bus.api(f"STREAM.DELETE.{JOURNAL}", timeout_s=10)
    await cluster.create_streams()
    await journal(bus, OpenSegment(segment="seg", shard=0))
    await journal(bus, AdvanceTime(source="second life"))
    archiver.start()
    assert await archiver.ended(40) == 70, archiver.log
    assert "CORRUPTION: JOURNAL_0 sequence 2 differs from its archived copy" in archiver.log
