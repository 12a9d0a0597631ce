# SPDX-License-Identifier: Apache-2.0
"""The protocol reader gives the same messages however the bytes are cut."""

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nats.errors import ProtocolError

from tradewind.common.jetstream.parser import FastParser

WIRE = (
    b"MSG a.b 1 5\r\nhello\r\n"
    b"PING\r\n"
    b"MSG a.b 1 r.1 2\r\n\r\n\r\n"
    b"HMSG a.c 2 19 21\r\nNATS/1.0\r\nx: yz\r\n\r\nhi\r\n"
    b"+OK\r\n"
    b"HMSG a.c 2 r.2 16 16\r\nNATS/1.0 503\r\n\r\n\r\n"
    b"PONG\r\n"
    b"-ERR 'Permissions Violation for Publish to \"x\"'\r\n"
    b"MSG other 7 0\r\n\r\n"
    b"MSG a.b 1 3\r\nend\r\n"
)
HEARD = [
    ("a.b", "", b"hello", None),
    "ping",
    ("a.b", "r.1", b"\r\n", None),
    ("a.c", "", b"hi", b"NATS/1.0\r\nx: yz\r\n\r\n"),
    ("a.c", "r.2", b"", b"NATS/1.0 503\r\n\r\n"),
    "pong",
    "'permissions violation for publish to \"x\"'",
    ("nats-py", 7, b"other", b"", None),
    ("a.b", "", b"end", None),
]


class Client:
    """What the parser calls of nats-py."""

    def __init__(self, heard: list[Any]) -> None:
        self._heard = heard

    async def _process_ping(self) -> None:
        self._heard.append("ping")

    async def _process_pong(self) -> None:
        self._heard.append("pong")

    async def _process_err(self, text: str) -> None:
        self._heard.append(text)

    async def _process_msg(
        self, sid: int, subject: bytes, _reply: bytes, body: bytes, raw: bytes | None
    ) -> None:
        self._heard.append(("nats-py", sid, subject, body, raw))


def parser_into(heard: list[Any]) -> FastParser:
    def listen(subject: str, reply: str, body: bytes, raw: bytes | None) -> None:
        heard.append((subject, reply, body, raw))

    return FastParser(Client(heard), {1: listen, 2: listen})


def run(coroutine: Any) -> None:
    with pytest.raises(StopIteration):
        coroutine.send(None)


@given(st.lists(st.integers(min_value=0, max_value=len(WIRE)), max_size=12))
def test_messages_come_out_the_same_however_the_bytes_arrive(cuts: list[int]) -> None:
    heard: list[Any] = []
    parser = parser_into(heard)
    edges = [0, *sorted(cuts), len(WIRE)]
    for start, end in pairwise(edges):
        run(parser.parse(WIRE[start:end]))
    assert heard == HEARD


def test_a_new_connection_begins_with_nothing_of_the_old_one() -> None:
    heard: list[Any] = []
    parser = parser_into(heard)
    run(parser.parse(b"MSG a.b 1 500\r\nhal"))
    parser.reset()
    run(parser.parse(b"MSG a.b 1 2\r\nok\r\n"))
    assert heard == [("a.b", "", b"ok", None)]


@pytest.mark.parametrize("wire", [b"MSG a.b 1 x\r\n", b"NONSENSE\r\n", b"+" * 70_000])
def test_what_is_not_the_protocol_is_an_error(wire: bytes) -> None:
    parsing = parser_into([]).parse(wire)
    with pytest.raises(ProtocolError):
        parsing.send(None)
