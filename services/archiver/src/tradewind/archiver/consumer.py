# SPDX-License-Identifier: Apache-2.0
"""Follows the streams and writes blocks, exactly once, or keeps what another one writes.

An archiver's position in a stream is the last sequence in the warehouse, nothing else: it is
stored in the same insert as the rows it speaks of. Whoever does not write (`turns`) hears from the
writer what is stored, and keeps the rest, ready to write it.
"""

import asyncio
import logging
import secrets
import time

import msgspec

from tradewind.archiver.batches import Block, Portion, build_block
from tradewind.archiver.clickhouse import Held, Warehouse, WarehouseError
from tradewind.archiver.intake import BLOCK_RECORDS, Intake
from tradewind.archiver.schema import FINGERPRINT_SQL
from tradewind.archiver.turns import BEAT_S, Told, Turn
from tradewind.common import codec, subjects
from tradewind.common.errors import BusError, CodecError, CorruptionError
from tradewind.common.fingerprint import fingerprint
from tradewind.common.jetstream import Bus, StreamReader, set_consumer_floor, stream_tail
from tradewind.common.lease import Holder
from tradewind.core.commands import OpenSegment

log = logging.getLogger(__name__)

RETRY_FIRST_S = 0.1
RETRY_MAX_S = 5.0
FLOOR_INTERVAL_S = 1.0
TAIL_PATIENCE_S = 5.0
TAIL_POLL_S = 0.2
DURABLE = "archiver"
LOOK_S = 0.02


class Archiver:
    """All streams of all shards, one warehouse."""

    def __init__(self, bus: Bus, warehouse: Warehouse, shards: int, instance: str) -> None:
        self._bus = bus
        self._warehouse = warehouse
        self._shards = shards
        self._life = f"{instance}.{secrets.token_hex(8)}"
        self._blocks = 0
        self._following: set[str] = set()
        self.intake = Intake()
        self.turn = Turn(self._life)
        self.archived: dict[str, int] = {}
        self.segments: dict[str, str] = {}
        self.problem = ""
        self.failures = 0

    @property
    def is_ready(self) -> bool:
        """Every stream is followed and the last insert did not fail."""
        return not self.problem and len(self._following) == 2 * self._shards

    async def follow_shard(self, shard: int) -> None:
        """Mirrors both streams of a shard, for ever."""
        segment = await read_segment(self._bus, shard)
        journal, events = subjects.journal_stream(shard), subjects.events_stream(shard)
        await asyncio.gather(
            self._follow(journal, subjects.live(subjects.journal_all(shard)), segment),
            self._follow(events, subjects.live(subjects.events_all(shard)), segment),
        )

    async def listen(self) -> None:
        """Hears what other archivers store, and that they ended."""
        await self._bus.subscribe(subjects.archived(), lambda message: self.hear(message.body))
        await self._bus.subscribe(
            subjects.process_ended(), lambda message: self.turn.hear_end(ended(message.body))
        )

    def hear(self, body: bytes) -> None:
        """Another archiver tells what is stored."""
        told = msgspec.json.decode(body, type=Told)
        if told.name == self._life:
            return
        self.turn.hear(told.name)
        for stream, (segment, last) in told.archived.items():
            if self.segments.get(stream) == segment:
                self._stored(stream, last)

    async def tell(self) -> None:
        """Tells the others what is stored, for ever, while it is this one that writes."""
        while True:
            await asyncio.sleep(BEAT_S)
            if self.turn.may_tell:
                self._bus.tell(subjects.archived(), self._told())

    async def write_blocks(self) -> None:
        """Writes what was read, for ever; the same block again until it is certainly stored."""
        while True:
            if not self.turn.look():
                await asyncio.sleep(LOOK_S)
                continue
            await self.intake.ready()
            portions = self.intake.held()
            if not self.turn.is_mine or not portions:
                continue
            self._blocks += 1
            block = build_block(f"{self._life}:{self._blocks}", portions, self.archived)
            self.turn.begin()
            await self._write(block)
            self.turn.end()
            for stream, last in block.last.items():
                self._stored(stream, last)

    async def show_floor(self) -> None:
        """Moves the durable consumers to what is archived, for operators to see the lag."""
        shown: dict[str, int] = {}
        while True:
            await asyncio.sleep(FLOOR_INTERVAL_S)
            for stream, seq in self.archived.items():
                if not self.turn.is_mine or shown.get(stream) == seq:
                    continue
                try:
                    await set_consumer_floor(self._bus, stream, DURABLE, seq)
                    shown[stream] = seq
                except BusError as error:
                    log.warning("the consumer %s of %s was not moved: %s", DURABLE, stream, error)

    async def _follow(self, stream: str, live_subject: str, segment: str) -> None:
        held = await asyncio.to_thread(self._warehouse.held, stream, segment)
        await self._check(held)
        start = max(held.last, 1)
        reader = StreamReader(self._bus, stream, live_subject, start)
        await reader.open()
        self.archived[stream] = held.last
        self.segments[stream] = segment
        is_joined = held.last == 0
        self._following.add(stream)
        log.info("%s segment %s is archived up to %d", stream, segment, held.last)
        while True:
            records = await reader.next_batch(max_records=BLOCK_RECORDS)
            if not is_joined:
                await self._check_joint(held, fingerprint(records[0]))
                records, is_joined = records[1:], True
            records = [record for record in records if record.seq > self.archived[stream]]
            if records:
                await self.intake.put(Portion(stream, segment, records))

    def _stored(self, stream: str, last: int) -> None:
        self.archived[stream] = max(last, self.archived[stream])
        self.intake.forget(stream, self.archived[stream])

    def _told(self) -> bytes:
        archived = {stream: (self.segments[stream], last) for stream, last in self.archived.items()}
        return msgspec.json.encode(Told(self._life, archived))

    async def _check(self, held: Held) -> None:
        """What the archive holds has no hole, and is no more than the stream has."""
        if held.last == 0:
            return
        if not held.is_contiguous:
            raise CorruptionError(
                f"the archive of {held.stream} segment {held.segment} has holes: {held.count} "
                f"sequences from {held.first} to {held.last}. Rebuild it from the stream"
            )
        deadline_s = time.monotonic() + TAIL_PATIENCE_S
        while True:
            try:
                tail = (await stream_tail(self._bus, held.stream))[1]
            except BusError as error:
                self._bus.check()
                log.warning("%s cannot be asked for its tail: %s", held.stream, error)
                deadline_s = time.monotonic() + TAIL_PATIENCE_S
                tail = 0
            if tail >= held.last:
                return
            if time.monotonic() > deadline_s:
                raise CorruptionError(
                    f"the archive of {held.stream} segment {held.segment} reaches {held.last}, "
                    f"the stream only {tail}: the stream has lost records or is another one"
                )
            await asyncio.sleep(TAIL_POLL_S)

    async def _check_joint(self, held: Held, expected: int) -> None:
        """The last archived record is the stream's: it is the same stream, and goes on there."""
        _names, rows = await asyncio.to_thread(
            self._warehouse.query,
            f"SELECT DISTINCT {FINGERPRINT_SQL} FROM records WHERE stream = {{stream:String}} "
            "AND segment = {segment:String} AND seq = {seq:UInt64}",
            {"stream": held.stream, "segment": held.segment, "seq": held.last},
        )
        if [int(row[0]) for row in rows] != [expected]:
            raise CorruptionError(
                f"{held.stream} sequence {held.last} differs from its archived copy: "
                "run `tradewind verify` to see which side is wrong"
            )

    async def _write(self, block: Block) -> None:
        delay_s = RETRY_FIRST_S
        while True:
            try:
                await asyncio.to_thread(self._warehouse.write, block)
            except WarehouseError as error:
                self.problem = error.text
                self.failures += 1
                log.warning("%s; %d records wait, next try in %.1f s", error, block.size, delay_s)
                await asyncio.sleep(delay_s)
                delay_s = min(delay_s * 2, RETRY_MAX_S)
                continue
            self.problem = ""
            return


def ended(body: bytes) -> str:
    """The instance whose process a supervisor has seen to end."""
    return msgspec.json.decode(body, type=Holder).instance


async def read_segment(bus: Bus, shard: int) -> str:
    """The name of a journal's life, from its first entry; waits for it where there is none yet."""
    stream = subjects.journal_stream(shard)
    reader = StreamReader(bus, stream, subjects.live(subjects.journal_all(shard)), 1)
    await reader.open()
    try:
        first = (await reader.next_batch(max_records=1))[0]
    finally:
        await reader.close()
    try:
        command = codec.decode_command(first.body)
    except CodecError as error:
        raise CorruptionError(f"{stream} sequence 1 cannot be read: {error.text}") from error
    if not isinstance(command, OpenSegment):
        raise CorruptionError(
            f"{stream} begins with {type(command).__name__}, not OpenSegment: run the init job"
        )
    return command.segment
