# SPDX-License-Identifier: Apache-2.0
"""Sessions: what is queued, what is refused, and who is closed."""

import asyncio
import json
from typing import Any

import pytest

from tradewind.common.testing import eventually
from tradewind.gateway import ws
from tradewind.gateway.errors import refusal
from tradewind.gateway.ws import Session

from .conftest import NOW_NS, ORDER, Harness, key, person, report_for

pytestmark = pytest.mark.anyio


class FakeSocket:
    """A client's side: what it says is put in, what it hears is kept."""

    client = None

    def __init__(self) -> None:
        self.said: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.heard: list[Any] = []
        self.closed: tuple[int, str] | None = None
        self.reading = asyncio.Event()
        self.reading.set()

    def say(self, message: Any) -> None:
        text = message if isinstance(message, str) else json.dumps(message)
        self.said.put_nowait({"type": "websocket.receive", "text": text})

    def leave(self) -> None:
        self.said.put_nowait({"type": "websocket.disconnect", "code": 1000})

    async def accept(self) -> None:
        return

    async def receive(self) -> dict[str, Any]:
        return await self.said.get()

    async def send(self, message: dict[str, Any]) -> None:
        await self.reading.wait()
        frame = json.loads(message["text"])
        self.heard.extend(frame if isinstance(frame, list) else [frame])

    async def send_text(self, text: str) -> None:
        self.heard.append(json.loads(text))

    async def close(self, code: int, reason: str) -> None:
        self.closed = (code, reason)


def hello(harness: Harness, **changes: Any) -> dict[str, Any]:
    headers = harness.signed("GET", ws.PATH)
    return {
        "type": "auth",
        "key": headers["TW-Key"],
        "timestamp": headers["TW-Timestamp"],
        "nonce": headers["TW-Nonce"],
        "signature": headers["TW-Signature"],
        "batch": True,
    } | changes


def codes(socket: FakeSocket) -> list[str]:
    return [item["error"]["code"] for item in socket.heard if item["type"] == "error"]


async def conversation(harness: Harness, *messages: Any) -> FakeSocket:
    socket: Any = FakeSocket()
    for message in messages:
        socket.say(message)
    running = asyncio.ensure_future(harness.sessions.endpoint(socket))
    await eventually(socket.said.empty)
    for _ in range(20):
        await asyncio.sleep(0)
    socket.leave()
    await running
    assert isinstance(socket, FakeSocket)
    return socket


async def test_a_client_is_ready_after_its_signed_hello(harness: Harness) -> None:
    socket = await conversation(harness, hello(harness))
    ready = {"type": "ready", "instance": "g1", "accounts": ["DEMO"]}
    assert socket.heard == [{**ready, "ordinals": {"0": 0, "1": 0}}]
    assert harness.sessions.count == 0


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"key": "k9"}, "UNKNOWN_KEY"),
        ({"signature": "0" * 64}, "BAD_SIGNATURE"),
        ({"timestamp": str(NOW_NS // 1_000_000 - 9_000)}, "BAD_SIGNATURE"),
        ({"extra": 1}, "UNKNOWN_FIELD"),
        ({"type": "submit"}, "INVALID_FIELD"),
    ],
)
async def test_a_wrong_hello_is_told_why_and_closed(
    harness: Harness, change: dict[str, Any], code: str
) -> None:
    socket = await conversation(harness, hello(harness, **change))
    assert codes(socket) == [code]
    assert socket.closed == (1008, code)


async def test_a_hello_works_once(harness: Harness) -> None:
    first = hello(harness)
    await conversation(harness, first)
    assert codes(await conversation(harness, first)) == ["REPLAYED_NONCE"]


async def test_requests_in_one_frame_are_journaled_in_order(harness: Harness) -> None:
    frame = [{"type": "submit", **ORDER, "cl_ord_id": f"c-{number}"} for number in range(5)]
    socket = await conversation(harness, hello(harness), frame)
    names = [item.command.cl_ord_id for item in harness.bus.published]  # type: ignore[union-attr]
    assert names == [f"c-{number}" for number in range(5)]
    durable = [item for item in socket.heard if item["type"] == "durable"]
    assert [(item["cl_ord_id"], item["seq"]) for item in durable] == [
        (f"c-{number}", number + 1) for number in range(5)
    ]


async def test_bad_messages_are_refused_one_by_one(harness: Harness) -> None:
    frame = [
        {"type": "submit", **ORDER, "order_qty": "-1"},
        {"type": "submit", **ORDER, "extra": True},
        {"type": "submit", **ORDER, "account": "ALPHA"},
        {"type": "auth"},
        {"type": "submit", **ORDER, "strategy": "x" * 20_000},
        5,
    ]
    socket = await conversation(harness, hello(harness), frame, "{", "[1,", '{"a":NaN}')
    assert codes(socket) == [
        "NOT_POSITIVE",
        "UNKNOWN_FIELD",
        "ACCOUNT_NOT_ALLOWED",
        "INVALID_FIELD",
        "BODY_TOO_LARGE",
        "INVALID_FIELD",
        "MALFORMED_JSON",
        "MALFORMED_JSON",
        "MALFORMED_JSON",
    ]
    assert not harness.bus.published


async def test_a_key_that_may_only_read_cannot_trade(harness: Harness) -> None:
    session = Session(FakeSocket(), key(scopes=("read",)), is_batching=True)  # type: ignore[arg-type]
    harness.sessions.handle(session, json.dumps({"type": "submit", **ORDER}))
    assert not harness.bus.published


async def test_a_client_that_does_not_read_is_closed(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ws, "MAX_QUEUED", 10)
    socket: Any = FakeSocket()
    socket.reading.clear()
    socket.say(hello(harness))
    running = asyncio.ensure_future(harness.sessions.endpoint(socket))
    await eventually(lambda: harness.sessions.count == 1)
    command = report_for_order(harness)
    for entry in range(1, 30):
        harness.output(0, entry, command)
        await asyncio.sleep(0)
    await asyncio.wait_for(running, 5)
    assert socket.closed == (4008, "SLOW_CONSUMER")
    assert harness.sessions.count == 0


async def test_a_lost_client_ends_its_session(harness: Harness) -> None:
    socket: Any = FakeSocket()
    socket.leave()
    await harness.sessions.endpoint(socket)
    assert socket.heard == []
    assert harness.sessions.count == 0


def report_for_order(harness: Harness) -> Any:
    session = Session(FakeSocket(), key(), is_batching=True)  # type: ignore[arg-type]
    harness.sessions.handle(session, json.dumps({"type": "submit", **ORDER}))
    return report_for(harness.bus.published[-1].command)


async def test_what_is_new_waits_until_the_past_is_told() -> None:
    session = Session(FakeSocket(), key(), is_batching=True)  # type: ignore[arg-type]
    session.hold()
    session.push(b"3")
    await session.push_in_time(b"1")
    session.push(b"4")
    await session.push_in_time(b"2")
    session.release()
    session.push(b"5")
    assert session._queue == [b"1", b"2", b"3", b"4", b"5"]


async def test_the_past_waits_for_a_client_that_reads_slowly(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ws, "PAST_QUEUED", 2)
    socket = FakeSocket()
    session = Session(socket, key(), is_batching=True)  # type: ignore[arg-type]
    for number in range(2):
        await session.push_in_time(b"%d" % number)
    third = asyncio.ensure_future(session.push_in_time(b"2"))
    await asyncio.sleep(0)
    assert not third.done()
    writing = asyncio.ensure_future(session.write())
    await third
    await eventually(lambda: socket.heard == [0, 1, 2])
    writing.cancel()


async def test_a_person_opens_a_session_with_a_token_which_ends_with_it(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tradewind.gateway.auth.LOOK_S", 0.001)
    harness.people.known["kims"] = person("read", "trade")
    first = {"type": "token", "token": "kims"}
    socket: Any = FakeSocket()
    socket.say(first)
    running = asyncio.ensure_future(harness.sessions.endpoint(socket))
    socket.say({"type": "submit", **ORDER})
    await eventually(lambda: len(harness.bus.published) == 1)
    command: Any = harness.bus.published[0].command
    assert (socket.heard[0]["type"], command.client) == ("ready", "kim")
    harness.people.gone = refusal("TOKEN_EXPIRED")
    await running
    assert socket.closed == (4001, "TOKEN_EXPIRED")
    for wrong, code in (
        ({"token": "others"}, "TOKEN_INVALID"),
        ({"key": "k1"}, "UNKNOWN_FIELD"),
        ({"cancel_on_disconnect": ["OTHER"]}, "ACCOUNT_NOT_ALLOWED"),
    ):
        refused = await conversation(harness, first | wrong)
        assert codes(refused) == [code]
