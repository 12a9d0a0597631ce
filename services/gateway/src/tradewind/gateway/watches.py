# SPDX-License-Identifier: Apache-2.0
"""What WebSocket sessions ask to see beside their reports."""

from dataclasses import dataclass
from typing import Protocol

import msgspec

from tradewind.gateway.auth import Key
from tradewind.gateway.errors import Refusal, refusal
from tradewind.gateway.instruments import Instruments
from tradewind.gateway.market_data import MarketData, Viewer
from tradewind.gateway.position_feed import PositionFeed
from tradewind.gateway.requests import Subscribe

_encode = msgspec.json.Encoder().encode


class Watcher(Viewer, Protocol):
    """A session, and whose it is."""

    key: Key

    def push(self, frame: bytes) -> None:
        """Queues a message for the client."""


@dataclass(frozen=True, slots=True)
class Watches:
    """Market data and positions."""

    instruments: Instruments
    market_data: MarketData
    positions: PositionFeed

    def take(self, watcher: Watcher, wanted: Subscribe) -> Refusal | None:
        """From now on the session sees what `wanted` names, and nothing else; or why not."""
        refused = self._refused(watcher.key, wanted)
        if refused is not None:
            return refused
        watcher.push(_encode({**msgspec.structs.asdict(wanted), "type": "subscribed"}))
        named = {"quote": wanted.quotes, "trade": wanted.trades, "depth": wanted.depth}
        things = [(kind, symbol) for kind, symbols in named.items() for symbol in symbols]
        self.market_data.watch(watcher, things)
        self.positions.watch(watcher, wanted.positions)
        return None

    def drop(self, watcher: Watcher) -> None:
        """The session is over."""
        self.market_data.leave(watcher)
        self.positions.leave(watcher)

    def _refused(self, key: Key, wanted: Subscribe) -> Refusal | None:
        for symbol in (*wanted.quotes, *wanted.trades, *wanted.depth):
            if self.instruments.grid(symbol) is None:
                return refusal("UNKNOWN_INSTRUMENT", f"{symbol}:")
        checks = (key.permits("read"), *(key.permits("read", each) for each in wanted.positions))
        return next((refused for refused in checks if refused is not None), None)
