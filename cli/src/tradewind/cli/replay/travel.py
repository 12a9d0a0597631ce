# SPDX-License-Identifier: Apache-2.0
"""Opens the state of a shard at one sequence number, from a snapshot before it or from zero."""

from collections.abc import Callable
from dataclasses import dataclass

from tradewind.cli.replay.journal import CouldNotReplay, Journal, require_beginning
from tradewind.cli.verify_replay import Replay
from tradewind.common.errors import BusError, CorruptionError
from tradewind.common.snapshots import Snapshot, SnapshotStore

Progress = Callable[[int, int], None]
"""Called with the sequence number reached and the one wanted."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A shard as it was after entry `replay.seq`; `from_seq` is the snapshot's, 0 for none."""

    replay: Replay
    from_seq: int
    refused: list[str]


async def open_at(
    journal: Journal,
    shard: int,
    at: int | None,
    store: SnapshotStore | None,
    progress: Progress,
) -> Opened:
    """The state after entry `at`, or after the last one.

    Raises:
        CouldNotReplay: if there is no such entry, or no way to it.
        CorruptionError: if the journal cannot be applied; the text names the entry.
    """
    first, last = await journal.bounds()
    seq = last if at is None else at
    if not 1 <= seq <= last:
        raise CouldNotReplay(f"the journal has entries 1 to {last}; there is no {seq}")
    refused: list[str] = []
    snapshot = None if store is None else await _nearest(store, seq, refused)
    skips = await journal.skips()
    if snapshot is None:
        require_beginning(first)
        replay = Replay(shard, skips=skips)
    else:
        replay = Replay(shard, snapshot.machine, snapshot.meta.chain, skips)
    from_seq = replay.seq
    async for batch in journal.read(from_seq + 1, seq):
        for record in batch:
            try:
                replay.apply(record)
            except CorruptionError as error:
                raise CorruptionError(f"entry {record.seq} {error.text}") from error
        progress(replay.seq, seq)
    return Opened(replay, from_seq, refused)


async def _nearest(store: SnapshotStore, seq: int, refused: list[str]) -> Snapshot | None:
    """The newest usable snapshot at or before `seq`."""
    try:
        found = await store.newest_first()
    except BusError as error:
        refused.append(f"the snapshots cannot be read: {error.text}")
        return None
    for stored in found:
        if stored.meta.seq > seq:
            continue
        try:
            return await store.load(stored)
        except (CorruptionError, BusError) as error:
            refused.append(f"snapshot {stored.meta.seq}: {error.text}")
    return None
