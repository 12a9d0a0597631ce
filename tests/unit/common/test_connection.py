# SPDX-License-Identifier: Apache-2.0
"""A connection that nobody wants any more does not go on trying."""

import asyncio
from urllib.parse import urlparse

import pytest
from nats.aio.client import Srv

from tradewind.common.jetstream.connection import Connection

pytestmark = pytest.mark.anyio


class Deaf:
    """A transport whose attempt fails at the very moment at which it is cancelled."""

    def __init__(self) -> None:
        self.attempts = 0
        self.is_asked = asyncio.Event()

    async def connect(self, *_args: object, **_kwargs: object) -> None:
        """Never connects, and turns a cancellation into a refused connection."""
        self.attempts += 1
        self.is_asked.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise OSError("refused") from None

    def close(self) -> None:
        """Nothing was opened."""


async def test_a_cancellation_that_an_attempt_drops_ends_the_attempts_all_the_same() -> None:
    connection, transport = Connection(), Deaf()
    connection._transport = transport  # type: ignore[assignment]
    connection._error_cb = _unheard
    connection._server_pool = [Srv(urlparse("nats://127.0.0.1:4222"))]
    connection.options = {
        "max_reconnect_attempts": -1,
        "reconnect_time_wait": 0,
        "connect_timeout": 1,
    }
    trying = asyncio.create_task(connection._select_next_server())
    await transport.is_asked.wait()
    trying.cancel()
    done, _ = await asyncio.wait({trying}, timeout=5)
    assert done, "it goes on for ever"
    assert trying.cancelled()
    assert transport.attempts == 1


async def _unheard(_error: Exception) -> None:
    """Nobody is told."""
