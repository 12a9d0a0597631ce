# SPDX-License-Identifier: Apache-2.0
"""Stored snapshots, compared with the replay as it passes where they were taken."""

from typing import Any

from tradewind.cli.verify_replay import Replay
from tradewind.common.errors import CorruptionError
from tradewind.common.jetstream import Bus
from tradewind.common.snapshots import SnapshotStore, Stored


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
        """Compares the snapshot taken at the replay's entry, if there is one."""
        stored = self._by_seq.get(replay.seq)
        if stored is None:
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
        except CorruptionError as error:
            self._problem(replay.seq, error.text)

    def _problem(self, seq: int, text: str) -> None:
        self.problems.append({"check": "snapshot", "stream": "SNAPSHOTS", "seq": seq, "text": text})


async def stored_snapshots(bus: Bus, shard: int) -> Snapshots:
    """What the store holds of a shard now."""
    store = SnapshotStore(bus, shard)
    return Snapshots(store, await store.newest_first())
