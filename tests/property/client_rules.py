# SPDX-License-Identifier: Apache-2.0
"""What clients and operators do, for the machine and for the model."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from tests.property.model import TAKES_REQUESTS, Shard, Told
from tradewind.core.commands import (
    AdjustPosition,
    CancelOrder,
    Command,
    MassCancel,
    ReplaceOrder,
    ResetPosition,
    RollDay,
    SetTradingState,
)
from tradewind.core.decide_client import PENDINGS_MAX
from tradewind.core.events import Event, MassCancelReport, OrderReport, VenueRequest
from tradewind.core.machine import StateMachine
from tradewind.core.testing import NEVER_NS, SUBMIT, SYMBOL, Desk, one
from tradewind.core.types import ExecType, OrdType, Side, TimeInForce, TradingState, VenueAction

LIMITS = {"DEMO": 200, "ALPHA": 60}
STRATEGIES = ("strategy", "strategy", "carry")
CL_ORD_IDS = [f"c{n}" for n in range(100)]
IOC = TimeInForce.IOC
SHAPES: list[dict[str, Any]] = [
    *[{"price": 1_000}] * 4,
    {"price": 900},
    {"price": 1_100},
    {"price": 899},
    {"price": 1_101},
    {"price": 1_000, "time_in_force": TimeInForce.DAY},
    {"price": 1_000, "display_qty": 5},
    {"price": 0, "ord_type": OrdType.MARKET, "time_in_force": IOC},
    {"price": 0, "ord_type": OrdType.STOP, "stop_px": 1_010, "time_in_force": TimeInForce.DAY},
    {"price": 1_000, "ord_type": OrdType.STOP_LIMIT, "stop_px": 1_010},
]
OFF_COLLAR = (899, 1_101)


def requests(events: tuple[Event, ...]) -> list[VenueRequest]:
    return [event for event in events if isinstance(event, VenueRequest)]


class ClientRules(RuleBasedStateMachine):
    """A desk and its model; every rule does the same to both."""

    def __init__(self) -> None:
        super().__init__()
        self.desk = Desk.opened()
        self.model = Shard()
        self.seen: set[tuple[str, str]] = set()
        self.restored: StateMachine | None = None
        self.date = date(2026, 1, 1)

    @initialize()
    def open_the_day(self) -> None:
        """Two accounts with an order each, and a parent with a child."""
        self.desk.limits(account="ALPHA", max_position=LIMITS["ALPHA"])
        plain = {"price": 1_000}
        self.place("DEMO", "b1", Side.BUY, 20, plain)
        self.place("ALPHA", "b2", Side.SELL, 10, plain)
        parent = self.place("DEMO", "b3", Side.BUY, 30, plain, is_parent=True)
        self.place("DEMO", "b4", Side.BUY, 10, plain, parent=parent)

    def do(self, command: Any, ts_ns: int | None = None) -> tuple[Event, ...]:
        """One entry, for the machine and for the one restored from a snapshot."""
        events = self.desk.step(command, ts_ns=ts_ns)
        if self.restored is not None:
            assert self.restored.step(self.desk.entries[-1]) == events
        return events

    def settle(self) -> None:
        self.model.settle(self.desk.machine.state.ts_ns)

    def pick(self, data: st.DataObject) -> Told:
        """Any order that goes to the venue, but mostly one that is not over."""
        mine = [told for told in self.model.orders.values() if told.children is None]
        live = [told for told in mine if not told.is_over()]
        return data.draw(st.sampled_from(live * 4 + mine), label="order")

    def may_trade(self, account: str, side: str, more: int, of_which: int = 0) -> bool:
        """The trading state allows `more` lots, instead of lots that work already."""
        if self.model.trading() != "REDUCING":
            return self.model.trading() == "ACTIVE"
        closable = -self.model.holding(account) * (1 if side == "BUY" else -1)
        return self.model.working(account, side) - of_which + more <= closable

    def is_within(self, account: str, side: str, more: int, of_which: int = 0) -> bool:
        """The position limit allows it."""
        held = self.model.holding(account) * (1 if side == "BUY" else -1)
        return held + self.model.working(account, side) - of_which + more <= LIMITS[account]

    @rule(
        data=st.data(),
        account=st.sampled_from(sorted(LIMITS)),
        cl_ord_id=st.sampled_from(CL_ORD_IDS),
        side=st.sampled_from(Side),
        qty=st.sampled_from((*(5, 10, 20, 30) * 3, 0, 100, 101)),
        shape=st.sampled_from(SHAPES),
        family=st.sampled_from(("", "", "", "parent", "child", "child")),
    )
    def submit(
        self,
        data: st.DataObject,
        account: str,
        cl_ord_id: str,
        side: Side,
        qty: int,
        shape: dict[str, Any],
        family: str,
    ) -> None:
        parents = [told for told in self.model.live() if told.children is not None]
        words: dict[str, Any] = {
            "strategy": data.draw(st.sampled_from(STRATEGIES), label="strategy"),
            "is_late": data.draw(st.sampled_from((*[False] * 9, True)), label="is late"),
        }
        if family == "child" and parents:
            parent = data.draw(st.sampled_from(parents), label="parent")
            mine = (parent.account, cl_ord_id, Side(parent.side))
            self.place(*mine, qty, shape, parent=parent, **words)
        elif family == "parent":
            self.place(account, cl_ord_id, side, qty, {"price": 1_000}, is_parent=True, **words)
        else:
            self.place(account, cl_ord_id, side, qty, shape, **words)

    def place(
        self,
        account: str,
        cl_ord_id: str,
        side: Side,
        qty: int,
        shape: dict[str, Any],
        *,
        strategy: str = "strategy",
        is_late: bool = False,
        is_parent: bool = False,
        parent: Told | None = None,
    ) -> Told | None:
        """A new order, if the model thinks so too."""
        key = (account, cl_ord_id)
        is_fine = key not in self.model.ids and not is_late
        is_fine = is_fine and self.is_sane(account, side, qty, shape, is_parent)
        if parent is not None:
            fits = parent.status() in ("NEW", "PARTIALLY_FILLED") and qty <= self.model.free(parent)
            is_fine = is_fine and fits
        command = replace(
            SUBMIT,
            account=account,
            cl_ord_id=cl_ord_id,
            side=side,
            order_qty=qty,
            strategy=strategy,
            void_after_ns=self.desk.now_ns + (1 if is_late else 10**12),
            is_parent=is_parent,
            parent_cl_ord_id="" if parent is None else self.id_of(parent),
            **shape,
        )
        events = self.do(command)
        report = one(events, OrderReport)
        assert (report.exec_type is not ExecType.DENIED) == is_fine, report.reason
        assert len(requests(events)) == (is_fine and not is_parent)
        if key in self.model.ids:
            assert report.order_id == self.model.ids[key]
        self.model.ids.setdefault(key, report.order_id)
        if not is_fine:
            return None
        told = Told(
            report.order_id,
            account,
            strategy,
            str(side),
            [(qty, shape["price"])],
            kind=str(command.ord_type),
            is_day=command.time_in_force is TimeInForce.DAY,
            children=[] if is_parent else None,
        )
        self.model.orders[told.order_id] = told
        if parent is not None and parent.children is not None:
            parent.children.append(told)
        return told

    def is_sane(
        self, account: str, side: str, qty: int, shape: dict[str, Any], is_parent: bool
    ) -> bool:
        """No rule about the order's own terms or its account's limits is against it."""
        if qty <= 0 or qty < shape.get("display_qty", 0) or not self.may_trade(account, side, qty):
            return False
        is_in_bounds = qty <= 100 and shape["price"] not in OFF_COLLAR
        return is_parent or (is_in_bounds and self.is_within(account, side, qty))

    def id_of(self, told: Told) -> str:
        """A request id of the order's."""
        return next(
            cl_ord_id
            for (account, cl_ord_id), order_id in self.model.ids.items()
            if order_id == told.order_id and account == told.account
        )

    def new_id(self) -> str:
        return f"q{self.desk.machine.state.seq}"

    @precondition(lambda self: self.model.orders)
    @rule(data=st.data(), qty=st.sampled_from((1, 4, 8, 15, 25, 40, 101)))
    def replace_an_order(self, data: st.DataObject, qty: int) -> None:
        told = data.draw(st.sampled_from([*self.model.live(), *self.model.orders.values()]))
        price = 0 if told.kind in ("MARKET", "STOP") else 1_000
        more = qty - told.filled()
        is_fine = (
            told.status() in TAKES_REQUESTS
            and told.kind != "MARKET"
            and more > 0
            and len(told.asked) < PENDINGS_MAX
            and self.may_trade(told.account, told.side, more, told.at_worst())
        )
        if told.children is not None:
            is_fine = is_fine and more >= sum(child.at_worst() for child in told.children)
        else:
            fits = self.is_within(told.account, told.side, more, told.at_worst())
            is_fine = is_fine and qty <= 100 and fits and self.fits_into_parent(told, more)
        new_id = self.new_id()
        command = ReplaceOrder(
            account=told.account,
            cl_ord_id=new_id,
            orig_cl_ord_id=self.id_of(told),
            order_qty=qty,
            price=price,
            client="client",
            void_after_ns=NEVER_NS,
        )
        events = self.do(command)
        self.model.ids[told.account, new_id] = told.order_id
        assert one(events, OrderReport).order_id == told.order_id
        assert len(requests(events)) == (is_fine and told.children is None)
        if is_fine and told.children is not None:
            told.terms.append((qty, price))
        self.note(events)

    def fits_into_parent(self, told: Told, more: int) -> bool:
        for parent in self.model.orders.values():
            if parent.children is not None and told in parent.children:
                return more - told.at_worst() <= max(0, self.model.free(parent))
        return True

    def note(self, events: tuple[Event, ...]) -> list[str]:
        """Requests that are on their way to the venue; whose they are."""
        for request in requests(events):
            assert not request.is_possibly_sent
            told = self.model.orders[request.order_id]
            told.asked[request.request_id] = (str(request.action), request.order_qty)
        self.settle()
        return [request.order_id for request in requests(events)]

    def cancelled_with(self, told: Told) -> list[str]:
        """The orders that the venue is asked to cancel with this one."""
        if told.children is None:
            return [told.order_id] if told.status() in TAKES_REQUESTS else []
        live = [child for child in told.children if not child.is_over()]
        return [child.order_id for child in live if child.status() in TAKES_REQUESTS]

    @precondition(lambda self: self.model.orders)
    @rule(data=st.data())
    def cancel_an_order(self, data: st.DataObject) -> None:
        told = data.draw(st.sampled_from([*self.model.live(), *self.model.orders.values()]))
        is_fine = told.status() in TAKES_REQUESTS
        wanted = self.cancelled_with(told) if is_fine else []
        new_id = self.new_id()
        events = self.do(
            CancelOrder(
                account=told.account,
                cl_ord_id=new_id,
                orig_cl_ord_id=self.id_of(told),
                client="client",
            )
        )
        self.model.ids[told.account, new_id] = told.order_id
        if is_fine and told.children is not None:
            told.asked[new_id] = ("CANCEL", 0)
        assert self.note(events) == wanted

    @precondition(lambda self: self.desk.machine.state.seq % 7 == 0)
    @rule(
        account=st.sampled_from(("", *sorted(LIMITS))),
        strategy=st.sampled_from(("", "strategy", "carry")),
    )
    def mass_cancel(self, account: str, strategy: str) -> None:
        matching = [
            told
            for told in self.model.live()
            if account in ("", told.account) and strategy in ("", told.strategy)
        ]
        wanted = {order_id for told in matching for order_id in self.cancelled_with(told)}
        parents = [
            told
            for told in matching
            if told.children is not None and told.status() in TAKES_REQUESTS
        ]
        events = self.do(
            MassCancel(account=account, cl_ord_id=self.new_id(), client="op", strategy=strategy)
        )
        count = one(events, MassCancelReport).order_count
        assert count == len(wanted) + len(parents)
        for told in parents:
            told.asked[f"mass{told.order_id}"] = ("CANCEL", 0)
        found = self.note(events)
        assert sorted(found) == sorted(wanted)

    @precondition(lambda self: self.desk.machine.state.seq % 3 == 0)
    @rule(
        state=st.sampled_from([*[TradingState.ACTIVE] * 8, *TradingState]),
        scope=st.sampled_from(("firm", f"symbol:{SYMBOL}")),
    )
    def trade(self, state: TradingState, scope: str) -> None:
        self.do(SetTradingState(scope=scope, state=state, actor="op", reason="test"))
        self.model.scopes[scope] = str(state)

    @precondition(lambda self: self.desk.machine.state.seq % 4 == 0)
    @rule(
        account=st.sampled_from(sorted(LIMITS)),
        qty=st.sampled_from((-30, -7, 3, 20, None)),
        price=st.integers(0, 1_010),
    )
    def book_by_hand(self, account: str, qty: int | None, price: int) -> None:
        """An adjustment, or a reset if there is no quantity."""
        words = {"symbol": SYMBOL, "actor": "op", "reason": "test"}
        if qty is None:
            self.do(ResetPosition(account=account, cl_ord_id=self.new_id(), **words))
            held, cash = self.model.holding(account), self.model.cash(account)
            self.model.by_hand.append((account, -held, -cash))
            return
        command = AdjustPosition(
            account=account, cl_ord_id=self.new_id(), qty=qty, price=price, **words
        )
        self.do(command)
        self.model.by_hand.append((account, qty, qty * price))

    @precondition(lambda self: self.desk.machine.state.seq % 5 == 0)
    @rule(keep_ms=st.sampled_from((0, 3, 10, 10_000)))
    def roll_the_day(self, keep_ms: int) -> None:
        self.date += timedelta(days=1)
        before_ns = self.desk.now_ns - keep_ms * 1_000_000
        late = [told for told in self.model.at_venue() if told.is_day]
        wanted = [told.order_id for told in late if told.status() != "PENDING_NEW"]
        command: Command = RollDay(trading_date=str(self.date), retire_before_ns=before_ns)
        asked = requests(self.do(command))
        assert all(request.action is VenueAction.STATUS for request in asked)
        assert [request.order_id for request in asked] == wanted
        self.model.retire(before_ns)
