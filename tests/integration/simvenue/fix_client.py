# SPDX-License-Identifier: Apache-2.0
"""A FIX client that knows nothing of ours: bytes put together and taken apart by hand."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Self

from tests.integration.simvenue.venue_process import KEY, VenueProcess

ANSWER_TIMEOUT_S = 5.0
AT = "20260302-10:00:00.000"
Fields = dict[int, str]


def wire(fields: list[tuple[int, str]]) -> bytes:
    """A whole message around these fields, the first of which is 35."""
    body = "".join(f"{tag}={value}\x01" for tag, value in fields).encode()
    start = b"8=FIX.4.4\x019=%d\x01" % len(body)
    return start + body + b"10=%03d\x01" % (sum(start + body) % 256)


@dataclass
class FixClient:
    """One connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    name: str = "RAW"
    seq: int = 1
    target: str = "SIMVENUE"
    heard: list[Fields] = field(default_factory=list)
    clock: Callable[[], str] = lambda: AT
    _rest: bytes = b""

    async def say(self, msg_type: str, *body: tuple[int, str], seq: int | None = None) -> None:
        """Sends a message, with the next number if none is given."""
        number = self.seq if seq is None else seq
        self.seq = number + 1
        head = [(35, msg_type), (49, self.name), (56, self.target), (34, str(number))]
        head.append((52, self.clock()))
        await self.put(wire([*head, *body]))

    async def put(self, data: bytes) -> None:
        """Sends bytes."""
        self.writer.write(data)
        await self.writer.drain()

    async def hear(self, *msg_types: str) -> Fields:
        """The next message, or the next one of these types; what comes before is kept."""
        async with asyncio.timeout(ANSWER_TIMEOUT_S):
            while True:
                message = await self._next()
                assert message, "the venue has closed the connection"
                self.heard.append(message)
                if not msg_types or message[35] in msg_types:
                    return message

    async def until_closed(self) -> list[Fields]:
        """Everything until the venue closes the connection."""
        found = []
        async with asyncio.timeout(ANSWER_TIMEOUT_S * 2):
            while message := await self._next():
                found.append(message)
        return found

    async def log_on(self, *more: tuple[int, str], key: str = KEY, seq: int | None = None) -> Self:
        """Says a Logon."""
        await self.say("A", (98, "0"), (108, "30"), (554, key), *more, seq=seq)
        return self

    async def order(self, cl_ord_id: str, **changes: str) -> None:
        """A limit order to buy 0.0000001 at 1, unless told otherwise."""
        terms = {"side": "1", "qty": "0.0000001", "price": "1", "symbol": "BTC-USD", **changes}
        await self.say(
            "D",
            (11, cl_ord_id),
            (55, terms["symbol"]),
            (54, terms["side"]),
            (60, AT),
            (38, terms["qty"]),
            (40, "2"),
            (44, terms["price"]),
            (59, "1"),
        )

    async def _next(self) -> Fields:
        while True:
            whole, found, rest = self._rest.partition(b"\x0110=")
            if found and b"\x01" in rest:
                trailer, _soh, self._rest = rest.partition(b"\x01")
                pairs = [part.split("=", 1) for part in whole.decode().split("\x01")]
                assert int(trailer) == sum(whole + b"\x01") % 256
                return {int(tag): value for tag, value in pairs}
            try:
                data = await self.reader.read(65536)
            except ConnectionError:
                return {}
            if not data:
                return {}
            self._rest += data


@asynccontextmanager
async def fix_client(venue: VenueProcess, name: str = "RAW") -> AsyncIterator[FixClient]:
    """A connection that is not logged on."""
    reader, writer = await asyncio.open_connection("127.0.0.1", venue.fix_port)
    try:
        yield FixClient(reader, writer, name)
    finally:
        writer.close()
