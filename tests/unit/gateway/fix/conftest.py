# SPDX-License-Identifier: Apache-2.0
"""A gateway's FIX port over sockets, without a bus: tests answer for the core."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest

from tests.integration.simvenue.fix_client import FixClient
from tests.unit.gateway.conftest import Harness
from tradewind.gateway.fix.acceptor import Acceptor
from tradewind.gateway.fix.desk import Means

Client = Callable[..., AbstractAsyncContextManager[FixClient]]
RESET = (141, "Y")


class Guards:
    """What is asked to be cancelled at a session's end."""

    def __init__(self) -> None:
        self.opened: list[tuple[str, list[str]]] = []
        self.closed: list[str] = []
        self.give_up: Callable[[], None] = lambda: None

    async def open(self, client: str, accounts: list[str], close: Callable[[], None]) -> str:
        self.opened.append((client, accounts))
        self.give_up = close
        return f"session-{len(self.opened)}"

    async def close(self, session_id: str) -> None:
        self.closed.append(session_id)


@pytest.fixture
def guards() -> Guards:
    return Guards()


@pytest.fixture
async def acceptor(harness: Harness, guards: Guards) -> AsyncIterator[Acceptor]:
    means = Means(harness.api.calls, harness.api.intake, harness.api.queries)
    disconnects: Any = guards
    acceptor = Acceptor(means, harness.egress, disconnects)
    yield acceptor
    await acceptor.close()


@pytest.fixture
async def dial(acceptor: Acceptor) -> Client:
    """Connects; a session that is logged on unless it is told not to."""
    port = await acceptor.listen("127.0.0.1", 0)

    @asynccontextmanager
    async def connect(name: str = "k1", *, is_logged_on: bool = True) -> AsyncIterator[FixClient]:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        client = FixClient(reader, writer, name, target="TRADEWIND")
        try:
            if is_logged_on:
                await client.log_on(RESET, key="s3cret")
                assert (await client.hear())[35] == "A"
            yield client
        finally:
            writer.close()

    return connect
