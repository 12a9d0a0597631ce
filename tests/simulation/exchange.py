# SPDX-License-Identifier: Apache-2.0
"""A venue that is no better than it must be: it knows only working orders' ids, answers a repeated
request with its first answer, cuts off the session before at a logon, and shows what an earlier
session sent only after its read lag. It writes down what it did, for the judge.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Protocol

from tests.simulation.world import World
from tradewind.core.commands import ApplyVenueReport, StatePosition
from tradewind.core.events import VenueRequest
from tradewind.core.types import ExecType, Side, VenueAction

VENUE = "SIM"
SYMBOL = "BTC-USD"
READ_LAG_MS = 300


class Client(Protocol):
    """A connection, as the venue sees it."""

    def hear(self, said: ApplyVenueReport | StatePosition) -> None:
        """Takes a report, or a statement."""

    def told_all(self, order_id: str) -> None:
        """Everything about an order was told."""

    def taken(self) -> None:
        """Another one has logged on."""

    def gone(self) -> None:
        """The venue has closed the connection."""


@dataclass(slots=True)
class VenueOrder:
    """One execution of an order id. `late_qty` traded after its end had been reported."""

    order_id: str
    venue_order_id: str
    side: Side
    qty: int
    price: int
    known_s: float
    cum: int = 0
    late_qty: int = 0
    is_working: bool = True
    end: ExecType | None = None
    last_request: int = 0

    @property
    def leaves(self) -> int:
        return self.qty - self.cum if self.is_working else 0


@dataclass
class Exchange:
    """The venue's books, and who is connected."""

    world: World
    changed: Callable[[VenueOrder], None]
    orders: dict[str, VenueOrder] = field(default_factory=dict)
    log: list[ApplyVenueReport] = field(default_factory=list)
    answers: dict[str, list[ApplyVenueReport]] = field(default_factory=dict)
    cums: dict[str, int] = field(default_factory=dict)
    clients: list[Client] = field(default_factory=list)
    live: list[Client] = field(default_factory=list)

    def logon(self, client: Client) -> None:
        """Takes the session; who had it is cut off."""
        for other in list(self.clients):
            self._fence(other)
        self.clients.append(client)

    def _fence(self, other: Client) -> None:
        self.world.saw("session taken from another")
        self.clients.remove(other)
        self.left(other)
        other.taken()

    def is_fenced(self, client: Client) -> bool:
        """Whether nothing of this connection is taken: not logged on, or another one has since."""
        return client not in self.clients

    def left(self, client: Client) -> None:
        """A connection is over; what was sent on it counts until the next logon."""
        if client in self.live:
            self.live.remove(client)

    def break_sessions(self) -> None:
        """Every connection breaks."""
        for client in list(self.live):
            self.left(client)
            client.gone()

    def ask_reports(self, client: Client, after: int, back: int) -> None:
        """Reports after a number, and from now on all."""
        for report in self.log:
            if report.exec_no > after - back:
                client.hear(report)
        self.live.append(client)

    def is_known(self, order_id: str) -> bool:
        """Whether there ever was such an order, as the venue's lagging replica has it."""
        lag_s = self.world.rng.uniform(0, READ_LAG_MS / 1000) if self.world.has("read-lag") else 0.0
        order = self.orders.get(order_id)
        is_visible = order is not None and order.known_s <= self.world.now_s - lag_s
        if order is not None and not is_visible:
            self.world.saw("not found inside the read lag")
        return is_visible

    def ask(self, client: Client, request: VenueRequest) -> None:
        """Tells everything about an order again, and that it works if it does."""
        self.world.saw("order asked about")
        order = self.orders.get(request.order_id)
        if order is None:
            return
        mine = self.tell_again(client, request.order_id)
        if order.leaves:
            number = mine[-1].exec_no if mine else 0
            proof = self._report(order, ExecType.NEW, exec_id=f"P-{request.request_id}-{number}")
            client.hear(proof)

    def tell_again(self, client: Client, order_id: str) -> list[ApplyVenueReport]:
        """All reports about an order once more."""
        mine = [report for report in self.log if report.order_id == order_id]
        for report in mine:
            client.hear(report)
        if order_id not in self.orders or not self.orders[order_id].leaves:
            client.told_all(order_id)
        return mine

    def state_position(self, client: Client, is_complete: bool) -> None:
        """Says what all executions so far add up to."""
        orders = self.orders.values()
        statement = StatePosition(
            venue=VENUE,
            epoch=0,
            symbol=SYMBOL,
            exec_no=len(self.log),
            qty=sum(order.side.sign * order.cum for order in orders),
            open_buy_qty=sum(order.leaves for order in orders if order.side is Side.BUY),
            open_sell_qty=sum(order.leaves for order in orders if order.side is Side.SELL),
            is_complete=is_complete,
        )
        client.hear(statement)

    def take(self, request: VenueRequest) -> None:
        """A request has arrived."""
        self._check_order(request)
        match request.action:
            case VenueAction.NEW:
                self._new(request)
            case VenueAction.CANCEL | VenueAction.REPLACE:
                self._amend(request)
            case _:
                raise AssertionError("a question is asked, not sent")

    def _check_order(self, request: VenueRequest) -> None:
        """Of one order, requests come in the order they were made."""
        order = self.orders.get(request.order_id)
        number = int(request.request_id.rpartition("-")[2].partition(".")[0])
        if order is None:
            if request.action is not VenueAction.NEW:
                self.world.saw("request for an order that did not arrive")
                self.answers.setdefault(f"before {request.order_id}", [])
            elif f"before {request.order_id}" in self.answers:
                self.world.broken(f"{request.order_id} arrives after a request about it")
            return
        if request.request_id in self.answers:
            return
        if number < order.last_request:
            self.world.broken(f"request {request.request_id} arrives after a later one")
        order.last_request = max(order.last_request, number)

    def _new(self, request: VenueRequest) -> None:
        world, order_id = self.world, request.order_id
        if order_id in self.orders:
            world.broken(f"{order_id} reached the venue twice")
            if self.orders[order_id].is_working:
                return
        order = VenueOrder(
            order_id=order_id,
            venue_order_id=f"V{len(self.orders) + 1}",
            side=request.side,
            qty=request.order_qty,
            price=request.price,
            known_s=world.now_s,
        )
        self.orders[order_id] = order
        if world.chance(0.06):
            order.is_working, order.end = False, ExecType.REJECTED
            self._tell(order, ExecType.REJECTED, is_answer=True)
            return
        self._tell(order, ExecType.NEW, is_answer=True)
        if world.chance(0.3):
            self._trade(order, order.qty)
        for _ in range(world.rng.choice((0, 0, 1, 1, 2))):
            delay_s = world.rng.expovariate(1.0)
            world.loop.later(delay_s, self._trade_some, order)

    def _amend(self, request: VenueRequest) -> None:
        world = self.world
        first = self.answers.get(request.request_id)
        if first is not None:
            world.saw("request repeated at the venue")
            for report in first:
                self._deliver(report)
            return
        order = self.orders.get(request.order_id)
        is_cancel = request.action is VenueAction.CANCEL
        refusal = ExecType.CANCEL_REJECTED if is_cancel else ExecType.REPLACE_REJECTED
        if order is None:
            nothing = VenueOrder(request.order_id, "", request.side, 0, 0, world.now_s)
            self._tell(nothing, refusal, request_id=request.request_id, is_answer=True)
            return
        if order.is_working and world.chance(0.2):
            self._trade(order, world.rng.randint(1, order.leaves))
        is_possible = order.is_working and (is_cancel or request.order_qty > order.cum)
        if not is_possible:
            self._tell(order, refusal, request_id=request.request_id, is_answer=True)
        elif is_cancel:
            self._cancel(order, request)
        else:
            order.qty, order.price = request.order_qty, request.price
            self._tell(order, ExecType.REPLACED, request_id=request.request_id, is_answer=True)

    def _cancel(self, order: VenueOrder, request: VenueRequest) -> None:
        world, left = self.world, order.leaves
        order.is_working, order.end = False, ExecType.CANCELED
        self._tell(order, ExecType.CANCELED, request_id=request.request_id, is_answer=True)
        if world.strikes("late-fills", 0.4):
            world.loop.later(world.rng.uniform(0, 1), self._trade_late, order, left)

    def _trade_some(self, order: VenueOrder) -> None:
        if order.is_working:
            self._trade(order, self.world.rng.randint(1, order.leaves))

    def _trade_late(self, order: VenueOrder, qty: int) -> None:
        self.world.saw("fill after the cancel")
        order.late_qty += qty
        order.cum += qty
        self._tell(order, ExecType.TRADE, qty)

    def _trade(self, order: VenueOrder, qty: int) -> None:
        order.cum += qty
        if order.cum == order.qty:
            order.is_working, order.end = False, ExecType.TRADE
        self._tell(order, ExecType.TRADE, qty)

    def _report(
        self, order: VenueOrder, exec_type: ExecType, qty: int = 0, *, exec_id: str
    ) -> ApplyVenueReport:
        return ApplyVenueReport(
            venue=VENUE,
            order_id=order.order_id,
            request_id="",
            venue_order_id=order.venue_order_id,
            exec_id=exec_id,
            exec_no=0,
            exec_type=exec_type,
            last_qty=qty,
            last_px=order.price if qty else 0,
            order_qty=order.qty,
            price=order.price,
            text="",
            symbol=SYMBOL,
            side=order.side,
        )

    def _tell(
        self,
        order: VenueOrder,
        exec_type: ExecType,
        qty: int = 0,
        *,
        request_id: str = "",
        is_answer: bool = False,
    ) -> None:
        number = len(self.log) + 1
        report = self._report(order, exec_type, qty, exec_id=f"X{number}")
        report = replace(report, exec_no=number, request_id=request_id)
        self.log.append(report)
        self.cums[report.exec_id] = order.cum
        if request_id:
            self.answers[request_id] = [report]
        self.world.loop.note(f"venue {report!r}")
        self.changed(order)
        if is_answer and self.world.strikes("lost-answers", 0.15):
            self.world.saw("venue's answer lost")
            return
        if qty and self.world.strikes("lost-fills", 0.2):
            self.world.saw("venue's fill lost")
            return
        self._deliver(report)
        if self.world.strikes("duplicate-reports", 0.2):
            self.world.saw("report repeated")
            self.world.loop.later(self.world.rng.uniform(0, 0.5), self._deliver, report)

    def _deliver(self, report: ApplyVenueReport) -> None:
        for client in self.live:
            client.hear(report)
