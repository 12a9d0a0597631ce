# SPDX-License-Identifier: Apache-2.0
"""The client package against real gateways, one of which is killed under it."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from itertools import islice
from pathlib import Path

import pytest

from tests.integration.gateway.conftest import TRADER, Platform, started_platform
from tradewind.common.testing import eventually
from tradewind_client import (
    AsyncClient,
    Client,
    Credentials,
    GatewayError,
    Order,
    ReportMessage,
    Unreachable,
)

pytestmark = [pytest.mark.cluster, pytest.mark.anyio]
KEY = Credentials(TRADER.key_id, TRADER.secret)


@pytest.fixture
async def platform(tmp_path: Path) -> AsyncIterator[Platform]:
    async with started_platform(tmp_path) as started:
        started.start_other_gateway()
        await started.ready(started.other_url)
        yield started


def order(number: int) -> Order:
    return Order(
        account=f"BENCH{number % 2}",
        symbol="BTC-USD",
        side="BUY",
        order_qty="0.01",
        price="99999.99",
        strategy="test",
        cl_ord_id=f"client-{number}",
    )


async def test_a_gateways_death_costs_no_error_no_order_and_no_report(platform: Platform) -> None:
    urls = [platform.url, platform.other_url]
    told: list[ReportMessage] = []
    hear = told.append

    async def listen(client: AsyncClient) -> None:
        async for message in client.reports():
            hear(message)

    async with AsyncClient(urls, KEY) as client:
        listening = asyncio.create_task(listen(client))
        await client.submit(order(0))
        await eventually(lambda: _heard_of(told, order(0)), what="the stream has begun")
        for number in range(1, 60):
            if number == 20:
                platform.kill("gateway-1")
            answer = await client.submit(order(number))
            assert answer["outcome"] in ("accepted", "duplicate", "durable")
        await eventually(lambda: all(_heard_of(told, order(number)) for number in range(60)))
        places = [(message["shard"], message["ordinal"]) for message in told]
        assert len(places) == len(set(places)) >= 60, "a repeated request is reported too"
        entries = [await platform.client_entries(account) for account in ("BENCH0", "BENCH1")]
        assert sum(entries) >= 60
        assert len((await client.orders())["orders"]) == 60
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)


def _heard_of(told: list[ReportMessage], wanted: Order) -> bool:
    return any(message["report"]["cl_ord_id"] == wanted.cl_ord_id for message in told)


async def test_the_same_without_asyncio(platform: Platform) -> None:
    await asyncio.to_thread(_without_asyncio, platform)


def _without_asyncio(platform: Platform) -> None:
    with Client([platform.url, platform.other_url], KEY) as client:
        reports: Iterator[ReportMessage] = client.reports({0: 0, 1: 0})
        first = client.submit(order(0))
        assert first["report"]["price"] == "99999.99"
        assert client.submit(order(0))["outcome"] == "duplicate"
        platform.kill("gateway-1")
        assert client.cancel("BENCH0", "client-0")["outcome"] == "accepted"
        assert client.mass_cancel("BENCH1")["outcome"] in ("accepted", "denied")
        assert client.order("BENCH0", "client-0")["ord_status"] == "PENDING_CANCEL"
        types = [message["report"]["exec_type"] for message in islice(reports, 3)]
        assert types == ["PENDING_NEW", "DENIED", "PENDING_CANCEL"], "the second was a duplicate"
        assert [each["buy_working"] for each in client.positions("BENCH0")] == ["0.01"]
        assert [each["symbol"] for each in client.instruments()] == ["BTC-USD"]
        with pytest.raises(GatewayError) as refused:
            client.order("BENCH0", "never")
        assert refused.value.code == "UNKNOWN_ORDER"
        platform.kill("gateway-2")
        with pytest.raises(Unreachable):
            client.positions()
