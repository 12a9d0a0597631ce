# SPDX-License-Identifier: Apache-2.0
"""Risk's own view of positions and profit: from executions, with code of its own."""

from collections.abc import Iterator
from dataclasses import dataclass

from tradewind.core.events import Event, OrderReport, PositionAdjusted
from tradewind.core.types import ExecType, OrdStatus, Reason, Side

TRADES = frozenset({ExecType.TRADE, ExecType.TRADE_CANCEL, ExecType.TRADE_CORRECT})


@dataclass(slots=True)
class Holding:
    """One account in one instrument: signed lots, and the cash that its trades moved."""

    qty: int = 0
    cash: int = 0
    cost: int = 0

    @property
    def realised(self) -> int:
        """Profit taken, in ticks x lots."""
        return self.cost + self.cash

    def unrealised(self, mark_px: int) -> int:
        """Profit that closing at `mark_px` would take, in ticks x lots."""
        return self.qty * mark_px - self.cost

    def trade(self, side: Side, qty: int, price: int) -> None:
        """Books one execution at average cost."""
        signed = qty if side is Side.BUY else -qty
        self.cash -= signed * price
        closed = min(abs(self.qty), qty) if self.qty * signed < 0 else 0
        if closed:
            self.cost -= self.cost * closed // abs(self.qty)
            self.qty += closed if signed > 0 else -closed
        opened = (qty - closed) if signed > 0 else (closed - qty)
        self.qty += opened
        self.cost += opened * price


@dataclass(slots=True)
class Traded:
    """What an order has traded in all, by its last report of a trade."""

    qty: int = 0
    notional: int = 0


def executions(report: OrderReport, before: Traded) -> Iterator[tuple[Side, int, int]]:
    """Side, lots and price of what a report of a trade books; takes it into `before`.

    Of a bust or correction first the opposite of what it takes back: what that is follows from the
    order's own sums before and after.
    """
    undone_qty = before.qty + report.last_qty - report.cum_qty
    if undone_qty:
        added = report.last_qty * report.last_px
        undone = before.notional + added - report.cum_notional
        yield report.side.opposite, undone_qty, undone // undone_qty
    if report.last_qty:
        yield report.side, report.last_qty, report.last_px
    before.qty, before.notional = report.cum_qty, report.cum_notional


class RiskBook:
    """Holdings as EVENTS tells them."""

    def __init__(self) -> None:
        self.holdings: dict[tuple[str, str], Holding] = {}
        self.fees: dict[tuple[str, str], int] = {}
        self.unknown: set[str] = set()
        self._traded: dict[str, Traded] = {}

    def take(self, event: Event) -> None:
        """Follows one event. A parent's reports are left out: its children do all that it does."""
        match event:
            case OrderReport(is_parent=False):
                self._take_report(event)
            case PositionAdjusted(reason=Reason.NONE):
                self._adjust(event)

    def _take_report(self, report: OrderReport) -> None:
        if report.ord_status is OrdStatus.UNKNOWN:
            self.unknown.add(report.order_id)
        else:
            self.unknown.discard(report.order_id)
        if report.fee_e8:
            key = (report.account, report.fee_currency)
            self.fees[key] = self.fees.get(key, 0) + report.fee_e8
        if report.exec_type in TRADES:
            self._trade(report)

    def _trade(self, report: OrderReport) -> None:
        holding = self.holdings.setdefault((report.account, report.symbol), Holding())
        before = self._traded.setdefault(report.order_id, Traded())
        for side, qty, price in executions(report, before):
            holding.trade(side, qty, price)

    def _adjust(self, event: PositionAdjusted) -> None:
        key = (event.account, event.symbol)
        if event.is_reset:
            self.holdings[key] = Holding()
            return
        side = Side.BUY if event.qty > 0 else Side.SELL
        self.holdings.setdefault(key, Holding()).trade(side, abs(event.qty), event.price)
