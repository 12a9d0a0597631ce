# SPDX-License-Identifier: Apache-2.0
"""Snapshots: a shard's state at one journal sequence, as a file and in the SNAPSHOTS store.

A file is one line of JSON (the `Meta`) and the parts of the state, packed. Whoever reads one checks
everything that can be checked: schema, logic, digest of the restored state, position. What cannot
be checked here is that its outputs were appended: whoever resumes compares it with EVENTS.

    store = SnapshotStore(bus, shard=0)
    for stored in await store.newest_first():
        snapshot = await store.load(stored)      # CorruptionError: take the next one
        machine = snapshot.machine               # a StateMachine at stored.meta.seq
"""

import asyncio
import gc
import logging
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import get_args

import msgspec

from tradewind.common.columns import Table
from tradewind.common.errors import CorruptionError
from tradewind.common.jetstream import Bus, ObjectInfo, ObjectStore
from tradewind.core import logic
from tradewind.core.machine import StateMachine
from tradewind.core.snapshot import HINTS, SCHEMA, TABLES, parts, restore
from tradewind.core.state import State

log = logging.getLogger(__name__)

STORE = "SNAPSHOTS"
KEEP = 3
COMPRESSION = 1
SEQ_DIGITS = 20


class Meta(msgspec.Struct, frozen=True, kw_only=True):
    """Where a snapshot stands. `chain` is the hash over all outputs up to `ordinal`."""

    schema: str
    build: str
    instance: str
    segment: str
    shard: int
    seq: int
    ordinal: int
    ts_ns: int
    chain: str
    digest: str
    logic: list[str]
    orders: int
    live_orders: int


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A restored machine, proved to be what `meta` says."""

    meta: Meta
    machine: StateMachine

    @property
    def state(self) -> State:
        """What the shard knew after entry `meta.seq`."""
        return self.machine.state


@dataclass(frozen=True, slots=True)
class Stored:
    """A snapshot in the store, not read yet."""

    meta: Meta
    info: ObjectInfo


_meta_decoder = msgspec.json.Decoder(Meta)
_tables = {name: Table(name, *get_args(HINTS[name])) for name in TABLES}
_Parts = msgspec.defstruct(
    "_Parts",
    [(name, _tables[name].wire if name in _tables else hint) for name, hint in HINTS.items()],
)
# JSON: its numbers have no largest, and amounts are integers of any size.
_parts_decoder = msgspec.json.Decoder(_Parts)


def encode(machine: StateMachine, *, chain: str, build: str, instance: str) -> bytes:
    """The file of a machine's state as it is now."""
    state = machine.state
    meta = Meta(
        schema=SCHEMA,
        build=build,
        instance=instance,
        segment=state.segment,
        shard=state.shard,
        seq=state.seq,
        ordinal=state.ordinal,
        ts_ns=state.ts_ns,
        chain=chain,
        digest=machine.digest(),
        logic=sorted(state.logic),
        orders=len(state.orders),
        live_orders=len(state.live_orders),
    )
    plain = parts(state) | {name: it.pack(getattr(state, name)) for name, it in _tables.items()}
    packed = zlib.compress(msgspec.json.encode(plain), COMPRESSION)
    return msgspec.json.encode(meta) + b"\n" + packed


def decode_meta(content: bytes) -> Meta:
    """What a file says of itself.

    Raises:
        CorruptionError: if it is no snapshot.
    """
    try:
        return _meta_decoder.decode(content.partition(b"\n")[0])
    except msgspec.MsgspecError as error:
        raise _unusable(f"its first line is not what it should be: {error}") from error


def decode(content: bytes) -> Snapshot:
    """The machine in a file, ready for the entry after `meta.seq`.

    Raises:
        CorruptionError: code SNAPSHOT_UNUSABLE, if it is damaged, of another schema, or knows
            a logic flag that this build does not.
    """
    meta = decode_meta(content)
    if meta.schema != SCHEMA:
        raise _unusable(f"its schema is {meta.schema}, not {SCHEMA}")
    unknown = set(meta.logic) - logic.KNOWN
    if unknown:
        raise _unusable(f"this build does not know the logic flag {min(unknown)}")
    with _no_collecting():
        state = _unpack(content[content.index(b"\n") + 1 :])
        machine = StateMachine(state)
        digest = machine.digest()
    if digest != meta.digest:
        raise _unusable(f"its digest is {digest}, not {meta.digest}")
    place = (state.segment, state.shard, state.seq, state.ordinal)
    if place != (meta.segment, meta.shard, meta.seq, meta.ordinal):
        raise _unusable(f"it stands at {place}, which is not what its first line says")
    return Snapshot(meta, machine)


class SnapshotStore:
    """The snapshots of one shard."""

    def __init__(self, bus: Bus, shard: int) -> None:
        self._objects = ObjectStore(bus, STORE)
        self._shard = shard

    async def newest_first(self) -> list[Stored]:
        """What there is. Nothing has been checked yet.

        Raises:
            BusError: if the store does not answer.
        """
        mine = [
            info for info in await self._objects.infos() if info.name.startswith(f"{self._shard}/")
        ]
        found = [Stored(meta, info) for info in mine if (meta := _described(info)) is not None]
        return sorted(found, key=lambda stored: stored.meta.seq, reverse=True)

    async def load(self, stored: Stored) -> Snapshot:
        """The machine in a stored snapshot.

        Raises:
            CorruptionError: if it cannot be used: take the one before.
            BusError: if the store does not answer.
        """
        content = await self._objects.get(stored.info)
        snapshot = await asyncio.to_thread(decode, content)
        if snapshot.meta != stored.meta:
            raise _unusable("its first line is not what the store says of it")
        return snapshot

    async def put(self, meta: Meta, content: Iterable[bytes]) -> None:
        """Stores a snapshot file, under a name of its own: it never replaces another one's.

        Raises:
            BusError: if it was not stored.
        """
        name = f"{self._shard}/{meta.seq:0{SEQ_DIGITS}}"
        await self._objects.put(name, content, {"snapshot": msgspec.json.encode(meta).decode()})

    async def retire(self, keep: int = KEEP) -> None:
        """Removes all but the newest.

        Raises:
            BusError: if the store refuses or does not answer.
        """
        for stored in (await self.newest_first())[keep:]:
            await self._objects.delete(stored.info)


def _described(info: ObjectInfo) -> Meta | None:
    try:
        return _meta_decoder.decode(info.metadata.get("snapshot", ""))
    except msgspec.MsgspecError as error:
        log.warning("the object %s is no snapshot: %s", info.name, error)
        return None


def _unpack(packed: bytes) -> State:
    try:
        found = _parts_decoder.decode(zlib.decompress(packed))
        values = {name: getattr(found, name) for name in HINTS}
        values |= {name: it.unpack(values[name]) for name, it in _tables.items()}
    except (zlib.error, msgspec.MsgspecError, ValueError) as error:
        raise _unusable(f"its parts cannot be read: {error}") from error
    return restore(values)


@contextmanager
def _no_collecting() -> Iterator[None]:
    """No garbage collection while many objects are made that stay; none of them is looked at again.

    It would walk through all of them several times, and after that on every full collection.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if was_enabled:
            gc.enable()


def _unusable(why: str) -> CorruptionError:
    return CorruptionError(f"the snapshot cannot be used: {why}", code="SNAPSHOT_UNUSABLE")
