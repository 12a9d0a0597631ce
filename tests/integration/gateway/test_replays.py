# SPDX-License-Identifier: Apache-2.0
"""The same signed bytes once more: at another gateway, after a kill -9, and after all are gone."""

import httpx
import pytest

from tests.integration.gateway.conftest import TRADER, Platform
from tests.integration.gateway.test_gateway import order
from tradewind.common.testing import eventually

pytestmark = [pytest.mark.cluster, pytest.mark.anyio]

PASSED = (200, 202)
REFUSED = {
    (401, "REPLAYED_NONCE"),
    (401, "SIGNED_TOO_EARLY"),
    (401, "TIMESTAMP_OUT_OF_WINDOW"),
}
"""After a start that took seconds the bytes may have become too old besides."""

Captured = tuple[str, str, bytes, dict[str, str]]


def captured(method: str, path: str, body: bytes = b"") -> Captured:
    """A signed request, as somebody on its way might keep it."""
    return method, path, body, TRADER.headers(method, path, body)


async def sent(url: str, request: Captured) -> tuple[int, str]:
    """The answer's status, and its code if it is a refusal."""
    method, path, body, headers = request
    async with httpx.AsyncClient(base_url=url) as client:
        answer = await client.request(method, path, content=body, headers=headers)
    return answer.status_code, answer.json().get("code", "")


async def test_signed_bytes_pass_once_whatever_happens_to_gateways(platform: Platform) -> None:
    platform.start_other_gateway()
    await platform.ready(platform.other_url)
    body = httpx.Request("POST", "http://g", json=order("replayed", account="BENCH0")).content
    entered = captured("POST", "/v1/orders", body)
    read = captured("GET", "/v1/positions")
    for request in (entered, read):
        assert (await sent(platform.url, request))[0] in PASSED
        assert await sent(platform.other_url, request) == (401, "REPLAYED_NONCE")

    last = captured("GET", "/v1/instruments")
    assert (await sent(platform.url, last))[0] == 200
    platform.kill("gateway-1")
    assert await sent(platform.other_url, last) == (401, "REPLAYED_NONCE")

    platform.start_gateway()
    await platform.ready()
    assert await sent(platform.url, last) in REFUSED

    final = captured("GET", "/v1/instruments")
    assert (await sent(platform.url, final))[0] == 200
    for instance in ("gateway-1", "gateway-2"):
        platform.kill(instance)
    platform.start_gateway()
    seen: set[tuple[int, str]] = set()

    async def is_refused_for_good() -> bool:
        try:
            seen.add(await sent(platform.url, final))
        except httpx.TransportError:
            return False
        return bool(REFUSED & seen)

    await eventually(is_refused_for_good, 20)
    assert {status for status, _code in seen} <= {401, 503}
    await platform.ready()
    assert await platform.client_entries("BENCH0") == 1
