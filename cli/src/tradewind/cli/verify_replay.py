# SPDX-License-Identifier: Apache-2.0
"""The replay of one journal, and how an output of it is compared with a record of EVENTS. Pure.

Nothing here comes from the OMS: what it computes is computed again from the core and the codec.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from tradewind.common import codec, subjects
from tradewind.common.errors import CodecError, CorruptionError
from tradewind.common.jetstream import Record
from tradewind.core.commands import Command, Entry, OpenSegment, SkipEntry
from tradewind.core.machine import StateMachine
from tradewind.core.state import State

NO_SKIPS: Mapping[int, SkipEntry] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Output:
    """What EVENTS must hold at sequence `ordinal`."""

    ordinal: int
    entry_seq: int
    index: int
    subject: str
    body: bytes
    chain: str


class Replay:
    """The state machine of one shard, fed from the journal's first record on.

    With a `machine` from a snapshot and the `chain` at it, from the record after it on. `skips` are
    the decisions to treat unreadable entries as no-ops, by the sequence of the entry.
    """

    def __init__(
        self,
        shard: int,
        machine: StateMachine | None = None,
        chain: str = codec.CHAIN_START,
        skips: Mapping[int, SkipEntry] = NO_SKIPS,
    ) -> None:
        self._shard = shard
        self._skips = skips
        self._machine = StateMachine() if machine is None else machine
        self.seq = self.state.seq
        self.ordinal = self.state.ordinal
        self.chain = chain
        self.segment = self.state.segment

    @property
    def state(self) -> State:
        """What the shard knows now."""
        return self._machine.state

    def apply(self, record: Record) -> list[Output]:
        """Applies the next record and returns its outputs.

        Raises:
            CorruptionError: if it cannot be applied.
        """
        try:
            command = self._decoded(record)
            events = self._machine.step(Entry(seq=record.seq, ts_ns=record.ts_ns, command=command))
        except CodecError as error:
            raise CorruptionError(f"cannot be applied: {error.text}") from error
        except Exception as error:
            raise CorruptionError(f"cannot be applied: {error!r}") from error
        if record.seq == 1 and isinstance(command, OpenSegment):
            self.segment = command.segment
        self.seq = record.seq
        outputs = []
        for index, event in enumerate(events):
            body = codec.encode(event)
            self.chain = codec.link(self.chain, body)
            self.ordinal += 1
            subject = subjects.events_subject(self._shard, event)
            outputs.append(Output(self.ordinal, record.seq, index, subject, body, self.chain))
        return outputs

    def _decoded(self, record: Record) -> Command:
        try:
            return codec.decode_command(record.body)
        except CodecError:
            if record.seq in self._skips:
                return self._skips[record.seq]
            raise

    def digest(self) -> str:
        """The digest of the whole state."""
        return self._machine.digest()


def difference(output: Output, record: Record) -> str:
    """What is wrong with a record that should be `output`; empty if nothing is."""
    source = f"entry {output.entry_seq} of the journal"
    if record.seq != output.ordinal:
        return f"was read where {output.ordinal} comes next"
    if record.body != output.body:
        return f"has another body than {source} gives"
    if record.subject != output.subject:
        return f"has subject {record.subject}; {source} gives {output.subject}"
    for header, value in (
        (subjects.HEADER_ENTRY, str(output.entry_seq)),
        (subjects.HEADER_INDEX, str(output.index)),
        (subjects.HEADER_CHAIN, output.chain),
    ):
        found = record.headers.get(header, "")
        if found != value:
            return f"has {header} {found or 'missing'}; {source} gives {value}"
    return ""
