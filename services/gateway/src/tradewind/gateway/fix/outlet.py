# SPDX-License-Identifier: Apache-2.0
"""Both directions of one connection, each with its bound."""

import asyncio

from tradewind.gateway.journal import Journal


class Inlet:
    """Where a session reads: not while too many requests are under way (see `link.Reader`)."""

    def __init__(self, reader: asyncio.StreamReader, journal: Journal) -> None:
        self._reader = reader
        self._journal = journal

    async def read(self, size: int) -> bytes:
        """What has come, b"" at the end."""
        data = await self._reader.read(size)
        await self._journal.room()
        return data


class Outlet:
    """Where a session's bytes leave: a client that reads too slowly is cut off."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self.address = str((writer.get_extra_info("peername") or ("",))[0])
        """Where the client is."""

    def write(self, data: bytes) -> None:
        """Takes bytes; never waits."""
        self._writer.write(data)

    async def drain(self) -> None:
        """Waits while the client reads too little. Raises what a closed transport does."""
        await self._writer.drain()

    def abort(self) -> None:
        """Closes at once: the client has too much to read, or the session is another's."""
        self._writer.transport.abort()

    def close(self) -> None:
        """Closes once what was written has left."""
        self._writer.close()
