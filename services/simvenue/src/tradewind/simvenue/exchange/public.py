# SPDX-License-Identifier: Apache-2.0
"""What anybody may ask: the time, the symbol and its grid, the book, the trades."""

from typing import Any

from tradewind.core.types import Side, TradSesStatus
from tradewind.simvenue.exchange import errors, forms
from tradewind.simvenue.exchange.errors import ApiError
from tradewind.simvenue.exchange.keys import Params, now_ms, whole
from tradewind.simvenue.market import Market
from tradewind.simvenue.venue import Venue

DEPTH_DEFAULT = 100
DEPTH_MAX = 5000
TRADES_DEFAULT = 500
TRADES_MAX = 1000
QTY_MAX = 2**53 * 8
PRICE_MAX = 10**12
STATUS = {
    None: "TRADING",
    TradSesStatus.OPEN: "TRADING",
    TradSesStatus.PRE_CLOSE: "TRADING",
    TradSesStatus.HALTED: "HALT",
}


class Public:
    """Answers without a key."""

    def __init__(self, venue: Venue, market: Market) -> None:
        self._venue = venue
        self._market = market
        self._symbol_id = venue.exchange.symbol.replace("-", "")

    def ping(self, params: Params) -> dict[str, Any]:
        """GET ping."""
        return {}

    def time(self, params: Params) -> dict[str, Any]:
        """GET time."""
        return {"serverTime": now_ms()}

    def info(self, params: Params) -> dict[str, Any]:
        """GET exchangeInfo."""
        base, _, quote = self._venue.exchange.symbol.partition("-")
        return {
            "timezone": "UTC",
            "serverTime": now_ms(),
            "rateLimits": [],
            "exchangeFilters": [],
            "symbols": [
                {
                    "symbol": self._symbol_id,
                    "status": STATUS.get(self._venue.exchange.status, "BREAK"),
                    "baseAsset": base,
                    "baseAssetPrecision": 8,
                    "quoteAsset": quote,
                    "quotePrecision": 8,
                    "quoteAssetPrecision": 8,
                    "baseCommissionPrecision": 8,
                    "quoteCommissionPrecision": 8,
                    "orderTypes": list(forms.TYPES),
                    "icebergAllowed": True,
                    "ocoAllowed": False,
                    "quoteOrderQtyMarketAllowed": False,
                    "allowTrailingStop": False,
                    "cancelReplaceAllowed": False,
                    "amendAllowed": True,
                    "isSpotTradingAllowed": True,
                    "isMarginTradingAllowed": False,
                    "filters": _filters(),
                    "permissions": ["SPOT"],
                    "permissionSets": [["SPOT"]],
                }
            ],
        }

    def depth(self, params: Params) -> dict[str, Any]:
        """GET depth."""
        self._check_symbol(params)
        levels = min(whole(params, "limit", DEPTH_DEFAULT), DEPTH_MAX)
        book = self._market.book
        return {
            "lastUpdateId": book.version,
            "bids": [_level(*level) for level in book.depth(Side.BUY, levels)],
            "asks": [_level(*level) for level in book.depth(Side.SELL, levels)],
        }

    def book_ticker(self, params: Params) -> dict[str, Any]:
        """GET ticker/bookTicker."""
        self._check_symbol(params)
        top = self._market.quote()
        return {
            "symbol": self._symbol_id,
            "bidPrice": forms.price(top["bid_px"]),
            "bidQty": forms.qty(top["bid_qty"]),
            "askPrice": forms.price(top["ask_px"]),
            "askQty": forms.qty(top["ask_qty"]),
        }

    def trades(self, params: Params) -> list[dict[str, Any]]:
        """GET trades: the last ones."""
        self._check_symbol(params)
        last = list(self._market.trades)[-min(whole(params, "limit", TRADES_DEFAULT), TRADES_MAX) :]
        return [
            {
                "id": trade["trade_no"],
                "price": forms.price(trade["px"]),
                "qty": forms.qty(trade["qty"]),
                "quoteQty": forms.quote(trade["px"] * trade["qty"]),
                "time": trade["ts_ns"] // 1_000_000,
                "isBuyerMaker": trade["side"] is Side.SELL,
                "isBestMatch": True,
            }
            for trade in last
        ]

    def agg_trades(self, params: Params) -> list[dict[str, Any]]:
        """GET aggTrades: here every trade stands alone."""
        return [
            {
                "a": trade["id"],
                "p": trade["price"],
                "q": trade["qty"],
                "f": trade["id"],
                "l": trade["id"],
                "T": trade["time"],
                "m": trade["isBuyerMaker"],
                "M": True,
            }
            for trade in self.trades(params)
        ]

    def _check_symbol(self, params: Params) -> None:
        if params.get("symbol") != self._symbol_id:
            raise ApiError(errors.BAD_SYMBOL)


def _level(px: int, qty: int) -> list[str]:
    return [forms.price(px), forms.qty(qty)]


def _filters() -> list[dict[str, Any]]:
    return [
        {
            "filterType": "PRICE_FILTER",
            "minPrice": forms.price(1),
            "maxPrice": forms.price(PRICE_MAX),
            "tickSize": forms.price(1),
        },
        {
            "filterType": "LOT_SIZE",
            "minQty": forms.qty(1),
            "maxQty": forms.qty(QTY_MAX),
            "stepSize": forms.qty(1),
        },
        {"filterType": "ICEBERG_PARTS", "limit": 10_000},
        {"filterType": "MAX_NUM_ORDERS", "maxNumOrders": 100_000},
    ]
