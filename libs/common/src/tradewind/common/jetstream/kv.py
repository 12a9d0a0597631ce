# SPDX-License-Identifier: Apache-2.0
"""A key-value bucket: the last message of each subject of a stream `KV_<bucket>`."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass

import msgspec

from tradewind.common import subjects
from tradewind.common.errors import BusError
from tradewind.common.jetstream.bus import Bus
from tradewind.common.jetstream.direct import READ_TIMEOUT_MS
from tradewind.common.jetstream.messages import decode_headers, parse_stamp, status_of

REFRESH_S = 1.0


@dataclass(frozen=True, slots=True)
class KvEntry:
    """The value of a key at a revision. `ts_ns` is the broker's stamp of it."""

    key: str
    value: bytes
    revision: int
    ts_ns: int = 0


class KeyValue:
    """One bucket. Reads may be a moment behind; `update` is refused if they were."""

    def __init__(self, bus: Bus, bucket: str) -> None:
        self._bus = bus
        self._stream = f"KV_{bucket}"
        self._prefix = f"$KV.{bucket}."

    async def get(self, key: str) -> KvEntry | None:
        """The entry under `key`, or None."""
        found = await self._read(key)
        return found[0] if found else None

    async def entries(self, pattern: str = ">") -> list[KvEntry]:
        """All entries whose keys match a subject pattern."""
        return await self._read(pattern)

    async def keys(self, pattern: str = ">") -> list[str]:
        """All keys that match a subject pattern."""
        return [entry.key for entry in await self._read(pattern)]

    async def put(self, key: str, value: bytes) -> int:
        """Writes without a condition; returns the new revision."""
        return (await self._bus.publish(self._prefix + key, value)).seq

    async def update(self, key: str, value: bytes, revision: int) -> int:
        """Writes only if the key is still at `revision` (0: does not exist).

        Raises:
            Refused: if it is not.
        """
        headers = {"Nats-Expected-Last-Subject-Sequence": str(revision)}
        return (await self._bus.publish(self._prefix + key, value, headers)).seq

    async def watch(self, pattern: str = ">") -> AsyncGenerator[KvEntry, None]:
        """What is there, then each change. Keys change on; an overwritten value may be left out."""
        heard: asyncio.Queue[KvEntry] = asyncio.Queue()
        seen: dict[str, int] = {}

        def hear(_subject: str, _reply: str, body: bytes, raw: bytes | None) -> None:
            heard.put_nowait(self._entry(raw, body))

        live = subjects.live(self._prefix + pattern)
        subscription = await self._bus.subscribe_raw(live, hear)
        try:
            entries = await self._read(pattern)
            while True:
                for entry in entries:
                    if entry.revision > seen.get(entry.key, 0):
                        seen[entry.key] = entry.revision
                        yield entry
                entries = await self._next(heard, pattern)
        finally:
            await subscription.unsubscribe()

    async def _next(self, heard: "asyncio.Queue[KvEntry]", pattern: str) -> list[KvEntry]:
        """What was heard; after a silence what is stored, since something may have been missed."""
        try:
            async with asyncio.timeout(REFRESH_S):
                return [await heard.get()]
        except TimeoutError:
            self._bus.check()
        try:
            return await self._read(pattern)
        except BusError:
            self._bus.check()
            return []

    async def _read(self, pattern: str) -> list[KvEntry]:
        question = msgspec.json.encode({"multi_last": [self._prefix + pattern]})
        _status, replies = await self._bus.request_many(
            f"$JS.API.DIRECT.GET.{self._stream}", question, READ_TIMEOUT_MS
        )
        entries = []
        for raw, body in replies:
            if status_of(raw):
                continue
            entries.append(self._entry(raw, body))
        return entries

    def _entry(self, raw: bytes | None, body: bytes) -> KvEntry:
        headers = decode_headers(raw)
        return KvEntry(
            headers["Nats-Subject"].removeprefix(self._prefix),
            body,
            int(headers["Nats-Sequence"]),
            parse_stamp(headers["Nats-Time-Stamp"]),
        )
