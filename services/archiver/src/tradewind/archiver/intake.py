# SPDX-License-Identifier: Apache-2.0
"""Collects what the readers of all streams have read until it is worth an insert."""

import asyncio

from tradewind.archiver.batches import Portion

BLOCK_RECORDS = 2000
LINGER_MS = 200


class Intake:
    """A bounded buffer: readers wait when the warehouse does not keep up."""

    def __init__(self, *, block_records: int = BLOCK_RECORDS, linger_ms: int = LINGER_MS) -> None:
        self._block_records = block_records
        self._linger_s = linger_ms / 1000
        self._portions: list[Portion] = []
        self._count = 0
        self._arrived = asyncio.Event()
        self._full = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()

    async def put(self, portion: Portion) -> None:
        """Adds a portion, once there is room."""
        while not self._room.is_set():
            await self._room.wait()
        self._portions.append(portion)
        self._count += len(portion.records)
        self._arrived.set()
        if self._count >= self._block_records:
            self._full.set()
            self._room.clear()

    async def take(self) -> list[Portion]:
        """Everything that has come: at once if it fills a block, else after lingering for more."""
        await self._arrived.wait()
        try:
            async with asyncio.timeout(self._linger_s):
                await self._full.wait()
        except TimeoutError:
            pass
        portions, self._portions, self._count = self._portions, [], 0
        self._arrived.clear()
        self._full.clear()
        self._room.set()
        return portions
