# SPDX-License-Identifier: Apache-2.0
"""What the venue says beside what is booked: executions, orders, positions. Pure.

Executions are matched one by one, by the venue's ids. A position is compared without those of them
that only one side has yet, so that it does not differ because something is under way.
"""

from collections import Counter, OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass

from tradewind.core.events import OrderReport
from tradewind.core.types import TERMINAL, ExecType, OrdStatus
from tradewind.risk.reconcile.grades import Difference, Kind

TRADES = frozenset({ExecType.TRADE, ExecType.TRADE_CANCEL, ExecType.TRADE_CORRECT})
IDS_KEPT = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A report of the drop copy: what has happened to an order, and what works of it now.

    `order_id` is ours, or whatever a stranger called it; `session` the one that it came by.
    `last_qty` is signed. Of a bust or a correction it is 0: the next statement has it.
    """

    order_id: str
    session: str
    symbol: str
    exec_id: str
    exec_type: ExecType
    last_qty: int
    order_qty: int
    leaves_qty: int


@dataclass(frozen=True, slots=True)
class Execution:
    """One side's word for an execution: signed lots. `question` was the last one asked before."""

    symbol: str
    qty: int
    order_id: str
    question: int = 0


@dataclass(frozen=True, slots=True)
class Booked:
    """A working order of ours. `is_sure`: the venue has acknowledged it, and nobody doubts that."""

    account: str
    symbol: str
    qty: int
    is_sure: bool


class Matching:
    """Both sides of one venue."""

    def __init__(self, venue: str) -> None:
        self._venue = venue
        self.symbols: set[str] = set()
        self.at_venue: dict[str, Told] = {}
        self.booked: dict[str, Booked] = {}
        self.booked_qty: Counter[str] = Counter()
        self.stated_qty: dict[str, int] = {}
        self._cum_qty: Counter[str] = Counter()
        self._unbooked: dict[str, Execution] = {}
        self._untold: dict[str, Execution] = {}
        self._known_ids: OrderedDict[str, None] = OrderedDict()
        self._differing: dict[str, Difference] = {}
        self._listed: set[str] | None = None

    @property
    def is_complete(self) -> bool:
        """Whether the drop copy has said what works and what is held."""
        return self._listed is None and bool(self.stated_qty)

    def begin(self) -> None:
        """A drop copy begins that tells what happens from now on; what is held it is yet to say."""
        self.stated_qty.clear()
        self._untold.clear()

    def take(self, report: OrderReport, question: int, *, is_copied: bool) -> None:
        """An order of ours has changed. `is_copied`: a drop copy tells that too, if it does."""
        is_elsewhere = report.symbol not in self.symbols or report.is_parent
        if is_elsewhere or not report.order_id or report.exec_type is ExecType.DENIED:
            return
        if report.exec_type in TRADES:
            self._book(report, question, is_copied=is_copied)
        if report.ord_status in TERMINAL:
            self.booked.pop(report.order_id, None)
        else:
            self.booked[report.order_id] = Booked(
                account=report.account,
                symbol=report.symbol,
                qty=report.order_qty,
                is_sure=bool(report.venue_order_id) and report.ord_status is not OrdStatus.UNKNOWN,
            )
        self._look_at(report.order_id)

    def tell(self, told: Told) -> None:
        """The drop copy tells of an execution, once or again."""
        if told.exec_type in TRADES and told.exec_id not in self._known_ids:
            self._known_ids[told.exec_id] = None
            if len(self._known_ids) > IDS_KEPT:
                self._known_ids.popitem(last=False)
            if told.symbol in self.stated_qty:
                self.stated_qty[told.symbol] += told.last_qty
            if self._untold.pop(told.exec_id, None) is None:
                execution = Execution(told.symbol, told.last_qty, told.order_id)
                self._unbooked[told.exec_id] = execution
        self._set(told)

    def begin_list(self) -> None:
        """All orders that work are told now."""
        self._listed = set()

    def list(self, told: Told) -> None:
        """One of the orders that work."""
        self._set(told)

    def end_list(self) -> None:
        """What works was told: what was not, ended unseen."""
        for order_id in self.at_venue.keys() - (self._listed or set()):
            del self.at_venue[order_id]
            self._look_at(order_id)
        self._listed = None

    def state(self, symbol: str, qty: int, question: int) -> None:
        """What the venue says is held, in answer to a question.

        What was booked before the question is in it, whether it was told by itself or not.
        """
        self.stated_qty[symbol] = qty
        for exec_id, execution in list(self._untold.items()):
            if execution.symbol == symbol and execution.question < question:
                del self._untold[exec_id]

    def position(self, symbol: str) -> int:
        """What the venue says is held, without executions that one side alone has heard of."""
        unbooked = sum(each.qty for each in self._unbooked.values() if each.symbol == symbol)
        untold = sum(each.qty for each in self._untold.values() if each.symbol == symbol)
        return self.stated_qty[symbol] - unbooked + untold

    def differences(self) -> Iterator[Difference]:
        """All that differs now, for whatever reason."""
        for exec_id, execution in self._unbooked.items():
            yield Difference(
                kind=Kind.EXECUTION,
                name=exec_id,
                symbol=execution.symbol,
                venue=execution.qty,
                booked=0,
                text=f"{self._venue} has {execution.qty} lots of order {execution.order_id} "
                f"executed as {exec_id}, which nobody has booked",
            )
        yield from self._differing.values()
        for symbol in self.stated_qty:
            held, booked = self.position(symbol), self.booked_qty[symbol]
            if held != booked:
                yield Difference(
                    kind=Kind.POSITION,
                    name=symbol,
                    symbol=symbol,
                    venue=held,
                    booked=booked,
                    text=f"{self._venue} says that {held} lots are held, {booked} are booked",
                )

    def _book(self, report: OrderReport, question: int, *, is_copied: bool) -> None:
        qty = report.side.sign * (report.cum_qty - self._cum_qty[report.order_id])
        self._cum_qty[report.order_id] = report.cum_qty
        self.booked_qty[report.symbol] += qty
        if self._unbooked.pop(report.venue_exec_id, None) is None and is_copied:
            is_trade = report.exec_type is ExecType.TRADE
            self._untold[report.venue_exec_id] = Execution(
                report.symbol, qty if is_trade else 0, report.order_id, question
            )

    def _set(self, told: Told) -> None:
        if self._listed is not None:
            self._listed.add(told.order_id)
        if told.leaves_qty:
            self.at_venue[told.order_id] = told
        else:
            self.at_venue.pop(told.order_id, None)
        self._look_at(told.order_id)

    def _look_at(self, order_id: str) -> None:
        """What is in doubt here agrees with whatever the venue says: its exposure is reserved."""
        told, booked = self.at_venue.get(order_id), self.booked.get(order_id)
        has, should = told.order_qty if told else 0, booked.qty if booked else 0
        self._differing.pop(order_id, None)
        if (booked is not None and not booked.is_sure) or has == should:
            return
        self._differing[order_id] = Difference(
            kind=Kind.ORDER,
            name=order_id,
            symbol=told.symbol if told else booked.symbol if booked else "",
            venue=has,
            booked=should,
            text=f"{self._venue} works {has} lots of order {order_id}"
            f"{f' of session {told.session}' if told else ''}, {should} are booked as working",
        )
