# SPDX-License-Identifier: Apache-2.0
"""A key-value bucket as the server keeps it, in memory."""

import asyncio
from collections.abc import AsyncGenerator
from fnmatch import fnmatch

from tradewind.common.errors import Refused, Unknown
from tradewind.common.jetstream import KvEntry


class MemoryBucket:
    """While `is_up` is False nothing is stored, and nothing answers. `now_ns` stamps what is."""

    def __init__(self) -> None:
        self.held: dict[str, KvEntry] = {}
        self.revision = 0
        self.is_up = True
        self.now_ns = 0
        self._watchers: list[asyncio.Queue[KvEntry]] = []

    async def get(self, key: str) -> KvEntry | None:
        self._require_up()
        return self.held.get(key)

    async def entries(self, pattern: str = "*") -> list[KvEntry]:
        self._require_up()
        return [entry for key, entry in self.held.items() if fnmatch(key, pattern)]

    async def put(self, key: str, value: bytes) -> int:
        self._require_up()
        self.revision += 1
        self.held[key] = KvEntry(key, value, self.revision, self.now_ns)
        for watcher in self._watchers:
            watcher.put_nowait(self.held[key])
        return self.revision

    async def update(self, key: str, value: bytes, revision: int) -> int:
        if (self.held[key].revision if key in self.held else 0) != revision:
            raise Refused("wrong last sequence")
        return await self.put(key, value)

    async def watch(self, pattern: str = "*") -> AsyncGenerator[KvEntry, None]:
        heard: asyncio.Queue[KvEntry] = asyncio.Queue()
        self._watchers.append(heard)
        for entry in await self.entries(pattern):
            yield entry
        while True:
            entry = await heard.get()
            if fnmatch(entry.key, pattern):
                yield entry

    def _require_up(self) -> None:
        if not self.is_up:
            raise Unknown("no leader")
