# SPDX-License-Identifier: Apache-2.0
"""A session on a connection: bytes and time go in, messages come out."""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from typing import NoReturn, Protocol

from tradewind.common.errors import TradewindError
from tradewind.common.lifecycle import supervise
from tradewind.fix.framer import Framer, TooLong
from tradewind.fix.message import Body, Message
from tradewind.fix.session import Ends, Session, State
from tradewind.fix.store import OutOfNumbers, Store

READ_BYTES = 64 * 1024
TICK_S = 0.1
BROKEN = (OSError, RuntimeError)
"""What a transport raises that is closed; uvloop's raises a RuntimeError."""


class LinkDown(TradewindError):
    """The connection has ended, and why."""

    code = "FIX_LINK_DOWN"


class Reader(Protocol):
    """Where bytes come from: an asyncio.StreamReader, or something in front of one."""

    async def read(self, size: int, /) -> bytes:
        """What has come, b"" at the end."""


class Writer(Protocol):
    """Where bytes leave: an asyncio.StreamWriter, or something in front of one."""

    def write(self, data: bytes) -> None:
        """Takes bytes; never waits."""

    def close(self) -> None:
        """Ends the connection when what was written has left."""

    async def drain(self) -> None:
        """Waits while too much has not left yet."""


class Link:
    """One connection of one session."""

    def __init__(
        self,
        reader: Reader,
        writer: Writer,
        ends: Ends,
        store: Store,
        deliver: Callable[[Message], None],
    ) -> None:
        """`deliver` takes the peer's messages one by one, as the session layer does."""
        self._reader = reader
        self._writer = writer
        self._why = ""
        self._framer = Framer()
        self.session = Session(
            ends,
            store,
            clock_ns=time.time_ns,
            write=writer.write,
            deliver=deliver,
            close=self._end,
            now_s=time.monotonic(),
        )

    @property
    def is_up(self) -> bool:
        """Whether both sides are logged on."""
        return self.session.state is State.UP

    async def run(self, first: bytes = b"") -> NoReturn:
        """Reads until the connection ends; `first` is what was read before.

        Raises:
            LinkDown: always.
        """
        try:
            self._take(first)
            await self._send_more()
            await supervise(self._read(), self._tick())
        except (*BROKEN, TooLong, OutOfNumbers) as error:
            raise LinkDown(repr(error)) from error
        finally:
            self.session.cut("the connection has ended")
            self._writer.close()
        raise LinkDown(self._why)

    async def send(self, msg_type: str, body: Body) -> int:
        """Writes a message of the application; returns its number.

        Raises:
            LinkDown: the connection has ended, or no number may be used.
        """
        number = self.tell(msg_type, body)
        try:
            await self._writer.drain()
        except BROKEN as error:
            raise LinkDown(repr(error)) from error
        return number

    def tell(self, msg_type: str, body: Body) -> int:
        """The same without waiting: the writer has a bound of its own."""
        if not self.is_up:
            raise LinkDown(self._why or "not logged on")
        try:
            return self.session.send(msg_type, body, time.monotonic())
        except (*BROKEN, OutOfNumbers) as error:
            raise LinkDown(repr(error)) from error

    def log_out(self, text: str = "") -> None:
        """Says goodbye, if there is still somebody."""
        with suppress(*BROKEN, OutOfNumbers):
            self.session.log_out(text, time.monotonic())

    def close(self) -> None:
        """Ends the connection when what was written has left."""
        self._writer.close()

    async def _read(self) -> None:
        while True:
            data = await self._reader.read(READ_BYTES)
            if not data:
                raise LinkDown(self._why or "the peer has closed the connection")
            self._take(data)
            await self._send_more()

    async def _send_more(self) -> None:
        """A long answer leaves in parts, as fast as the peer reads; until then nothing is read."""
        while self.session.send_more(time.monotonic()):
            await self._writer.drain()
            await asyncio.sleep(0)

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            self.session.tick(time.monotonic())
            self._check()

    def _take(self, data: bytes) -> None:
        for raw in self._framer.feed(data):
            self.session.receive(raw, time.monotonic())
        self._check()

    def _check(self) -> None:
        if self._why:
            raise LinkDown(self._why)

    def _end(self, why: str) -> None:
        self._why = self._why or why
