# SPDX-License-Identifier: Apache-2.0
"""Snapshots of real replicas: taken by a standby, used by the next start, refused if they lie."""

from pathlib import Path

import msgspec
import pytest

from tests.integration.oms.shard import DEADLINE_S, Shard, opened, order
from tradewind.common import codec, snapshots, subjects
from tradewind.common.jetstream import ObjectStore
from tradewind.common.snapshots import Meta, SnapshotStore, Stored
from tradewind.common.testing import eventually
from tradewind.core.machine import StateMachine

pytestmark = [pytest.mark.cluster, pytest.mark.anyio]

EVERY = 400
ORDERS = 500
"""More than any rank waits for."""


async def newest_seq(shard: Shard) -> int:
    found = await SnapshotStore(shard.bus, 0).newest_first()
    return found[0].meta.seq if found else 0


async def with_snapshots(shard: Shard, count: int = 1) -> list[Stored]:
    """Two replicas that have taken `count` snapshots and are stopped again, newest first."""
    for rank in (0, 1):
        if f"oms-0-{rank}" not in shard.replicas:
            shard.start(rank, snapshot_every=EVERY)
    for number in range(count):
        before = await newest_seq(shard)
        await shard.fill(ORDERS, prefix=f"r{number}-")

        async def taken(before: int = before) -> bool:
            return await newest_seq(shard) > before

        await eventually(taken, DEADLINE_S, what="a snapshot")
        await shard.until_accepted(ORDERS * (number + 1))

    async def few() -> bool:
        return len(await SnapshotStore(shard.bus, 0).newest_first()) <= snapshots.KEEP

    await eventually(few, DEADLINE_S, what="old snapshots to be gone")
    for instance in list(shard.replicas):
        await shard.end(instance)
    return await SnapshotStore(shard.bus, 0).newest_first()


async def test_a_standby_takes_snapshots_and_only_the_newest_are_kept(tmp_path: Path) -> None:
    async with opened(tmp_path) as shard:
        shard.start(0, snapshot_every=EVERY)
        await shard.fill(1, prefix="first")
        await shard.until("oms-0-0", lambda facts: facts["role"] == "leader")
        found = await with_snapshots(shard, count=5)
        assert len(found) == snapshots.KEEP
        for stored in found:
            assert leaders_before(shard, stored.meta.seq) - {stored.meta.instance}


def leaders_before(shard: Shard, seq: int) -> set[str]:
    """Who appended the outputs since a snapshot at entry `seq` was due; the lead may have moved."""
    headers = [record.headers for record in shard.records]
    entries = [(int(h[subjects.HEADER_ENTRY]), h[subjects.HEADER_BY]) for h in headers]
    return {by for entry, by in entries if seq - EVERY < entry <= seq}


async def test_a_replica_begins_at_the_newest_snapshot_and_replays_only_the_tail(
    tmp_path: Path,
) -> None:
    async with opened(tmp_path) as shard:
        (stored,) = await with_snapshots(shard)
        shard.start(0, snapshot_every=10**9)
        shard.start(1, snapshot_every=10**9)
        await shard.put(order("after"))
        await shard.until_accepted(ORDERS + 1)
        assert shard.accepted()[-1] == "after"
        facts = await shard.until("oms-0-0", lambda _: True)
        assert facts["begun_at"] == stored.meta.seq
        assert facts["snapshots_refused"] == []
        (seq, digest), (other_seq, other_digest) = await shard.digests()
        assert (seq, digest) == (other_seq, other_digest)
        assert digest == await replayed(shard, seq)


async def replayed(shard: Shard, until: int) -> str:
    """The digest that the whole journal gives, from its first entry."""
    machine = StateMachine()
    for entry in await shard.entries(until):
        machine.step(entry)
    return machine.digest()


def flip(content: bytes) -> bytes:
    return content[:-9] + bytes([content[-9] ^ 1]) + content[-8:]


def with_digest(content: bytes) -> bytes:
    first, _, packed = content.partition(b"\n")
    return msgspec.json.encode(msgspec.json.decode(first) | {"digest": "f" * 64}) + b"\n" + packed


def with_chain(content: bytes) -> bytes:
    first, _, packed = content.partition(b"\n")
    return msgspec.json.encode(msgspec.json.decode(first) | {"chain": "f" * 64}) + b"\n" + packed


def of_schema_1(content: bytes) -> bytes:
    first, _, packed = content.partition(b"\n")
    return msgspec.json.encode(msgspec.json.decode(first) | {"schema": "1"}) + b"\n" + packed


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (flip, "cannot be used"),
        (with_digest, "its digest is"),
        (with_chain, "its chain is not that of EVENTS_0"),
        (of_schema_1, "its schema is 1"),
    ],
)
async def test_a_snapshot_that_does_not_hold_is_passed_over_and_said(
    tmp_path: Path, spoil: object, why: str
) -> None:
    async with opened(tmp_path) as shard:
        newer, older = await with_snapshots(shard, count=2)
        content = await ObjectStore(shard.bus, "SNAPSHOTS").get(newer.info)
        assert callable(spoil)
        spoiled: bytes = spoil(content)
        await SnapshotStore(shard.bus, 0).put(snapshots.decode_meta(spoiled), [spoiled])
        await begins_at(shard, older.meta, why)


async def test_a_snapshot_ahead_of_the_outputs_is_passed_over(tmp_path: Path) -> None:
    """Started from it, nobody could ever compute the outputs that are missing."""
    async with opened(tmp_path) as shard:
        (stored,) = await with_snapshots(shard)
        loaded = await SnapshotStore(shard.bus, 0).load(stored)
        machine, chain = loaded.machine, loaded.meta.chain
        last = await shard.put(order("not appended"))
        for entry in await shard.entries(last, first=stored.meta.seq + 1):
            for event in machine.step(entry):
                chain = codec.link(chain, codec.encode(event))
        content = snapshots.encode(machine, chain=chain, build="", instance="ahead")
        await SnapshotStore(shard.bus, 0).put(snapshots.decode_meta(content), [content])
        await begins_at(shard, stored.meta, "outputs, EVENTS_0 only")
        assert shard.accepted()[-2:] == ["not appended", "goes on"]


async def test_without_a_snapshot_that_holds_the_journal_is_replayed_from_its_start(
    tmp_path: Path,
) -> None:
    async with opened(tmp_path) as shard:
        (stored,) = await with_snapshots(shard)
        content = flip(await ObjectStore(shard.bus, "SNAPSHOTS").get(stored.info))
        await SnapshotStore(shard.bus, 0).put(stored.meta, [content])
        instance = shard.start(0)
        facts = await shard.until(instance, lambda facts: facts["seq"] > ORDERS)
        assert facts["begun_at"] == 0
        assert len(facts["snapshots_refused"]) == 1


async def begins_at(shard: Shard, meta: Meta, why: str) -> None:
    instance = shard.start(0, snapshot_every=10**9)
    facts = await shard.until(instance, lambda facts: facts["seq"] > meta.seq)
    assert facts["begun_at"] == meta.seq
    assert why in facts["snapshots_refused"][0]
    assert why in shard.log(instance)
    await shard.put(order("goes on"))
    await eventually(lambda: "goes on" in shard.accepted(), DEADLINE_S)
