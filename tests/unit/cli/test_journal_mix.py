# SPDX-License-Identifier: Apache-2.0
"""The benchmark's journal is a real one: accepted, lived through, the same every time."""

from itertools import islice

import pytest

from tradewind.cli.bench.journal_mix import JournalMix
from tradewind.common.codec import decode_command
from tradewind.core.commands import Entry
from tradewind.core.events import OrderReport, ReportIgnored
from tradewind.core.invariants import violations
from tradewind.core.machine import StateMachine
from tradewind.core.types import Reason

ENTRIES = 3_000
LIVE = 200


@pytest.mark.parametrize("instruments", [1, 7])
def test_nothing_in_it_is_refused_or_ignored_and_the_wanted_orders_stay_live(
    instruments: int,
) -> None:
    machine = StateMachine()
    for seq, ts_ns, body in islice(JournalMix(LIVE, instruments).entries(), ENTRIES):
        for event in machine.step(Entry(seq=seq, ts_ns=ts_ns, command=decode_command(body))):
            assert not isinstance(event, ReportIgnored)
            assert not isinstance(event, OrderReport) or event.reason is Reason.NONE
    assert LIVE <= len(machine.state.live_orders) <= LIVE + 60
    assert len({order.symbol for order in machine.state.orders.values()}) == instruments
    assert violations(machine.state) == []


def test_it_is_the_same_every_time_and_has_everything() -> None:
    first, second = JournalMix(LIVE), JournalMix(LIVE)
    assert list(islice(first.entries(), ENTRIES)) == list(islice(second.entries(), ENTRIES))
    assert first.counts.keys() == {
        *("new", "ack", "fill", "cancel", "canceled", "replace", "replaced", "control")
    }
