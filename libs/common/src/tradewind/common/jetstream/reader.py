# SPDX-License-Identifier: Apache-2.0
"""A stream's records, every one, in order, for ever.

Live records come on the stream's republish subject, after they were committed and as fast as the
publisher's own ack. They may be lost on the way; then, at the start, and when nothing came for a
while, the store is read directly. Outputs carry a hash chain, which every reader checks. What is
missing or does not fit is asked of the leader and then of the other servers. A reader never skips:
what cannot be had is corruption.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable

from tradewind.common import codec, subjects
from tradewind.common.errors import BusError, CorruptionError, Refused, Unknown
from tradewind.common.jetstream.bus import Bus, Subscription
from tradewind.common.jetstream.direct import read_at_leader, read_from
from tradewind.common.jetstream.messages import Record, decode_record

log = logging.getLogger(__name__)

HELD_MAX = 20_000
OTHERS_ASKED = 20
"""Each direct read is answered by any one replica: so many miss none of three."""
IDLE_POLL_MS = 200
RETRY_FIRST_S = 0.002
RETRY_MAX_S = 0.25
HOLE_PATIENCE_S = 10.0
"""How long a record that was heard of may be missing at every replica: longer than an election."""


class StreamReader:
    """One reader with its own position. `next_seq` is the sequence it returns next."""

    def __init__(
        self,
        bus: Bus,
        stream: str,
        live_subject: str,
        start_seq: int,
        *,
        idle_poll_ms: int = IDLE_POLL_MS,
    ) -> None:
        self._bus = bus
        self._stream = stream
        self._live_subject = live_subject
        self.next_seq = start_seq
        self._idle_poll_s = idle_poll_ms / 1000
        self._held: deque[Record] = deque()
        self._wake = asyncio.Event()
        self._is_hurried = True
        self._chain: str | None = None
        self._error: Exception | None = None
        self._subscription: Subscription | None = None

    async def open(self) -> None:
        """Starts listening.

        Raises:
            Refused: if this user may not listen there.
        """
        self._bus.on_reconnected.append(self.hurry)
        self._subscription = await self._bus.subscribe_raw(self._live_subject, self._hear)

    async def close(self) -> None:
        """Stops listening."""
        if self._subscription is not None:
            self._bus.on_reconnected.remove(self.hurry)
            await self._subscription.unsubscribe()
            self._subscription = None

    def hurry(self) -> None:
        """Reads the store at once instead of waiting for something to be heard."""
        self._is_hurried = True
        self._wake.set()

    async def next_batch(self, max_records: int = 500) -> list[Record]:
        """The next records, at least one, without a gap; waits for them as long as it takes.

        Raises:
            CorruptionError: if a record is missing in the store, or breaks the chain.
            BusError: if the bus has failed for good.
        """
        while True:
            self._bus.check()
            if self._error is not None:
                raise self._error
            batch = self._take_held(max_records)
            if batch:
                return await self._chained(batch)
            if self._is_hurried or self._held or not await self._heard_in_time():
                batch = await self._read(max_records)
                if batch:
                    return await self._chained(batch)

    def _hear(self, _subject: str, _reply: str, body: bytes, raw: bytes | None) -> None:
        if len(self._held) >= HELD_MAX:
            return
        try:
            self._held.append(decode_record(raw, body))
        except (KeyError, ValueError, IndexError) as error:
            self._error = CorruptionError(
                f"a message on {self._live_subject} is no record of {self._stream}: {error!r}"
            )
        self._wake.set()

    async def _heard_in_time(self) -> bool:
        self._wake.clear()
        timer = asyncio.get_running_loop().call_later(self._idle_poll_s, self.hurry)
        try:
            await self._wake.wait()
        finally:
            timer.cancel()
        return not self._is_hurried

    def _take_held(self, max_records: int) -> list[Record]:
        held, expected = self._held, self.next_seq
        batch: list[Record] = []
        while held and len(batch) < max_records:
            seq = held[0].seq
            if seq > expected:
                break
            record = held.popleft()
            if seq == expected:
                batch.append(record)
                expected += 1
        self.next_seq = expected
        return batch

    async def _read(self, max_records: int) -> list[Record]:
        """Reads the store from the next sequence up to what is held; empty if it has no more."""
        self._is_hurried = False
        wanted = self._held[0].seq - self.next_seq if self._held else max_records
        loop = asyncio.get_running_loop()
        deadline, pause_s = loop.time() + HOLE_PATIENCE_S, RETRY_FIRST_S
        while True:
            records = await self._ask_store(max(1, min(wanted, max_records)), self.next_seq)
            if records and records[0].seq != self.next_seq:
                records = [await self._ask_leader(records[0].seq)]
            if records:
                self._require_contiguous(records)
                self.next_seq = records[-1].seq + 1
                self._is_hurried = len(records) == max_records
                return records
            if not self._held or self._held[0].seq <= self.next_seq:
                return []
            if loop.time() < deadline:
                await asyncio.sleep(pause_s)
                pause_s = min(pause_s * 2, RETRY_MAX_S)
                continue
            record = await self._ask_leader(self._held[0].seq)
            self.next_seq += 1
            return [record]

    async def _ask_store(self, limit: int, seq: int) -> list[Record]:
        try:
            return await read_from(self._bus, self._stream, seq, limit)
        except (Refused, Unknown):
            self._bus.check()
            await asyncio.sleep(RETRY_MAX_S if not self._bus.is_connected else RETRY_FIRST_S)
            return []

    async def _ask_leader(self, seen_seq: int) -> Record:
        """The next record is not where it should be: the leader decides, then any server."""
        record = await self._ask_all(self.next_seq, lambda _record: True)
        if record is None:
            raise self._hole(seen_seq)
        return record

    async def _ask_all(self, seq: int, fits: Callable[[Record], bool]) -> Record | None:
        """The record at `seq` that fits, as the leader has it or else any other server."""
        while True:
            try:
                record = await read_at_leader(self._bus, self._stream, seq)
            except BusError:
                self._bus.check()
                await asyncio.sleep(RETRY_MAX_S)
                continue
            break
        if record is not None and fits(record):
            return record
        log.error("the leader of %s lacks record %d, or has another", self._stream, seq)
        for _ in range(OTHERS_ASKED):
            for other in await self._ask_store(1, seq):
                if other.seq == seq and fits(other):
                    return other
        return None

    async def _chained(self, batch: list[Record]) -> list[Record]:
        """The batch, each record of which continues the chain (if the stream has one).

        It ends before the first record that does not: the next call then says so.
        """
        for place, record in enumerate(batch):
            if not self._continues(record):
                fitting = await self._ask_all(record.seq, self._continues)
                if fitting is None:
                    self.next_seq = record.seq
                    self._error = CorruptionError(
                        f"{self._stream} sequence {record.seq} does not continue the chain of "
                        "hashes, on any server"
                    )
                    if place == 0:
                        raise self._error
                    return batch[:place]
                batch[place] = record = fitting
            self._chain = record.headers.get(subjects.HEADER_CHAIN)
        return batch

    def _continues(self, record: Record) -> bool:
        chain = record.headers.get(subjects.HEADER_CHAIN)
        before = codec.CHAIN_START if record.seq == 1 and chain is not None else self._chain
        return before is None or chain == codec.link(before, record.body)

    def _require_contiguous(self, records: list[Record]) -> None:
        for place, record in enumerate(records):
            if record.seq != self.next_seq + place:
                del records[place:]
                return

    def _hole(self, seen_seq: int) -> CorruptionError:
        return CorruptionError(
            f"{self._stream} has sequence {seen_seq} but not {self.next_seq}, on any "
            "server: a node has lost records; compare the nodes and resync the one that lacks them"
        )
