# SPDX-License-Identifier: Apache-2.0
"""A request goes again until its outcome is known, and no longer."""

import json
from collections.abc import Sequence
from inspect import Parameter, signature

import pytest

from tradewind_client import AsyncClient, Client, Credentials, GatewayError, Retries, Unreachable
from tradewind_client.requests import Request
from tradewind_client.retries import Attempt, Response, exchange

URLS = ["http://one", "http://two/"]
KEY = Credentials("trader", "secret")
REQUEST = Request("POST", "/v1/orders", b"{}")


def answer(status: int, **content: str) -> Response:
    return Response(status, json.dumps(content).encode())


def attempts(
    responses: Sequence[Response | None], urls: Sequence[str] = URLS
) -> tuple[list[Attempt], object]:
    """What is sent if this comes back, and how it ends."""
    work = exchange(REQUEST, urls, KEY, Retries(attempts=4, first_s=0.1, longest_s=0.3))
    sent = [next(work)]
    try:
        for response in responses:
            attempt = work.send(response)
            sent.append(attempt)
    except StopIteration as done:
        return sent, done.value
    except GatewayError as error:
        return sent, error
    raise AssertionError("it still waits")


def test_an_answer_ends_it() -> None:
    sent, value = attempts([answer(200, outcome="accepted")])
    assert [each.url for each in sent] == ["http://one/v1/orders"]
    assert (value, sent[0].pause_s) == ({"outcome": "accepted"}, 0)
    assert sent[0].headers["TW-Key"] == "trader"


def test_silence_goes_to_the_next_gateway_signed_anew() -> None:
    sent, value = attempts([None, answer(202, outcome="durable")])
    assert [each.url for each in sent] == ["http://one/v1/orders", "http://two/v1/orders"]
    assert {each.body for each in sent} == {b"{}"}
    assert len({each.headers["TW-Nonce"] for each in sent}) == 2
    assert value == {"outcome": "durable"}


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_what_may_end_otherwise_is_asked_again(status: int) -> None:
    sent, value = attempts([answer(status, code="X"), answer(200)])
    assert (len(sent), value) == (2, {})


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422, 500])
def test_a_no_is_a_no(status: int) -> None:
    sent, error = attempts([answer(status, code="X", detail="because")])
    assert isinstance(error, GatewayError)
    assert (len(sent), error.code, error.text, error.status) == (1, "X", "because", status)


def test_the_last_refusal_is_told_and_silence_to_the_end_is_unreachable() -> None:
    _sent, error = attempts([answer(503, code="FIRST"), None, None, answer(503, code="LAST")])
    assert isinstance(error, GatewayError)
    assert error.code == "LAST"
    _sent, error = attempts([None] * 4)
    assert isinstance(error, Unreachable)


def test_pauses_grow_to_a_bound_and_differ() -> None:
    sent, _error = attempts([None] * 4)
    for pause_s, most_s in zip([each.pause_s for each in sent[1:]], (0.1, 0.2, 0.3), strict=True):
        assert most_s / 2 <= pause_s <= most_s


def test_a_lone_gateway_is_given_the_time_that_it_asks_for_but_not_for_ever() -> None:
    slow = Response(429, b"{}", retry_after="60")
    sent, _value = attempts([slow, answer(200)], urls=URLS[:1])
    assert sent[1].pause_s == 0.3


def test_an_answer_that_is_no_json_is_an_error_with_a_code() -> None:
    _sent, error = attempts([Response(404, b"<html>")])
    assert isinstance(error, GatewayError)
    assert error.code == "UNEXPECTED"


def test_both_clients_offer_the_same() -> None:
    def offered(kind: type) -> dict[str, list[Parameter]]:
        return {
            name: list(signature(found).parameters.values())
            for name, found in vars(kind).items()
            if not name.startswith("_")
        }

    assert offered(Client) == offered(AsyncClient)
