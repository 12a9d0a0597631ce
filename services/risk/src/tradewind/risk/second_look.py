# SPDX-License-Identifier: Apache-2.0
"""A second look at every order and replace that was accepted, by code that the core has no part in.

Built from EVENTS alone, in their order. It enters an order first and then asks whether all that the
order made larger is within its bounds (`checks`). Where it disagrees, one of the two is wrong, and
trading in that account stops until people know which. What it cannot decide it counts, by cause.
"""

import logging
from collections.abc import Iterable
from dataclasses import dataclass

from tradewind.core.events import (
    Event,
    MassCancelReport,
    OrderAdopted,
    OrderReport,
    PositionAdjusted,
    SegmentOpened,
    VenueRequest,
)
from tradewind.core.types import ExecType, Side, VenueAction
from tradewind.risk.checks import objections
from tradewind.risk.contents import Contents
from tradewind.risk.entered import Entered, Objection, World
from tradewind.risk.in_force import REVISED_CONTROLS, InForce
from tradewind.risk.ledger import Ledger
from tradewind.risk.orders import Order
from tradewind.risk.recent import Recent
from tradewind.risk.request_ids import RequestIds, is_decision
from tradewind.risk.scope_limits import Held, repetition

log = logging.getLogger(__name__)

AS_ACCEPTED = (
    "account", "symbol", "side", "ord_type", "time_in_force", "order_qty", "price", "stop_px",
    "display_qty", "is_post_only", "expire_ns",
)  # fmt: skip
"""What is sent to a venue is just what was accepted."""


@dataclass(frozen=True, slots=True)
class Breach:
    """An accepted order that should not have been."""

    account: str
    order_id: str
    text: str


class SecondLook:
    """One shard's accepted orders, judged."""

    def __init__(self) -> None:
        self._force = InForce()
        self._ledger = Ledger(self._force)
        self._contents = Contents()
        self._ids = RequestIds()
        self._has_heard_all = False
        self._accepted: OrderReport | None = None
        self._asked: tuple[OrderReport, bool] | None = None
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
            case PositionAdjusted() | MassCancelReport() | OrderAdopted():
                self._ids.use(event.account, event.cl_ord_id)
            case SegmentOpened():
                self._has_heard_all = not self._ids.any_used
        self._force.take(event)
        self._ledger.take(event)
        return None

    def _take_report(self, report: OrderReport) -> Breach | None:
        is_first = self._ids.answered(report)
        if is_first and self._has_heard_all and is_decision(report):
            self._ledger.today.message(self._held(report), report.transact_time_ns)
        if report.exec_type is ExecType.DENIED:
            return None
        order = self._ledger.orders.get(report.order_id)
        if order is None:
            first = ExecType.NEW if report.is_parent else ExecType.PENDING_NEW
            return self._enter(report, is_first) if report.exec_type is first else None
        if report.exec_type is ExecType.PENDING_REPLACE:
            self._asked = report, is_first
        self._ledger.told(order, report)
        if order.is_parent and report.exec_type is ExecType.REPLACED:
            return self._judge(report, order, report, is_first=is_first)
        return None

    def _enter(self, report: OrderReport, is_first: bool) -> Breach | None:
        self._accepted = report
        if report.symbol not in self._force.instruments:
            return self._object(report, [Objection("C19", "its instrument is unknown")])
        parent = report.parent_order_id
        is_orphan = bool(parent) and self._ledger.families.of(parent) is None
        order, grew = self._ledger.enter(report)
        if is_orphan and parent in self._ledger.orders:
            return self._object(report, [Objection("C14", "its parent is none")])
        if is_orphan:
            self._leave_undecided("a child of a parent that it never saw")
        return self._judge(report, order, report, grew=grew, is_new=True, is_first=is_first)

    def _sent(self, request: VenueRequest) -> Breach | None:
        """A new order leaves as it was accepted, right after, and not too late."""
        accepted, self._accepted = self._accepted, None
        if accepted is None or accepted.order_id != request.order_id:
            return self._object(request, [Objection("C05", "sent, and nobody accepted it")])
        wrong = [n for n in AS_ACCEPTED if getattr(request, n) != getattr(accepted, n)]
        if wrong:
            return self._object(
                request, [Objection("C05", f"sent with another {', '.join(wrong)}")]
            )
        late_ns = accepted.transact_time_ns - request.send_by_ns
        if late_ns > 0:
            return self._object(request, [Objection("C32", f"accepted {late_ns} ns too late")])
        return None

    def _replaced(self, request: VenueRequest) -> Breach | None:
        asked, self._asked = self._asked, None
        order = self._ledger.orders.get(request.order_id)
        if order is None:
            self._leave_undecided("a replace of an order that it never saw")
            return None
        if asked is None or asked[0].order_id != request.order_id:
            return self._object(request, [Objection("C05", "replaced, and nobody accepted it")])
        report, is_first = asked
        before = order.reserved
        grew = self._ledger.ask(order, report.cl_ord_id, request.order_qty, request.price)
        return self._judge(report, order, request, before=before, grew=grew, is_first=is_first)

    def _judge(
        self,
        report: OrderReport,
        order: Order,
        terms: OrderReport | VenueRequest,
        *,
        is_first: bool,
        before: int = 0,
        grew: tuple[bool, bool] = (False, False),
        is_new: bool = False,
    ) -> Breach | None:
        held = self._force.scope_limits.held(order.scopes, report.transact_time_ns)
        same = self._same(report, terms, held)
        flags = self._force.unknown_switches()
        if flags:
            self._leave_undecided(f"logic flag {flags[0]}")
            return None
        self.checked += 1
        ledger, open_qty = self._ledger, terms.order_qty - report.cum_qty
        part = ledger.lines.parts.get(order.key[:2])
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
            is_used=not is_first,
            same=same,
            family=ledger.families.of(order.order_id if order.is_parent else order.parent_id),
            scopes=order.scopes,
            bounds=held.all,
        )
        return self._object(report, objections(entered, World(self._force, ledger)))

    def _same(self, report: OrderReport, terms: OrderReport | VenueRequest, held: Held) -> Recent:
        """When the like of an order that goes to a venue was accepted."""
        if report.is_parent:
            return Recent()
        content = (report.account, report.symbol, report.side, terms.order_qty, terms.price)
        looked_at = repetition(bounds for _scope, bounds in held.all)
        if REVISED_CONTROLS in self._force.switches:
            looked_at = self._force.scope_limits.repetition
        return self._contents.take(content, *looked_at, report.transact_time_ns)

    def _held(self, report: OrderReport) -> Held:
        scopes = self._force.scopes(report.account, report.symbol, report.client, report.strategy)
        return self._force.scope_limits.held(scopes, report.transact_time_ns)

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
