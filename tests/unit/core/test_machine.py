# SPDX-License-Identifier: Apache-2.0
"""The facade: sequence, time, and one event at least per entry."""

import pytest

from tests.golden import life
from tradewind.core.commands import COMMANDS, AdvanceTime, Entry
from tradewind.core.decide import HANDLERS as DECIDERS
from tradewind.core.events import EVENTS, OrderReport, TimeAdvanced
from tradewind.core.evolve import HANDLERS as EVOLVERS
from tradewind.core.machine import SequenceError, StateMachine
from tradewind.core.snapshot import digest, dump
from tradewind.core.testing import START_NS, SUBMIT, Desk, one


def test_every_command_and_every_event_has_its_handler() -> None:
    assert set(DECIDERS) == set(COMMANDS.values())
    assert set(EVOLVERS) == set(EVENTS.values())


@pytest.mark.parametrize("seq", [0, 1, 4, 6, 1_000])
def test_an_entry_that_is_not_the_next_is_refused_and_changes_nothing(seq: int) -> None:
    desk = Desk.opened()
    before = dump(desk.machine.state)
    entry = Entry(seq=seq, ts_ns=START_NS, command=AdvanceTime(source="test"))
    with pytest.raises(SequenceError, match=f"entry {seq} does not follow 4"):
        desk.machine.step(entry)
    assert dump(desk.machine.state) == before


def test_time_never_runs_back() -> None:
    desk = Desk.opened()
    now_ns = desk.machine.state.ts_ns
    event = one(desk.step(AdvanceTime(source="test"), ts_ns=now_ns - 10), TimeAdvanced)
    assert event.ts_ns == desk.machine.state.ts_ns == now_ns
    order_id = one(desk.step(SUBMIT, ts_ns=1), OrderReport).order_id
    desk.now_ns = 0
    assert desk.ack(order_id).transact_time_ns == now_ns
    assert desk.cancel("x0", "unknown").transact_time_ns == now_ns


def test_the_ordinal_counts_every_output() -> None:
    desk = Desk.opened()
    desk.ack(desk.submit().order_id)
    desk.take_session()
    assert desk.machine.state.ordinal == len(desk.outputs)


def test_two_machines_with_the_same_entries_are_equal() -> None:
    desk = Desk.opened()
    desk.fill(desk.submit().order_id, 4)
    other = StateMachine()
    outputs = [event for entry in desk.entries for event in other.step(entry)]
    assert outputs == desk.outputs
    assert other.digest() == desk.machine.digest()


def test_the_running_digest_is_that_of_the_whole_state_after_every_entry() -> None:
    machine = StateMachine()
    for entry in life.entries():
        machine.step(entry)
        assert machine.digest() == digest(machine.state), entry
