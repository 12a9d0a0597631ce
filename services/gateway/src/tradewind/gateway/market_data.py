# SPDX-License-Identifier: Apache-2.0
"""Quotes, trades and depth for WebSocket sessions, in decimals, each rendered once for all."""

import asyncio
import logging
from collections.abc import Iterable
from typing import Any, Protocol

import msgspec

from tradewind.common import subjects
from tradewind.common.grid import Grid
from tradewind.common.jetstream import Bus, Message
from tradewind.gateway.instruments import Instruments

_encode = msgspec.json.Encoder().encode
log = logging.getLogger(__name__)


class Quote(msgspec.Struct, frozen=True):
    """Best prices in ticks and lots; a side without orders is 0."""

    symbol: str
    bid_px: int
    bid_qty: int
    ask_px: int
    ask_qty: int
    is_crossed: bool
    ts_ns: int


class Trade(msgspec.Struct, frozen=True):
    """One trade at the venue; `side` is the taker's."""

    symbol: str
    px: int
    qty: int
    side: str
    ts_ns: int


class Depth(msgspec.Struct, frozen=True):
    """Price levels in ticks and lots, the best first."""

    symbol: str
    bids: list[tuple[int, int]]
    asks: list[tuple[int, int]]
    ts_ns: int


KINDS: dict[str, msgspec.json.Decoder[Quote | Trade | Depth]] = {
    "quote": msgspec.json.Decoder(Quote),
    "trade": msgspec.json.Decoder(Trade),
    "depth": msgspec.json.Decoder(Depth),
}

Thing = tuple[str, str]
"""A kind (quote, trade, depth) and a symbol."""


class Viewer(Protocol):
    """A session that sees things as they stand."""

    def show(self, name: str, frame: bytes) -> None:
        """Tells this unless something newer of that name comes before it can."""


class MarketData:
    """Listens to the bus from the first time that somebody wants to see anything."""

    def __init__(self, bus: Bus, instruments: Instruments) -> None:
        self._bus = bus
        self._instruments = instruments
        self._viewers: dict[Thing, set[Viewer]] = {}
        self._newest: dict[Thing, bytes] = {}
        self._is_wanted = asyncio.Event()

    async def run(self) -> None:
        """Takes what is published, once it is wanted."""
        await self._is_wanted.wait()
        await self._bus.subscribe(subjects.market_data("*", "*", "*"), self.hear)

    def watch(self, viewer: Viewer, things: Iterable[Thing]) -> None:
        """From now on `viewer` sees these and no others; at once what is known of them."""
        self.leave(viewer)
        for thing in things:
            self._viewers.setdefault(thing, set()).add(viewer)
            self._is_wanted.set()
            if thing in self._newest:
                self._show(thing, self._newest[thing], [viewer])

    def leave(self, viewer: Viewer) -> None:
        """`viewer` sees nothing more."""
        for thing, viewers in list(self._viewers.items()):
            viewers.discard(viewer)
            if not viewers:
                del self._viewers[thing]

    def hear(self, message: Message) -> None:
        """Something was published."""
        _md, _venue, symbol, kind = message.subject.split(".")
        if kind not in KINDS or self._instruments.grid(symbol) is None:
            return
        self._newest[kind, symbol] = message.body
        self._show((kind, symbol), message.body, self._viewers.get((kind, symbol), ()))

    def _show(self, thing: Thing, body: bytes, viewers: Iterable[Viewer]) -> None:
        kind, symbol = thing
        grid = self._instruments.grid(symbol)
        if grid is None or not viewers:
            return
        try:
            data = KINDS[kind].decode(body)
        except msgspec.MsgspecError as error:
            log.error("a %s of %s was not understood: %s", kind, symbol, error)
            return
        frame = _encode({"type": kind, **_in_decimals(data, grid)})
        for viewer in viewers:
            viewer.show(f"{kind} {symbol}", frame)


def _in_decimals(data: Quote | Trade | Depth, grid: Grid) -> dict[str, Any]:
    """Market data as clients see it. A side of a quote that nobody is on is null."""
    found = msgspec.structs.asdict(data)
    for name, value in found.items():
        if name in ("bids", "asks"):
            found[name] = [(grid.ticks_to_text(px), grid.lots_to_text(qty)) for px, qty in value]
        elif name.endswith("px"):
            found[name] = grid.ticks_to_text(value) if value else None
        elif name.endswith("qty"):
            found[name] = grid.lots_to_text(value) if value else None
    return found
