# SPDX-License-Identifier: Apache-2.0
"""What the venue does with requests and with the background flow. Pure and synchronous.

Rules:

1. Clients' orders trade by price-time priority against everything at rest.
2. A background order that arrives trades with the clients' resting orders that it reaches, and
   with nothing else: what background orders did to each other, the recording itself reports.
3. A client order id is refused only while an order of that id works, as real venues do.
4. A request id that was answered is answered again with the same report; nothing is done twice.
5. Every change of a client's order is a report; replaying the reports gives the orders again.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tradewind.core.types import ExecType, OrdType, Side, TimeInForce
from tradewind.simvenue.book import OPPOSITE, Book, Resting
from tradewind.simvenue.flow import FlowAction, FlowEvent
from tradewind.simvenue.orders import ENDS, Order, Report
from tradewind.simvenue.requests import Cancel, New, Replace

Key = tuple[str, str]
AT_ONCE = frozenset({TimeInForce.IOC, TimeInForce.FOK})
ANSWERS = frozenset(
    {
        ExecType.CANCELED,
        ExecType.CANCEL_REJECTED,
        ExecType.REPLACED,
        ExecType.REPLACE_REJECTED,
    }
)


@dataclass(frozen=True, slots=True)
class Trade:
    """A trade as the public sees it; `side` is the aggressor's."""

    side: Side
    price: int
    qty: int


class Exchange:
    """One instrument's book, the clients' orders, and the running number of executions."""

    def __init__(self, symbol: str, on_trade: Callable[[Trade], None] = lambda trade: None) -> None:
        self.symbol = symbol
        self.book = Book()
        self.last_exec_no = 0
        self.working: dict[Key, Order] = {}
        self.ended: dict[Key, int] = {}
        self.answered: dict[Key, int] = {}
        self._clients: dict[str, Order] = {}
        self._on_trade = on_trade

    def new(self, session: str, request: New) -> list[Report]:
        """Takes, fills, rests or refuses a new order."""
        order = Order(
            session=session,
            cl_id=request.cl_id,
            venue_order_id=f"V{self.last_exec_no + 1}",
            symbol=request.symbol,
            side=request.side,
            ord_type=request.ord_type,
            time_in_force=request.time_in_force,
            qty=request.qty,
            price=request.price,
        )
        refusal = self._refusal(order)
        if refusal:
            return [self._report(order, ExecType.REJECTED, text=refusal)]
        limit = _limit(order)
        is_fillable = order.time_in_force is not TimeInForce.FOK or self.book.is_fillable(
            order.side, limit, order.qty
        )
        self._add(order)
        reports = [self._report(order, ExecType.NEW)]
        if is_fillable:
            reports += self._take(order, limit)
        if order.leaves_qty and (limit is None or order.time_in_force in AT_ONCE):
            reports.append(self._report(order, ExecType.CANCELED, text="UNFILLED_REMAINDER"))
        elif order.leaves_qty:
            self._rest(order)
        return reports

    def cancel(self, session: str, request: Cancel) -> list[Report]:
        """Cancels a working order, or says why not."""
        order = self.working.get((session, request.cl_id))
        if order is None:
            return [self._refused(session, request, ExecType.CANCEL_REJECTED)]
        self.book.remove(order.venue_order_id)
        return [self._report(order, ExecType.CANCELED, request_id=request.request_id)]

    def replace(self, session: str, request: Replace) -> list[Report]:
        """Changes a working order. Less quantity at the same price keeps its place."""
        order = self.working.get((session, request.cl_id))
        if order is None:
            return [self._refused(session, request, ExecType.REPLACE_REJECTED)]
        if request.price == 0 or request.qty <= order.cum_qty:
            text = "PRICE_MISSING" if request.price == 0 else "QTY_NOT_ABOVE_CUM_QTY"
            return [
                self._report(
                    order, ExecType.REPLACE_REJECTED, request_id=request.request_id, text=text
                )
            ]
        keeps_place = _keeps_place(order, request.qty, request.price)
        order.qty, order.price = request.qty, request.price
        reports = [self._report(order, ExecType.REPLACED, request_id=request.request_id)]
        if keeps_place:
            self.book.reduce(order.venue_order_id, order.leaves_qty)
            return reports
        self.book.remove(order.venue_order_id)
        reports += self._take(order, order.price)
        if order.leaves_qty:
            self._rest(order)
        return reports

    def expire_day(self) -> list[Report]:
        """Ends the orders that were good for the day."""
        ending = [o for o in self.working.values() if o.time_in_force is TimeInForce.DAY]
        for order in ending:
            self.book.remove(order.venue_order_id)
        return [self._report(order, ExecType.EXPIRED, text="END_OF_DAY") for order in ending]

    def background(self, event: FlowEvent) -> list[Report]:
        """Applies one event of the background flow; the reports are those of clients it met."""
        resting = self.book.get(event.order_id)
        match event.action:
            case FlowAction.CREATED:
                return self._background_arrives(event)
            case FlowAction.CHANGED if resting is not None:
                self._background_traded(resting, event.qty)
                self.book.reduce(event.order_id, min(resting.leaves_qty, event.qty))
            case FlowAction.DELETED if resting is not None:
                if event.qty == 0:
                    self._background_traded(resting, 0)
                self.book.remove(event.order_id)
            case _:
                pass
        return []

    def uncross(self) -> int:
        """Takes out background orders that the recording forgot to delete.

        Called between the recording's instants: by then takers are gone, so where bids and asks
        still cross, the older order is a leftover.

        Returns:
            how many were taken out.
        """
        count = 0
        while self.book.is_crossed():
            sides = [self.book.best(side) for side in Side]
            old = min(
                (best for best in sides if best is not None and not best.is_client),
                key=lambda resting: resting.arrival,
                default=None,
            )
            if old is None:
                break
            self.book.remove(old.order_id)
            count += 1
        return count

    def restore(self, report: Report) -> None:
        """Takes one report of an earlier life. `rest_again` ends the restoring."""
        self.last_exec_no = report.exec_no
        key = (report.session, report.cl_id)
        if report.exec_type is ExecType.NEW:
            self.working[key] = _order_of(report)
        order = self.working.get(key)
        if order is None or order.venue_order_id != report.venue_order_id:
            self._note(report, is_end=report.exec_type is ExecType.REJECTED)
            return
        if not _keeps_place(order, report.qty, report.price):
            self.working[key] = self.working.pop(key)
        order.qty, order.price, order.cum_qty = report.qty, report.price, report.cum_qty
        order.last_exec_no = report.exec_no
        self._note(report, is_end=report.leaves_qty == 0)

    def rest_again(self) -> None:
        """Puts restored orders into the book, in the order of their last change of place."""
        for order in self.working.values():
            self._clients[order.venue_order_id] = order
            self._rest(order)

    def _refusal(self, order: Order) -> str:
        if order.symbol != self.symbol:
            return "UNKNOWN_SYMBOL"
        if (order.session, order.cl_id) in self.working:
            return "DUPLICATE_CL_ID"
        if order.qty == 0:
            return "QTY_MISSING"
        if order.ord_type is OrdType.LIMIT and order.price == 0:
            return "PRICE_MISSING"
        return ""

    def _add(self, order: Order) -> None:
        self.working[order.session, order.cl_id] = order
        self._clients[order.venue_order_id] = order

    def _rest(self, order: Order) -> None:
        self.book.add(
            Resting(order.venue_order_id, order.side, order.price, order.leaves_qty, True)
        )

    def _take(self, order: Order, limit: int | None) -> list[Report]:
        """Trades an arriving client order against the book."""
        reports = []
        left = order.qty - order.cum_qty
        met = []
        for resting in self.book.against(order.side, limit):
            met.append((resting, min(left, resting.leaves_qty)))
            left -= met[-1][1]
            if left == 0:
                break
        for resting, qty in met:
            reports.append(self._fill(order, qty, resting.price))
            reports += self._trade_resting(resting, qty, order.side)
        return reports

    def _background_arrives(self, event: FlowEvent) -> list[Report]:
        reports = []
        left = event.qty
        met = []
        for resting in self.book.against(event.side, event.price):
            if resting.is_client and left:
                met.append((resting, min(left, resting.leaves_qty)))
                left -= met[-1][1]
        for resting, qty in met:
            reports += self._trade_resting(resting, qty, event.side)
        if left and not event.is_market:
            self.book.add(Resting(event.order_id, event.side, event.price, left, False))
        return reports

    def _background_traded(self, resting: Resting, recorded_qty: int) -> None:
        """Shows a trade between background orders once: on the side that was there first."""
        other = self.book.best(OPPOSITE[resting.side])
        is_first = other is None or other.arrival > resting.arrival
        qty = resting.leaves_qty - recorded_qty
        if is_first and qty > 0:
            self._on_trade(Trade(OPPOSITE[resting.side], resting.price, qty))

    def _trade_resting(self, resting: Resting, qty: int, aggressor: Side) -> list[Report]:
        self._on_trade(Trade(aggressor, resting.price, qty))
        self.book.reduce(resting.order_id, resting.leaves_qty - qty)
        if not resting.is_client:
            return []
        return [self._fill(self._clients[resting.order_id], qty, resting.price)]

    def _fill(self, order: Order, qty: int, price: int) -> Report:
        order.cum_qty += qty
        return self._report(order, ExecType.TRADE, last_qty=qty, last_px=price)

    def _refused(self, session: str, request: Cancel | Replace, exec_type: ExecType) -> Report:
        """A refusal that concerns no working order."""
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
        self._note(report, is_end=False)
        return report

    def _report(self, order: Order, exec_type: ExecType, **details: Any) -> Report:
        self.last_exec_no += 1
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
            cum_qty=order.cum_qty,
            leaves_qty=0 if exec_type in ENDS else order.leaves_qty,
            **details,
        )
        order.last_exec_no = report.exec_no
        self._note(report, is_end=report.leaves_qty == 0)
        return report

    def _note(self, report: Report, *, is_end: bool) -> None:
        """Remembers answers for ever, and where an ended order's last report is."""
        key = (report.session, report.cl_id)
        if report.exec_type in ANSWERS and report.request_id:
            self.answered[report.session, report.request_id] = report.exec_no
        if not is_end:
            return
        order = self.working.get(key)
        if order is None or order.venue_order_id == report.venue_order_id:
            self.ended[key] = report.exec_no
            self.working.pop(key, None)
            self._clients.pop(report.venue_order_id, None)


def _keeps_place(order: Order, qty: int, price: int) -> bool:
    return price == order.price and qty <= order.qty


def _limit(order: Order) -> int | None:
    return order.price if order.ord_type is OrdType.LIMIT else None


def _order_of(report: Report) -> Order:
    assert report.side is not None
    assert report.ord_type is not None
    assert report.time_in_force is not None
    return Order(
        session=report.session,
        cl_id=report.cl_id,
        venue_order_id=report.venue_order_id,
        symbol=report.symbol,
        side=report.side,
        ord_type=report.ord_type,
        time_in_force=report.time_in_force,
        qty=report.qty,
        price=report.price,
    )
