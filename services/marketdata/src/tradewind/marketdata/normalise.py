# SPDX-License-Identifier: Apache-2.0
"""Feed messages -> market data of ours. Pure; what is not sane is refused, never repaired."""

from typing import Any

import msgspec


class Quote(msgspec.Struct, frozen=True, kw_only=True):
    """Best prices: ticks and lots. A side without orders is 0. `is_crossed`: not to be used."""

    symbol: str
    bid_px: int
    bid_qty: int
    ask_px: int
    ask_qty: int
    is_crossed: bool
    ts_ns: int


class Trade(msgspec.Struct, frozen=True, kw_only=True):
    """One trade at the venue; `side` is the taker's."""

    symbol: str
    px: int
    qty: int
    side: str
    ts_ns: int


class Depth(msgspec.Struct, frozen=True, kw_only=True):
    """Price levels, the best first: (ticks, lots)."""

    symbol: str
    bids: list[tuple[int, int]]
    asks: list[tuple[int, int]]
    ts_ns: int


class BadFeed(ValueError):
    """A feed message that makes no sense."""


MarketData = Quote | Trade | Depth

_KINDS: dict[str, type[Any]] = {"quote": Quote, "trade": Trade, "depth": Depth}


def normalise(message: dict[str, Any], symbol: str) -> tuple[str, MarketData] | None:
    """Kind and content of a feed message; None for a kind that is not passed on.

    Raises:
        BadFeed: if a price, a size or a time cannot be.
    """
    kind = str(message.get("type", ""))
    if kind not in _KINDS:
        return None
    plain = {"symbol": symbol, "is_crossed": False, **message}
    try:
        data: MarketData = msgspec.convert(plain, _KINDS[kind])
    except msgspec.ValidationError as error:
        raise BadFeed(f"{kind}: {error}") from error
    match data:
        case Quote():
            return kind, _checked_quote(data)
        case Trade():
            _require(data.px > 0 and data.qty > 0, data)
        case Depth():
            _require(all(px > 0 and qty > 0 for px, qty in data.bids + data.asks), data)
    _require(data.ts_ns > 0, data)
    return kind, data


def _checked_quote(quote: Quote) -> Quote:
    sizes = (quote.bid_px, quote.bid_qty, quote.ask_px, quote.ask_qty)
    _require(all(size >= 0 for size in sizes) and quote.ts_ns > 0, quote)
    _require((quote.bid_px > 0) == (quote.bid_qty > 0), quote)
    _require((quote.ask_px > 0) == (quote.ask_qty > 0), quote)
    is_crossed = 0 < quote.ask_px <= quote.bid_px
    return msgspec.structs.replace(quote, is_crossed=is_crossed)


def _require(holds: bool, data: MarketData) -> None:
    if not holds:
        raise BadFeed(f"{data} cannot be")
