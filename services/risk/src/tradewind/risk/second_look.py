# SPDX-License-Identifier: Apache-2.0
"""A second look at every order and replace that was accepted, by code that the core has no part in.

Built from EVENTS alone, in their order. It enters an order first and then asks whether all that the
order made larger is within its bounds (`checks`). Where it disagrees, one of the two is wrong, and
trading in that account stops until people know which. What it cannot decide it counts, by cause.
"""

import logging
from collections.abc import Iterable
from dataclasses import dataclass, field

from tradewind.core.events import (
    DayRolled,
    Event,
    OrderAdopted,
    OrderReport,
    PositionAdjusted,
    VenueRequest,
)
from tradewind.core.types import TERMINAL, ExecType, Reason, Side, VenueAction
from tradewind.risk.book import TRADES, Traded, executions
from tradewind.risk.checks import objections
from tradewind.risk.entered import Entered, Objection, World
from tradewind.risk.in_force import InForce
from tradewind.risk.lines import Key, Lines, counted

log = logging.getLogger(__name__)

ANSWERED = frozenset({ExecType.REPLACED, ExecType.REPLACE_REJECTED})
AS_ACCEPTED = (
    "account", "symbol", "side", "ord_type", "time_in_force", "order_qty", "price", "stop_px",
    "display_qty", "is_post_only", "expire_ns",
)  # fmt: skip
"""What is sent to a venue is just what was accepted."""
ACCOUNT_SCOPES = 5
"""So many of an order's scopes count its account's position, the others a part of it."""


@dataclass(frozen=True, slots=True)
class Breach:
    """An accepted order that should not have been."""

    account: str
    order_id: str
    text: str


@dataclass(slots=True)
class Order:
    """An order as far as it counts. `asked` are the quantities of replaces without an answer."""

    key: Key
    scopes: tuple[str, ...]
    side: Side
    is_parent: bool
    qty: int
    is_live: bool = True
    ended_ns: int = 0
    reserved: int = 0
    traded: Traded = field(default_factory=Traded)
    asked: dict[str, int] = field(default_factory=dict)

    @property
    def at_worst(self) -> int:
        """Lots that may still trade, whatever comes of its replaces."""
        if self.is_parent or not self.is_live:
            return 0
        return max(
            0, self.qty - self.traded.qty, *(q - self.traded.qty for q in self.asked.values())
        )


class SecondLook:
    """One shard's accepted orders, judged."""

    def __init__(self) -> None:
        self._force = InForce()
        self._lines = Lines()
        self._fees: dict[tuple[str, str], int] = {}
        self._orders: dict[str, Order] = {}
        self._accepted: OrderReport | None = None
        self._asked: OrderReport | None = None
        self.checked = 0
        self.undecided: dict[str, int] = {}
        self.breaches: list[Breach] = []

    def take(self, event: Event) -> Breach | None:
        """Follows one output; what is wrong with the order that it accepts, if anything."""
        match event:
            case OrderReport():
                return self._take_report(event)
            case VenueRequest(is_possibly_sent=False, action=VenueAction.NEW):
                return self._sent(event)
            case VenueRequest(is_possibly_sent=False, action=VenueAction.REPLACE):
                return self._replaced(event)
            case PositionAdjusted(reason=Reason.NONE):
                self._adjust(event)
            case OrderAdopted():
                self._adopt(event)
            case DayRolled():
                self._roll(event)
            case _:
                self._force.take(event)
        return None

    def _take_report(self, report: OrderReport) -> Breach | None:
        order = self._orders.get(report.order_id)
        if report.exec_type is ExecType.DENIED:
            return None
        if order is None:
            first = ExecType.NEW if report.is_parent else ExecType.PENDING_NEW
            return self._enter(report) if report.exec_type is first else None
        if report.exec_type is ExecType.PENDING_REPLACE:
            self._asked = report
        if report.exec_type in ANSWERED:
            order.asked.pop(report.cl_ord_id, None)
        if report.fee_e8:
            paid = (report.account, report.fee_currency)
            self._fees[paid] = self._fees.get(paid, 0) + report.fee_e8
        if report.exec_type in TRADES and not order.is_parent:
            self._trade(order, report)
        order.traded.qty, order.qty = report.cum_qty, report.order_qty
        self._end(order, report)
        self._reserve(order)
        if order.is_parent and report.exec_type is ExecType.REPLACED:
            return self._judge(report, order, report, before=0, grew=(False, False))
        return None

    def _enter(self, report: OrderReport) -> Breach | None:
        self._accepted = report
        if report.symbol not in self._force.instruments:
            return self._object(report, [Objection("C19", "its instrument is unknown")])
        order = self._add(report.order_id, report, report.client, report.strategy, report.algorithm)
        order.is_parent = report.is_parent
        if not report.is_parent:
            self._lines.count_order(order.scopes, 1)
        grew = self._reserve(order)
        return self._judge(report, order, report, before=0, grew=grew, is_new=True)

    def _add(
        self,
        order_id: str,
        told: OrderReport | OrderAdopted,
        client: str,
        strategy: str,
        algorithm: str,
    ) -> Order:
        order = self._orders[order_id] = Order(
            key=(told.account, told.symbol, client, strategy, algorithm),
            scopes=self._force.scopes(told.account, told.symbol, client, strategy),
            side=told.side,
            is_parent=False,
            qty=told.order_qty,
        )
        return order

    def _adopt(self, event: OrderAdopted) -> None:
        """It counts as it is found; nobody here accepted it."""
        order = self._add(event.order_id, event, event.venue, "EXTERNAL", "NONE")
        self._lines.count_order(order.scopes, 1)
        self._reserve(order)

    def _sent(self, request: VenueRequest) -> Breach | None:
        """A new order leaves as it was accepted, and right after."""
        accepted, self._accepted = self._accepted, None
        if accepted is None or accepted.order_id != request.order_id:
            return self._object(request, [Objection("C05", "sent, and nobody accepted it")])
        wrong = [n for n in AS_ACCEPTED if getattr(request, n) != getattr(accepted, n)]
        if not wrong:
            return None
        return self._object(request, [Objection("C05", f"sent with another {', '.join(wrong)}")])

    def _replaced(self, request: VenueRequest) -> Breach | None:
        asked, self._asked = self._asked, None
        order = self._orders.get(request.order_id)
        if order is None:
            self._leave_undecided("a replace of an order that it never saw")
            return None
        if asked is None or asked.order_id != request.order_id:
            return self._object(request, [Objection("C05", "replaced, and nobody accepted it")])
        before = order.reserved
        order.asked[asked.cl_ord_id] = request.order_qty
        grew = self._reserve(order)
        return self._judge(asked, order, request, before=before, grew=grew)

    def _judge(
        self,
        report: OrderReport,
        order: Order,
        terms: OrderReport | VenueRequest,
        *,
        before: int,
        grew: tuple[bool, bool],
        is_new: bool = False,
    ) -> Breach | None:
        flags = self._force.unknown_switches()
        if flags:
            self._leave_undecided(f"logic flag {flags[0]}")
            return None
        self.checked += 1
        open_qty = terms.order_qty - report.cum_qty
        part = self._lines.parts.get(order.key[:2])
        working = 0 if part is None else part.buys if order.side is Side.BUY else part.sells
        entered = Entered(
            report=report,
            qty=terms.order_qty,
            price=terms.price,
            stop_px=terms.stop_px,
            open_qty=open_qty,
            more=open_qty - before,
            working=working - (order.reserved - before),
            grew=grew,
            is_replace=not is_new,
            scopes=order.scopes,
            bounds=self._force.bounds(order.scopes, report.transact_time_ns),
        )
        found = objections(entered, World(self._force, self._lines, self._fees))
        return self._object(report, found)

    def _object(
        self, about: OrderReport | VenueRequest, found: Iterable[Objection]
    ) -> Breach | None:
        texts = [f"{objection.control} {objection.text}" for objection in found]
        if not texts:
            return None
        breach = Breach(about.account, about.order_id, "; ".join(texts))
        self.breaches.append(breach)
        return breach

    def _leave_undecided(self, cause: str) -> None:
        if cause not in self.undecided:
            log.warning("accepted orders are not judged: %s", cause)
        self.undecided[cause] = self.undecided.get(cause, 0) + 1

    def _trade(self, order: Order, report: OrderReport) -> None:
        trades = list(executions(report, order.traded))
        for key, scopes in self._keys(order):
            part = self._lines.part(key, scopes)
            before = counted(part)
            for side, qty, price in trades:
                part.trade(side, qty, price)
            self._lines.changed(key, before)
        if report.exec_type is not ExecType.TRADE:
            return
        worth = self._force.worth_e8(report.symbol, report.last_qty * report.last_px) or 0
        bounds = self._force.bounds(order.scopes, report.transact_time_ns)
        for scope in dict.fromkeys(scope for scope, _bounds in bounds):
            turnover = self._lines.turnover_e8
            turnover[scope] = turnover.get(scope, 0) + worth

    def _end(self, order: Order, report: OrderReport) -> None:
        """An order has ended once its status is a last one."""
        is_live = report.ord_status not in TERMINAL
        if is_live is order.is_live:
            return
        order.is_live = is_live
        order.ended_ns = 0 if is_live else report.transact_time_ns
        if not order.is_parent:
            self._lines.count_order(order.scopes, 1 if is_live else -1)

    def _reserve(self, order: Order) -> tuple[bool, bool]:
        """Carries what may still trade to its parts; whether their reach grew."""
        more = order.at_worst - order.reserved
        if not more:
            return False, False
        order.reserved += more
        grew = []
        for key, scopes in self._keys(order):
            part = self._lines.part(key, scopes)
            before = counted(part)
            part.reserve(order.side, more)
            self._lines.changed(key, before)
            grew.append(part.reach > before[-1])
        return grew[0], grew[1]

    def _keys(self, order: Order) -> tuple[tuple[Key, tuple[str, ...]], ...]:
        return (
            (order.key[:2], order.scopes[:ACCOUNT_SCOPES]),
            (order.key, order.scopes[ACCOUNT_SCOPES:]),
        )

    def _adjust(self, event: PositionAdjusted) -> None:
        of = self._force.scopes(event.account, event.symbol, "", "")
        whole = (event.account, event.symbol)
        keys = [(whole, of[:ACCOUNT_SCOPES]), ((*whole, "", "", ""), of[ACCOUNT_SCOPES:])]
        if event.is_reset:
            keys = [(key, ()) for key in self._lines.parts if key[:2] == whole]
        for key, scopes in keys:
            part = self._lines.part(key, scopes)
            before = counted(part)
            if event.is_reset:
                part.empty()
            else:
                part.trade(Side.BUY if event.qty > 0 else Side.SELL, abs(event.qty), event.price)
            self._lines.changed(key, before)

    def _roll(self, event: DayRolled) -> None:
        """Turnover is counted by the day; nothing more can be said of what ended long ago."""
        self._lines.turnover_e8.clear()
        old = [
            order_id
            for order_id, order in self._orders.items()
            if not order.is_live and order.ended_ns < event.retire_before_ns
        ]
        for order_id in old:
            del self._orders[order_id]
