# SPDX-License-Identifier: Apache-2.0
"""The replica: journal records in, outputs out, checked against what EVENTS already holds.

Pure and synchronous. Every replica applies every entry and computes every output; an output
that EVENTS does not hold yet waits in the outbox, whoever is going to append it. What EVENTS
holds is compared with what was computed here: a difference is corruption, on one side or the
other, and ends this replica.
"""

from collections import deque
from dataclasses import dataclass

from tradewind.common import codec, subjects
from tradewind.common.errors import CodecError, CorruptionError
from tradewind.common.jetstream import Record
from tradewind.common.trace import HEADER as TRACE_HEADER
from tradewind.core.commands import Entry
from tradewind.core.machine import StateMachine

CHECKPOINT_EVERY = 1000
CHECKPOINTS_MAX = 10_000


@dataclass(frozen=True, slots=True)
class Output:
    """One event in its wire form. `ordinal` is its sequence number in EVENTS, now or soon."""

    ordinal: int
    entry_seq: int
    index: int
    subject: str
    body: bytes
    chain: str
    traceparent: str


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What replicas must agree on: the chain over all outputs once `seq` was applied."""

    seq: int
    ordinal: int
    chain: str


class Replica:
    """State of one shard, and the outputs that EVENTS still lacks."""

    def __init__(self, shard: int, tail: Checkpoint | None) -> None:
        """Starts at the beginning of the journal; `tail` is the last output that EVENTS holds."""
        self.shard = shard
        self.machine = StateMachine()
        self.chain = codec.CHAIN_START
        self.outbox: deque[Output] = deque()
        self.confirmed = 0 if tail is None else tail.ordinal
        self.checkpoints: deque[Checkpoint] = deque(maxlen=CHECKPOINTS_MAX)
        self.appended_by = ""
        self._ordinal = 0
        self._to_check = deque([] if tail is None else [(tail.ordinal, tail.chain)])

    @property
    def seq(self) -> int:
        """Journal sequence of the last applied entry."""
        return self.machine.state.seq

    @property
    def ordinal(self) -> int:
        """Number of outputs computed so far."""
        return self._ordinal

    def apply(self, record: Record) -> None:
        """Applies one journal record.

        Raises:
            CorruptionError: if it cannot be applied; the message names its sequence. It is never
                skipped: every replica stops here until people decide.
        """
        try:
            command = codec.decode_command(record.body)
            events = self.machine.step(Entry(seq=record.seq, ts_ns=record.ts_ns, command=command))
        except CodecError as error:
            raise CorruptionError(self._poison(record, error.text)) from error
        except Exception as error:
            raise CorruptionError(self._poison(record, repr(error))) from error
        traceparent = record.headers.get(TRACE_HEADER, "")
        for index, event in enumerate(events):
            body = codec.encode(event)
            self.chain = codec.link(self.chain, body)
            self._ordinal += 1
            subject = subjects.events_subject(self.shard, event)
            self._emit(
                Output(self._ordinal, record.seq, index, subject, body, self.chain, traceparent)
            )
        if record.seq % CHECKPOINT_EVERY == 0:
            self.checkpoints.append(Checkpoint(record.seq, self._ordinal, self.chain))

    def confirm(self, record: Record) -> None:
        """Takes note of one committed record of EVENTS.

        Raises:
            CorruptionError: if it is not what was computed here, or not the next one.
        """
        if record.seq <= self.confirmed:
            return
        if record.seq != self.confirmed + 1:
            raise CorruptionError(
                f"EVENTS_{self.shard} jumps to {record.seq} from {self.confirmed}"
            )
        self.appended_by = record.headers.get(subjects.HEADER_BY, "")
        chain = record.headers.get(subjects.HEADER_CHAIN, "")
        self.confirmed = record.seq
        if not self.outbox:
            self._to_check.append((record.seq, chain))
            return
        output = self.outbox.popleft()
        if output.body != record.body:
            raise CorruptionError(self._divergence(record.seq))
        self._compare(output.ordinal, output.chain, record.seq, chain)

    def confirm_own(self, ordinal: int, instance: str) -> None:
        """Takes note that everything up to `ordinal` was committed by this replica's own append."""
        while self.outbox and self.outbox[0].ordinal <= ordinal:
            self.confirmed = self.outbox.popleft().ordinal
        self.appended_by = instance

    def _emit(self, output: Output) -> None:
        if output.ordinal > self.confirmed:
            self.outbox.append(output)
        elif self._to_check and self._to_check[0][0] == output.ordinal:
            self._compare(output.ordinal, output.chain, *self._to_check.popleft())

    def _compare(self, ordinal: int, chain: str, seq: int, stored_chain: str) -> None:
        if ordinal != seq or chain != stored_chain:
            raise CorruptionError(self._divergence(seq))

    def _divergence(self, seq: int) -> str:
        return (
            f"EVENTS_{self.shard} sequence {seq} is not what entry {self.seq} of the journal gives "
            "here: run `tradewind verify` to see which side is wrong"
        )

    def _poison(self, record: Record, why: str) -> str:
        return f"JOURNAL_{self.shard} sequence {record.seq} cannot be applied: {why}"
