# SPDX-License-Identifier: Apache-2.0
"""Collects what the page shows: outputs, heartbeats, quotes, positions."""

import asyncio
import logging
import time
from typing import Any

import msgspec

from tradewind.common import alerts, codec, subjects
from tradewind.common.errors import BusError
from tradewind.common.jetstream import Bus, KeyValue, Message, StreamReader, stream_tail
from tradewind.common.status import BUCKET
from tradewind.console.projection import Projection
from tradewind.console.settings import Settings

log = logging.getLogger(__name__)

HISTORY_RECORDS = 2000
POLL_S = 0.5
POSITIONS_TIMEOUT_MS = 500
CONFIG_BUCKET = "CONFIG"


class _Quote(msgspec.Struct):
    symbol: str
    bid_px: int
    bid_qty: int
    ask_px: int
    ask_qty: int
    ts_ns: int


class Watcher:
    """The newest of everything."""

    def __init__(self, bus: Bus, settings: Settings) -> None:
        self._bus = bus
        self._settings = settings
        self.projection = Projection()
        self._beats: list[dict[str, Any]] = []
        self._positions: list[dict[str, Any]] = []
        self._alerts: list[dict[str, Any]] = []
        self._quotes: dict[str, dict[str, Any]] = {}
        self._reading: set[int] = set()

    @property
    def is_ready(self) -> bool:
        """Every shard's outputs are being followed."""
        return len(self._reading) == self._settings.service.shards

    async def serve(self) -> None:
        """Reads the instruments, and listens to quotes."""
        for entry in await KeyValue(self._bus, CONFIG_BUCKET).entries("instrument.>"):
            if entry.value:
                plain = msgspec.json.decode(entry.value, type=dict[str, Any])
                self.projection.define(plain["symbol"], plain["tick_size"], plain["lot_size"])
        quotes = subjects.market_data(self._settings.venue, "*", "quote")
        await self._bus.subscribe(quotes, self._on_quote)

    async def follow(self, shard: int) -> None:
        """Takes a shard's outputs, from a little history on, for ever."""
        stream = subjects.events_stream(shard)
        first, last = await stream_tail(self._bus, stream)
        start = max(first, last - HISTORY_RECORDS, 1)
        live = subjects.live(subjects.events_all(shard))
        reader = StreamReader(self._bus, stream, live, start)
        await reader.open()
        self._reading.add(shard)
        while True:
            for record in await reader.next_batch():
                self.projection.take(codec.decode_event(record.body))

    async def poll(self) -> None:
        """Reads heartbeats and positions twice a second, for ever."""
        while True:
            try:
                await self._poll_once()
            except BusError:
                await asyncio.sleep(POLL_S)
            await asyncio.sleep(POLL_S)

    def picture(self) -> dict[str, Any]:
        """All that a page needs, as one JSON object."""
        now_ns = time.time_ns()
        beats = [
            {**beat, "age_ms": max(0, (now_ns - beat["ts_ns"]) // 1_000_000)}
            for beat in self._beats
        ]
        processes = [row for beat in beats for row in beat.pop("processes", [])]
        return {
            **self.projection.plain(),
            "orders_per_s": self.projection.orders_per_s(now_ns),
            "beats": beats,
            "processes": processes,
            "positions": self._positions,
            "alerts": self._alerts,
            "quotes": list(self._quotes.values()),
            "ts_ms": now_ns // 1_000_000,
        }

    async def _poll_once(self) -> None:
        self._alerts = await self._open_alerts()
        entries = await KeyValue(self._bus, BUCKET).entries()
        beats = [msgspec.json.decode(entry.value, type=dict[str, Any]) for entry in entries]
        self._beats = sorted(beats, key=lambda beat: (beat["service"], beat["instance"]))
        answer = msgspec.json.decode(
            await self._bus.request(subjects.query_risk("positions"), b"{}", POSITIONS_TIMEOUT_MS),
            type=dict[str, Any],
        )
        self._positions = answer.get("positions", [])

    async def _open_alerts(self) -> list[dict[str, Any]]:
        """What nobody has taken, the latest first."""
        entries = await KeyValue(self._bus, alerts.BUCKET).entries(alerts.ALL)
        found = [alert for alert in map(alerts.decode, entries) if alert.is_open]
        found.sort(key=lambda alert: alert.raised_ns, reverse=True)
        return [
            {**msgspec.structs.asdict(alert), "raised_ms": alert.raised_ns // 1_000_000}
            for alert in found
        ]

    async def _on_quote(self, message: Message) -> None:
        try:
            quote = msgspec.json.decode(message.body, type=_Quote)
        except msgspec.MsgspecError as error:
            log.warning("a quote was not understood: %s", error)
            return
        grid = self.projection.grids.get(quote.symbol)
        if grid is None:
            return
        self._quotes[quote.symbol] = {
            "symbol": quote.symbol,
            "bid": grid.ticks_to_text(quote.bid_px),
            "bid_qty": grid.lots_to_text(quote.bid_qty),
            "ask": grid.ticks_to_text(quote.ask_px),
            "ask_qty": grid.lots_to_text(quote.ask_qty),
            "ts_ms": quote.ts_ns // 1_000_000,
        }
