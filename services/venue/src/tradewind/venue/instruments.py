# SPDX-License-Identifier: Apache-2.0
"""The grids that a venue's decimals are on, as operators have defined them."""

import asyncio
from decimal import Decimal
from typing import Any

import msgspec

from tradewind.common.errors import BusError
from tradewind.common.grid import Grid
from tradewind.common.jetstream import KeyValue, KvEntry

BUCKET = "CONFIG"
PREFIX = "instrument."
RETRY_S = 0.5


class Instruments:
    """Grids by symbol. A venue that speaks in ticks and lots needs none."""

    def __init__(self, values: KeyValue | None = None) -> None:
        self._values = values
        self._grids: dict[str, Grid] = {}

    @property
    def symbols(self) -> list[str]:
        """All symbols that have a grid."""
        return sorted(self._grids)

    def grid(self, symbol: str) -> Grid | None:
        """The grid of a symbol, if it is known."""
        return self._grids.get(symbol)

    def define(self, symbol: str, tick_size: str, lot_size: str) -> None:
        """Adds or changes an instrument."""
        self._grids[symbol] = Grid(Decimal(tick_size), Decimal(lot_size))

    async def load(self) -> None:
        """Reads what is defined now."""
        if self._values is not None:
            for entry in await self._values.entries(f"{PREFIX}>"):
                self._take(entry)

    async def follow(self) -> None:
        """Takes every change, for ever."""
        while self._values is not None:
            try:
                async for entry in self._values.watch(f"{PREFIX}>"):
                    self._take(entry)
            except BusError:
                await asyncio.sleep(RETRY_S)

    def _take(self, entry: KvEntry) -> None:
        if not entry.value:
            self._grids.pop(entry.key.removeprefix(PREFIX), None)
            return
        plain = msgspec.json.decode(entry.value, type=dict[str, Any])
        self.define(plain["symbol"], plain["tick_size"], plain["lot_size"])
