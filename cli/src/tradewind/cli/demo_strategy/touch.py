# SPDX-License-Identifier: Apache-2.0
"""The best prices, from the venue's public feed."""

import asyncio
import logging
import time

import aiohttp
import msgspec

from tradewind.cli.client import Message

STALE_QUOTE_S = 2.0
RECONNECT_S = 0.25

log = logging.getLogger(__name__)


class Touch:
    """The best prices, from the venue's public feed, in ticks."""

    def __init__(self, url: str, symbol: str) -> None:
        self._url = url
        self._symbol = symbol
        self._seen_s = 0.0
        self.bid = 0
        self.ask = 0

    @property
    def is_fresh(self) -> bool:
        """Both sides are there and were seen a moment ago."""
        return 0 < self.bid < self.ask and time.monotonic() - self._seen_s < STALE_QUOTE_S

    async def follow(self) -> None:
        """Listens for ever, and connects again when the feed goes away."""
        while True:
            try:
                async with (
                    aiohttp.ClientSession() as session,
                    session.ws_connect(self._url, heartbeat=5.0) as socket,
                ):
                    async for frame in socket:
                        if frame.type is aiohttp.WSMsgType.TEXT:
                            self._take(msgspec.json.decode(frame.data))
            except (aiohttp.ClientError, OSError, TimeoutError, msgspec.DecodeError):
                log.info("the feed is away")
            await asyncio.sleep(RECONNECT_S)

    def _take(self, message: Message) -> None:
        if message.get("type") == "quote" and message.get("symbol") == self._symbol:
            self.bid, self.ask = message["bid_px"] or 0, message["ask_px"] or 0
            self._seen_s = time.monotonic()
