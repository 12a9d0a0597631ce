# SPDX-License-Identifier: Apache-2.0
"""A journal to replay: from the bus, or from a file that was exported from it.

A file has one JSON object per line: seq, ts_ns, subject, headers, body. The body is text, exactly
as it was journaled, so that a replay of the file is a replay of the journal.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Protocol

import msgspec

from tradewind.common import subjects
from tradewind.common.errors import CorruptionError, TradewindError
from tradewind.common.jetstream import Bus, Record, StreamReader, stream_tail
from tradewind.common.skips import is_word, read_skips, skips_in
from tradewind.core.commands import SkipEntry

BATCH_RECORDS = 1000
READ_PATIENCE_S = 10.0


class CouldNotReplay(TradewindError):
    """There is no such journal, or no such place in it. The text says what there is."""

    code = "COULD_NOT_REPLAY"


class Journal(Protocol):
    """Where records come from."""

    async def bounds(self) -> tuple[int, int]:
        """First and last sequence number."""

    async def skips(self) -> dict[int, SkipEntry]:
        """Decisions to treat unreadable entries as no-ops, by the sequence of the entry."""

    def read(self, first: int, last: int) -> AsyncIterator[list[Record]]:
        """The records from `first` to `last`, contiguous, in batches."""


class BusJournal:
    """The journal of a shard of a running suite."""

    def __init__(self, bus: Bus, shard: int) -> None:
        self._bus = bus
        self._shard = shard
        self._stream = subjects.journal_stream(shard)

    async def bounds(self) -> tuple[int, int]:
        """First and last sequence number."""
        return await stream_tail(self._bus, self._stream)

    async def skips(self) -> dict[int, SkipEntry]:
        """Decisions to treat unreadable entries as no-ops."""
        return (await read_skips(self._bus, self._shard)).decided

    async def read(self, first: int, last: int) -> AsyncIterator[list[Record]]:
        """The records from `first` to `last`.

        Raises:
            CouldNotReplay: if the stream cannot be read on.
        """
        live = subjects.live(subjects.journal_all(self._shard))
        reader = StreamReader(self._bus, self._stream, live, first)
        await reader.open()
        try:
            while reader.next_seq <= last:
                wanted = min(BATCH_RECORDS, last - reader.next_seq + 1)
                async with asyncio.timeout(READ_PATIENCE_S):
                    yield await reader.next_batch(wanted)
        except TimeoutError as error:
            raise CouldNotReplay(
                f"{self._stream} could not be read on from sequence {reader.next_seq}"
            ) from error
        finally:
            await reader.close()


class Line(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One record in a file."""

    seq: int
    ts_ns: int
    subject: str
    headers: dict[str, str]
    body: str


class FileJournal:
    """An exported journal."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def bounds(self) -> tuple[int, int]:
        """First and last sequence number."""
        first = last = 0
        for line in self._lines():
            first = first or line.seq
            last = line.seq
        return first, last

    async def skips(self) -> dict[int, SkipEntry]:
        """Decisions to treat unreadable entries as no-ops."""
        return skips_in(
            (line.seq, line.body.encode()) for line in self._lines() if is_word(line.subject)
        ).decided

    async def read(self, first: int, last: int) -> AsyncIterator[list[Record]]:
        """The records from `first` to `last`.

        Raises:
            CorruptionError: if a record is missing.
        """
        batch: list[Record] = []
        expected = first
        for line in self._lines():
            if line.seq < first:
                continue
            if line.seq > last:
                break
            if line.seq != expected:
                raise CorruptionError(f"{self._path} jumps to {line.seq} from {expected - 1}")
            expected += 1
            batch.append(
                Record(line.seq, line.ts_ns, line.subject, line.headers, line.body.encode())
            )
            if len(batch) == BATCH_RECORDS:
                yield batch
                batch = []
        if batch:
            yield batch

    def _lines(self) -> Iterator[Line]:
        decoder = msgspec.json.Decoder(Line)
        number = 0
        try:
            with self._path.open("rb") as file:
                for raw in file:
                    number += 1
                    yield decoder.decode(raw)
        except OSError as error:
            raise CouldNotReplay(f"{self._path} cannot be read: {error.strerror}") from error
        except msgspec.MsgspecError as error:
            raise CouldNotReplay(
                f"{self._path} line {number} is no journal record: {error}"
            ) from error


async def export(journal: Journal, path: Path, last: int) -> int:
    """Writes the journal up to `last` to a file; returns how many records.

    Raises:
        CouldNotReplay: if the journal no longer has its beginning.
    """
    first, _tail = await journal.bounds()
    require_beginning(first)
    count = 0
    with path.open("wb") as file:
        async for batch in journal.read(first, last):
            for record in batch:
                line = Line(
                    seq=record.seq,
                    ts_ns=record.ts_ns,
                    subject=record.subject,
                    headers=record.headers,
                    body=record.body.decode(),
                )
                file.write(msgspec.json.encode(line) + b"\n")
            count += len(batch)
    return count


def require_beginning(first: int) -> None:
    """A replay from zero needs the first entry.

    Raises:
        CouldNotReplay: if it is gone.
    """
    if first > 1:
        raise CouldNotReplay(
            f"the journal begins at {first}: what was before has been compacted; a snapshot at or "
            "after that is needed"
        )
