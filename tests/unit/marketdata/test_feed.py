# SPDX-License-Identifier: Apache-2.0
"""The feed over a real WebSocket: published, refused, stale, connected again."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import pytest
from aiohttp import web

from tradewind.common.errors import Refused
from tradewind.common.jetstream import Bus
from tradewind.common.settings import BusSettings, ServiceSettings
from tradewind.common.testing import eventually
from tradewind.marketdata.feed import Feed
from tradewind.marketdata.settings import Settings

pytestmark = pytest.mark.anyio

QUOTE = {"symbol": "BTC-USD", "bid_px": 1, "bid_qty": 1, "ask_px": 2, "ask_qty": 1, "ts_ns": 1}
QUOTE_SUBJECT = "md.SIM.BTC-USD.quote"
STATUS_SUBJECT = "md.SIM.BTC-USD.status"


class Listener:
    """Stands where the bus would, and keeps what it is told."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, dict[str, Any]]] = []
        self.is_away = False

    def tell(self, subject: str, body: bytes) -> None:
        if self.is_away:
            raise Refused("the bus is not connected")
        self.heard.append((subject, json.loads(body)))

    def on(self, subject: str) -> list[dict[str, Any]]:
        return [body for heard, body in self.heard if heard == subject]


class Venue:
    """A feed that says what the test wants, on a port that the kernel chose."""

    def __init__(self) -> None:
        self.sockets: list[web.WebSocketResponse] = []
        self.url = ""

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self.sockets.append(socket)
        async for _message in socket:
            pass
        return socket

    async def connected(self, times: int) -> web.WebSocketResponse:
        await eventually(lambda: len(self.sockets) >= times)
        return self.sockets[-1]

    async def say(self, text: str) -> None:
        await self.sockets[-1].send_str(text)


@asynccontextmanager
async def venue() -> AsyncIterator[Venue]:
    told = Venue()
    application = web.Application()
    application.router.add_get("/feed", told.serve)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    told.url = f"ws://127.0.0.1:{runner.addresses[0][1]}/feed"
    try:
        yield told
    finally:
        await runner.cleanup()


@asynccontextmanager
async def running(url: str, stale_ms: int = 60_000) -> AsyncIterator[tuple[Feed, Listener]]:
    listener = Listener()
    service = ServiceSettings(
        bus=BusSettings(urls=(), user="marketdata", password=""),
        instance="marketdata-0",
        shards=1,
        state_dir=Path(),
        status_interval_ms=500,
    )
    settings = Settings(
        service=service, venue="SIM", symbol="BTC-USD", feed_url=url, stale_ms=stale_ms
    )
    feed = Feed(cast(Bus, listener), settings)
    tasks = [asyncio.ensure_future(part) for part in (feed.run(), feed.watch())]
    try:
        yield feed, listener
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def quote(**changes: Any) -> str:
    return json.dumps({"type": "quote", **QUOTE, **changes})


async def test_what_the_venue_says_is_published_by_kind() -> None:
    async with venue() as told, running(told.url) as (feed, listener):
        await told.connected(1)
        await told.say(quote())
        trade = {"type": "trade", "symbol": "BTC-USD", "px": 9, "qty": 8, "side": "SELL"}
        await told.say(json.dumps({**trade, "ts_ns": 5}))
        await eventually(lambda: feed.counts["trade"] == 1)
        assert listener.on(QUOTE_SUBJECT) == [{**QUOTE, "is_crossed": False}]
        assert listener.on("md.SIM.BTC-USD.trade")[0]["px"] == 9


async def test_a_refused_message_is_counted_and_the_next_one_is_taken() -> None:
    async with venue() as told, running(told.url) as (feed, listener):
        await told.connected(1)
        for text in ("{", quote(bid_px=-1), quote(bid_qty=0), quote(bid_px=1.5)):
            await told.say(text)
        await told.say('{"type":"heartbeat"}')
        await told.say(quote(bid_px=1))
        await eventually(lambda: feed.counts["quote"] == 1)
        assert feed.refused == 4
        assert len(listener.on(QUOTE_SUBJECT)) == 1


async def test_a_lost_feed_is_dialled_again_and_heard_again() -> None:
    async with venue() as told, running(told.url) as (feed, listener):
        socket = await told.connected(1)
        await told.say(quote())
        await socket.close()
        await told.connected(2)
        await told.say(quote(bid_px=1, ask_px=3))
        await eventually(lambda: len(listener.on(QUOTE_SUBJECT)) == 2)
        assert feed.connections == 2


async def test_silence_is_told_once_and_so_is_its_end() -> None:
    async with venue() as told, running(told.url, stale_ms=50) as (feed, listener):
        assert feed.is_stale, "nothing was heard yet"
        assert feed.facts()["role"] == "stale"
        await told.connected(1)

        async def spoken_fresh() -> bool:
            await told.say(quote())
            return any(not body["is_stale"] for body in listener.on(STATUS_SUBJECT))

        await eventually(spoken_fresh)
        await eventually(lambda: listener.on(STATUS_SUBJECT)[-1]["is_stale"])
        states = [body["is_stale"] for body in listener.on(STATUS_SUBJECT)]
        assert states == [False, True]


async def test_a_bus_that_is_away_loses_old_quotes_and_nothing_else() -> None:
    async with venue() as told, running(told.url) as (feed, listener):
        await told.connected(1)
        listener.is_away = True
        await told.say(quote())
        await eventually(lambda: feed.counts["quote"] == 1)
        listener.is_away = False
        await told.say(quote(ask_px=5))
        await eventually(lambda: feed.counts["quote"] == 2)
        assert [body["ask_px"] for body in listener.on(QUOTE_SUBJECT)] == [5]
