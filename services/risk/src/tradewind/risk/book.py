# SPDX-License-Identifier: Apache-2.0
"""Risk's own view: positions and profit from executions, and a second look at what was accepted.

Built from EVENTS alone, with code of its own: where it disagrees with what the core accepted, one
of the two is wrong, and trading in that account stops until people know which.
"""

from dataclasses import dataclass

from tradewind.core.events import Event, LimitsSet, OrderReport, ReferencePriceSet
from tradewind.core.types import ExecType, OrdType, Side

BPS = 10_000


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
        self.checked = 0
        self.breaches: list[Breach] = []

    def take(self, event: Event) -> Breach | None:
        """Follows one event; what it finds wrong with an accepted order, if anything."""
        match event:
            case OrderReport(exec_type=ExecType.TRADE):
                key = (event.account, event.symbol)
                holding = self.holdings.setdefault(key, Holding())
                holding.trade(event.side, event.last_qty, event.last_px)
            case OrderReport(exec_type=ExecType.PENDING_NEW):
                return self._recheck(event)
            case LimitsSet():
                self.limits[event.account, event.symbol] = event
            case ReferencePriceSet():
                self.references[event.symbol] = event.price
        return None

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
        is_limit = report.ord_type is OrdType.LIMIT
        if is_limit and abs(report.price - reference) * BPS > reference * limits.collar_bps:
            return f"price {report.price} is outside the collar around {reference}"
        value = report.order_qty * (report.price if is_limit else reference)
        if value > limits.max_notional:
            return f"value {value} is more than the {limits.max_notional} allowed"
        return None
