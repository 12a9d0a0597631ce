# SPDX-License-Identifier: Apache-2.0
"""A key may ask so often and no oftener; who wants out is never held up by who wants in."""

from typing import Any

import pytest

from tradewind.common.testing import eventually
from tradewind.gateway.throttle import Throttle

from .conftest import ORDER, Harness, call
from .test_ws import FakeSocket, codes, hello

pytestmark = pytest.mark.anyio

RATE = 10


def passed(throttle: Throttle, now_s: float, times: int, *, is_cancel: bool = False) -> int:
    """How many of these requests pass."""
    return sum(throttle.take(now_s, is_cancel=is_cancel) is None for _ in range(times))


def test_a_second_s_worth_passes_at_once_and_then_the_rate() -> None:
    throttle = Throttle(RATE)
    assert passed(throttle, 100.0, 3 * RATE) == RATE
    assert passed(throttle, 100.05, 1) == 0
    assert passed(throttle, 100.5, RATE) == RATE // 2
    assert passed(throttle, 200.0, 3 * RATE) == RATE


def test_cancels_have_an_allowance_of_their_own() -> None:
    throttle = Throttle(RATE)
    assert passed(throttle, 1.0, 5 * RATE) == RATE
    assert passed(throttle, 1.0, 5 * RATE, is_cancel=True) == RATE


def test_without_a_rate_nothing_is_bounded() -> None:
    throttle = Throttle(0)
    assert passed(throttle, 1.0, 1_000) == 1_000
    assert not throttle.is_flooded


def test_it_is_a_flood_when_twice_the_rate_comes_and_goes_on() -> None:
    throttle = Throttle(RATE)
    passed(throttle, 1.0, 2 * RATE)
    assert not throttle.is_flooded
    passed(throttle, 1.0, 1)
    assert throttle.is_flooded
    passed(throttle, 3.0, RATE + 1)
    assert not throttle.is_flooded


async def test_a_call_too_many_is_a_problem_that_says_when_to_come_back(harness: Harness) -> None:
    path = "/v1/orders/c-1?account=DEMO&request_id="
    for number in range(3):
        order = {**ORDER, "cl_ord_id": f"c-{number}"}
        answer = await call(harness, "POST", "/v1/orders", order, key="slow")
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "1")
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["type"] == "urn:tradewind:error:RATE_LIMITED"
    assert (problem["title"], problem["status"]) == ("Rate limited", 429)
    assert problem["detail"].startswith("This key may send 2 requests per second.")
    harness.instruments.remember("DEMO", "c-1", "BTC-USD")
    cancel = await call(harness, "DELETE", f"{path}x-1", key="slow")
    assert cancel.status_code == 202
    assert len(harness.bus.published) == 3


async def test_a_session_that_floods_is_ended(harness: Harness) -> None:
    socket: Any = FakeSocket()
    headers = harness.signed("GET", "/v1/ws", key="slow")
    socket.say(
        hello(
            harness,
            key="slow",
            nonce=headers["TW-Nonce"],
            signature=headers["TW-Signature"],
        )
    )
    for number in range(5):
        socket.say({"type": "submit", **ORDER, "cl_ord_id": f"f-{number}"})
    await harness.sessions.endpoint(socket)
    await eventually(lambda: socket.closed is not None)
    assert socket.closed == (4029, "RATE_LIMITED")
    assert len(harness.bus.published) == 2
    assert set(codes(socket)) <= {"RATE_LIMITED"}
