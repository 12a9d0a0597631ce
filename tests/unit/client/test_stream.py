# SPDX-License-Identifier: Apache-2.0
"""Reports are told once each, over any number of connections."""

import json
from typing import Any

import pytest

from tradewind_client import Credentials, GatewayError
from tradewind_client.stream import PATH, Stream, socket_url

KEY = Credentials("trader", "secret")


def report(shard: int, ordinal: int) -> dict[str, Any]:
    return {"type": "report", "shard": shard, "ordinal": ordinal, "seq": 1, "report": {}}


def heard(stream: Stream, *messages: dict[str, Any]) -> list[tuple[int, int]]:
    return [(each["shard"], each["ordinal"]) for each in stream.hear(json.dumps(messages))]


def test_a_first_connection_begins_now_and_the_next_one_where_it_ended() -> None:
    stream = Stream(KEY, {})
    assert json.loads(stream.hello())["resume"] == {}
    ready = {"type": "ready", "ordinals": {"0": 7, "1": 9}}
    assert heard(stream, ready, report(0, 8)) == [(0, 8)]
    assert json.loads(stream.hello())["resume"] == {"0": 8, "1": 9}


def test_where_an_earlier_life_ended_counts_and_not_what_the_gateway_says_is_now() -> None:
    stream = Stream(KEY, {0: 3})
    assert heard(stream, {"type": "ready", "ordinals": {"0": 7}}, report(0, 4)) == [(0, 4)]


def test_what_comes_twice_is_told_once() -> None:
    stream = Stream(KEY, {0: 3, 1: 3})
    told = heard(stream, report(0, 4), report(0, 4), report(1, 4), report(0, 3), report(0, 6))
    assert told == [(0, 4), (1, 4), (0, 6)]


def test_other_messages_are_no_reports() -> None:
    assert heard(Stream(KEY, {}), {"type": "durable", "shard": 0, "seq": 4}) == []


def test_a_refusal_that_passes_is_waited_out_and_any_other_is_raised() -> None:
    stream = Stream(KEY, {})
    assert heard(stream, {"type": "error", "error": {"code": "NOT_READY", "text": ""}}) == []
    with pytest.raises(GatewayError) as refused:
        heard(stream, {"type": "error", "error": {"code": "RESUME_GONE", "text": "too old"}})
    assert refused.value.code == "RESUME_GONE"


def test_the_socket_is_where_the_gateway_is() -> None:
    assert socket_url("http://h:1/") == f"ws://h:1{PATH}"
    assert socket_url("https://h") == f"wss://h{PATH}"
