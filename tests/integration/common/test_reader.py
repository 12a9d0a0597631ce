# SPDX-License-Identifier: Apache-2.0
"""Reading a stream: all of it, in order, whatever was lost on the way."""

import asyncio
import signal
import time
from collections.abc import Awaitable
from itertools import count

import pytest

from tests.integration.conftest import Connect, Scratch
from tradewind.common import codec, placement, subjects
from tradewind.common.errors import BusError, CorruptionError
from tradewind.common.jetstream import Bus, Message, PullLoop, Record, StreamReader
from tradewind.common.jetstream import reader as reader_module
from tradewind.common.jetstream.direct import read_from
from tradewind.common.testing import LocalCluster, RunNode, eventually

pytestmark = [pytest.mark.cluster, pytest.mark.anyio]


async def fill(bus: Bus, stream: str, count: int, token: str = "x") -> None:
    futures = [
        bus.publish_nowait(f"{stream.lower()}.{token}", b"%d" % number, {"h": str(number)})
        for number in range(count)
    ]
    await asyncio.gather(*futures)


async def take(reader: StreamReader, count: int) -> list[Record]:
    found: list[Record] = []
    async with asyncio.timeout(10):
        while len(found) < count:
            found += await reader.next_batch()
    return found


async def test_stored_and_live_records_come_in_one_row_and_look_the_same(
    connect: Connect, scratch: Scratch
) -> None:
    stream, bus = await scratch(), await connect()
    live = StreamReader(bus, stream, f"live.{stream.lower()}.>", 1)
    await live.open()
    await fill(bus, stream, 50)
    heard = await take(live, 50)
    late = StreamReader(bus, stream, f"live.{stream.lower()}.>", 1)
    await late.open()
    assert await take(late, 50) == heard
    writing = asyncio.create_task(fill(bus, stream, 700))
    assert [record.seq for record in await take(late, 700)] == list(range(51, 751))
    await writing
    assert heard[3].headers == {"h": "3"}
    assert abs(heard[3].ts_ns - time.time_ns()) < 60e9


async def test_live_records_that_are_lost_are_read_from_the_store(
    connect: Connect, scratch: Scratch
) -> None:
    stream, bus = await scratch(), await connect()
    reader = StreamReader(bus, stream, f"live.{stream.lower()}.heard", 1, idle_poll_ms=60_000)
    await reader.open()
    await fill(bus, stream, 1, "heard")
    assert len(await take(reader, 1)) == 1
    for _ in range(5):
        await fill(bus, stream, 20, "lost")
        await fill(bus, stream, 1, "heard")
    assert [record.seq for record in await take(reader, 105)] == list(range(2, 107))


async def test_a_silent_reader_looks_into_the_store(connect: Connect, scratch: Scratch) -> None:
    stream, bus = await scratch(), await connect()
    reader = StreamReader(bus, stream, f"live.{stream.lower()}.never", 1)
    await reader.open()
    await fill(bus, stream, 3)
    assert [record.seq for record in await take(reader, 3)] == [1, 2, 3]


async def test_hurry_does_not_wait_for_the_silence_to_end(
    connect: Connect, scratch: Scratch
) -> None:
    stream, bus = await scratch(), await connect()
    reader = StreamReader(bus, stream, f"live.{stream.lower()}.never", 1, idle_poll_ms=60_000)
    await reader.open()
    waiting = asyncio.create_task(take(reader, 1))
    await fill(bus, stream, 1)
    while not waiting.done():
        reader.hurry()
        await asyncio.sleep(0.01)
    assert [record.seq for record in waiting.result()] == [1]


async def test_a_record_that_the_store_lacks_is_corruption(
    connect: Connect, scratch: Scratch
) -> None:
    stream, bus = await scratch(), await connect()
    await fill(bus, stream, 10)
    await bus.api(f"STREAM.MSG.DELETE.{stream}", {"seq": 6})
    reader = StreamReader(bus, stream, f"live.{stream.lower()}.>", 1)
    await reader.open()
    assert [record.seq for record in await take(reader, 5)] == [1, 2, 3, 4, 5]
    with pytest.raises(CorruptionError, match="has sequence 7 but not 6"):
        await reader.next_batch()


async def test_a_reader_that_starts_below_the_first_record_stops(
    connect: Connect, scratch: Scratch
) -> None:
    stream, bus = await scratch(), await connect()
    await fill(bus, stream, 10)
    await bus.api(f"STREAM.PURGE.{stream}", {"seq": 4})
    reader = StreamReader(bus, stream, f"live.{stream.lower()}.>", 1)
    await reader.open()
    with pytest.raises(CorruptionError):
        await reader.next_batch()


async def test_a_reader_goes_on_when_its_server_dies(run_node: RunNode) -> None:
    async with LocalCluster(shards=1, run_node=run_node) as cluster:
        await cluster.create_streams()
        admin, bus, writer = [await cluster.bus(user) for user in ("admin", "auditor", "oms")]
        ports = {node.client_port: node.name for node in cluster.config.nodes}
        address = bus.nc.connected_url
        assert address is not None
        assert address.port is not None
        victim = ports[address.port]
        safe = next(name for name in ports.values() if name != victim)
        await placement.place_stream(admin, "EVENTS_0", safe)
        reader = StreamReader(bus, "EVENTS_0", "live.events.0.>", 1)
        await reader.open()
        await writer.append_batch([Message("events.0.order.A", b"1")], 0, 2000)
        assert [record.body for record in await take(reader, 1)] == [b"1"]
        cluster.signal_node(victim, signal.SIGKILL)

        async def appended() -> bool:
            try:
                ack = await writer.append_batch([Message("events.0.order.A", b"2")], 1, 1000)
            except BusError:
                return False
            return ack.seq == 2

        await eventually(appended, 15)
        assert [record.body for record in await take(reader, 1)] == [b"2"]


async def test_pulled_messages_come_once_each_and_again_unless_acked(
    connect: Connect, scratch: Scratch
) -> None:
    stream, bus = await scratch(), await connect()
    await bus.api(
        f"CONSUMER.CREATE.{stream}.d",
        {
            "stream_name": stream,
            "action": "create",
            "config": {
                "durable_name": "d",
                "ack_policy": "explicit",
                "ack_wait": 300_000_000,
                "num_replicas": 1,
            },
        },
    )
    pulls = PullLoop(bus, stream, "d", batch=20)
    await pulls.open()
    await fill(bus, stream, 100)
    seen: list[tuple[int, int]] = []
    async with asyncio.timeout(10):
        while len(seen) < 101:
            for delivery in await pulls.next_batch():
                seen.append((delivery.record.seq, delivery.deliveries))
                if seen[-1] != (7, 1):
                    pulls.ack(delivery)
    assert sorted(seen) == sorted([*((seq, 1) for seq in range(1, 101)), (7, 2)])
    await pulls.close()


def at_no_leader(_bus: Bus, _stream: str, _seq: int) -> Awaitable[None]:
    return asyncio.sleep(0)


async def test_a_record_that_one_server_and_the_leader_lack_is_read_from_another(
    connect: Connect, scratch: Scratch, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream, bus = await scratch(), await connect()
    await fill(bus, stream, 10)
    monkeypatch.setattr(reader_module, "read_at_leader", at_no_leader)
    answers = count(1)

    async def lacks_the_fifth(bus: Bus, stream: str, seq: int, limit: int) -> list[Record]:
        records = await read_from(bus, stream, seq, limit)
        return records if next(answers) > 3 else [record for record in records if record.seq != 5]

    monkeypatch.setattr(reader_module, "read_from", lacks_the_fifth)
    reader = StreamReader(bus, stream, f"live.{stream.lower()}.>", 1)
    await reader.open()
    assert [record.seq for record in await take(reader, 10)] == list(range(1, 11))


async def chained(
    bus: Bus, stream: str, last: int, *, first: int = 1, wrong: int = 0
) -> list[Message]:
    """Outputs `first` to `last`, the `wrong` one with a body that is not the chain's."""
    chain, messages = codec.CHAIN_START, []
    for number in range(1, last + 1):
        body = b"%d" % number
        chain = codec.link(chain, body)
        stored = b"rotten" if number == wrong else body
        messages.append(Message(f"{stream.lower()}.x", stored, {subjects.HEADER_CHAIN: chain}))
    added = messages[first - 1 :]
    await bus.append_batch(added, expected_last_seq=first - 1, timeout_ms=5000)
    return added


@pytest.mark.parametrize("start", [1, 2, 5])
async def test_a_record_that_breaks_the_chain_of_hashes_is_corruption(
    connect: Connect, scratch: Scratch, start: int
) -> None:
    stream, bus = await scratch(), await connect()
    await chained(bus, stream, 9, wrong=6)
    reader = StreamReader(bus, stream, f"live.{stream.lower()}.>", start)
    await reader.open()
    assert [record.seq for record in await reader.next_batch()] == list(range(start, 6))
    with pytest.raises(CorruptionError, match="sequence 6 does not continue the chain"):
        await reader.next_batch()
    assert reader.next_seq == 6


async def test_a_record_without_a_hash_breaks_the_chain(connect: Connect, scratch: Scratch) -> None:
    stream, bus = await scratch(), await connect()
    await chained(bus, stream, 3)
    await fill(bus, stream, 1)
    reader = StreamReader(bus, stream, f"live.{stream.lower()}.>", 1)
    await reader.open()
    assert [record.seq for record in await reader.next_batch()] == [1, 2, 3]
    with pytest.raises(CorruptionError, match="sequence 4 does not continue the chain"):
        await reader.next_batch()


async def test_a_record_that_was_heard_wrong_is_read_again(
    connect: Connect, scratch: Scratch
) -> None:
    stream, bus = await scratch(), await connect()
    reader = StreamReader(bus, stream, f"live.{stream.lower()}.heard", 1, idle_poll_ms=60_000)
    await reader.open()
    await chained(bus, stream, 2)
    reader.hurry()
    assert len(await take(reader, 2)) == 2
    (third,) = await chained(bus, stream, 3, first=3)
    headers = {
        "Nats-Sequence": "3",
        "Nats-Subject": third.subject,
        "Nats-Time-Stamp": "2026-01-02T03:04:05Z",
        **third.headers,
    }
    bus.tell(f"live.{stream.lower()}.heard", b"heard wrong", headers)
    (record,) = await take(reader, 1)
    assert (record.seq, record.body) == (3, b"3")
