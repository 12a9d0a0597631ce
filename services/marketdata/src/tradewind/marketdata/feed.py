# SPDX-License-Identifier: Apache-2.0
"""One venue's feed onto the bus: normalised, the newest quote wins, staleness is said."""

import asyncio
import logging
import random
import time
from typing import Any

import aiohttp
import msgspec

from tradewind.common import subjects
from tradewind.common.errors import BusError
from tradewind.common.jetstream import Bus
from tradewind.marketdata.normalise import BadFeed, normalise
from tradewind.marketdata.settings import Settings

log = logging.getLogger(__name__)

BACKOFF_MS_MIN = 50
BACKOFF_MS_MAX = 2000
HEARTBEAT_S = 2.0
LOOK_AGAIN_S = 0.25


class Feed:
    """Reads the feed, publishes, and knows how old its newest message is."""

    def __init__(self, bus: Bus, settings: Settings) -> None:
        self._bus = bus
        self._settings = settings
        self._heard_s: float | None = None
        self._was_stale = True
        self.counts: dict[str, int] = {"quote": 0, "trade": 0, "depth": 0}
        self.refused = 0
        self.connections = 0

    @property
    def is_stale(self) -> bool:
        """Nothing was heard for too long."""
        limit_s = self._settings.stale_ms / 1000
        return self._heard_s is None or time.monotonic() - self._heard_s > limit_s

    async def run(self) -> None:
        """Reads for ever, over as many connections as it takes."""
        backoff_ms = BACKOFF_MS_MIN
        while True:
            try:
                async with (
                    aiohttp.ClientSession() as http,
                    http.ws_connect(self._settings.feed_url, heartbeat=HEARTBEAT_S) as socket,
                ):
                    self.connections += 1
                    backoff_ms = BACKOFF_MS_MIN
                    async for message in socket:
                        self._take(message)
            except (aiohttp.ClientError, OSError) as error:
                log.warning("the feed cannot be had: %s", error)
            await asyncio.sleep(backoff_ms / 1000 * random.uniform(0.5, 1.5))
            backoff_ms = min(backoff_ms * 2, BACKOFF_MS_MAX)

    async def watch(self) -> None:
        """Says when the feed becomes stale, and when it is fresh again."""
        while True:
            if self.is_stale != self._was_stale:
                self._was_stale = self.is_stale
                log.warning("the feed is %s", "stale" if self._was_stale else "fresh")
                self._tell("status", {"is_stale": self._was_stale, "ts_ns": time.time_ns()})
            await asyncio.sleep(LOOK_AGAIN_S)

    def facts(self) -> dict[str, Any]:
        """What the heartbeat tells."""
        return {
            "role": "stale" if self.is_stale else "live",
            "venue": self._settings.venue,
            "counts": self.counts,
            "refused": self.refused,
            "connections": self.connections,
        }

    def _take(self, message: aiohttp.WSMessage) -> None:
        if message.type is not aiohttp.WSMsgType.TEXT:
            return
        try:
            found = normalise(msgspec.json.decode(message.data), self._settings.symbol)
        except (BadFeed, msgspec.DecodeError) as error:
            self.refused += 1
            log.warning("a feed message was refused: %s", error)
            return
        if found is None:
            return
        kind, data = found
        self._heard_s = time.monotonic()
        self.counts[kind] += 1
        self._tell(kind, data)

    def _tell(self, kind: str, data: Any) -> None:
        """Published without waiting: market data that is late is worth nothing."""
        subject = subjects.market_data(self._settings.venue, self._settings.symbol, kind)
        try:
            self._bus.tell(subject, msgspec.json.encode(data))
        except BusError:
            return
