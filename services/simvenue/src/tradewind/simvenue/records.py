# SPDX-License-Identifier: Apache-2.0
"""What the exchange knows of its clients' orders, and the running number of executions.

Every change of a client's order is a report; replaying the reports gives all of this again.
"""

from typing import Any

from tradewind.core.types import ExecType
from tradewind.simvenue.orders import ENDS, Order, Report, order_of
from tradewind.simvenue.requests import Cancel, Replace

Key = tuple[str, str]
ANSWERS = frozenset(
    {
        ExecType.CANCELED,
        ExecType.CANCEL_REJECTED,
        ExecType.REPLACED,
        ExecType.REPLACE_REJECTED,
    }
)


class Records:
    """Working orders by client's id, where the ends of others are told, answered requests."""

    def __init__(self) -> None:
        self.last_exec_no = 0
        self.working: dict[Key, Order] = {}
        self.ended: dict[Key, int] = {}
        self.answered: dict[Key, int] = {}
        self._by_venue_id: dict[str, Order] = {}

    def add(self, order: Order) -> None:
        """A new working order."""
        self.working[order.key] = order
        self._by_venue_id[order.venue_order_id] = order

    def client_order(self, venue_order_id: str) -> Order:
        """The working order that the venue calls so."""
        return self._by_venue_id[venue_order_id]

    def report(self, order: Order, exec_type: ExecType, **details: Any) -> Report:
        """Tells a change of an order, which is made already."""
        self.last_exec_no += 1
        is_over = exec_type in ENDS or order.key not in self.working
        report = Report(
            exec_no=self.last_exec_no,
            exec_id=f"S{self.last_exec_no}",
            exec_type=exec_type,
            session=order.session,
            cl_id=order.cl_id,
            venue_order_id=order.venue_order_id,
            symbol=order.symbol,
            side=order.side,
            ord_type=order.ord_type,
            time_in_force=order.time_in_force,
            qty=order.qty,
            price=order.price,
            stop_px=order.stop_px,
            display_qty=order.display_qty,
            is_post_only=order.is_post_only,
            expire_ns=order.expire_ns,
            cum_qty=order.cum_qty,
            leaves_qty=0 if is_over else order.leaves_qty,
            **details,
        )
        order.last_exec_no = report.exec_no
        self._note(report)
        return report

    def refused(self, session: str, request: Cancel | Replace, exec_type: ExecType) -> Report:
        """Refuses a request that concerns no working order."""
        self.last_exec_no += 1
        report = Report(
            exec_no=self.last_exec_no,
            exec_id=f"S{self.last_exec_no}",
            exec_type=exec_type,
            session=session,
            cl_id=request.cl_id,
            request_id=request.request_id,
            text="TOO_LATE" if (session, request.cl_id) in self.ended else "UNKNOWN_ORDER",
        )
        self._note(report)
        return report

    def forget(self, key: Key) -> Order | None:
        """Knows an order no more; returns it if it worked."""
        self.ended.pop(key, None)
        order = self.working.pop(key, None)
        if order is not None:
            self._by_venue_id.pop(order.venue_order_id, None)
        return order

    def restore(self, report: Report) -> None:
        """Takes one report of an earlier life."""
        self.last_exec_no = report.exec_no
        key = (report.session, report.cl_id)
        if report.exec_type is ExecType.NEW:
            self.add(order_of(report))
        order = self.working.get(key)
        if order is not None and order.venue_order_id == report.venue_order_id:
            if not keeps_place(order, report.qty, report.price):
                self.working[key] = self.working.pop(key)
            order.qty, order.price, order.stop_px = report.qty, report.price, report.stop_px
            order.cum_qty = report.cum_qty
            order.is_triggered |= report.exec_type is ExecType.TRIGGERED
            order.last_exec_no = report.exec_no
        self._note(report)

    def _note(self, report: Report) -> None:
        """Remembers answers for ever, and where the end of an order is told."""
        key = (report.session, report.cl_id)
        if report.exec_type in ANSWERS and report.request_id:
            self.answered[report.session, report.request_id] = report.exec_no
        order = self.working.get(key)
        if order is None:
            if report.exec_type is ExecType.REJECTED:
                self.ended[key] = report.exec_no
        elif order.venue_order_id == report.venue_order_id and report.leaves_qty == 0:
            self.ended[key] = report.exec_no
            del self.working[key]
            self._by_venue_id.pop(report.venue_order_id, None)


def keeps_place(order: Order, qty: int, price: int) -> bool:
    """Less quantity at the same price keeps an order's place in the book."""
    return price == order.price and qty <= order.qty
