# SPDX-License-Identifier: Apache-2.0
"""What the page shows, built from outputs. Pure; bounded."""

from collections import Counter, OrderedDict, deque
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from tradewind.common.grid import Grid
from tradewind.core.events import Event, InstrumentDefined, OrderReport, TradingStateSet
from tradewind.core.types import ExecType, TradingState

ORDERS_MAX = 300
FILLS_MAX = 60
NS_PER_S = 1_000_000_000
RATE_WINDOW_S = 10
TRADES = frozenset({ExecType.TRADE, ExecType.TRADE_CANCEL, ExecType.TRADE_CORRECT})


@dataclass(slots=True)
class Projection:
    """Newest orders and fills, counts, and scopes that are not open."""

    orders: "OrderedDict[str, dict[str, Any]]" = field(default_factory=OrderedDict)
    fills: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=FILLS_MAX))
    counts: Counter[str] = field(default_factory=Counter)
    states: dict[str, dict[str, str]] = field(default_factory=dict)
    grids: dict[str, Grid] = field(default_factory=dict)
    _accepted_ns: deque[int] = field(default_factory=deque)

    def take(self, event: Event) -> None:
        """Follows one output."""
        match event:
            case OrderReport():
                self._order(event)
            case TradingStateSet():
                self._state(event)
            case InstrumentDefined():
                self.define(event.symbol, event.tick_size, event.lot_size)

    def define(self, symbol: str, tick_size: str, lot_size: str) -> None:
        """Learns the grid that a symbol's numbers are printed on."""
        self.grids[symbol] = Grid(Decimal(tick_size), Decimal(lot_size))

    def orders_per_s(self, now_ns: int) -> float:
        """Accepted orders per second over the last seconds of journal time."""
        while self._accepted_ns and now_ns - self._accepted_ns[0] > RATE_WINDOW_S * NS_PER_S:
            self._accepted_ns.popleft()
        return len(self._accepted_ns) / RATE_WINDOW_S

    def plain(self) -> dict[str, Any]:
        """Everything, the newest first."""
        return {
            "orders": list(reversed(self.orders.values())),
            "fills": list(self.fills),
            "counts": dict(self.counts),
            "states": list(self.states.values()),
        }

    def _order(self, report: OrderReport) -> None:
        if not report.is_parent:
            self.counts[report.exec_type] += 1
        if report.exec_type is ExecType.PENDING_NEW:
            self._accepted_ns.append(report.transact_time_ns)
        grid = self.grids.get(report.symbol)
        if grid is None:
            return
        key = report.order_id or f"{report.account}/{report.cl_ord_id}"
        self.orders[key] = self._row(report, grid)
        self.orders.move_to_end(key)
        if len(self.orders) > ORDERS_MAX:
            self.orders.popitem(last=False)
        if report.exec_type in TRADES and not report.is_parent:
            self._fill(report, grid)

    def _fill(self, report: OrderReport, grid: Grid) -> None:
        """A fill at the top; one that was busted or corrected is taken out."""
        gone = report.venue_exec_ref_id
        for row in [row for row in self.fills if gone and row["exec_id"] == gone]:
            self.fills.remove(row)
        if report.last_qty:
            self.fills.appendleft(self._row(report, grid))

    def _row(self, report: OrderReport, grid: Grid) -> dict[str, Any]:
        return {
            "time_ms": report.transact_time_ns // 1_000_000,
            "account": report.account,
            "order_id": report.order_id,
            "cl_ord_id": report.cl_ord_id,
            "symbol": report.symbol,
            "side": report.side,
            "type": report.ord_type,
            "tif": report.time_in_force,
            "qty": grid.lots_to_text(report.order_qty),
            "price": grid.ticks_to_text(report.price) if report.price else "",
            "cum": grid.lots_to_text(report.cum_qty),
            "leaves": grid.lots_to_text(report.leaves_qty),
            "exec_id": report.venue_exec_id,
            "last_qty": grid.lots_to_text(report.last_qty),
            "last_px": grid.ticks_to_text(report.last_px) if report.last_px else "",
            "status": report.ord_status,
            "reason": report.reason,
            "strategy": report.strategy,
        }

    def _state(self, event: TradingStateSet) -> None:
        if event.state is TradingState.ACTIVE:
            self.states.pop(event.scope, None)
            return
        self.states[event.scope] = {
            "scope": event.scope,
            "state": event.state,
            "actor": event.actor,
            "reason": event.reason,
        }
