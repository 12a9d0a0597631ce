# SPDX-License-Identifier: Apache-2.0
"""Where a replica begins: at the newest snapshot that holds, and else further back.

A snapshot holds if it is undamaged, of this schema, and a past of this shard's EVENTS: it may not
be ahead of them (outputs that were never appended could not be computed from it), and the chain
over the outputs must be the one that EVENTS has there.
"""

import logging
from dataclasses import dataclass, field

from tradewind.common import codec, subjects
from tradewind.common.errors import BusError, CorruptionError
from tradewind.common.jetstream import (
    Bus,
    Record,
    read_at_leader,
    read_last,
    stream_tail,
)
from tradewind.common.skips import read_skips
from tradewind.common.snapshots import Meta, Snapshot, SnapshotStore
from tradewind.core.commands import SkipEntry
from tradewind.oms.replica import PoisonError, Tail

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Beginning:
    """What was chosen, and what was wrong with anything newer."""

    snapshot: Snapshot | None = None
    refused: list[str] = field(default_factory=list)

    @property
    def seq(self) -> int:
        """The entry it stands at; 0 is the beginning of the journal."""
        return 0 if self.snapshot is None else self.snapshot.meta.seq


async def events_tail(bus: Bus, shard: int) -> Tail:
    """The last output that EVENTS holds: where this replica's own outputs begin to matter.

    Reading it first also keeps a starting replica from appending what has long been there.
    """
    last = await read_last(bus, subjects.events_stream(shard))
    return Tail() if last is None else Tail(last.seq, last.headers[subjects.HEADER_CHAIN])


async def choose_beginning(bus: Bus, shard: int, tail: Tail) -> Beginning:
    """The newest snapshot that holds, restored; says of each newer one why it does not.

    Raises:
        BusError: if the streams do not answer.
    """
    _first, journaled = await stream_tail(bus, subjects.journal_stream(shard))
    store = SnapshotStore(bus, shard)
    refused: list[str] = []
    try:
        found = await store.newest_first()
    except BusError as error:
        refused.append(f"the snapshots cannot be read: {error.text}")
        found = []
    for stored in found:
        try:
            await _require_past(bus, shard, stored.meta, tail, journaled)
            return _say(Beginning(await store.load(stored), refused), shard)
        except (CorruptionError, BusError) as error:
            refused.append(f"snapshot {stored.meta.seq}: {error.text}")
    return _say(Beginning(None, refused), shard)


async def decided_skip(bus: Bus, shard: int, poison: PoisonError) -> SkipEntry:
    """The decision, further on in the journal, to treat an entry as a no-op.

    Raises:
        PoisonError: if two people have not decided so; it says who has asked for it.
    """
    skips = await read_skips(bus, shard, poison.seq + 1)
    skip = skips.decided.get(poison.seq)
    if skip is None:
        asked = skips.asked.get(poison.seq)
        if asked is None:
            raise poison
        text = f"{poison.text}. {asked.actor} has asked for it: another person has to"
        raise PoisonError(text, poison.seq) from poison
    log.warning(
        "%s; skipped by %s and %s: %s", poison.text, skip.actor, skip.second_actor, skip.reason
    )
    return skip


async def _require_past(bus: Bus, shard: int, meta: Meta, tail: Tail, journaled: int) -> None:
    if meta.ordinal > tail.ordinal:
        raise CorruptionError(
            f"it holds {meta.ordinal} outputs, EVENTS_{shard} only {tail.ordinal}"
        )
    if meta.seq > journaled:
        raise CorruptionError(f"JOURNAL_{shard} ends at {journaled}")
    if await _chain_at(bus, shard, meta.ordinal) != meta.chain:
        raise CorruptionError(f"its chain is not that of EVENTS_{shard} at {meta.ordinal}")


async def _chain_at(bus: Bus, shard: int, ordinal: int) -> str:
    if ordinal == 0:
        return codec.CHAIN_START
    record: Record | None = await read_at_leader(bus, subjects.events_stream(shard), ordinal)
    return "" if record is None else record.headers.get(subjects.HEADER_CHAIN, "")


def _say(beginning: Beginning, shard: int) -> Beginning:
    for text in beginning.refused:
        log.warning("shard %d does not begin at a newer state: %s", shard, text)
    log.info("shard %d begins after entry %d", shard, beginning.seq)
    return beginning
