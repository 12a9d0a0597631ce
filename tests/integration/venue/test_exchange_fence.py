# SPDX-License-Identifier: Apache-2.0
"""A request that a paused connector lets go too late is refused by the exchange itself."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import ccxt
import pytest

from tests.integration.simvenue.venue_process import KEY, VenueProcess, venue_process
from tests.integration.venue.desk import executions
from tradewind.simvenue.exchange.keys import secret_of
from tradewind.venue.adapter import VenueGone
from tradewind.venue.ccxt_client import Stamp, make_client, set_clock

pytestmark = pytest.mark.anyio

EXPIRY_MS = 300
API_KEY = "FENCE.one"


@asynccontextmanager
async def client_of(
    venue: VenueProcess, expiry_ms: int, may_send: Callable[[], bool] = lambda: True
) -> AsyncIterator[Any]:
    stamp = Stamp()
    client = make_client(
        "binance",
        address=venue.http,
        key=API_KEY,
        secret=secret_of(KEY, API_KEY),
        expiry_ms=expiry_ms,
        stamp=stamp,
        may_send=may_send,
    )
    try:
        await set_clock(client, stamp)
        await client.load_markets()
        yield client
    finally:
        await client.close()


def pause_before_the_wire(client: Any, pause_s: float) -> None:
    """The process stops after it has signed a request and before it writes it."""
    fetch = client.fetch

    async def late(*request: Any) -> Any:
        await asyncio.sleep(pause_s)
        return await fetch(*request)

    client.fetch = late


async def buy(client: Any, order_id: str) -> Any:
    named = {"newClientOrderId": order_id}
    return await client.create_order("BTC/USD", "limit", "buy", "1", "100", named)


async def test_what_was_signed_before_a_pause_is_not_done_after_the_fence(tmp_path: Path) -> None:
    async with venue_process(tmp_path) as venue, client_of(venue, EXPIRY_MS) as client:
        await buy(client, "in-time")
        pause_before_the_wire(client, (EXPIRY_MS + 200) / 1000)
        with pytest.raises(ccxt.InvalidNonce, match="-1021"):
            await buy(client, "too-late")
    assert executions(tmp_path, "NEW") == {"in-time": 1}


async def test_control_without_an_expiry_the_late_request_is_done(tmp_path: Path) -> None:
    async with venue_process(tmp_path) as venue, client_of(venue, 60_000) as client:
        pause_before_the_wire(client, (EXPIRY_MS + 200) / 1000)
        await buy(client, "too-late")
    assert executions(tmp_path, "NEW") == {"too-late": 1}


async def test_who_is_not_the_active_one_signs_nothing(tmp_path: Path) -> None:
    is_active = True
    async with (
        venue_process(tmp_path) as venue,
        client_of(venue, EXPIRY_MS, lambda: is_active) as client,
    ):
        await buy(client, "active")
        is_active = False
        with pytest.raises(VenueGone):
            await buy(client, "standby")
    assert executions(tmp_path, "NEW") == {"active": 1}


async def test_the_lease_is_asked_after_the_time_was_written(tmp_path: Path) -> None:
    asked: list[int] = []

    def may_send() -> bool:
        asked.append(time.monotonic_ns())
        return True

    async with venue_process(tmp_path) as venue, client_of(venue, 300, may_send) as client:
        stamped: list[int] = []
        stamp = client.nonce

        def nonce() -> Any:
            stamped.append(time.monotonic_ns())
            return stamp()

        client.nonce = nonce
        await buy(client, "one")
        await client.fetch_open_orders("BTC/USD")
    assert len(asked) == 1
    assert stamped[0] < asked[0] < stamped[1]
