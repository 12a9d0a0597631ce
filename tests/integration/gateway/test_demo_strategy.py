# SPDX-License-Identifier: Apache-2.0
"""The demo strategy lives through a gateway's death, and leaves every order exactly once."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from tradewind.cli.client import GatewayClient, GatewayError, Message
from tradewind.cli.demo_strategy.app import run
from tradewind.cli.demo_strategy.settings import DemoSettings
from tradewind.common.lifecycle import Stop
from tradewind.common.testing import eventually

from .conftest import TRADER, Platform

pytestmark = [pytest.mark.cluster, pytest.mark.anyio]

QUOTE = {"type": "quote", "symbol": "BTC-USD", "bid_px": 9_999_900, "ask_px": 10_000_100}
QUOTE_INTERVAL_S = 0.1


@pytest.fixture
async def feed_url() -> AsyncIterator[str]:
    async def feed(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        while not socket.closed:
            await socket.send_json(QUOTE)
            await asyncio.sleep(QUOTE_INTERVAL_S)
        return socket

    application = web.Application()
    application.router.add_get("/feed", feed)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    _host, port = runner.addresses[0][:2]
    yield f"ws://127.0.0.1:{port}/feed"
    await runner.cleanup()


async def test_it_goes_on_after_the_gateway_died(platform: Platform, feed_url: str) -> None:
    settings = DemoSettings(
        gateway_url=platform.url,
        credentials=TRADER,
        account="BENCH0",
        feed_url=feed_url,
        orders_per_s=50,
    )
    stop = Stop()
    running = asyncio.ensure_future(run(settings, stop))

    async def orders() -> list[Message]:
        try:
            async with GatewayClient(platform.url, TRADER) as client:
                return await client.orders("BENCH0")
        except GatewayError:
            return []

    async def has_more_than(count: int) -> bool:
        return len(await orders()) > count

    await eventually(lambda: has_more_than(20), 20)
    platform.kill("gateway-1")
    platform.start_gateway()
    await platform.ready()
    before = await orders()
    await eventually(lambda: has_more_than(len(before) + 20), 20)
    stop.set()
    await asyncio.wait_for(running, 10)
    found = [order["cl_ord_id"] for order in await orders()]
    assert len(set(found)) == len(found)
    assert {order["cl_ord_id"] for order in before} <= set(found)
