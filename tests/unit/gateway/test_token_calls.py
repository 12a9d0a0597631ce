# SPDX-License-Identifier: Apache-2.0
"""REST calls of people: a token and nothing else, in their own name."""

import httpx
import pytest

from tradewind.core.commands import SubmitOrder

from .conftest import ORDER, Harness, answer_all, call, person

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({"Authorization": "Bearer kims"}, 200, None),
        ({"Authorization": "bearer  kims"}, 200, None),
        ({"Authorization": "Bearer others"}, 401, "TOKEN_INVALID"),
        ({"Authorization": "Bearer"}, 401, "TOKEN_INVALID"),
        ({"Authorization": "Basic kims"}, 401, "TOKEN_INVALID"),
        ({"Authorization": ""}, 401, "TOKEN_INVALID"),
        ({"Authorization": "Bearer kims", "TW-Key": "k1"}, 400, "AMBIGUOUS_CREDENTIALS"),
    ],
)
async def test_a_person_comes_with_a_token_and_nothing_else(
    harness: Harness, headers: dict[str, str], status: int, code: str | None
) -> None:
    harness.people.known["kims"] = person("read")
    response = await call(harness, "GET", "/v1/instruments", headers=headers)
    assert (response.status_code, response.json().get("code")) == (status, code)
    is_told = response.headers.get("www-authenticate") == 'Bearer error="invalid_token"'
    assert is_told == (code == "TOKEN_INVALID")


async def test_two_tokens_in_one_call_are_none(harness: Harness) -> None:
    harness.people.known["kims"] = person("read")
    transport = httpx.ASGITransport(harness.application)
    twice = [("Authorization", "Bearer kims"), ("Authorization", "Bearer kims")]
    async with httpx.AsyncClient(transport=transport, base_url="http://g") as client:
        response = await client.get("/v1/instruments", headers=twice)
    assert (response.status_code, response.json()["code"]) == (400, "AMBIGUOUS_CREDENTIALS")


async def test_what_a_person_does_has_their_name_and_their_allowance(harness: Harness) -> None:
    answer_all(harness)
    harness.people.known["kims"] = person("read", "trade")
    headers = {"Authorization": "Bearer kims"}
    response = await call(harness, "POST", "/v1/orders", ORDER, headers=headers)
    assert response.json()["outcome"] == "accepted"
    command = harness.bus.published[0].command
    assert isinstance(command, SubmitOrder)
    assert command.client == "kim"
    other = ORDER | {"account": "OTHER", "cl_ord_id": "c-2"}
    response = await call(harness, "POST", "/v1/orders", other, headers=headers)
    assert response.json()["code"] == "ACCOUNT_NOT_ALLOWED"
    response = await call(harness, "POST", "/v1/orders", ORDER, headers=headers)
    assert response.json()["code"] == "RATE_LIMITED"
