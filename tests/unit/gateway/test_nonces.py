# SPDX-License-Identifier: Apache-2.0
"""Nonces among several gateways: used once at all of them together, also by one that starts."""

import pytest

from tradewind.gateway.nonces import (
    AHEAD_MS,
    GENERATION_MS,
    MAX_NONCES,
    RECV_WINDOW_MS,
    TOLD_AT_ONCE,
    Nonces,
    Used,
)


class Clock:
    def __init__(self) -> None:
        self.now_ms = 0

    def __call__(self) -> int:
        return self.now_ms


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def told() -> list[Used]:
    return []


@pytest.fixture
def nonces(clock: Clock, told: list[Used]) -> Nonces:
    made = Nonces(told.append, clock)
    made.heard_for(GENERATION_MS)
    return made


def test_what_passed_at_one_gateway_does_not_pass_at_another(
    nonces: Nonces, told: list[Used], clock: Clock
) -> None:
    other = Nonces(monotonic_ms=clock)
    other.heard_for(GENERATION_MS)
    assert nonces.take("k", "n1", 0) is None
    assert told == [Used("k", ["n1"])]
    other.hear(told[0])
    assert other.take("k", "n1", 0) == "REPLAYED_NONCE"
    assert other.take("another", "n1", 0) is None


def test_a_refused_request_tells_nobody(nonces: Nonces, told: list[Used]) -> None:
    nonces.take("k", "n1", 0)
    assert nonces.take("k", "n1", 0) == "REPLAYED_NONCE"
    assert len(told) == 1


def test_a_gateway_that_starts_alone_takes_nothing_that_was_signed_before(clock: Clock) -> None:
    nonces = Nonces(monotonic_ms=clock)
    assert nonces.take("k", "n1", 0) == "NOT_READY"
    nonces.heard_for(0)
    clock.now_ms = AHEAD_MS
    assert nonces.take("k", "n1", 0) == "NOT_READY"
    for waited_ms in range(1, RECV_WINDOW_MS, 100):
        clock.now_ms = AHEAD_MS + waited_ms
        signed_before = waited_ms
        assert nonces.take("k", f"old-{waited_ms}", signed_before) == "SIGNED_TOO_EARLY"
        assert nonces.take("k", f"new-{waited_ms}", signed_before - 1) is None


def test_a_gateway_that_starts_beside_others_knows_what_they_know(
    nonces: Nonces, clock: Clock
) -> None:
    nonces.take("k", "n1", 0)
    young = Nonces(monotonic_ms=clock)
    young.heard_for(0)
    for used in nonces.all():
        young.hear(used)
    young.heard_for(nonces.heard_for_ms)
    assert young.is_ready
    assert young.take("k", "n1", 0) == "REPLAYED_NONCE"
    assert young.take("k", "n2", 0) is None


def test_a_younger_gateway_makes_nobody_forget(nonces: Nonces) -> None:
    nonces.heard_for(0)
    assert nonces.heard_for_ms == GENERATION_MS


def test_a_nonce_is_known_as_long_as_its_request_would_pass(nonces: Nonces, clock: Clock) -> None:
    clock.now_ms = GENERATION_MS - 1
    assert nonces.take("k", "n1", -AHEAD_MS) is None
    for later_ms in range(0, AHEAD_MS + RECV_WINDOW_MS, 100):
        clock.now_ms = GENERATION_MS - 1 + later_ms
        assert nonces.take("k", "n1", later_ms - AHEAD_MS) == "REPLAYED_NONCE"


def test_nonces_take_no_more_than_their_bound(nonces: Nonces, clock: Clock) -> None:
    for number in range(MAX_NONCES):
        assert nonces.take("k", str(number), 0) is None
    assert nonces.take("k", "one-more", 0) == "TOO_MANY_REQUESTS"
    assert nonces.take("other", "one-more", 0) is None
    clock.now_ms = GENERATION_MS
    assert nonces.take("k", "one-more", 0) is None
    assert max(len(part.nonces) for part in nonces.all()) == TOLD_AT_ONCE
    clock.now_ms = 3 * GENERATION_MS
    nonces.take("k", "last", 0)
    assert nonces.all() == [Used("k", ["last"])]
