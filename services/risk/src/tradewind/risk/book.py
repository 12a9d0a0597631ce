# SPDX-License-Identifier: Apache-2.0
"""Risk's own view: positions and profit from executions, and a second look at what was accepted.

Built from EVENTS alone, with code of its own: where it disagrees with what the core accepted, one
of the two is wrong, and trading in that account stops until people know which.
"""

from dataclasses import dataclass

from tradewind.core.events import (
    Event,
    LimitsSet,
    OrderReport,
    PositionAdjusted,
    ReferencePriceSet,
)
from tradewind.core.types import ExecType, OrdStatus, OrdType, Reason, Side

BPS = 10_000
WITH_PRICE = frozenset({OrdType.LIMIT, OrdType.STOP_LIMIT})
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


@dataclass(frozen=True, slots=True)
class Breach:
    """An accepted order that should not have been."""

    account: str
    order_id: str
    text: str


class RiskBook:
    """Holdings, limits and references as EVENTS tells them."""

    def __init__(self) -> None:
        self.holdings: dict[tuple[str, str], Holding] = {}
        self.limits: dict[tuple[str, str], LimitsSet] = {}
        self.references: dict[str, int] = {}
        self.fees: dict[tuple[str, str], int] = {}
        self.unknown: set[str] = set()
        self._traded: dict[str, Traded] = {}
        self.checked = 0
        self.breaches: list[Breach] = []

    def take(self, event: Event) -> Breach | None:
        """Follows one event; what it finds wrong with an accepted order, if anything."""
        match event:
            case OrderReport(is_parent=True):
                return None
            case OrderReport():
                return self._take_report(event)
            case PositionAdjusted(reason=Reason.NONE):
                self._adjust(event)
            case LimitsSet():
                self.limits[event.account, event.symbol] = event
            case ReferencePriceSet():
                self.references[event.symbol] = event.price
        return None

    def _take_report(self, report: OrderReport) -> Breach | None:
        """A parent's reports are left out above: what its children do is all that it does."""
        if report.ord_status is OrdStatus.UNKNOWN:
            self.unknown.add(report.order_id)
        else:
            self.unknown.discard(report.order_id)
        if report.fee_e8:
            key = (report.account, report.fee_currency)
            self.fees[key] = self.fees.get(key, 0) + report.fee_e8
        if report.exec_type in TRADES:
            self._trade(report)
        return self._recheck(report) if report.exec_type is ExecType.PENDING_NEW else None

    def _trade(self, report: OrderReport) -> None:
        """Books a fill; of a bust or correction first the opposite of what it takes back.

        What that is follows from the order's own sums before and after.
        """
        holding = self.holdings.setdefault((report.account, report.symbol), Holding())
        before = self._traded.setdefault(report.order_id, Traded())
        undone_qty = before.qty + report.last_qty - report.cum_qty
        if undone_qty:
            added = report.last_qty * report.last_px
            undone = before.notional + added - report.cum_notional
            holding.trade(report.side.opposite, undone_qty, undone // undone_qty)
        if report.last_qty:
            holding.trade(report.side, report.last_qty, report.last_px)
        before.qty, before.notional = report.cum_qty, report.cum_notional

    def _adjust(self, event: PositionAdjusted) -> None:
        key = (event.account, event.symbol)
        if event.is_reset:
            self.holdings[key] = Holding()
            return
        side = Side.BUY if event.qty > 0 else Side.SELL
        self.holdings.setdefault(key, Holding()).trade(side, abs(event.qty), event.price)

    def _recheck(self, report: OrderReport) -> Breach | None:
        self.checked += 1
        text = self._objection(report)
        if text is None:
            return None
        breach = Breach(report.account, report.order_id, text)
        self.breaches.append(breach)
        return breach

    def _objection(self, report: OrderReport) -> str | None:
        limits = self.limits.get((report.account, report.symbol))
        reference = self.references.get(report.symbol)
        if limits is None or reference is None:
            return "accepted without limits or reference price"
        if report.order_qty > limits.max_order_qty:
            return f"{report.order_qty} lots are more than the {limits.max_order_qty} allowed"
        has_price = report.ord_type in WITH_PRICE
        around = report.stop_px or reference
        if has_price and abs(report.price - around) * BPS > around * limits.collar_bps:
            return f"price {report.price} is outside the collar around {around}"
        value = report.order_qty * (report.price if has_price else max(reference, report.stop_px))
        if value > limits.max_notional:
            return f"value {value} is more than the {limits.max_notional} allowed"
        return None
