# SPDX-License-Identifier: Apache-2.0
"""What the venue does with requests and with the background flow. Pure and synchronous.

Rules:

1. Clients' orders trade by price-time priority against everything at rest; an iceberg's next
   slice goes to the back of its price.
2. A background order that arrives trades with the clients' resting orders that it reaches, and
   with nothing else: what background orders did to each other, the recording itself reports.
3. A client order id is refused only while an order of that id works, as real venues do.
4. A request id that was answered is answered again with the same report; nothing is done twice.
5. A trade at a stop's price or beyond makes it active; it then arrives as any other order.
6. Without a trading session the venue is always open. What a session does not let trade waits
   for the next one, or is refused (see `trading`).
"""

from collections.abc import Callable
from dataclasses import dataclass

from tradewind.core.terms import AUCTION, IMMEDIATE, SHAPES
from tradewind.core.types import ExecType, Side, TimeInForce, TradSesStatus
from tradewind.simvenue import trading
from tradewind.simvenue.book import OPPOSITE, Book, Resting
from tradewind.simvenue.flow import LOTS_PER_UNIT, TICKS_PER_UNIT, FlowAction, FlowEvent
from tradewind.simvenue.orders import FEE_CURRENCY, Order, Report
from tradewind.simvenue.records import Key, Records, keeps_place
from tradewind.simvenue.requests import Cancel, New, Replace

FEE_UNIT = 10_000 * TICKS_PER_UNIT * LOTS_PER_UNIT // 100_000_000
"""Ticks x lots x basis points in 1e-8 of the currency."""


@dataclass(frozen=True, slots=True)
class Trade:
    """A trade as the public sees it; `side` is the aggressor's."""

    side: Side
    price: int
    qty: int


class Exchange:
    """One instrument's book and its clients' orders."""

    def __init__(
        self,
        symbol: str,
        on_trade: Callable[[Trade], None] = lambda trade: None,
        *,
        fee_bps: int = 0,
    ) -> None:
        self.symbol = symbol
        self.book = Book()
        self.records = Records()
        self.status: TradSesStatus | None = None
        self._fee_bps = fee_bps
        self._dormant: dict[Key, Order] = {}
        self._last_px = 0
        self._on_trade = on_trade

    def new(self, session: str, request: New, now_ns: int = 0) -> list[Report]:
        """Takes, fills, rests, keeps or refuses a new order."""
        order = Order(
            session=session,
            cl_id=request.cl_id,
            venue_order_id=f"V{self.records.last_exec_no + 1}",
            symbol=request.symbol,
            side=request.side,
            ord_type=request.ord_type,
            time_in_force=request.time_in_force,
            qty=request.qty,
            price=request.price,
            stop_px=request.stop_px,
            display_qty=request.display_qty,
            is_post_only=request.is_post_only,
            expire_ns=request.expire_ns,
        )
        is_late = 0 < request.valid_until_ns < now_ns
        refusal = "EXPIRED_REQUEST" if is_late else self._refusal(order)
        if refusal:
            return [self.records.report(order, ExecType.REJECTED, text=refusal)]
        self.records.add(order)
        return [self.records.report(order, ExecType.NEW), *self._begin(order), *self._wake_stops()]

    def cancel(self, session: str, request: Cancel) -> list[Report]:
        """Cancels a working order, or says why not."""
        order = self.records.working.get((session, request.cl_id))
        if order is None:
            return [self.records.refused(session, request, ExecType.CANCEL_REJECTED)]
        return [self._end(order, ExecType.CANCELED, request_id=request.request_id)]

    def replace(self, session: str, request: Replace) -> list[Report]:
        """Changes a working order."""
        order = self.records.working.get((session, request.cl_id))
        if order is None:
            return [self.records.refused(session, request, ExecType.REPLACE_REJECTED)]
        text = self._refusal_of_replace(order, request)
        if text:
            refused = ExecType.REPLACE_REJECTED
            return [self.records.report(order, refused, request_id=request.request_id, text=text)]
        return self._change(
            order,
            ExecType.REPLACED,
            qty=request.qty,
            price=request.price,
            stop_px=request.stop_px or order.stop_px,
            request_id=request.request_id,
        )

    def restate(self, order: Order, qty: int, price: int) -> list[Report]:
        """Changes a working order unasked."""
        return self._change(
            order, ExecType.RESTATED, qty=qty, price=price, stop_px=order.stop_px, request_id=""
        )

    def amend(self, order: Order, fill: Report, qty: int, px: int) -> list[Report]:
        """Makes a fill another one (correction), or none at all: `qty` 0 (bust)."""
        order.cum_qty += qty - fill.last_qty
        report = self.records.report(
            order,
            ExecType.TRADE_CORRECT if qty else ExecType.TRADE_CANCEL,
            last_qty=qty,
            last_px=px,
            exec_ref_id=fill.exec_id,
            fee_e8=self._fee_e8(qty, px) - self._fee_e8(fill.last_qty, fill.last_px),
            fee_currency=FEE_CURRENCY,
        )
        if self.book.remove(order.venue_order_id) is not None and report.leaves_qty:
            self._rest(order)
        return [report]

    def trade_with_stranger(self, order: Order) -> list[Report]:
        """Somebody takes half of a working order, at its price."""
        qty, price = (order.leaves_qty + 1) // 2, order.price or self._last_px
        is_resting = self.book.get(order.venue_order_id) is not None
        if not (is_resting and price):
            return []
        self._show(Trade(OPPOSITE[order.side], price, qty))
        report = self._fill(order, qty, price)
        self.book.remove(order.venue_order_id)
        if order.leaves_qty:
            self._rest(order)
        return [report]

    def forget(self, key: Key) -> None:
        """An order never was."""
        order = self.records.forget(key)
        self._dormant.pop(key, None)
        if order is not None:
            self.book.remove(order.venue_order_id)

    def expire(self, now_ns: int) -> list[Report]:
        """Ends the orders whose own time is up."""
        due = [o for o in self.records.working.values() if 0 < o.expire_ns <= now_ns]
        return [self._end(order, ExecType.EXPIRED, text="EXPIRE_TIME") for order in due]

    def cancel_all(self, session: str, text: str) -> list[Report]:
        """Cancels a session's working orders unasked."""
        orders = [o for o in self.records.working.values() if o.session == session]
        return [self._end(order, ExecType.CANCELED, text=text) for order in orders]

    def end_day(self) -> list[Report]:
        """Ends the orders that were good for the day, and those of its auctions."""
        ending = {TimeInForce.DAY, *AUCTION}
        due = [o for o in self.records.working.values() if o.time_in_force in ending]
        return [self._end(order, ExecType.EXPIRED, text="END_OF_DAY") for order in due]

    def set_status(self, status: TradSesStatus) -> list[Report]:
        """Goes on to another part of the session; what waited for it arrives, oldest first."""
        before, self.status = self.status, status
        reports: list[Report] = []
        for order in list(self.records.working.values()):
            is_outside = self.book.get(order.venue_order_id) is None
            has_waited = is_outside and trading.is_held(order, before)
            if has_waited and not trading.is_held(order, status):
                reports += self._arrive(order)
        return reports + self._wake_stops()

    def background(self, event: FlowEvent) -> list[Report]:
        """Applies one event of the background flow; the reports are those of clients it met."""
        resting = self.book.get(event.order_id)
        reports: list[Report] = []
        match event.action:
            case FlowAction.CREATED:
                reports = self._background_arrives(event)
            case FlowAction.CHANGED if resting is not None:
                self._background_traded(resting, event.qty)
                self.book.reduce(event.order_id, min(resting.leaves_qty, event.qty))
            case FlowAction.DELETED if resting is not None:
                if event.qty == 0:
                    self._background_traded(resting, 0)
                self.book.remove(event.order_id)
            case _:
                pass
        return reports + self._wake_stops()

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

    def rest_again(self) -> None:
        """Puts restored orders where they wait, in the order of their last change of place."""
        for order in self.records.working.values():
            if order.is_dormant:
                self._dormant[order.key] = order
            elif not trading.is_held(order, self.status):
                self._rest(order)

    def _refusal(self, order: Order) -> str:
        if order.symbol != self.symbol:
            return "UNKNOWN_SYMBOL"
        if order.key in self.records.working:
            return "DUPLICATE_CL_ID"
        if order.qty == 0:
            return "QTY_MISSING"
        shape = SHAPES[order.ord_type]
        if shape.has_price != (order.price > 0):
            return "PRICE_MISSING" if shape.has_price else "PRICE_NOT_ALLOWED"
        if shape.has_stop != (order.stop_px > 0):
            return "STOP_PRICE_MISSING" if shape.has_stop else "STOP_PRICE_NOT_ALLOWED"
        closed = trading.refusal(order, self.status)
        return closed or self._post_only_refusal(order, order.price)

    def _refusal_of_replace(self, order: Order, request: Replace) -> str:
        closed = trading.closed(self.status)
        if closed:
            return closed
        if SHAPES[order.ord_type].has_price != (request.price > 0):
            return "PRICE_MISSING"
        if request.qty <= order.cum_qty:
            return "QTY_NOT_ABOVE_CUM_QTY"
        if request.stop_px not in (0, order.stop_px) and not order.is_dormant:
            return "STOP_IS_OVER"
        return self._post_only_refusal(order, request.price)

    def _post_only_refusal(self, order: Order, price: int) -> str:
        would_take = order.is_post_only and self.book.is_reached(order.side, price)
        return "POST_ONLY_WOULD_TAKE" if would_take else ""

    def _begin(self, order: Order) -> list[Report]:
        """An order arrives, or waits for its stop price or for its part of the session."""
        if order.is_dormant:
            self._dormant[order.key] = order
            return []
        return [] if trading.is_held(order, self.status) else self._arrive(order)

    def _arrive(self, order: Order) -> list[Report]:
        """Trades what it can; the rest rests or ends, as its time in force says."""
        is_all_or_nothing = order.time_in_force is TimeInForce.FOK
        can_trade = not is_all_or_nothing or self.book.is_fillable(
            order.side, order.limit, order.leaves_qty
        )
        reports = self._take(order) if can_trade else []
        if order.leaves_qty == 0:
            return reports
        if order.time_in_force in AUCTION:
            reports.append(self._end(order, ExecType.EXPIRED, text="AUCTION_OVER"))
        elif order.limit is None or order.time_in_force in IMMEDIATE:
            reports.append(self._end(order, ExecType.CANCELED, text="UNFILLED_REMAINDER"))
        else:
            self._rest(order)
        return reports

    def _change(
        self,
        order: Order,
        exec_type: ExecType,
        *,
        qty: int,
        price: int,
        stop_px: int,
        request_id: str,
    ) -> list[Report]:
        has_place = keeps_place(order, qty, price)
        order.qty, order.price, order.stop_px = qty, price, stop_px
        reports = [self.records.report(order, exec_type, request_id=request_id)]
        if self.book.get(order.venue_order_id) is None:
            return reports + self._wake_stops()
        if has_place:
            self.book.resize(order.venue_order_id, order.leaves_qty)
            return reports
        self.book.remove(order.venue_order_id)
        return reports + self._begin(order) + self._wake_stops()

    def _end(
        self, order: Order, exec_type: ExecType, *, text: str = "", request_id: str = ""
    ) -> Report:
        self.book.remove(order.venue_order_id)
        self._dormant.pop(order.key, None)
        return self.records.report(order, exec_type, text=text, request_id=request_id)

    def _rest(self, order: Order) -> None:
        self.book.add(
            Resting(
                order.venue_order_id,
                order.side,
                order.price,
                order.leaves_qty,
                True,
                display_qty=order.display_qty,
            )
        )

    def _wake_stops(self) -> list[Report]:
        """Makes stops active that the last trade reached, oldest first, until none is left."""
        reports: list[Report] = []
        while self._last_px and trading.is_trading(self.status):
            order = next((o for o in self._dormant.values() if o.is_reached(self._last_px)), None)
            if order is None:
                break
            del self._dormant[order.key]
            order.is_triggered = True
            reports.append(self.records.report(order, ExecType.TRIGGERED))
            reports += self._arrive(order)
        return reports

    def _take(self, order: Order) -> list[Report]:
        """Trades an arriving client order against the book, price by price."""
        reports: list[Report] = []
        while order.leaves_qty:
            level = self.book.first_level(order.side, order.limit)
            if not level:
                break
            for resting in level:
                qty = min(order.leaves_qty, resting.leaves_qty)
                if qty:
                    reports.append(self._fill(order, qty, resting.price))
                    reports += self._trade_resting(resting, qty, order.side)
        return reports

    def _background_arrives(self, event: FlowEvent) -> list[Report]:
        reports: list[Report] = []
        left = event.qty
        while left and trading.is_trading(self.status):
            reached = self.book.against(event.side, event.price)
            resting = next((item for item in reached if item.is_client), None)
            if resting is None:
                break
            qty = min(left, resting.leaves_qty)
            left -= qty
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
            self._show(Trade(OPPOSITE[resting.side], resting.price, qty))

    def _trade_resting(self, resting: Resting, qty: int, aggressor: Side) -> list[Report]:
        self._show(Trade(aggressor, resting.price, qty))
        self.book.trade(resting.order_id, qty)
        if not resting.is_client:
            return []
        return [self._fill(self.records.client_order(resting.order_id), qty, resting.price)]

    def _show(self, trade: Trade) -> None:
        self._last_px = trade.price
        self._on_trade(trade)

    def _fill(self, order: Order, qty: int, price: int) -> Report:
        order.cum_qty += qty
        return self.records.report(
            order,
            ExecType.TRADE,
            last_qty=qty,
            last_px=price,
            fee_e8=self._fee_e8(qty, price),
            fee_currency=FEE_CURRENCY,
        )

    def _fee_e8(self, qty: int, price: int) -> int:
        """The fee of a fill, rounded up."""
        return -(-qty * price * self._fee_bps // FEE_UNIT)
