# SPDX-License-Identifier: Apache-2.0
"""The machine against a naive model that keeps only histories and recomputes everything.

The model knows no state but lists: orders as the client sent them, fills as the venue told them,
what was asked and how it was answered. Where the machine keeps running sums, it adds up anew.
"""

import os
from dataclasses import dataclass, field, replace
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tradewind.common import snapshots
from tradewind.core.commands import (
    AdvanceTime,
    CancelOrder,
    Command,
    ReplaceOrder,
    SetTradingState,
    TakeSession,
)
from tradewind.core.events import Event, OrderReport, ReportIgnored, VenueRequest
from tradewind.core.invariants import violations
from tradewind.core.machine import StateMachine
from tradewind.core.snapshot import digest, dump
from tradewind.core.testing import NEVER_NS, REPORT, SUBMIT, SYMBOL, VENUE, Desk, one
from tradewind.core.types import ExecType, OrdType, Side, TimeInForce, TradingState

ACCOUNTS = ("DEMO", "ALPHA")
CL_ORD_IDS = [f"c{n}" for n in range(200)]
ENDS = {"CANCELED", "EXPIRED", "REJECTED"}


@dataclass
class Told:
    """One order as a list of what happened to it."""

    account: str
    side: str
    price: int
    sizes: list[int]
    fills: list[tuple[int, int]] = field(default_factory=list)
    heard: list[str] = field(default_factory=list)
    """What the venue said, in order: only what proves that it has the order."""
    asked: dict[str, tuple[str, int]] = field(default_factory=dict)
    """Requests without an answer: action and size."""
    replaced: int = 0
    """The newest replace that was confirmed: an older one no longer changes the terms."""

    def filled(self) -> int:
        return sum(qty for qty, _ in self.fills)

    def is_over(self) -> bool:
        return any(word in ENDS for word in self.heard) or "FULL" in self.heard

    def left(self) -> int:
        return 0 if self.is_over() else max(0, self.sizes[-1] - self.filled())

    def at_worst(self) -> int:
        """What may still trade: of the size it has and of every size that is asked for."""
        if self.is_over():
            return 0
        asked = [size for action, size in self.asked.values() if action == "REPLACE"]
        return max(size - self.filled() for size in (*self.sizes[-1:], *asked, self.filled()))

    def status(self) -> str:
        ends = [word for word in self.heard if word in ENDS or word == "FULL"]
        if ends:
            return "FILLED" if ends[0] == "FULL" else ends[0]
        if self.asked:
            actions = {action for action, _size in self.asked.values()}
            return "PENDING_CANCEL" if "CANCEL" in actions else "PENDING_REPLACE"
        if self.fills:
            return "PARTIALLY_FILLED"
        return "NEW" if self.heard else "PENDING_NEW"


class MachineAgainstModel(RuleBasedStateMachine):
    """Draws journals; after every entry the machine must say what the model adds up to."""

    def __init__(self) -> None:
        super().__init__()
        self.desk = Desk.opened()
        self.orders: dict[str, Told] = {}
        self.ids: dict[tuple[str, str], str] = {}
        self.seen: set[tuple[str, str]] = set()
        self.restored: StateMachine | None = None
        self.closed = False
        self.reducing = False

    @initialize()
    def open_second_account(self) -> None:
        self.desk.limits(account="ALPHA", max_position=60)

    def do(self, command: Any, ts_ns: int | None = None) -> tuple[Event, ...]:
        """One entry, for the machine and for the one restored from a snapshot."""
        events = self.desk.step(command, ts_ns=ts_ns)
        if self.restored is not None:
            assert self.restored.step(self.desk.entries[-1]) == events
        return events

    def pick(self, data: st.DataObject) -> str:
        """Any order, but mostly one that is not over."""
        live = sorted(order_id for order_id, told in self.orders.items() if not told.is_over())
        return data.draw(st.sampled_from(live * 4 + sorted(self.orders)))

    def working(self, account: str, side: str) -> int:
        mine = [o for o in self.orders.values() if (o.account, o.side) == (account, side)]
        return sum(order.at_worst() for order in mine)

    def holding(self, account: str) -> int:
        mine = [order for order in self.orders.values() if order.account == account]
        return sum((1 if o.side == "BUY" else -1) * o.filled() for o in mine)

    @rule(
        account=st.sampled_from(ACCOUNTS),
        cl_ord_id=st.sampled_from(CL_ORD_IDS),
        side=st.sampled_from(Side),
        qty=st.sampled_from((5, 10, 20, 30, 5, 10, 20, 30, 0, 100, 101)),
        price=st.sampled_from((1_000, 1_000, 1_000, 1_000, 900, 1_100, 0, 899, 1_101)),
        late=st.sampled_from((False, False, False, False, False, False, True)),
    )
    def submit(
        self, account: str, cl_ord_id: str, side: Side, qty: int, price: int, late: bool
    ) -> None:
        deadline_ns = self.desk.now_ns + (1 if late else 10**12)
        changes: dict[str, Any] = {
            "account": account,
            "cl_ord_id": cl_ord_id,
            "side": side,
            "order_qty": qty,
            "price": price,
            "ord_type": OrdType.LIMIT if price else OrdType.MARKET,
            "time_in_force": TimeInForce.GTC if price else TimeInForce.IOC,
            "void_after_ns": deadline_ns,
        }
        signed = 1 if side == "BUY" else -1
        limit = 200 if account == "DEMO" else 60
        worst = signed * self.holding(account) + self.working(account, side) + qty
        is_fine = (
            (account, cl_ord_id) not in self.ids
            and not late
            and 0 < qty <= 100
            and price not in (899, 1_101)
            and worst <= limit
            and not self.closed
        )
        events = self.do(replace(SUBMIT, **changes))
        report = one(events, OrderReport)
        if is_fine:
            assert report.exec_type is ExecType.PENDING_NEW
            self.orders[report.order_id] = Told(account, side, price, [qty])
        elif not self.reducing:
            assert report.exec_type is ExecType.DENIED
        elif report.exec_type is ExecType.PENDING_NEW:
            self.orders[report.order_id] = Told(account, side, price, [qty])
            closable = -signed * self.holding(account)
            assert self.working(account, side) <= closable
        sent = [event for event in events if isinstance(event, VenueRequest)]
        assert len(sent) == (report.exec_type is ExecType.PENDING_NEW)
        self.ids.setdefault((account, cl_ord_id), report.order_id)

    @precondition(lambda self: self.desk.machine.state.seq % 3 == 0)
    @rule(state=st.sampled_from([*[TradingState.ACTIVE] * 5, *TradingState]))
    def trade(self, state: TradingState) -> None:
        self.do(SetTradingState(scope="firm", state=state, actor="op", reason="test"))
        self.closed = state is not TradingState.ACTIVE
        self.reducing = state is TradingState.REDUCING

    @precondition(lambda self: self.orders)
    @rule(data=st.data(), is_cancel=st.booleans(), qty=st.sampled_from((1, 4, 8, 15, 25, 40, 101)))
    def ask(self, data: st.DataObject, is_cancel: bool, qty: int) -> None:
        order_id = self.pick(data)
        told = self.orders[order_id]
        new_id = f"q{self.desk.machine.state.seq}"
        orig = next(c for (a, c), o in self.ids.items() if o == order_id and a == told.account)
        before = told.status()
        act = self.desk.machine.state.seq + 1
        ids = {"account": told.account, "cl_ord_id": new_id, "orig_cl_ord_id": orig}
        command: Command = CancelOrder(**ids, client="client")
        if not is_cancel:
            command = ReplaceOrder(
                account=told.account,
                cl_ord_id=new_id,
                orig_cl_ord_id=orig,
                order_qty=qty,
                price=1_000,
                client="client",
                void_after_ns=NEVER_NS,
            )
        events = self.do(command)
        report = one(events, OrderReport)
        self.ids[told.account, new_id] = order_id
        sent = [event for event in events if isinstance(event, VenueRequest)]
        takes = ["PENDING_NEW", "NEW", "PARTIALLY_FILLED", "PENDING_REPLACE"]
        if before not in takes:
            assert not sent
        elif is_cancel:
            assert len(sent) == 1
        if sent:
            (request,) = sent
            assert request.request_id == f"seg-0-{act}"
            assert not request.is_possibly_sent
            told.asked[request.request_id] = (str(request.action), request.order_qty)
            assert report.ord_status == told.status()

    @precondition(lambda self: self.orders)
    @rule(data=st.data(), qty=st.sampled_from((1, 2, 3, 5, 10, 30)), price=st.integers(990, 1_010))
    def fill(self, data: st.DataObject, qty: int, price: int) -> None:
        order_id = self.pick(data)
        number = data.draw(st.integers(0, 60))
        told = self.orders[order_id]
        events = self.report(
            order_id, ExecType.TRADE, exec_id=f"F{number}", last_qty=qty, last_px=price
        )
        if (order_id, f"F{number}") in self.seen:
            assert isinstance(events[0], ReportIgnored)
            return
        assert isinstance(events[0], OrderReport)
        self.seen.add((order_id, f"F{number}"))
        told.fills.append((qty, price))
        told.heard.append("TRADE" if told.is_over() or told.at_worst() else "FULL")

    @precondition(lambda self: self.orders)
    @rule(
        data=st.data(),
        exec_type=st.sampled_from([*[ExecType.NEW] * 6, *(ExecType(end) for end in sorted(ENDS))]),
    )
    def hear(self, data: st.DataObject, exec_type: ExecType) -> None:
        order_id = self.pick(data)
        told = self.orders[order_id]
        (event,) = self.report(order_id, exec_type, exec_id=f"H{self.desk.machine.state.seq}")
        assert isinstance(event, ReportIgnored) == told.is_over()
        if not told.is_over():
            told.heard.append(str(exec_type))
            if exec_type is not ExecType.NEW:
                told.asked.clear()

    @precondition(lambda self: any(o.asked and not o.is_over() for o in self.orders.values()))
    @rule(data=st.data(), is_yes=st.booleans())
    def answer(self, data: st.DataObject, is_yes: bool) -> None:
        waiting = sorted(i for i, o in self.orders.items() if o.asked and not o.is_over())
        order_id = data.draw(st.sampled_from(waiting))
        told = self.orders[order_id]
        request_id = data.draw(st.sampled_from(sorted(told.asked)))
        action, size = told.asked[request_id]
        verb = (
            ("CANCELED" if action == "CANCEL" else "REPLACED") if is_yes else f"{action}_REJECTED"
        )
        events = self.report(
            order_id,
            ExecType(verb),
            exec_id=f"A{self.desk.machine.state.seq}",
            request_id=request_id,
            order_qty=size,
            price=told.price,
        )
        assert isinstance(events[0], OrderReport)
        del told.asked[request_id]
        if verb == "REPLACED":
            number = int(request_id.rpartition("-")[2])
            if number > told.replaced:
                told.sizes.append(size)
                told.replaced = number
            told.heard.append("REPLACED")
        elif verb == "CANCELED":
            told.heard.append("CANCELED")
            told.asked.clear()
        if not told.is_over() and told.at_worst() == 0:
            told.heard.append("FULL")

    def report(self, order_id: str, exec_type: ExecType, **facts: Any) -> tuple[Event, ...]:
        command = replace(REPORT, order_id=order_id, exec_type=exec_type)
        return self.do(replace(command, **facts))

    @rule()
    def take_session(self) -> None:
        events = self.do(TakeSession(venue=VENUE, owner="x"))
        marked = [event for event in events if isinstance(event, VenueRequest)]
        assert all(request.is_possibly_sent for request in marked)
        wanted = []
        for order_id, told in self.orders.items():
            if told.is_over():
                continue
            if not told.heard:
                wanted.append((order_id, "NEW"))
            wanted += [(request_id, action) for request_id, (action, _) in told.asked.items()]
        wanted.sort(key=lambda item: int(item[0].rpartition("-")[2]))
        assert [(r.request_id, str(r.action)) for r in marked] == wanted

    @rule()
    def repeat_an_entry(self) -> None:
        """A client's retry or a venue's repetition never sends and never moves a position."""
        command = self.desk.entries[-1].command
        if not hasattr(command, "cl_ord_id") and not hasattr(command, "exec_id"):
            return
        before = dump(self.desk.machine.state)
        events = self.do(command)
        assert not any(isinstance(event, VenueRequest) for event in events)
        after = dump(self.desk.machine.state)
        assert (after["orders"], after["positions"]) == (before["orders"], before["positions"])

    @rule()
    def restore_from_a_snapshot(self) -> None:
        content = snapshots.encode(self.desk.machine, chain="", build="", instance="")
        self.restored = snapshots.decode(content).machine

    @precondition(lambda self: self.desk.machine.state.seq % 3 == 0)
    @rule(back_ns=st.integers(0, 10**9))
    def turn_the_clock_back(self, back_ns: int) -> None:
        before = self.desk.machine.state.ts_ns
        self.do(AdvanceTime(source="test"), ts_ns=before - back_ns)
        assert self.desk.machine.state.ts_ns == before

    @invariant()
    def the_machine_says_what_the_model_adds_up_to(self) -> None:
        state = self.desk.machine.state
        assert violations(state) == []
        assert set(state.orders) == set(self.orders)
        for order_id, told in self.orders.items():
            order = state.orders[order_id]
            found = (str(order.ord_status), order.cum_qty, order.leaves_qty, order.cum_notional)
            cash = sum(qty * price for qty, price in told.fills)
            assert found == (told.status(), told.filled(), told.left(), cash), order_id
        for account in ACCOUNTS:
            position = state.position(account, SYMBOL)
            assert position.qty == self.holding(account)
            assert position.buy_working == self.working(account, "BUY")
            assert position.sell_working == self.working(account, "SELL")

    @invariant()
    def the_restored_machine_is_the_same(self) -> None:
        if self.restored is not None:
            assert self.restored.digest() == self.desk.machine.digest()
            assert self.restored.state == self.desk.machine.state

    def teardown(self) -> None:
        machine = StateMachine()
        outputs = [event for entry in self.desk.entries for event in machine.step(entry)]
        assert outputs == self.desk.outputs
        assert machine.digest() == digest(self.desk.machine.state)


# Longer by hand: TRADEWIND_PROPERTY_EXAMPLES=2000.
MachineAgainstModel.TestCase.settings = settings(
    max_examples=int(os.environ.get("TRADEWIND_PROPERTY_EXAMPLES", "250")),
    stateful_step_count=50,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
TestMachineAgainstModel = MachineAgainstModel.TestCase
