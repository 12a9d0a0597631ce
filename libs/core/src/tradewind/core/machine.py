# SPDX-License-Identifier: Apache-2.0
"""The facade: one entry in, its events out, state changed in between."""

from dataclasses import replace

from tradewind.core.commands import Entry
from tradewind.core.decide import decide
from tradewind.core.events import Event
from tradewind.core.evolve import evolve
from tradewind.core.snapshot import Digester
from tradewind.core.state import State


class SequenceError(ValueError):
    """An entry that is not the next one."""


class StateMachine:
    """The deterministic state machine of one shard.

    The same entries give the same events and the same state, on any machine, at any time.
    """

    def __init__(self, state: State | None = None) -> None:
        self.state = State() if state is None else state
        self._digester = Digester(self.state)

    def step(self, entry: Entry) -> tuple[Event, ...]:
        """Applies the next entry and returns what follows from it.

        Time is the entry's, but never runs back.

        Raises:
            SequenceError: if the entry's sequence is not the last one's plus 1.
        """
        state = self.state
        if entry.seq != state.seq + 1:
            raise SequenceError(f"entry {entry.seq} does not follow {state.seq}")
        if entry.ts_ns < state.ts_ns:
            entry = replace(entry, ts_ns=state.ts_ns)
        state.seq = entry.seq
        state.ts_ns = entry.ts_ns
        events = decide(state, entry)
        for event in events:
            evolve(state, entry, event)
        state.ordinal += len(events)
        return events

    def digest(self) -> str:
        """The digest of the whole state, in hex."""
        return self._digester.digest()
