# SPDX-License-Identifier: Apache-2.0
"""Reads the streams and the heartbeats, from now on: telemetry has no past to make up for."""

import asyncio
import time

import msgspec

from tradewind.common import status, subjects
from tradewind.common.errors import BusError
from tradewind.common.jetstream import Bus, KeyValue, StreamReader, stream_tail
from tradewind.telemetry.export import Beat, Meters, SpanSender
from tradewind.telemetry.journeys import Journeys

RIPE_EVERY_S = 0.5
BEATS_EVERY_S = 1.0
BEAT_FRESH_NS = 3_000_000_000


class Told(msgspec.Struct):
    """What the archiver that writes tells."""

    archived: dict[str, tuple[str, int]]


class Watcher:
    """Everything that telemetry sees."""

    def __init__(self, bus: Bus, journeys: Journeys, spans: SpanSender, meters: Meters) -> None:
        self._bus = bus
        self._journeys = journeys
        self._spans = spans
        self._meters = meters
        self.records = 0

    async def listen(self) -> None:
        """Hears what is archived."""
        await self._bus.subscribe(subjects.archived(), lambda message: self._hear(message.body))

    async def follow_journal(self, shard: int) -> None:
        """Takes every input of a shard."""
        reader = await self._from_now(subjects.journal_stream(shard), subjects.journal_all(shard))
        while True:
            for record in await reader.next_batch():
                self._journeys.entry(shard, record)
                self.records += 1

    async def follow_events(self, shard: int) -> None:
        """Takes every output of a shard."""
        reader = await self._from_now(subjects.events_stream(shard), subjects.events_all(shard))
        while True:
            for record in await reader.next_batch():
                decided = self._journeys.output(shard, record)
                self.records += 1
                if decided is not None:
                    self._meters.count(decided)

    async def harvest(self) -> None:
        """Hands over the journeys that have come to rest, for ever."""
        while True:
            await asyncio.sleep(RIPE_EVERY_S)
            self._spans.add(self._journeys.ripe(time.time_ns()))

    async def watch_hearts(self) -> None:
        """Sees who lives, for ever."""
        values = KeyValue(self._bus, status.BUCKET)
        while True:
            await asyncio.sleep(BEATS_EVERY_S)
            try:
                entries = await values.entries()
            except BusError:
                continue
            beats: list[Beat] = [msgspec.json.decode(entry.value) for entry in entries]
            now_ns = time.time_ns()
            self._meters.see([b for b in beats if now_ns - b["ts_ns"] < BEAT_FRESH_NS])

    async def _from_now(self, stream: str, subject: str) -> StreamReader:
        _first, last = await stream_tail(self._bus, stream)
        reader = StreamReader(self._bus, stream, subjects.live(subject), last + 1)
        await reader.open()
        return reader

    def _hear(self, body: bytes) -> None:
        told = msgspec.json.decode(body, type=Told)
        for stream, (_segment, last) in told.archived.items():
            self._journeys.archived(stream, last, time.time_ns())
