# SPDX-License-Identifier: Apache-2.0
"""Sixty-four sessions at once, and then ten times as much from all of them in one moment."""

import asyncio
import json
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import httpx
import pytest

from tradewind.cli.client import GatewaySocket, Message
from tradewind.cli.credentials import Credentials
from tradewind.common.testing import eventually

from .conftest import KEYS, Platform, free_port
from .fix_trader import FAR, Trader
from .test_gateway import order

pytestmark = [pytest.mark.cluster, pytest.mark.anyio]

EACH = 32
ACCOUNTS = 8
STEADY, BURST = 5, 50
RATE, CANCELS = 20, 10
ANSWERED_S = 60.0
TAKEN = "PENDING_NEW"
EXPLICIT = {TAKEN, "OVERLOADED", "NOT_PROCESSING", "JOURNAL_UNAVAILABLE", "OUTCOME_UNKNOWN"}


def key_of(name: str, account: str) -> dict[str, Any]:
    """As the keys file has it."""
    entry = {"secret": name, "accounts": [account], "client": name}
    return {name: entry | {"scopes": ["read", "trade"]}}


class Client(ABC):
    """One session, and the first answer to each of its requests."""

    def __init__(self, name: str, account: str) -> None:
        self.name, self.account = name, account
        self.answers: dict[str, str] = {}

    @abstractmethod
    async def order(self, number: int) -> None:
        """A limit order far from the market."""

    @abstractmethod
    async def cancel(self, number: int) -> None:
        """Ends one of them."""


class OverFix(Client):
    """A FIX session: hears of its own orders alone."""

    def __init__(self, name: str, account: str) -> None:
        super().__init__(name, account)
        self._trader = Trader(name, name, self._hear)

    @asynccontextmanager
    async def connected(self, _url: str, fix_port: int) -> AsyncIterator[None]:
        async with self._trader.connected(fix_port):
            yield
            assert not self._trader.is_cut

    async def order(self, number: int) -> None:
        await self._trader.order(f"{self.name}-{number}", FAR | {1: self.account})

    async def cancel(self, number: int) -> None:
        await self._trader.cancel(f"{self.name}-x", f"{self.name}-{number}")

    def _hear(self, message: dict[int, str]) -> None:
        if message[35] == "j":
            self.answers.setdefault(message[379], message[58].partition(":")[0])
        elif message[35] == "8":
            assert message[11].startswith(self.name), "another client's report"
            status = {"A": TAKEN, "6": "PENDING_CANCEL"}.get(message[39], message[39])
            self.answers.setdefault(message[11], status)


class OverSocket(Client):
    """A WebSocket: hears of everything in its account."""

    @asynccontextmanager
    async def connected(self, url: str, _fix_port: int) -> AsyncIterator[None]:
        self._socket = await GatewaySocket.connect(
            url, Credentials(self.name, self.name), self._hear
        )
        try:
            yield
            assert self._socket.is_open
        finally:
            await self._socket.close()

    async def order(self, number: int) -> None:
        body = order(f"{self.name}-{number}", account=self.account)
        self._socket.send({"type": "submit", **body})

    async def cancel(self, number: int) -> None:
        named = {"cl_ord_id": f"{self.name}-x", "orig_cl_ord_id": f"{self.name}-{number}"}
        self._socket.send({"type": "cancel", "account": self.account, **named})

    def _hear(self, message: Message) -> None:
        if message["type"] == "error":
            self.answers.setdefault(message["cl_ord_id"], message["error"]["code"])
        elif message["type"] == "report":
            report = message["report"]
            assert report["account"] == self.account, "another account's report"
            self.answers.setdefault(report["cl_ord_id"], report["ord_status"])


async def all_ask(clients: list[Client], numbers: range) -> Counter[str]:
    """Everybody's requests at once; how many had which answer. Each has to have one."""
    for number in numbers:
        await asyncio.gather(*(client.order(number) for client in clients))

    def missing() -> list[str]:
        asked = [(c, f"{c.name}-{number}") for c in clients for number in numbers]
        return [cl_ord_id for client, cl_ord_id in asked if cl_ord_id not in client.answers]

    await eventually(lambda: not missing(), ANSWERED_S)
    return Counter(
        client.answers[f"{client.name}-{number}"] for client in clients for number in numbers
    )


async def burst_over_rest(platform: Platform, key: Credentials) -> None:
    """Ten times what the key may in one second, at once, with cancels among them."""

    async def call(method: str, path: str, body: bytes = b"") -> httpx.Response:
        headers = key.headers(method, path, body)
        return await client.request(method, path, content=body, headers=headers)

    cancels = [
        f"/v1/orders/rest-0?account=BENCH0&request_id=rest-x{number}" for number in range(CANCELS)
    ]
    async with httpx.AsyncClient(base_url=platform.url, timeout=ANSWERED_S) as client:
        bodies = [json.dumps(order(f"rest-{number}")).encode() for number in range(10 * RATE)]
        assert (await call("POST", "/v1/orders", bodies[0])).status_code == 200
        answers, ended = await asyncio.gather(
            asyncio.gather(*(call("POST", "/v1/orders", body) for body in bodies[1:])),
            asyncio.gather(*(call("DELETE", path) for path in cancels)),
        )
    codes = Counter(answer.status_code for answer in answers)
    print(f"burst of {len(answers)} over REST: {dict(codes)}")
    assert set(codes) <= {200, 202, 429, 503, 504}
    assert codes[429] > 0
    assert codes[200] + codes[202] > 0
    assert all("retry-after" in each.headers for each in answers if each.status_code in (429, 503))
    assert {answer.status_code for answer in ended} <= {200, 202}


async def test_all_are_answered_in_a_burst_and_cancels_pass(platform: Platform) -> None:
    fix_port = free_port()
    clients: list[Any] = [
        kind(f"{kind.__name__}-{number}", f"BENCH{number % ACCOUNTS}")
        for kind in (OverFix, OverSocket)
        for number in range(EACH)
    ]
    keys = dict(KEYS["keys"])
    for client in clients:
        keys |= key_of(client.name, client.account)
    keys |= {"slow": key_of("slow", "BENCH0")["slow"] | {"requests_per_s": RATE}}
    (platform.folder / "keys.json").write_text(json.dumps({"keys": keys}))
    platform.kill("gateway-1")
    platform.gateway_env["TRADEWIND_FIX_PORT"] = str(fix_port)
    platform.start_gateway()
    await platform.ready()
    async with AsyncExitStack() as open_sessions:
        for client in clients:
            await open_sessions.enter_async_context(client.connected(platform.url, fix_port))
        assert await all_ask(clients, range(STEADY)) == {TAKEN: 2 * EACH * STEADY}
        burst = await all_ask(clients, range(STEADY, STEADY + BURST))
        print(f"\nburst of {2 * EACH * BURST}: {dict(burst)}")
        assert set(burst) <= EXPLICIT
        assert burst[TAKEN] > 0
        for client in clients:
            await client.cancel(0)
        ended = [(client, f"{client.name}-x") for client in clients]
        await eventually(lambda: all(name in each.answers for each, name in ended), ANSWERED_S)
        assert {each.answers[name] for each, name in ended} == {"PENDING_CANCEL"}
    await burst_over_rest(platform, Credentials("slow", "slow"))
