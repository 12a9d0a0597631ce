# SPDX-License-Identifier: Apache-2.0
"""What a session sees beside its reports: market data and positions, the newest of each."""

import asyncio
import json
from typing import Any

import pytest

from tradewind.common import subjects
from tradewind.common.jetstream import Message
from tradewind.common.subjects import shard_of
from tradewind.common.testing import eventually
from tradewind.gateway import position_feed
from tradewind.gateway.board import Board

from .conftest import SHARDS, Harness
from .test_ws import FakeSocket, codes, conversation, hello

pytestmark = pytest.mark.anyio

QUOTE = {
    "symbol": "X-Y",
    "bid_px": 3,
    "bid_qty": 2,
    "ask_px": 0,
    "ask_qty": 0,
    "is_crossed": False,
    "ts_ns": 7,
}
TRADE = {"symbol": "X-Y", "px": 3, "qty": 1, "side": "BUY", "ts_ns": 8}
DEPTH = {"symbol": "X-Y", "bids": [[3, 2], [2, 9]], "asks": [], "ts_ns": 9}
POSITION = {
    "account": "DEMO",
    "symbol": "X-Y",
    "qty": 2,
    "cost": 6,
    "realised": 0,
    "buy_working": 1,
    "sell_working": 0,
    "bought_qty": 2,
    "sold_qty": 0,
    "mark": None,
}


def say(harness: Harness, kind: str, data: dict[str, Any]) -> None:
    subject = subjects.market_data("SIM", data["symbol"], kind)
    harness.watches.market_data.hear(Message(subject, json.dumps(data).encode(), {}))


def stand(harness: Harness, ordinal: int, *positions: dict[str, Any]) -> None:
    shard = shard_of("DEMO", SHARDS)
    answer = {"ok": True, "ordinal": ordinal, "positions": list(positions)}
    harness.bus.answers[subjects.query_oms(shard, "positions")] = answer


class Watching:
    """An open session."""

    def __init__(self, harness: Harness) -> None:
        socket: Any = FakeSocket()
        socket.say(hello(harness))
        self.socket = socket
        self._running = asyncio.ensure_future(harness.sessions.endpoint(socket))
        self._feed = asyncio.ensure_future(harness.watches.positions.run())

    async def ask(self, **wanted: Any) -> None:
        before = len(self.heard("subscribed"))
        self.socket.say({"type": "subscribe", **wanted})
        await eventually(lambda: len(self.heard("subscribed")) > before)

    def heard(self, kind: str) -> list[dict[str, Any]]:
        return [each for each in self.socket.heard if each["type"] == kind]

    async def leave(self) -> None:
        self.socket.leave()
        await self._running
        self._feed.cancel()
        await asyncio.gather(self._feed, return_exceptions=True)


def test_a_board_tells_the_newest_of_each_and_how_many_it_replaced() -> None:
    board = Board()
    for number in range(3):
        board.show("a", b'{"n":%d}' % number)
    board.show("b", b'{"n":9}')
    assert board.take() == [b'{"n":2,"skipped":2}', b'{"n":9,"skipped":0}']
    assert board.take() == []


async def test_market_data_is_told_in_decimals_to_who_asked_for_it(harness: Harness) -> None:
    watching = Watching(harness)
    say(harness, "quote", QUOTE)
    await watching.ask(quotes=["X-Y"], depth=["X-Y"])
    await eventually(lambda: watching.heard("quote"))
    quote = {"bid_px": "15", "bid_qty": "20", "ask_px": None, "ask_qty": None, "skipped": 0}
    assert watching.heard("quote") == [QUOTE | quote | {"type": "quote"}]
    say(harness, "trade", TRADE)
    say(harness, "depth", DEPTH)
    await eventually(lambda: watching.heard("depth"))
    (depth,) = watching.heard("depth")
    assert (depth["bids"], depth["asks"]) == ([["15", "20"], ["10", "90"]], [])
    assert not watching.heard("trade"), "was not asked for"
    await watching.ask(trades=["X-Y"])
    say(harness, "quote", QUOTE)
    say(harness, "trade", TRADE)
    await eventually(lambda: len(watching.heard("trade")) == 2)
    assert watching.heard("trade")[0]["px"] == "15"
    assert len(watching.heard("quote")) == 1, "is no longer asked for"
    await watching.leave()
    assert not harness.watches.market_data._viewers


async def test_a_client_that_reads_slowly_is_told_the_newest_and_loses_no_report(
    harness: Harness,
) -> None:
    watching = Watching(harness)
    await watching.ask(quotes=["X-Y"])
    watching.socket.reading.clear()
    say(harness, "quote", QUOTE)
    await asyncio.sleep(0)
    for number in range(1, 30_000):
        say(harness, "quote", QUOTE | {"ts_ns": number})
    watching.socket.reading.set()
    await eventually(lambda: [q for q in watching.heard("quote") if q["ts_ns"] == 29_999])
    heard = watching.heard("quote")
    assert len(heard) <= 2
    assert sum(quote["skipped"] for quote in heard) + len(heard) == 30_000
    assert watching.socket.closed is None
    await watching.leave()


async def test_what_is_published_and_makes_no_sense_is_not_told(
    harness: Harness, caplog: pytest.LogCaptureFixture
) -> None:
    watching = Watching(harness)
    await watching.ask(quotes=["X-Y"])
    say(harness, "quote", {"symbol": "X-Y"})
    say(harness, "status", {"symbol": "X-Y"})
    say(harness, "quote", QUOTE | {"symbol": "UNHEARD"})
    say(harness, "quote", QUOTE)
    await eventually(lambda: watching.heard("quote"))
    assert len(watching.heard("quote")) == 1
    assert "was not understood" in caplog.text
    await watching.leave()


async def test_positions_are_told_at_first_and_when_they_move(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(position_feed, "PAUSE_S", 0.001)
    feed = harness.watches.positions
    stand(harness, 5, POSITION, POSITION | {"symbol": "BTC-USD"})
    watching = Watching(harness)
    await watching.ask(positions=["DEMO"])
    await eventually(lambda: len(watching.heard("position")) == 2)
    first = watching.heard("position")[0]
    assert (first["ordinal"], first["position"]["qty"]) == (5, "20")
    feed.moved("DEMO", 7)
    feed.moved("OTHER", 7)
    for _ in range(20):
        await asyncio.sleep(0.001)
    assert len(watching.heard("position")) == 2, "the replica that answers is behind"
    del harness.bus.answers[subjects.query_oms(shard_of("DEMO", SHARDS), "positions")]
    for _ in range(5):
        await asyncio.sleep(0.001)
    stand(harness, 8, POSITION | {"qty": 3}, POSITION | {"symbol": "BTC-USD"})
    await eventually(lambda: len(watching.heard("position")) == 3)
    moved = watching.heard("position")[2]
    assert (moved["ordinal"], moved["position"]["qty"]) == (8, "30"), "the other one stands"
    await watching.ask(positions=["DEMO"])
    await eventually(lambda: len(watching.heard("position")) == 5)
    await watching.leave()
    assert not feed._viewers
    assert not feed._told


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        ({"quotes": ["UNHEARD"]}, "UNKNOWN_INSTRUMENT"),
        ({"positions": ["OTHER"]}, "ACCOUNT_NOT_ALLOWED"),
        ({"positions": ["*"]}, "INVALID_FIELD"),
        ({"quotes": ["X-Y"] * 65}, "INVALID_FIELD"),
        ({"candles": []}, "UNKNOWN_FIELD"),
    ],
)
async def test_what_cannot_be_seen_is_refused(
    harness: Harness, wanted: dict[str, Any], code: str
) -> None:
    socket = await conversation(harness, hello(harness), {"type": "subscribe", **wanted})
    assert codes(socket) == [code]
