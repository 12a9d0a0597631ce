# SPDX-License-Identifier: Apache-2.0
"""What leaves on a connection: in order, and nothing at all while the venue hangs."""

import asyncio
from collections import deque

from tradewind.simvenue.faults import Faults

BACKLOG_MAX = 1_000_000


class Outlet:
    """In front of a StreamWriter (see `tradewind.fix.link.Writer`)."""

    def __init__(self, writer: asyncio.StreamWriter, faults: Faults) -> None:
        self._writer = writer
        self._faults = faults
        self._waiting: deque[bytes] = deque()
        self._leaving: asyncio.Future[None] | None = None
        self.is_closed = False

    def write(self, data: bytes) -> None:
        """Takes bytes; a client that reads too slowly is cut off."""
        if self.is_closed:
            return
        self._waiting.append(data)
        if len(self._waiting) > BACKLOG_MAX:
            self.abort()
        elif self._leaving is None:
            self._leaving = asyncio.ensure_future(self._leave())

    async def drain(self) -> None:
        """Never waits: the backlog has its own bound."""

    def close(self) -> None:
        """Closes once what waits has left."""
        self.is_closed = True
        if self._leaving is None:
            self._writer.close()

    def abort(self) -> None:
        """Breaks the connection as a network does; what waits is lost."""
        self.is_closed = True
        self._waiting.clear()
        self._writer.transport.abort()

    async def _leave(self) -> None:
        while self._waiting:
            await self._faults.until_answering()
            if self._waiting:
                self._writer.write(self._waiting.popleft())
        self._leaving = None
        if self.is_closed:
            self._writer.close()
