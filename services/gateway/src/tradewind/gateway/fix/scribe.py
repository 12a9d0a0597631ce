# SPDX-License-Identifier: Apache-2.0
"""Where a session writes: what has a new number leaves when its page is stored, in order."""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tradewind.gateway.fix.history import History
from tradewind.gateway.fix.numbers import Numbers
from tradewind.gateway.fix.outlet import Outlet

UNREAD_BYTES_MAX = 8 * 1024 * 1024
PAGE_BYTES = 32 * 1024
PAST_BYTES = 256 * 1024
"""As much of what a client has missed, or asks for again, waits at once."""


@dataclass(frozen=True, slots=True)
class Held:
    """Bytes of one message, and how the session stands with it."""

    data: bytes
    next_out: int
    next_in: int
    heard: Mapping[int, int]


class Scribe:
    """The writer of one session (see `link.Writer`). What waits has a bound."""

    def __init__(
        self,
        outlet: Outlet,
        numbers: Numbers,
        history: History,
        standing: Callable[[], tuple[int, Mapping[int, int]]],
    ) -> None:
        """`standing` tells which number the client may begin with again, and what it has heard."""
        self._outlet = outlet
        self._numbers = numbers
        self._history = history
        self._standing = standing
        self._held: deque[Held] = deque()
        self._bytes = 0
        self._stored_out = 0
        self._news = asyncio.Event()
        self._has_left = asyncio.Event()
        self._is_closing = False
        self._is_over = False

    def write(self, data: bytes) -> None:
        """Takes bytes; never waits."""
        next_in, heard = self._standing()
        self._held.append(Held(data, self._numbers.next_out, next_in, heard))
        self._bytes += len(data)
        self._news.set()
        if self._bytes > UNREAD_BYTES_MAX:
            self._outlet.abort()

    async def drain(self) -> None:
        """Waits while much waits: what a client has missed, or asks for, may be any amount."""
        while self._bytes > PAST_BYTES and not self._is_over:
            self._has_left.clear()
            await self._has_left.wait()

    def close(self) -> None:
        """Ends the connection when what was written has left."""
        self._is_closing = True
        self._news.set()

    async def run(self) -> None:
        """Lets leave what is stored, until the session is closed.

        Raises:
            SessionTaken: another gateway has the session; nothing more leaves.
            BusError: pages cannot be stored; nothing more leaves.
        """
        try:
            while self._held or not self._is_closing:
                await self._news.wait()
                self._news.clear()
                while self._held:
                    await self._leave()
        finally:
            self._is_over = True
            self._has_left.set()
            self._outlet.close()

    async def _leave(self) -> None:
        part = self._part()
        last = part[-1]
        if last.next_out != self._stored_out:
            # Once all that was said is on a page, so is all that the client may count on.
            next_in = last.next_in if self._held else self._standing()[0]
            new = self._numbers.unsaved(last.next_out)
            await self._history.add(last.next_out, next_in, last.heard, new)
            self._stored_out = last.next_out
        data = b"".join(held.data for held in part)
        self._outlet.write(data)
        self._bytes -= len(data)
        self._has_left.set()
        await self._outlet.drain()

    def _part(self) -> list[Held]:
        """The next few, as many as one page can hold."""
        part = [self._held.popleft()]
        size = len(part[0].data)
        while self._held and size + len(self._held[0].data) <= PAGE_BYTES:
            size += len(self._held[0].data)
            part.append(self._held.popleft())
        return part
