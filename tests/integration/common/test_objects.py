# SPDX-License-Identifier: Apache-2.0
"""The object store and snapshots on a real cluster."""

import json
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Iterable
from hashlib import sha256

import pytest

from tests.integration.conftest import Connect
from tests.unit.core.test_snapshot import busy
from tradewind.common import snapshots
from tradewind.common.errors import BusError, CorruptionError, Refused
from tradewind.common.jetstream import Bus, ObjectStore, read_last, read_subject
from tradewind.common.jetstream.objects import ObjectInfo
from tradewind.common.snapshots import SnapshotStore, Stored
from tradewind.common.testing import eventually
from tradewind.core.testing import Desk

pytestmark = [pytest.mark.cluster, pytest.mark.anyio]

STREAM = "OBJ_SNAPSHOTS"
LARGE = secrets.token_bytes(1_000_000)


@pytest.fixture
async def bus(connect: Connect) -> Bus:
    return await connect("oms")


@pytest.fixture(autouse=True)
async def empty(connect: Connect) -> None:
    admin = await connect("admin")
    await admin.api(f"STREAM.PURGE.{STREAM}")


async def all_of(store: ObjectStore, count: int) -> list[ObjectInfo]:
    """The objects of a store, once all are there."""
    found = await store.infos()
    return found if len(found) == count else []


async def test_an_object_of_many_chunks_is_read_as_it_was_put(bus: Bus) -> None:
    store = ObjectStore(bus, "SNAPSHOTS")
    await store.put("one", [LARGE[:300_000], LARGE[300_000:]], {"colour": "red"})
    await store.put("other", [b"small"], {})
    infos = await eventually(lambda: all_of(store, 2))  # a server that lags may be asked
    (one, other) = sorted(infos, key=lambda info: info.name)
    assert one.metadata == {"colour": "red"}
    assert await store.get(one) == LARGE
    assert await store.get(other) == b"small"


async def test_the_layout_is_the_one_that_nats_clients_know(bus: Bus, connect: Connect) -> None:
    await ObjectStore(bus, "SNAPSHOTS").put("0/7", [LARGE], {})
    name = urlsafe_b64encode(b"0/7").decode()
    record = await read_last(await connect("admin"), STREAM, f"$O.SNAPSHOTS.M.{name}")
    assert record is not None
    info = json.loads(record.body)
    chunks = await read_subject(bus, STREAM, f"$O.SNAPSHOTS.C.{info['nuid']}", 1, 100)
    assert (info["name"], info["bucket"], info["size"]) == ("0/7", "SNAPSHOTS", len(LARGE))
    assert info["chunks"] == len(chunks) == 8
    assert info["digest"] == "SHA-256=" + urlsafe_b64encode(sha256(LARGE).digest()).decode()
    assert b"".join(chunk.body for chunk in chunks) == LARGE


async def test_a_removed_object_leaves_nothing(bus: Bus, connect: Connect) -> None:
    store = ObjectStore(bus, "SNAPSHOTS")
    info = await store.put("one", [LARGE], {})
    await store.delete(info)
    assert await store.infos() == []
    state = (await (await connect("admin")).api(f"STREAM.INFO.{STREAM}"))["state"]
    assert state["messages"] == 0


async def test_an_object_that_was_not_stored_whole_is_not_seen(bus: Bus, connect: Connect) -> None:
    def breaks_off() -> Iterable[bytes]:
        yield LARGE
        raise OSError("the file is gone")

    store = ObjectStore(bus, "SNAPSHOTS")
    with pytest.raises(OSError, match="gone"):
        await store.put("one", breaks_off(), {})
    assert await store.infos() == []
    state = (await (await connect("admin")).api(f"STREAM.INFO.{STREAM}"))["state"]
    assert state["messages"] == 0


async def test_an_object_with_another_chunk_in_it_is_refused(bus: Bus) -> None:
    store = ObjectStore(bus, "SNAPSHOTS")
    info = await store.put("one", [LARGE], {})
    await bus.publish(f"$O.SNAPSHOTS.C.{info.nuid}", b"more")
    with pytest.raises(CorruptionError) as caught:
        await store.get(info)
    assert caught.value.code == "OBJECT_DAMAGED"


@pytest.mark.parametrize("user", ["auditor", "gateway", "venue"])
async def test_nobody_but_the_oms_writes_snapshots(connect: Connect, user: str) -> None:
    with pytest.raises(Refused):
        await ObjectStore(await connect(user), "SNAPSHOTS").put("one", [b"x"], {})


async def test_an_auditor_reads_the_newest_snapshot_of_a_shard(bus: Bus, connect: Connect) -> None:
    desk = busy()
    store = SnapshotStore(bus, 0)
    for _ in range(5):
        await put(store, desk)
        desk.submit(f"s{desk.machine.state.seq}")
    await put(SnapshotStore(bus, 1), desk)
    await store.retire()
    reader = SnapshotStore(await connect("auditor"), 0)
    found = await listed(reader, snapshots.KEEP)
    assert [stored.meta.seq for stored in found] == sorted(
        (stored.meta.seq for stored in found), reverse=True
    )
    snapshot = await reader.load(found[0])
    assert snapshot.meta.seq == desk.machine.state.seq - 1
    for entry in desk.entries[snapshot.meta.seq :]:
        snapshot.machine.step(entry)
    assert snapshot.machine.digest() == desk.machine.digest()


async def test_what_the_store_says_must_be_what_the_file_says(bus: Bus) -> None:
    desk = busy()
    store = SnapshotStore(bus, 0)
    content = written(desk)
    desk.submit("later")
    await store.put(snapshots.decode_meta(written(desk)), [content])
    (stored,) = await listed(store, 1)
    with pytest.raises(CorruptionError, match="store says"):
        await store.load(stored)


async def test_what_is_no_snapshot_is_left_out_of_the_list(bus: Bus) -> None:
    await ObjectStore(bus, "SNAPSHOTS").put("0/1", [b"x"], {"snapshot": "{}"})
    await ObjectStore(bus, "SNAPSHOTS").put("0/2", [b"x"], {})
    assert await SnapshotStore(bus, 0).newest_first() == []


async def test_a_store_that_is_not_there_is_said(bus: Bus) -> None:
    with pytest.raises(BusError):
        await ObjectStore(bus, "NOWHERE").infos()


async def listed(store: SnapshotStore, count: int) -> list[Stored]:
    """What is stored, once so many are: a server that lags may answer at first."""
    found: list[Stored] = []

    async def are_listed() -> bool:
        found[:] = await store.newest_first()
        return len(found) == count

    await eventually(are_listed)
    return found


def written(desk: Desk) -> bytes:
    return snapshots.encode(desk.machine, chain="", build="", instance="")


async def put(store: SnapshotStore, desk: Desk) -> None:
    content = written(desk)
    await store.put(snapshots.decode_meta(content), [content])
