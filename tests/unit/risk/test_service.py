# SPDX-License-Identifier: Apache-2.0
"""Risk at work on a bus that the test plays: quotes in, references and halts out."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from tests.unit.memory_bucket import MemoryBucket
from tradewind.common import codec, subjects
from tradewind.common.errors import Unknown
from tradewind.common.jetstream import Bus, KeyValue, Message, PubAck, Record
from tradewind.common.settings import BusSettings, ServiceSettings
from tradewind.common.testing import eventually
from tradewind.core.commands import Command, SetReferencePrice, SetTradingState
from tradewind.core.testing import ACCOUNT, SYMBOL, Desk
from tradewind.core.types import TradingState
from tradewind.risk import service
from tradewind.risk.alerts import Alerts
from tradewind.risk.second_look import Breach
from tradewind.risk.service import Risk
from tradewind.risk.settings import Settings

pytestmark = pytest.mark.anyio

SHARDS = 2
ENTRY = {
    "symbol": SYMBOL,
    "venue": "SIM",
    "tick_size": "0.01",
    "lot_size": "0.001",
    "currency": "USD",
}


class Played:
    """The bus as far as risk uses it."""

    def __init__(self) -> None:
        self.journaled: list[tuple[str, Command]] = []
        self.fails = 0
        self.listeners: dict[str, Callable[[Message], Any]] = {}
        self.servers: dict[str, Callable[[bytes], Any]] = {}

    async def publish(self, subject: str, body: bytes) -> PubAck:
        if self.fails:
            self.fails -= 1
            raise Unknown("no answer")
        self.journaled.append((subject, codec.decode_command(body)))
        return PubAck("JOURNAL", len(self.journaled))

    async def subscribe(self, subject: str, callback: Callable[[Message], Any]) -> None:
        self.listeners[subject] = callback

    async def serve(self, subject: str, handler: Callable[[bytes], Any]) -> None:
        self.servers[subject] = handler

    async def request_many(
        self, _subject: str, _body: bytes, _timeout_ms: int
    ) -> tuple[int, list[tuple[bytes | None, bytes]]]:
        raw = (
            "NATS/1.0\r\nNats-Sequence: 1\r\nNats-Time-Stamp: 2026-01-01T00:00:00Z\r\n"
            f"Nats-Subject: $KV.CONFIG.instrument.{SYMBOL}\r\n\r\n"
        )
        return 204, [(raw.encode(), json.dumps(ENTRY).encode())]

    async def quote(self, bid_px: int, ask_px: int) -> None:
        body = {"symbol": SYMBOL, "bid_px": bid_px, "ask_px": ask_px}
        heard = Message(subjects.market_data("SIM", SYMBOL, "quote"), json.dumps(body).encode())
        await self.listeners["md.SIM.*.quote"](heard)
        for _ in range(3):
            await asyncio.sleep(0)

    async def positions(self) -> list[dict[str, Any]]:
        answer = json.loads(await self.servers[subjects.query_risk("positions")](b"{}"))
        assert answer["ok"] is True
        return cast(list[dict[str, Any]], answer["positions"])


@asynccontextmanager
async def risk_on(bus: Played, *, is_caught_up: bool = True) -> AsyncIterator[Risk]:
    shared = ServiceSettings(
        bus=BusSettings(urls=(), user="risk", password=""),
        instance="risk-0",
        shards=SHARDS,
        state_dir=Path(),
        status_interval_ms=500,
    )
    settings = Settings(
        service=shared,
        venue="SIM",
        rank=0,
        reference_interval_ms=1000,
        reference_move_bps=10,
        alert_owner="desk",
        alert_escalates_to="head",
    )
    alerts = Alerts(cast(KeyValue, MemoryBucket()), owner="desk", escalates_to="head")
    risk = Risk(cast(Bus, bus), settings, alerts)
    await risk.load_instruments()
    await risk.serve()
    for shard in range(SHARDS if is_caught_up else 0):
        await risk._caught_up(shard)
    halting = asyncio.ensure_future(risk.halt_breaches())
    try:
        yield risk
    finally:
        halting.cancel()
        await asyncio.gather(halting, return_exceptions=True)


def trade(risk: Risk, qty: int, price: int) -> None:
    """Lets one account buy in the shard where its orders go."""
    desk = Desk.opened()
    report = desk.submit(order_qty=qty)
    desk.fill(report.order_id, qty, price)
    for event in desk.outputs:
        risk._books[subjects.shard_of(ACCOUNT, SHARDS)].take(event)


async def test_a_quote_becomes_the_reference_of_every_shard() -> None:
    bus = Played()
    async with risk_on(bus) as risk:
        await bus.quote(9_999, 10_001)
        await bus.quote(10_000, 10_002)
        price = SetReferencePrice(symbol=SYMBOL, price=10_000)
        assert bus.journaled == [
            (f"journal.{shard}.control.SetReferencePrice", price) for shard in range(SHARDS)
        ]
        assert risk.facts()["references_journaled"] == 1


@pytest.mark.parametrize(("bid_px", "ask_px"), [(0, 10_001), (10_001, 0), (10_002, 10_001)])
async def test_a_quote_without_a_middle_is_neither_reference_nor_mark(
    bid_px: int, ask_px: int
) -> None:
    bus = Played()
    async with risk_on(bus) as risk:
        await bus.quote(bid_px, ask_px)
        assert bus.journaled == []
        assert risk.facts()["references"] == {}


async def test_positions_are_told_in_exact_decimals_with_and_without_a_mark() -> None:
    bus = Played()
    async with risk_on(bus) as risk:
        trade(risk, 10, 1_000)
        row = {
            "account": ACCOUNT,
            "symbol": SYMBOL,
            "qty": "0.01",
            "avg_px": "10",
            "mark_px": None,
            "realised": "0",
            "unrealised": None,
        }
        assert await bus.positions() == [row]
        await bus.quote(1_099, 1_101)
        marked = {**row, "mark_px": "11", "unrealised": "0.01"}
        assert await bus.positions() == [marked]


async def test_nothing_traded_means_no_positions() -> None:
    bus = Played()
    async with risk_on(bus):
        assert await bus.positions() == []


async def test_a_breach_halts_its_account_in_its_shard_however_often_the_bus_fails() -> None:
    bus = Played()
    async with risk_on(bus) as risk:
        bus.fails = 2
        risk._halts.put_nowait((1, Breach(account="DEMO", order_id="seg-1-7", text="too big")))
        await eventually(lambda: bus.journaled)
        assert bus.journaled == [
            (
                "journal.1.control.SetTradingState",
                SetTradingState(
                    scope="account:DEMO",
                    state=TradingState.HALTED,
                    actor="risk",
                    reason="order seg-1-7: too big",
                ),
            )
        ]


@pytest.mark.parametrize("is_news", [True, False])
async def test_an_order_that_should_have_been_denied_halts_its_account_if_it_is_news(
    is_news: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = Desk.opened()
    forged = replace(desk.submit(), order_qty=101)
    outputs = [*desk.outputs[:-2], forged]

    class Stored:
        """EVENTS of one shard."""

        def __init__(self, *_place: object) -> None:
            self._left = [
                Record(seq, seq, "", {}, codec.encode(event))
                for seq, event in enumerate(outputs, 1)
            ]

        async def open(self) -> None:
            return

        async def next_batch(self) -> list[Record]:
            found, self._left = self._left, []
            return found or await asyncio.Future()

    async def tail(_bus: Bus, _stream: str) -> tuple[int, int]:
        return 1, 0 if is_news else len(outputs)

    monkeypatch.setattr(service, "StreamReader", Stored)
    monkeypatch.setattr(service, "stream_tail", tail)
    bus = Played()
    async with risk_on(bus) as risk:
        await risk._alerts.begin({0: 0})
        following = asyncio.ensure_future(risk.follow(0))
        await eventually(lambda: risk.facts()["breaches"] == 1 and (bus.journaled or not is_news))
        following.cancel()
        said = f"order {forged.order_id}: C01 101 lots are more than the 100 allowed"
        halt = SetTradingState(
            scope=f"account:{ACCOUNT}", state=TradingState.HALTED, actor="risk", reason=said
        )
        subject = "journal.0.control.SetTradingState"
        assert bus.journaled == ([(subject, halt)] if is_news else [])


async def test_the_past_is_read_in_half_of_the_time_and_positions_are_told_after_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    took_s, asked_s, told_s = 0.02, [], []
    outputs = Desk.opened().outputs[:4]

    class Slow:
        """EVENTS of one shard, an output at a time."""

        def __init__(self, *_place: object) -> None:
            self._left = list(enumerate(outputs, 1))

        async def open(self) -> None:
            return

        async def next_batch(self) -> list[Record]:
            asked_s.append(asyncio.get_running_loop().time())
            await (asyncio.sleep(took_s) if self._left else asyncio.Future())
            told_s.append(asyncio.get_running_loop().time())
            seq, event = self._left.pop(0)
            return [Record(seq, seq, "", {}, codec.encode(event))]

    async def tail(_bus: Bus, _stream: str) -> tuple[int, int]:
        return 1, len(outputs)

    monkeypatch.setattr(service, "StreamReader", Slow)
    monkeypatch.setattr(service, "stream_tail", tail)
    bus = Played()
    async with risk_on(bus, is_caught_up=False) as risk:
        await risk._alerts.begin({0: 0, 1: 0})
        for shard in range(SHARDS):
            assert subjects.query_risk("positions") not in bus.servers, "not all are booked"
            asked_s.clear()
            told_s.clear()
            following = asyncio.ensure_future(risk.follow(shard))
            await eventually(lambda: len(asked_s) > len(outputs))
            following.cancel()
        assert await bus.positions() == []
    pauses_s = [after - before for before, after in zip(told_s, asked_s[1:], strict=False)]
    assert all(pause_s > took_s * 0.9 for pause_s in pauses_s[:-1])


async def test_a_journal_that_does_not_answer_does_not_end_risk() -> None:
    bus = Played()
    async with risk_on(bus):
        bus.fails = SHARDS
        await bus.quote(9_999, 10_001)
        assert bus.journaled == []
        await bus.quote(10_999, 11_001)
        assert [command for _subject, command in bus.journaled] == [
            SetReferencePrice(symbol=SYMBOL, price=11_000)
        ] * SHARDS
