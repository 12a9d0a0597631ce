# SPDX-License-Identifier: Apache-2.0
"""A key that is bound to addresses, at a real gateway: directly, and as a proxy tells of it."""

import asyncio
import json
from typing import Any

import aiohttp
import pytest

from tradewind.cli.client import WS_PATH
from tradewind.cli.credentials import Credentials
from tradewind.common.testing import eventually

from .conftest import KEYS, Platform

pytestmark = [pytest.mark.cluster, pytest.mark.anyio]

FAR = Credentials("far", "far-secret")
BOUND = {"secret": FAR.secret, "accounts": ["BENCH0"], "scopes": ["read"], "client": "test"}
PATH = "/v1/positions"
FORWARDED = {
    None: False,
    "10.1.2.3": True,
    "192.0.2.1": False,
    "192.0.2.1, 10.1.2.3": True,
    "10.1.2.3, 192.0.2.1": False,
    "10.1.2.3, 127.0.0.1": True,
    "nonsense": False,
}
"""What a proxy of this machine says, and whether the key is then where it may be."""


async def call(url: str, forwarded: str | None) -> int:
    headers = FAR.headers("GET", PATH)
    if forwarded is not None:
        headers["X-Forwarded-For"] = forwarded
    async with aiohttp.ClientSession() as http, http.get(url + PATH, headers=headers) as answer:
        found: dict[str, Any] = await answer.json(content_type=None)
        assert answer.status == 200 or found["code"] == "ADDRESS_NOT_ALLOWED", found
        return answer.status


async def session(url: str, forwarded: str) -> str:
    """The type of the first message of a session."""
    timestamp, nonce, signature = FAR.sign("GET", WS_PATH)
    hello = {"type": "auth", "key": FAR.key_id, "timestamp": timestamp, "nonce": nonce}
    told = {"X-Forwarded-For": forwarded}
    async with (
        aiohttp.ClientSession() as http,
        http.ws_connect(url + WS_PATH, headers=told) as socket,
    ):
        await socket.send_str(json.dumps(hello | {"signature": signature}))
        async with asyncio.timeout(10):
            return str((await socket.receive_json())["type"])


async def test_a_bound_key_is_refused_from_elsewhere_and_only_a_trusted_proxy_is_believed(
    platform: Platform,
) -> None:
    keys = KEYS["keys"] | {FAR.key_id: BOUND | {"addresses": ["10.0.0.0/8"]}}
    (platform.folder / "keys.json").write_text(json.dumps({"keys": keys}))
    platform.gateway_env["TRADEWIND_TRUSTED_PROXIES"] = "127.0.0.1"
    platform.start_other_gateway()
    await platform.ready(platform.other_url)
    found = {each: await call(platform.other_url, each) == 200 for each in FORWARDED}
    assert found == FORWARDED
    assert await session(platform.other_url, "10.1.2.3") == "ready"
    assert await session(platform.other_url, "192.0.2.1") == "error"

    async def is_known() -> bool:
        return "the list of keys is now" in platform.log("gateway-1")

    await eventually(is_known)
    assert await call(platform.url, "10.1.2.3") == 403, "nobody is trusted unless it is said"
