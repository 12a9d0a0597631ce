# SPDX-License-Identifier: Apache-2.0
"""The public feed: quotes and depth as often as allowed, trades as they happen."""

import asyncio
import time
from collections import deque
from typing import Any

import msgspec

from tradewind.core.types import Side
from tradewind.simvenue.book import Book
from tradewind.simvenue.matching import Trade

QUOTE_INTERVAL_S = 0.05
DEPTH_EVERY = 5
REPEAT_EVERY = 20
DEPTH_LEVELS = 10
BACKLOG_MAX = 2000
TRADES_KEPT = 10_000

_encoder = msgspec.json.Encoder()


class Market:
    """What the public sees of one instrument."""

    def __init__(self, symbol: str) -> None:
        self.symbol = symbol
        self.book = Book()
        self.trades: deque[dict[str, Any]] = deque(maxlen=TRADES_KEPT)
        self._trade_no = 0
        self._readers: set[asyncio.Queue[bytes | None]] = set()
        self._quote: tuple[int, ...] = ()
        self._depth: tuple[object, ...] = ()
        self._round = 0

    def subscribe(self) -> asyncio.Queue[bytes | None]:
        """A reader's queue, with the current quote and depth in it. None ends it."""
        queue: asyncio.Queue[bytes | None] = asyncio.Queue(BACKLOG_MAX)
        self._readers.add(queue)
        for message in (self.quote(), self.depth(DEPTH_LEVELS)):
            queue.put_nowait(_encoder.encode(message))
        return queue

    def unsubscribe(self, queue: asyncio.Queue[bytes | None]) -> None:
        """The reader has gone."""
        self._readers.discard(queue)

    def on_trade(self, trade: Trade) -> None:
        """Tells a trade."""
        self._trade_no += 1
        message = {
            "type": "trade",
            "trade_no": self._trade_no,
            "symbol": self.symbol,
            "px": trade.price,
            "qty": trade.qty,
            "side": trade.side,
            "ts_ns": time.time_ns(),
        }
        self.trades.append(message)
        self._send(message)

    async def run(self) -> None:
        """Sends quotes and depth for ever: when they change, and once a second if they do not."""
        while True:
            await asyncio.sleep(QUOTE_INTERVAL_S)
            self._round += 1
            if self._readers and not self.book.is_crossed():
                self._tell(is_repeat=self._round % REPEAT_EVERY == 0)

    def quote(self) -> dict[str, Any]:
        """The best of both sides; zeros where a side is empty."""
        bid, ask = self.book.depth(Side.BUY, 1), self.book.depth(Side.SELL, 1)
        bid_px, bid_qty = bid[0] if bid else (0, 0)
        ask_px, ask_qty = ask[0] if ask else (0, 0)
        return {
            "type": "quote",
            "symbol": self.symbol,
            "bid_px": bid_px,
            "bid_qty": bid_qty,
            "ask_px": ask_px,
            "ask_qty": ask_qty,
            "ts_ns": time.time_ns(),
        }

    def depth(self, levels: int) -> dict[str, Any]:
        """The best levels of both sides as [price, quantity]."""
        return {
            "type": "depth",
            "symbol": self.symbol,
            "bids": self.book.depth(Side.BUY, levels),
            "asks": self.book.depth(Side.SELL, levels),
            "ts_ns": time.time_ns(),
        }

    def _tell(self, *, is_repeat: bool) -> None:
        quote = self.quote()
        top = (quote["bid_px"], quote["bid_qty"], quote["ask_px"], quote["ask_qty"])
        if top != self._quote or is_repeat:
            self._quote = top
            self._send(quote)
        if self._round % DEPTH_EVERY == 0:
            depth = self.depth(DEPTH_LEVELS)
            levels = (depth["bids"], depth["asks"])
            if levels != self._depth or is_repeat:
                self._depth = levels
                self._send(depth)

    def _send(self, message: dict[str, Any]) -> None:
        if not self._readers:
            return
        data = _encoder.encode(message)
        for queue in list(self._readers):
            if queue.qsize() >= BACKLOG_MAX - 1:
                self._readers.discard(queue)
                queue.put_nowait(None)
            else:
                queue.put_nowait(data)
