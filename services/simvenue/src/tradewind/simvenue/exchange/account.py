# SPDX-License-Identifier: Apache-2.0
"""What a client may do with its account. Every request goes through the venue, as any other's."""

import secrets
from collections.abc import Iterator, Sequence
from typing import Any

from tradewind.core.types import ExecType, Side
from tradewind.simvenue.exchange import errors, forms
from tradewind.simvenue.exchange.errors import ApiError, missing, rejection
from tradewind.simvenue.exchange.keys import Params, now_ms, whole
from tradewind.simvenue.orders import Report
from tradewind.simvenue.requests import Cancel, Replace
from tradewind.simvenue.venue import Venue

LIMIT_DEFAULT = 500
LIMIT_MAX = 1000
DAY_MS = 86_400_000
NS_PER_MS = 1_000_000
BEGINNINGS = frozenset({"fromId", "orderId", "startTime"})
CREDIT_LOTS = 10**15
"""What every account has of each asset before it trades: this venue gives credit."""


class Accounts:
    """The accounts at one venue with one symbol."""

    def __init__(self, venue: Venue) -> None:
        self._venue = venue
        self.symbol = venue.exchange.symbol
        self.symbol_id = self.symbol.replace("-", "")
        self.base, _, self.quote = self.symbol.partition("-")

    def new(self, session: str, params: Params) -> dict[str, Any]:
        """POST order."""
        self.check_symbol(params)
        cl_id = params.get("newClientOrderId") or secrets.token_hex(11)
        request = forms.new_of(params, self.symbol, cl_id)
        before = self._last_exec_no()
        answer = self._venue.request(session, request)
        if answer.exec_type is ExecType.REJECTED:
            raise rejection(answer.text)
        reports = [report for report in self._of(session, cl_id) if report.exec_no > before]
        made = self._order(reports)
        fills = [r for r in reports if r.exec_type is ExecType.TRADE]
        return {
            **made,
            "transactTime": made["updateTime"],
            "fills": [
                {
                    "price": forms.price(fill.last_px),
                    "qty": forms.qty(fill.last_qty),
                    "commission": forms.fee(fill),
                    "commissionAsset": fill.fee_currency,
                    "tradeId": fill.exec_no,
                }
                for fill in fills
            ],
        }

    def cancel(self, session: str, params: Params) -> dict[str, Any]:
        """DELETE order. A second one finds nothing to cancel, as this API has it."""
        self.check_symbol(params)
        cl_id = self._cl_id(session, params, errors.UNKNOWN_ORDER)
        request_id = params.get("newClientOrderId") or secrets.token_hex(11)
        before = self._last_exec_no()
        answer = self._venue.request(session, Cancel(cl_id=cl_id, request_id=request_id))
        if answer.exec_type is not ExecType.CANCELED or answer.exec_no <= before:
            raise ApiError(errors.UNKNOWN_ORDER)
        canceled = self._order(self._of(session, cl_id))
        return {**canceled, "origClientOrderId": cl_id, "clientOrderId": request_id}

    def amend(self, session: str, params: Params) -> dict[str, Any]:
        """PUT order/amend/keepPriority: less quantity, in place."""
        self.check_symbol(params)
        cl_id = self._cl_id(session, params, errors.UNKNOWN_ORDER)
        working = self._venue.exchange.records.working.get((session, cl_id))
        if working is None:
            raise ApiError(errors.UNKNOWN_ORDER)
        if params.get("newClientOrderId") != cl_id:
            raise missing("newClientOrderId")
        qty = forms.lots(params, "newQty")
        if qty >= working.qty:
            raise ApiError(errors.AMEND_NOT_LESS)
        request_id = f"amend-{secrets.token_hex(8)}"
        change = Replace(cl_id=cl_id, request_id=request_id, qty=qty, price=working.price)
        answer = self._venue.request(session, change)
        if answer.exec_type is not ExecType.REPLACED:
            raise rejection(answer.text)
        amended = self._order(self._of(session, cl_id))
        return {
            "transactTime": amended["updateTime"],
            "executionId": answer.exec_no,
            "amendedOrder": {
                **amended,
                "origClientOrderId": cl_id,
                "qty": amended["origQty"],
                "executedQty": amended["executedQty"],
                "preventedQty": forms.qty(0),
                "cumulativeQuoteQty": amended["cummulativeQuoteQty"],
            },
        }

    def order(self, session: str, params: Params) -> dict[str, Any]:
        """GET order, perhaps as it was a while ago."""
        self.check_symbol(params)
        cl_id = self._cl_id(session, params, errors.NO_SUCH_ORDER)
        taken = _taken(self._venue.status(session, cl_id)[0])
        if not taken:
            raise ApiError(errors.NO_SUCH_ORDER)
        return self._order(taken)

    def open_orders(self, session: str, params: Params) -> list[dict[str, Any]]:
        """GET openOrders, perhaps as they were a while ago."""
        if "symbol" in params:
            self.check_symbol(params)
        states = self._venue.open_orders(session)
        return [self._order(self._of(session, state.cl_id)) for state in states]

    def all_orders(self, session: str, params: Params) -> list[dict[str, Any]]:
        """GET allOrders: from `orderId`, or those made in a time, or the last ones."""
        self.check_symbol(params)
        first = self._first(params, "orderId")
        found = [
            report for report in self._reports(session, first, params) if _is(report, ExecType.NEW)
        ]
        return [
            self._order(_of_one(self._of(session, report.cl_id), report.venue_order_id))
            for report in _some(found, params)
        ]

    def my_trades(self, session: str, params: Params) -> list[dict[str, Any]]:
        """GET myTrades: from `fromId`, of an order, of a time, or the last ones."""
        self.check_symbol(params)
        order_no = whole(params, "orderId", 0)
        first = max(order_no, self._first(params, "fromId"))
        found = [
            report
            for report in self._reports(session, first, params)
            if _is(report, ExecType.TRADE) and order_no in (0, forms.order_no(report))
        ]
        return [
            forms.trade(self.symbol_id, report, self.time_ms(report))
            for report in _some(found, params)
        ]

    def account(self, session: str, params: Params) -> dict[str, Any]:
        """GET account: credit, and what trades made of it."""
        spent = sum(
            report.last_qty * report.last_px * (-1 if report.side is Side.BUY else 1)
            for report in self._reports(session, 1, {})
            if _is(report, ExecType.TRADE)
        )
        has = {
            self.base: forms.qty(CREDIT_LOTS + self._venue.position(session)),
            self.quote: forms.quote(CREDIT_LOTS + spent),
        }
        return {
            "canTrade": True,
            "canWithdraw": False,
            "canDeposit": False,
            "accountType": "SPOT",
            "updateTime": now_ms(),
            "balances": [
                {"asset": asset, "free": free, "locked": forms.qty(0)}
                for asset, free in has.items()
            ],
            "permissions": ["SPOT"],
        }

    def check_symbol(self, params: Params) -> None:
        """Refuses what this venue does not trade."""
        if "symbol" not in params:
            raise missing("symbol")
        if params["symbol"] != self.symbol_id:
            raise ApiError(errors.BAD_SYMBOL)

    def time_ms(self, report: Report) -> int:
        """When a report was made."""
        return self._venue.ledger.dated(report.exec_no)[0] // NS_PER_MS

    def order_until(self, report: Report) -> dict[str, Any]:
        """The order that a report is about, as the report left it."""
        reports = self._venue.ledger.reports_of(report.session, report.cl_id)
        mine = _of_one(reports, report.venue_order_id)
        return self._order([one for one in mine if one.exec_no <= report.exec_no])

    def _order(self, reports: Sequence[Report]) -> dict[str, Any]:
        times = self.time_ms(reports[0]), self.time_ms(reports[-1])
        return forms.order(self.symbol_id, reports, *times)

    def _of(self, session: str, cl_id: str) -> list[Report]:
        """The reports about the latest order of this id."""
        return _taken(self._venue.ledger.reports_of(session, cl_id))

    def _cl_id(self, session: str, params: Params, absent: errors.Told) -> str:
        """The client's id of the order that a request names in one way or the other."""
        if params.get("origClientOrderId"):
            return params["origClientOrderId"]
        number = whole(params, "orderId")
        if not 0 < number <= self._last_exec_no():
            raise ApiError(absent)
        made = self._venue.ledger.report(number)
        if made.session != session or forms.order_no(made) != number:
            raise ApiError(absent)
        return made.cl_id

    def _first(self, params: Params, name: str) -> int:
        """The number of the first report that may be meant."""
        if name in params:
            return whole(params, name)
        start_ms = whole(params, "startTime", 0)
        if whole(params, "endTime", start_ms) - start_ms > DAY_MS:
            raise ApiError(errors.TOO_MUCH_TIME)
        return self._venue.ledger.first_since(start_ms * NS_PER_MS) if start_ms else 1

    def _reports(self, session: str, first: int, params: Params) -> Iterator[Report]:
        end_ms = whole(params, "endTime", 0)
        for report in self._venue.memory.reports(session, first - 1, 0):
            if end_ms and self.time_ms(report) > end_ms:
                return
            yield report

    def _last_exec_no(self) -> int:
        return self._venue.exchange.records.last_exec_no


def _is(report: Report, kind: ExecType) -> bool:
    return report.exec_type is kind


def _of_one(reports: Sequence[Report], venue_order_id: str) -> list[Report]:
    return [report for report in reports if report.venue_order_id == venue_order_id]


def _taken(reports: Sequence[Report]) -> list[Report]:
    """Those about the last order that was taken: one that is refused leaves no trace here."""
    taken = [r for r in reports if r.venue_order_id and r.exec_type is not ExecType.REJECTED]
    return _of_one(taken, taken[-1].venue_order_id) if taken else []


def _some(found: list[Report], params: Params) -> list[Report]:
    """The first ones from where the client wants to begin, else the last ones."""
    limit = min(whole(params, "limit", LIMIT_DEFAULT), LIMIT_MAX)
    return found[:limit] if BEGINNINGS & params.keys() else found[-limit:]
