# SPDX-License-Identifier: Apache-2.0
"""A gateway's FIX port over sockets, without a bus: tests answer for the core."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest

from tests.integration.simvenue.fix_client import FixClient
from tests.unit.gateway.conftest import NOW_NS, Harness
from tradewind.common.errors import Refused
from tradewind.fix.stamps import stamp
from tradewind.gateway.errors import Refusal
from tradewind.gateway.fix.acceptor import Acceptor
from tradewind.gateway.fix.desk import Means
from tradewind.gateway.resume import Listener

Client = Callable[..., AbstractAsyncContextManager[FixClient]]
RESET = (141, "Y")


class Guards:
    """What is asked to be cancelled at a session's end."""

    def __init__(self) -> None:
        self.opened: list[tuple[str, list[str]]] = []
        self.closed: list[str] = []
        self.taken: list[str] = []
        self.give_up: Callable[[], None] = lambda: None

    async def open(
        self, client: str, accounts: list[str], close: Callable[[], None], name: str = ""
    ) -> str:
        self.opened.append((client, accounts))
        self.give_up = close
        return f"session-{len(self.opened)}"

    async def end_elsewhere(self, name: str) -> None:
        self.taken.append(name)

    async def close(self, session_id: str) -> None:
        self.closed.append(session_id)


class MemoryLog:
    """Sessions' pages as the bus has them; what is stored can be made unknown to who stored it."""

    def __init__(self) -> None:
        self.stored: dict[str, list[tuple[int, bytes]]] = {}
        self.revision = 0
        self.on_append: Callable[[bytes], None] = lambda _body: None
        self.on_stored: Callable[[bytes], None] = lambda _body: None

    async def pages(self, name: str) -> list[tuple[int, bytes]]:
        return list(self.stored.get(name, []))

    async def last(self, name: str) -> tuple[int, bytes] | None:
        return self.stored[name][-1] if self.stored.get(name) else None

    async def append(self, name: str, body: bytes, after: int) -> int:
        self.on_append(body)
        pages = self.stored.setdefault(name, [])
        if after != (pages[-1][0] if pages else 0):
            raise Refused("wrong last sequence")
        self.revision += 1
        pages.append((self.revision, body))
        self.on_stored(body)
        return self.revision


class MemoryResume:
    """Tells the past from the outputs that a test has kept."""

    def __init__(self, harness: Harness) -> None:
        self._harness = harness
        self.gone: Refusal | None = None
        self.asked: list[dict[int, int]] = []
        self.may_go_on = asyncio.Event()
        self.may_go_on.set()

    async def refusal(self, positions: Mapping[int, int]) -> Refusal | None:
        return self.gone if positions else None

    async def tell(
        self, listener: Listener, positions: Mapping[int, int], until: Mapping[int, int]
    ) -> None:
        self.asked.append(dict(positions))
        for shard, record in self._harness.records:
            if positions.get(shard, record.seq) < record.seq <= until[shard]:
                await self.may_go_on.wait()
                await listener.push_in_time(self._harness.egress.frame(shard, record))


@pytest.fixture
def guards() -> Guards:
    return Guards()


@pytest.fixture
def log() -> MemoryLog:
    return MemoryLog()


@pytest.fixture
def past(harness: Harness) -> MemoryResume:
    return MemoryResume(harness)


@pytest.fixture
async def acceptor(
    harness: Harness, guards: Guards, log: MemoryLog, past: MemoryResume
) -> AsyncIterator[Acceptor]:
    resume: Any = past
    means = Means(harness.api.calls, harness.api.intake, harness.api.queries, resume)
    disconnects: Any = guards
    acceptor = Acceptor(means, harness.egress, disconnects, log, lambda: harness.is_ready)
    yield acceptor
    await acceptor.close()


@pytest.fixture
async def dial(acceptor: Acceptor) -> Client:
    """Connects; a session that is logged on unless it is told not to."""
    port = await acceptor.listen("127.0.0.1", 0)

    @asynccontextmanager
    async def connect(name: str = "k1", *, is_logged_on: bool = True) -> AsyncIterator[FixClient]:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        client = FixClient(reader, writer, name, target="TRADEWIND", clock=lambda: stamp(NOW_NS))
        try:
            if is_logged_on:
                await client.log_on(RESET, key="s3cret")
                assert (await client.hear())[35] == "A"
            yield client
        finally:
            writer.close()

    return connect
