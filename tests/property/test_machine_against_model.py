# SPDX-License-Identifier: Apache-2.0
"""The machine against a naive model that keeps only histories and recomputes everything."""

import os

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule

from tests.property.client_rules import LIMITS
from tests.property.venue_rules import VenueRules
from tradewind.common import snapshots
from tradewind.core.commands import AdvanceTime
from tradewind.core.events import VenueRequest
from tradewind.core.invariants import violations
from tradewind.core.machine import StateMachine
from tradewind.core.snapshot import digest, dump
from tradewind.core.testing import SYMBOL
from tradewind.risk.second_look import SecondLook


class MachineAgainstModel(VenueRules):
    """Draws journals; after every entry the machine must say what the model adds up to."""

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
        for name in ("orders", "positions", "ledgers", "retired"):
            assert after[name] == before[name]

    @precondition(lambda self: self.desk.machine.state.seq % 5 == 0)
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
    def no_law_is_broken(self) -> None:
        assert violations(self.desk.machine.state) == []

    @invariant()
    def the_machine_says_what_the_model_adds_up_to(self) -> None:
        state = self.desk.machine.state
        assert set(state.orders) == set(self.model.orders)
        assert set(state.retired) == set(self.model.retired)
        assert list(state.live_orders) == [told.order_id for told in self.model.live()]
        for order_id, told in self.model.orders.items():
            order = state.orders[order_id]
            found = (str(order.ord_status), order.cum_qty, order.leaves_qty, order.cum_notional)
            assert found == (told.status(), told.filled(), told.left(), told.cash()), order_id
            assert (order.order_qty, order.price) == told.terms[-1], order_id
            assert order.reserved_qty == told.at_worst(), order_id
        for account in LIMITS:
            position = state.position(account, SYMBOL)
            assert position.qty == self.model.holding(account)
            assert position.cost - position.realised == self.model.cash(account)
            assert position.buy_working == self.model.working(account, "BUY")
            assert position.sell_working == self.model.working(account, "SELL")

    @invariant()
    def every_strategy_has_what_it_traded(self) -> None:
        for key, ledger in self.desk.machine.state.ledgers.items():
            account, _symbol, _client, strategy, _algorithm = key
            mine = [o for o in self.model.traded(account) if o.strategy == strategy]
            assert ledger.bought_qty - ledger.sold_qty == sum(o.sign * o.filled() for o in mine)

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
        look = SecondLook()
        assert [breach for event in outputs if (breach := look.take(event)) is not None] == []


# Longer by hand: TRADEWIND_PROPERTY_EXAMPLES=2000.
MachineAgainstModel.TestCase.settings = settings(
    max_examples=int(os.environ.get("TRADEWIND_PROPERTY_EXAMPLES", "250")),
    stateful_step_count=70,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
TestMachineAgainstModel = MachineAgainstModel.TestCase
