# SPDX-License-Identifier: Apache-2.0
"""Keeps what the readers of all streams have read until it is known to be stored."""

import asyncio
from dataclasses import replace

from tradewind.archiver.batches import Portion

BLOCK_RECORDS = 2000
LINGER_MS = 50
BLOCKS_MAX = 4


class Intake:
    """A bounded buffer: readers wait when the warehouse does not keep up."""

    def __init__(self, *, block_records: int = BLOCK_RECORDS, linger_ms: int = LINGER_MS) -> None:
        self._block_records = block_records
        self._linger_s = linger_ms / 1000
        self._portions: list[Portion] = []
        self._count = 0
        self._since_s = 0.0
        self._arrived = asyncio.Event()
        self._full = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()

    async def put(self, portion: Portion) -> None:
        """Adds a portion, once there is room."""
        while not self._room.is_set():
            await self._room.wait()
        if not self._portions:
            self._since_s = asyncio.get_running_loop().time()
        self._portions.append(portion)
        self._note()

    async def ready(self) -> None:
        """Waits until something is there, then for a while unless it fills a block.

        The while counts from the first arrival and from the last write: under load blocks do not
        follow each other without a pause, in which others have the disk.
        """
        await self._arrived.wait()
        try:
            async with asyncio.timeout_at(self._since_s + self._linger_s):
                await self._full.wait()
        except TimeoutError:
            pass

    def held(self) -> list[Portion]:
        """Everything that has come and was not forgotten."""
        return list(self._portions)

    def forget(self, stream: str, last: int) -> None:
        """A stream's records up to `last` are stored."""
        left = [_after(each, last) if each.stream == stream else each for each in self._portions]
        self._portions = [portion for portion in left if portion.records]
        self._since_s = asyncio.get_running_loop().time()
        self._note()

    def _note(self) -> None:
        self._count = sum(len(portion.records) for portion in self._portions)
        _set(self._arrived, is_set=self._count > 0)
        _set(self._full, is_set=self._count >= self._block_records)
        _set(self._room, is_set=self._count < BLOCKS_MAX * self._block_records)


def _after(portion: Portion, last: int) -> Portion:
    if portion.records[-1].seq <= last:
        return replace(portion, records=())
    if portion.records[0].seq > last:
        return portion
    return replace(portion, records=[each for each in portion.records if each.seq > last])


def _set(event: asyncio.Event, *, is_set: bool) -> None:
    if is_set:
        event.set()
    else:
        event.clear()
