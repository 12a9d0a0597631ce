# SPDX-License-Identifier: Apache-2.0
"""What streams say: an account's execution reports, and changes of the market."""

from typing import Any

from tradewind.core.types import ExecType, Side
from tradewind.simvenue.exchange import forms
from tradewind.simvenue.exchange.account import Accounts
from tradewind.simvenue.exchange.keys import now_ms
from tradewind.simvenue.market import Market
from tradewind.simvenue.orders import Report

TOLD = frozenset(
    {
        ExecType.NEW,
        ExecType.TRADE,
        ExecType.CANCELED,
        ExecType.EXPIRED,
        ExecType.REPLACED,
        ExecType.RESTATED,
    }
)
"""Everything else has no word here; refusals are answers of requests only."""
DEPTH_LEVELS = 1000
Levels = dict[int, int]


def execution(report: Report, accounts: Accounts) -> dict[str, Any]:
    """A report as the user stream has it: the order as it is after it."""
    is_rest = report.exec_type is ExecType.CANCELED and report.text == forms.UNFILLED
    is_cancel = report.exec_type is ExecType.CANCELED and not is_rest
    names = {ExecType.RESTATED: "REPLACED", ExecType.CANCELED: "EXPIRED" if is_rest else "CANCELED"}
    kind = names.get(report.exec_type, report.exec_type.value)
    order = accounts.order_until(report)
    trade_ms = accounts.time_ms(report)
    is_trade = report.exec_type is ExecType.TRADE
    return {
        "e": "executionReport",
        "E": now_ms(),
        "s": order["symbol"],
        "c": report.request_id if is_cancel and report.request_id else report.cl_id,
        "S": order["side"],
        "o": order["type"],
        "f": order["timeInForce"],
        "q": order["origQty"],
        "p": order["price"],
        "P": order["stopPrice"],
        "F": order["icebergQty"],
        "g": -1,
        "C": report.cl_id if is_cancel else "",
        "x": kind,
        "X": order["status"],
        "r": "NONE",
        "i": order["orderId"],
        "l": forms.qty(report.last_qty if is_trade else 0),
        "z": order["executedQty"],
        "L": forms.price(report.last_px if is_trade else 0),
        "n": forms.fee(report) if is_trade else "0",
        "N": report.fee_currency if is_trade else None,
        "T": trade_ms,
        "t": report.exec_no if is_trade else -1,
        "I": report.exec_no,
        "w": order["isWorking"],
        "m": False,
        "M": False,
        "O": order["time"],
        "Z": order["cummulativeQuoteQty"],
        "Y": forms.quote(report.last_qty * report.last_px if is_trade else 0),
        "Q": forms.qty(0),
        "W": order["workingTime"],
        "V": "NONE",
    }


class MarketChanges:
    """What changed since it was asked the last time."""

    def __init__(self, market: Market, symbol_id: str) -> None:
        self._market = market
        self._symbol_id = symbol_id
        self._trade_no = market.trades[-1]["trade_no"] if market.trades else 0
        self._top: tuple[int, ...] = ()
        self._version = -1
        self._levels: dict[Side, Levels] = {side: {} for side in Side}

    def trades(self) -> list[dict[str, Any]]:
        """Trades since then."""
        new = [trade for trade in self._market.trades if trade["trade_no"] > self._trade_no]
        if new:
            self._trade_no = new[-1]["trade_no"]
        return [
            {
                "e": "trade",
                "E": now_ms(),
                "s": self._symbol_id,
                "t": trade["trade_no"],
                "p": forms.price(trade["px"]),
                "q": forms.qty(trade["qty"]),
                "T": trade["ts_ns"] // 1_000_000,
                "m": trade["side"] is Side.SELL,
                "M": True,
            }
            for trade in new
        ]

    def top(self) -> list[dict[str, Any]]:
        """The best of both sides, if it is another."""
        quote = self._market.quote()
        top = (quote["bid_px"], quote["bid_qty"], quote["ask_px"], quote["ask_qty"])
        if top == self._top:
            return []
        self._top = top
        return [
            {
                "u": self._market.book.version,
                "s": self._symbol_id,
                "b": forms.price(top[0]),
                "B": forms.qty(top[1]),
                "a": forms.price(top[2]),
                "A": forms.qty(top[3]),
            }
        ]

    def depth(self) -> list[dict[str, Any]]:
        """Levels that are others, with quantity zero where one is gone."""
        book = self._market.book
        if book.version == self._version:
            return []
        first, self._version = self._version + 1, book.version
        return [
            {
                "e": "depthUpdate",
                "E": now_ms(),
                "s": self._symbol_id,
                "U": max(first, 1),
                "u": book.version,
                "b": self._changed(Side.BUY),
                "a": self._changed(Side.SELL),
            }
        ]

    def _changed(self, side: Side) -> list[list[str]]:
        before = self._levels[side]
        now = dict(self._market.book.depth(side, DEPTH_LEVELS))
        self._levels[side] = now
        changed = {
            **dict.fromkeys(before.keys() - now.keys(), 0),
            **dict(now.items() - before.items()),
        }
        return [[forms.price(px), forms.qty(qty)] for px, qty in changed.items()]
