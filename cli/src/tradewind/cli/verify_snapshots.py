# SPDX-License-Identifier: Apache-2.0
"""Stored snapshots, compared with the replay as it passes where they were taken."""

from typing import Any

from tradewind.cli.verify_replay import Replay
from tradewind.common.errors import BusError, CorruptionError
from tradewind.common.jetstream import Bus
from tradewind.common.snapshots import Snapshot, SnapshotStore, Stored
from tradewind.core.snapshot import SCHEMA


class Snapshots:
    """The snapshots of one shard, and what is wrong with them."""

    def __init__(self, store: SnapshotStore, found: list[Stored]) -> None:
        self._store = store
        self._by_seq = {stored.meta.seq: stored for stored in found}
        self.problems: list[dict[str, Any]] = []
        self.compared = 0

    @property
    def are_equal(self) -> bool:
        """Every snapshot that was passed is what the replay gave there."""
        return not self.problems

    async def compare(self, replay: Replay) -> None:
        """Compares the snapshot taken at the replay's entry, if there is one of this schema."""
        stored = self._by_seq.get(replay.seq)
        if stored is None or stored.meta.schema != SCHEMA or not await self._is_there(stored):
            return
        self.compared += 1
        meta = stored.meta
        for what, has, gives in (
            ("outputs", meta.ordinal, replay.ordinal),
            ("chain", meta.chain, replay.chain),
            ("digest", meta.digest, replay.digest()),
        ):
            if has != gives:
                self._problem(replay.seq, f"has {what} {has}; the journal gives {gives}")
        try:
            await self._store.load(stored)
        except (CorruptionError, BusError) as error:
            if await self._is_there(stored):
                self._problem(replay.seq, error.text)

    async def newest_up_to(self, seq: int) -> Snapshot | None:
        """The newest one that can be read and is not beyond `seq`; None if there is none."""
        for stored_seq in sorted(self._by_seq, reverse=True):
            try:
                if stored_seq <= seq:
                    return await self._store.load(self._by_seq[stored_seq])
            except (CorruptionError, BusError) as error:
                self._problem(stored_seq, error.text)
        return None

    async def _is_there(self, stored: Stored) -> bool:
        """It has not made room for newer ones meanwhile."""
        return stored in await self._store.newest_first()

    def _problem(self, seq: int, text: str) -> None:
        self.problems.append({"check": "snapshot", "stream": "SNAPSHOTS", "seq": seq, "text": text})


async def stored_snapshots(bus: Bus, shard: int) -> Snapshots:
    """What the store holds of a shard now."""
    store = SnapshotStore(bus, shard)
    return Snapshots(store, await store.newest_first())
