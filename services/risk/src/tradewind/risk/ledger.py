# SPDX-License-Identifier: Apache-2.0
"""All orders as EVENTS tells them, and what they add up to."""

from tradewind.core.events import (
    DayRolled,
    Event,
    InstrumentDefined,
    InstrumentRemoved,
    OrderAdopted,
    OrderReport,
    PositionAdjusted,
    TradingStateSet,
)
from tradewind.core.types import TERMINAL, ExecType, Reason, Side, TradingState
from tradewind.risk.book import TRADES, executions
from tradewind.risk.families import Families
from tradewind.risk.in_force import InForce
from tradewind.risk.lines import Key, Lines, counted
from tradewind.risk.orders import BY_HAND, PRICED, Order, Resting
from tradewind.risk.today import Today

ANSWERED = frozenset({ExecType.REPLACED, ExecType.REPLACE_REJECTED})
ACCOUNT_SCOPES = 5
"""So many of an order's scopes count its account's position, the others a part of it."""


class Ledger:
    """Orders by their id; positions, fees, families and the day's doings that follow from them."""

    def __init__(self, force: InForce) -> None:
        self._force = force
        self.orders: dict[str, Order] = {}
        self.lines = Lines()
        self.fees: dict[tuple[str, str], int] = {}
        self.families = Families()
        self.resting = Resting()
        self.today = Today()

    def enter(self, report: OrderReport) -> tuple[Order, tuple[bool, bool]]:
        """An order that was accepted counts from now on; whether its parts' reach grew."""
        order = Order(
            order_id=report.order_id,
            key=_key(report, report.client, report.strategy, report.algorithm),
            scopes=self._force.scopes(
                report.account, report.symbol, report.client, report.strategy
            ),
            side=report.side,
            is_parent=report.is_parent,
            is_priced=report.ord_type in PRICED,
            parent_id=report.parent_order_id,
            qty=report.order_qty,
            price=report.price,
        )
        if order.is_parent:
            self.families.told(report)
        return order, self._begin(order)

    def take(self, event: Event) -> None:
        """Follows an output that is no report and no request."""
        match event:
            case PositionAdjusted(reason=Reason.NONE):
                self._adjust(event)
            case OrderAdopted():
                self._adopt(event)
            case DayRolled():
                self._roll(event)
            case TradingStateSet(state=TradingState.ACTIVE):
                self.today.resume(event.scope)
            case InstrumentDefined() | InstrumentRemoved():
                self.lines.release(event.symbol)

    def told(self, order: Order, report: OrderReport) -> None:
        """Whatever a report says of an order that is known."""
        if report.exec_type in ANSWERED:
            order.asked.pop(report.cl_ord_id, None)
        if report.fee_e8:
            paid = (report.account, report.fee_currency)
            self.fees[paid] = self.fees.get(paid, 0) + report.fee_e8
        if order.is_parent:
            self.families.told(report)
        elif report.exec_type in TRADES:
            self.families.change(order.parent_id, traded=report.cum_qty - order.traded.qty)
            self._trade(order, report)
        order.traded.qty, order.qty, order.price = report.cum_qty, report.order_qty, report.price
        self._end(order, report)
        self._reserve(order)

    def ask(self, order: Order, cl_ord_id: str, qty: int, price: int) -> tuple[bool, bool]:
        """It may have these terms from now on; whether its parts' reach grew."""
        order.asked[cl_ord_id] = qty, price
        return self._reserve(order)

    def _adopt(self, event: OrderAdopted) -> None:
        """It counts as it is found; nobody here accepted it."""
        client, strategy = event.venue, "EXTERNAL"
        order = Order(
            order_id=event.order_id,
            key=_key(event, client, strategy, BY_HAND),
            scopes=self._force.scopes(event.account, event.symbol, client, strategy),
            side=event.side,
            is_parent=False,
            is_priced=event.price > 0,
            parent_id="",
            qty=event.order_qty,
            price=event.price,
        )
        self._begin(order)

    def _adjust(self, event: PositionAdjusted) -> None:
        """A position changes without a trade."""
        if event.is_reset:
            self.lines.reset(event.account, event.symbol)
            return
        of = self._force.scopes(event.account, event.symbol, "", "")
        whole = (event.account, event.symbol)
        for key, scopes in (
            (whole, of[:ACCOUNT_SCOPES]),
            ((*whole, "", "", ""), of[ACCOUNT_SCOPES:]),
        ):
            part = self.lines.part(key, scopes)
            before = counted(part)
            part.trade(Side.BUY if event.qty > 0 else Side.SELL, abs(event.qty), event.price)
            self.lines.changed(key, before)

    def _roll(self, event: DayRolled) -> None:
        """What is counted by the day ends; nothing more can be said of what ended long ago."""
        self.today.end()
        self._force.scope_limits.forget()
        old = [
            order
            for order in self.orders.values()
            if not order.is_live and order.ended_ns < event.retire_before_ns
        ]
        for order in old:
            del self.orders[order.order_id]
            self.families.join(order.parent_id, -1)
            self.families.forget(order.order_id)

    def _begin(self, order: Order) -> tuple[bool, bool]:
        self.orders[order.order_id] = order
        self.families.join(order.parent_id)
        self._work(order, is_live=True)
        return self._reserve(order)

    def _work(self, order: Order, *, is_live: bool) -> None:
        """An order that goes to a venue works from now on, or no longer."""
        if order.is_parent:
            return
        self.lines.count_order(order.scopes, 1 if is_live else -1)
        change = self.resting.put if is_live else self.resting.remove
        change(order)

    def _end(self, order: Order, report: OrderReport) -> None:
        """An order has ended once its status is a last one."""
        is_live = report.ord_status not in TERMINAL
        if is_live is order.is_live:
            return
        order.is_live = is_live
        order.ended_ns = 0 if is_live else report.transact_time_ns
        self._work(order, is_live=is_live)

    def _reserve(self, order: Order) -> tuple[bool, bool]:
        """Carries what may still trade to its parts; whether their reach grew."""
        more = order.at_worst - order.reserved
        if not more:
            return False, False
        order.reserved += more
        self.families.change(order.parent_id, working=more)
        grew = []
        for key, scopes in _parts(order):
            part = self.lines.part(key, scopes)
            before = counted(part)
            part.reserve(order.side, more)
            self.lines.changed(key, before)
            grew.append(part.reach > before[-1])
        return grew[0], grew[1]

    def _trade(self, order: Order, report: OrderReport) -> None:
        trades = list(executions(report, order.traded))
        for key, scopes in _parts(order):
            part = self.lines.part(key, scopes)
            before = counted(part)
            for side, qty, price in trades:
                part.trade(side, qty, price)
            self.lines.changed(key, before)
        if report.exec_type is not ExecType.TRADE:
            return
        now_ns = report.transact_time_ns
        worth = self._force.worth_e8(report.symbol, report.last_qty * report.last_px) or 0
        held = self._force.scope_limits.held(order.scopes, now_ns)
        self.today.trade(held, now_ns, worth, by_algorithm=report.algorithm != BY_HAND)


def _key(told: OrderReport | OrderAdopted, client: str, strategy: str, algorithm: str) -> Key:
    return told.account, told.symbol, client, strategy, algorithm


def _parts(order: Order) -> tuple[tuple[Key, tuple[str, ...]], ...]:
    return (
        (order.key[:2], order.scopes[:ACCOUNT_SCOPES]),
        (order.key, order.scopes[ACCOUNT_SCOPES:]),
    )
