# SPDX-License-Identifier: Apache-2.0
"""The exchange API, as an unmodified ccxt client sees it."""

import asyncio
from pathlib import Path
from typing import Any

import ccxt
import pytest
from aiohttp import ClientSession

from tests.integration.simvenue.ccxt_client import SYMBOL, ccxt_client
from tests.integration.simvenue.venue_process import KEY, VenueProcess, venue_process
from tests.integration.venue.desk import executions
from tradewind.common.testing import eventually
from tradewind.simvenue.exchange.keys import secret_of

pytestmark = pytest.mark.anyio

QTY = 0.5
PX = 100.25


async def buy(client: Any, cl_id: str, price: float = PX, **params: Any) -> dict[str, Any]:
    params = {"newClientOrderId": cl_id, **params}
    return await client.create_order(SYMBOL, "limit", "buy", QTY, price, params)  # type: ignore[no-any-return]


async def test_markets_book_and_account_are_read(tmp_path: Path) -> None:
    async with venue_process(tmp_path) as venue, ccxt_client(venue) as client:
        market = (await client.load_markets())[SYMBOL]
        assert (market["precision"]["price"], market["precision"]["amount"]) == (0.01, 1e-8)
        await buy(client, "bid")
        book = await client.fetch_order_book(SYMBOL)
        assert (book["bids"], book["asks"]) == ([[PX, QTY]], [])
        await client.create_order(SYMBOL, "market", "sell", 0.2)
        [trade] = await client.fetch_trades(SYMBOL)
        assert (trade["price"], trade["amount"], trade["side"]) == (PX, 0.2, "sell")
        balance = await client.fetch_balance()
        assert balance["BTC"]["total"] == 10_000_000
        assert abs(await client.fetch_time() - client.milliseconds()) < 5000


async def test_an_order_lives_as_at_a_real_exchange(tmp_path: Path) -> None:
    async with (
        venue_process(tmp_path) as venue,
        ccxt_client(venue) as client,
        ccxt_client(venue, "OTHER.one") as other,
    ):
        order = await buy(client, "a")
        assert (order["status"], order["clientOrderId"], order["filled"]) == ("open", "a", 0)
        await other.create_order(SYMBOL, "limit", "sell", 0.2, PX)
        found = await client.fetch_order(None, SYMBOL, {"origClientOrderId": "a"})
        assert (found["status"], found["filled"], found["id"]) == ("open", 0.2, order["id"])
        [trade] = await client.fetch_my_trades(SYMBOL)
        assert (trade["order"], trade["amount"], trade["price"]) == (order["id"], 0.2, PX)
        assert trade["fee"]["cost"] > 0
        assert [o["id"] for o in await client.fetch_open_orders(SYMBOL)] == [order["id"]]
        assert await client.fetch_my_trades(SYMBOL, params={"fromId": int(trade["id"]) + 1}) == []
        canceled = await client.cancel_order(order["id"], SYMBOL)
        assert (canceled["status"], canceled["filled"]) == ("canceled", 0.2)
        with pytest.raises(ccxt.OrderNotFound):
            await client.cancel_order(order["id"], SYMBOL)
        assert await client.fetch_open_orders(SYMBOL) == []
        [ended] = await client.fetch_orders(SYMBOL)
        assert (ended["status"], ended["clientOrderId"]) == ("canceled", "a")
        with pytest.raises(ccxt.OrderNotFound):
            await other.fetch_order(order["id"], SYMBOL)
    assert executions(tmp_path, "NEW")["a"] == 1


async def test_less_quantity_is_amended_in_place(tmp_path: Path) -> None:
    async with venue_process(tmp_path) as venue, ccxt_client(venue) as client:
        await client.load_markets()
        order = await buy(client, "a")
        names = {"symbol": "BTCUSD", "origClientOrderId": "a", "newClientOrderId": "a"}
        path = "order/amend/keepPriority"
        amended = await client.request(path, ["private"], "PUT", {**names, "newQty": "0.4"})
        assert amended["amendedOrder"]["orderId"] == int(order["id"])
        found = await client.fetch_order(order["id"], SYMBOL)
        assert (found["amount"], found["clientOrderId"]) == (0.4, "a")
        with pytest.raises(ccxt.BaseError, match="-2038"):
            await client.request(path, ["private"], "PUT", {**names, "newQty": "0.4"})


async def test_refusals_are_those_of_the_real_exchange(tmp_path: Path) -> None:
    async with venue_process(tmp_path) as venue, ccxt_client(venue) as client:
        await buy(client, "a")
        with pytest.raises(ccxt.InvalidOrder, match="Duplicate order sent"):
            await buy(client, "a")
        with pytest.raises(ccxt.OrderNotFound, match="-2013"):
            await client.fetch_order(None, SYMBOL, {"origClientOrderId": "never"})
        with pytest.raises(ccxt.OrderImmediatelyFillable):
            await client.create_order(SYMBOL, "limit", "sell", 1, PX, {"postOnly": True})
        with pytest.raises(ccxt.InvalidNonce, match="-1021"):
            await buy(client, "late", recvWindow=100, timestamp=client.milliseconds() - 101)
        with pytest.raises(ccxt.InvalidNonce, match="-1021"):
            await buy(client, "early", timestamp=client.milliseconds() + 5000)
        client.secret = "wrong"
        with pytest.raises(ccxt.AuthenticationError, match="-1022"):
            await buy(client, "forged")
    assert executions(tmp_path, "NEW") == {"a": 1}


async def play(venue: VenueProcess, kind: str, **more: Any) -> None:
    assert (await venue.administer(op="fault", kind=kind, **more))["ok"]


async def test_faults_are_answered_as_a_real_exchange_would(tmp_path: Path) -> None:
    async with venue_process(tmp_path) as venue, ccxt_client(venue) as client:
        await client.load_markets()
        await play(venue, "rate_limit", ms=1500)
        with pytest.raises(ccxt.DDoSProtection, match="-1003"):
            await buy(client, "limited")
        assert client.last_response_headers["Retry-After"] == "2"
        await play(venue, "ambiguous")
        with pytest.raises(ccxt.OperationFailed, match="-1006"):
            await buy(client, "ambiguous")
        await play(venue, "cut")
        with pytest.raises(ccxt.NetworkError):
            await buy(client, "cut")
        await play(venue, "drop_reply")
        client.timeout = 300
        with pytest.raises(ccxt.RequestTimeout):
            await buy(client, "silent")
        client.timeout = 10_000
        await play(venue, "read_lag", ms=10_000)
        with pytest.raises(ccxt.OrderNotFound):
            await client.fetch_order(None, SYMBOL, {"origClientOrderId": "silent"})
        found = await client.fetch_order(None, SYMBOL, {"origClientOrderId": "silent"})
        assert found["status"] == "open"
    assert set(executions(tmp_path, "NEW")) == {"ambiguous", "cut", "silent"}


async def test_every_key_of_an_account_hears_its_executions(tmp_path: Path) -> None:
    async with (
        venue_process(tmp_path) as venue,
        ccxt_client(venue) as one,
        ccxt_client(venue, "CCXT.two") as two,
    ):
        heard: dict[str, list[dict[str, Any]]] = {"one": [], "two": []}

        async def listen(name: str, client: Any) -> None:
            while True:
                heard[name] += await client.watch_my_trades(SYMBOL)

        tasks = [asyncio.ensure_future(listen(*each)) for each in (("one", one), ("two", two))]
        await eventually(lambda: len(one.clients) == len(two.clients) == 1)
        try:
            orders = asyncio.ensure_future(one.watch_orders(SYMBOL))
            await eventually(lambda: is_subscribed(one) and is_subscribed(two))
            await buy(one, "a")
            [told] = await asyncio.wait_for(orders, 10)
            assert (told["clientOrderId"], told["status"]) == ("a", "open")
            await two.create_order(SYMBOL, "market", "sell", 0.2)
            await eventually(lambda: len(heard["one"]) == len(heard["two"]) == 2)
            assert {trade["id"] for trade in heard["one"]} == {t["id"] for t in heard["two"]}
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


def is_subscribed(client: Any) -> bool:
    return any(
        future.done()
        for each in client.clients.values()
        for name, future in each.futures.items()
        if name.startswith("authenticate")
    ) or all("spot" in each.subscriptions for each in client.clients.values())


async def test_market_streams_follow_book_and_trades(tmp_path: Path) -> None:
    async with venue_process(tmp_path, flow="synthetic") as venue, ccxt_client(venue) as client:
        book = await asyncio.wait_for(client.watch_order_book(SYMBOL), 10)
        assert book["bids"][0][0] < book["asks"][0][0]
        top = await asyncio.wait_for(client.watch_bids_asks([SYMBOL]), 10)
        assert top[SYMBOL]["bid"] < top[SYMBOL]["ask"]
        watching = asyncio.ensure_future(client.watch_trades(SYMBOL))
        while not watching.done():
            await client.create_order(SYMBOL, "market", "buy", 0.0001)
            await asyncio.wait({watching}, timeout=0.2)
        assert (await watching)[0]["symbol"] == SYMBOL


async def test_what_is_not_there_is_said_so(tmp_path: Path) -> None:
    api_key = "CCXT.one"
    assert secret_of(KEY, api_key) != secret_of(KEY, "CCXT.two")
    async with venue_process(tmp_path) as venue, ClientSession() as http:
        async with http.get(f"{venue.http}/api/v3/ping") as answer:
            assert (answer.status, await answer.json()) == (200, {})
        async with http.get(f"{venue.http}/api/v3/no/such") as answer:
            assert (answer.status, (await answer.json())["code"]) == (404, -1020)
        async with http.get(f"{venue.http}/api/v3/account") as answer:
            assert (answer.status, (await answer.json())["code"]) == (401, -2014)
