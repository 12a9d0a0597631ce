# SPDX-License-Identifier: Apache-2.0
"""`tradewind verify`: replays every journal and compares what follows with what is there.

For each shard, up to a tail that is fixed at the start: the outputs of the replay with EVENTS,
sequence by sequence; the digests and chains of every OMS replica with the replay's; stored
snapshots with the replay's state where they were taken; journal and EVENTS with the archive. Then
what shards gave each other of bounds over all of them with what they took.
Streams, so memory hardly grows with the journal.
"""

import asyncio
import time
from collections import deque
from collections.abc import Sequence
from typing import Any

from tradewind.cli.verify_archive import Archive, RangeSums, first_difference
from tradewind.cli.verify_replay import Output, Replay, difference
from tradewind.cli.verify_replicas import Replicas, ask_replicas
from tradewind.cli.verify_shares import Ledger, compared
from tradewind.cli.verify_snapshots import Snapshots, stored_snapshots
from tradewind.common import subjects
from tradewind.common.errors import CorruptionError, TradewindError
from tradewind.common.jetstream import Bus, Record, StreamReader, stream_tail
from tradewind.common.settings import BusSettings
from tradewind.common.skips import read_skips

READ_PATIENCE_S = 10.0
BATCH_RECORDS = 1000
TAIL_POLL_S = 0.1

EXIT_HOLDS = 0
EXIT_DOES_NOT_HOLD = 1
EXIT_COULD_NOT_RUN = 3


JOURNAL_TOO_SHORT = "JOURNAL_TOO_SHORT"
"""Entries that a replica has applied are not in the journal."""


class CouldNotRun(TradewindError):
    """Something that must be compared cannot be had: neither true nor false."""

    code = "COULD_NOT_VERIFY"


async def verify(
    settings: BusSettings,
    shards: int,
    archive_urls: Sequence[str],
    *,
    replicas: int | None = None,
    from_snapshot: bool = False,
) -> dict[str, Any]:
    """The report on every shard; `exit_code` says what it means.

    With `from_snapshot`, each replay begins at the newest snapshot that holds, and only what came
    after it is compared. Without one it begins at zero.

    `archive_urls` are the archivers' addresses; without any, archives are not compared. `replicas`
    is how many replicas per shard must answer, if that is known; else at least one must.

    Raises:
        TradewindError: if it could not be found out (exit code 3).
    """
    started_s = time.monotonic()
    bus = await Bus.connect(settings, name="verify")
    try:
        settled = [
            (await stream_tail(bus, subjects.journal_stream(shard)))[1] for shard in range(shards)
        ]
        checks = [
            ShardCheck(bus, shard, archive_urls, replicas, settled[shard])
            for shard in range(shards)
        ]
        reports = [await check.run(from_snapshot=from_snapshot) for check in checks]
    finally:
        await bus.close()
    are_whole = all(check.is_whole for check in checks)
    shares = compared([check.ledger for check in checks] if are_whole else [])
    return {
        "holds": all(report["holds"] for report in reports) and shares["equal"] is not False,
        "shards": reports,
        "shares": shares,
        "seconds": round(time.monotonic() - started_s, 3),
    }


def exit_code(report: dict[str, Any]) -> int:
    """0 if everything holds, else 1."""
    return EXIT_HOLDS if report["holds"] else EXIT_DOES_NOT_HOLD


class ShardCheck:
    """The comparison of one shard."""

    def __init__(
        self,
        bus: Bus,
        shard: int,
        archive_urls: Sequence[str],
        replicas: int | None,
        settled_seq: int,
    ) -> None:
        """`settled_seq`: the journal's tail before any shard was looked at."""
        self._bus = bus
        self._shard = shard
        self._archive = Archive(archive_urls) if archive_urls else None
        self._replicas_wanted = replicas
        self._journal = subjects.journal_stream(shard)
        self._events = subjects.events_stream(shard)
        self._replay = Replay(shard)
        self._settled_seq = settled_seq
        self.ledger = Ledger(self._replay.state, settled_seq)
        self.is_whole = False
        self._pending: deque[Output] = deque()
        self._sums = {self._journal: RangeSums(), self._events: RangeSums()}
        self._events_equal = True
        self._has_events_ended = False
        self._problems: list[dict[str, Any]] = []

    async def run(self, *, from_snapshot: bool) -> dict[str, Any]:
        """Compares everything and reports."""
        replicas = await ask_replicas(self._bus, self._shard, self._replicas_wanted)
        events_tail = (await stream_tail(self._bus, self._events))[1]
        journal_tail = await self._journal_tail(max(replicas.highest_seq, self._settled_seq))
        snapshots = await stored_snapshots(self._bus, self._shard)
        at_most = min(replicas.lowest_seq, self._settled_seq)
        await self._begin(snapshots, at_most if from_snapshot else 0)
        first = self._replay.seq + 1
        self.is_whole = is_whole = await self._replay_all(replicas, snapshots, journal_tail)
        self.ledger.close(self._replay.state)
        if is_whole and events_tail > self._replay.ordinal:
            self._differs(
                "events",
                self._events,
                self._replay.ordinal + 1,
                f"holds {events_tail} outputs; {journal_tail} entries give {self._replay.ordinal}",
            )
        if replicas.missing and is_whole and self._events_equal:
            raise CouldNotRun(replicas.missing, code="NO_REPLICA")
        self._problems += replicas.problems + snapshots.problems
        archive_equal = await self._compare_archive()
        return {
            "shard": self._shard,
            "segment": self._replay.segment,
            "first_entry": first,
            "entries": self._replay.seq,
            "outputs": self._replay.ordinal,
            "digest": self._replay.digest(),
            "chain": self._replay.chain,
            "replicas_equal": replicas.are_equal,
            "replicas": replicas.seen,
            "events_gap_free": self._events_equal and is_whole,
            "archive_equal": archive_equal,
            "snapshots_equal": snapshots.are_equal,
            "snapshots": snapshots.compared,
            "holds": is_whole
            and replicas.are_equal
            and snapshots.are_equal
            and self._events_equal
            and archive_equal is not False,
            "problems": self._problems,
        }

    async def _begin(self, snapshots: Snapshots, at_most: int) -> None:
        """At a snapshot that no replica is behind, or else at zero."""
        skips = (await read_skips(self._bus, self._shard)).decided
        found = await snapshots.newest_up_to(at_most) if at_most else None
        if found is None:
            self._replay = Replay(self._shard, skips=skips)
            return
        self._replay = Replay(self._shard, found.machine, found.meta.chain, skips)
        self.ledger = Ledger(self._replay.state, self._settled_seq)
        self._sums = {
            self._journal: RangeSums(found.meta.seq + 1),
            self._events: RangeSums(found.meta.ordinal + 1),
        }

    async def _journal_tail(self, at_least: int) -> int:
        """The journal's tail, no lower than what a replica has already applied."""
        deadline_s = time.monotonic() + READ_PATIENCE_S
        while True:
            tail = (await stream_tail(self._bus, self._journal))[1]
            if tail >= max(at_least, 1):
                return tail
            if time.monotonic() > deadline_s:
                if not tail:
                    raise CouldNotRun(f"{self._journal} is empty: run the init job first")
                text = f"{self._journal} ends at {tail}, but entry {at_least} was seen"
                raise CouldNotRun(text, code=JOURNAL_TOO_SHORT)
            await asyncio.sleep(TAIL_POLL_S)

    async def _replay_all(self, replicas: Replicas, snapshots: Snapshots, tail: int) -> bool:
        """Replays up to `tail`; false if the journal itself cannot be replayed to there."""
        after, ordinal = self._replay.seq, self._replay.ordinal
        journal = self._reader(self._journal, subjects.journal_all(self._shard), after + 1)
        events = self._reader(self._events, subjects.events_all(self._shard), ordinal + 1)
        await journal.open()
        await events.open()
        try:
            replicas.compare(self._replay)
            while self._replay.seq < tail:
                for record in await self._read(journal, tail - self._replay.seq):
                    self._sums[self._journal].add(record)
                    outputs = self._replay.apply(record)
                    self.ledger.hear(outputs)
                    self._pending.extend(outputs)
                    replicas.compare(self._replay)
                    await snapshots.compare(self._replay)
                await self._compare_events(events)
        except CorruptionError as error:
            self._differs("journal", self._journal, self._replay.seq + 1, error.text)
            return False
        finally:
            await journal.close()
            await events.close()
        return True

    def _reader(self, stream: str, subject: str, first: int) -> StreamReader:
        return StreamReader(self._bus, stream, subjects.live(subject), first)

    async def _read(self, reader: StreamReader, limit: int) -> list[Record]:
        try:
            async with asyncio.timeout(READ_PATIENCE_S):
                return await reader.next_batch(min(limit, BATCH_RECORDS))
        except TimeoutError as error:
            raise CouldNotRun(
                f"{self._journal} could not be read on from sequence {reader.next_seq}"
            ) from error

    async def _compare_events(self, events: StreamReader) -> None:
        """Compares the outputs that the replay has given with what EVENTS holds in their places."""
        while self._pending and not self._has_events_ended:
            try:
                async with asyncio.timeout(READ_PATIENCE_S):
                    batch = await events.next_batch(min(len(self._pending), BATCH_RECORDS))
            except TimeoutError:
                self._differs(
                    "events",
                    self._events,
                    events.next_seq,
                    f"is missing: entry {self._pending[0].entry_seq} of the journal gives it",
                )
                self._has_events_ended = True
                break
            except CorruptionError as error:
                self._differs("events", self._events, events.next_seq, error.text)
                self._has_events_ended = True
                break
            for record in batch:
                self._sums[self._events].add(record)
                wrong = difference(self._pending.popleft(), record)
                if wrong:
                    self._differs("events", self._events, record.seq, wrong)
        self._pending.clear()

    async def _compare_archive(self) -> bool | None:
        if self._archive is None:
            return None
        is_equal = True
        for stream, sums in self._sums.items():
            if not sums.last or not self._replay.segment:
                continue
            found = await first_difference(
                self._bus, self._archive, stream, self._replay.segment, sums
            )
            if found is not None:
                seq, text = found
                is_equal = False
                self._problem("archive", stream, seq, text)
        return is_equal

    def _differs(self, check: str, stream: str, seq: int, text: str) -> None:
        """Takes note of a difference; only the first of EVENTS is told, others mostly follow."""
        if check != "events" or self._events_equal:
            self._problem(check, stream, seq, text)
        if check == "events":
            self._events_equal = False

    def _problem(self, check: str, stream: str, seq: int, text: str) -> None:
        self._problems.append({"check": check, "stream": stream, "seq": seq, "text": text})
