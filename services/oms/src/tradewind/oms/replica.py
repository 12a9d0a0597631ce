# SPDX-License-Identifier: Apache-2.0
"""The replica: journal records in, outputs out, checked against what EVENTS already holds.

Pure and synchronous. Every replica applies every entry and computes every output; an output
that EVENTS does not hold yet waits in the outbox, whoever is going to append it. What EVENTS
holds is compared with what was computed here: a difference is corruption, on one side or the
other, and ends this replica.
"""

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import takewhile
from types import MappingProxyType

from tradewind.common import codec, subjects
from tradewind.common.errors import CodecError, CorruptionError
from tradewind.common.jetstream import Record
from tradewind.common.snapshots import Snapshot
from tradewind.common.trace import HEADER as TRACE_HEADER
from tradewind.core.commands import Entry, SkipEntry
from tradewind.core.events import DivergenceReported, Event
from tradewind.core.machine import StateMachine

CHECKPOINT_EVERY = 1000
CHECKPOINTS_MAX = 10_000
NO_SKIPS: Mapping[int, SkipEntry] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Output:
    """One event in its wire form. `ordinal` is its sequence number in EVENTS, now or soon.

    `is_approved` tells whether the state after its entry lets this build append it.
    """

    ordinal: int
    entry_seq: int
    index: int
    subject: str
    body: bytes
    chain: str
    traceparent: str
    is_approved: bool


@dataclass(frozen=True, slots=True)
class Tail:
    """The last output that EVENTS holds."""

    ordinal: int = 0
    chain: str = codec.CHAIN_START


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What replicas must agree on once `seq` was applied: all outputs so far, and the state."""

    seq: int
    ordinal: int
    chain: str
    digest: str


class PoisonError(CorruptionError):
    """An entry that cannot be applied. Only the decision of two people gets a shard past it."""

    def __init__(self, text: str, seq: int) -> None:
        super().__init__(text)
        self.seq = seq


class Replica:
    """State of one shard, and the outputs that EVENTS still lacks."""

    def __init__(
        self,
        shard: int,
        tail: Tail,
        *,
        start: Snapshot | None = None,
        build: str = "",
        skips: Mapping[int, SkipEntry] = NO_SKIPS,
    ) -> None:
        """Starts after `start`, or at the beginning of the journal.

        `skips` are the decisions to treat entries as no-ops, by the sequence of the entry.

        Raises:
            CorruptionError: if `start` is ahead of EVENTS: the outputs between could never be
                computed again.
        """
        self.shard = shard
        self.build = build
        self.machine = StateMachine() if start is None else start.machine
        self.chain = codec.CHAIN_START if start is None else start.meta.chain
        self.outbox: deque[Output] = deque()
        self.confirmed = tail.ordinal
        self.checkpoints: dict[int, Checkpoint] = {}
        self.appended_by = ""
        self.diverged_seq = 0
        self._ordinal = self.machine.state.ordinal
        self._skips = skips
        self._to_check: deque[tuple[int, str]] = deque()
        if tail.ordinal < self._ordinal:
            raise CorruptionError(
                f"the snapshot holds {self._ordinal} outputs, EVENTS_{shard} only {tail.ordinal}"
            )
        if tail.ordinal > self._ordinal:
            self._to_check.append((tail.ordinal, tail.chain))

    @property
    def seq(self) -> int:
        """Journal sequence of the last applied entry."""
        return self.machine.state.seq

    @property
    def ordinal(self) -> int:
        """Number of outputs computed so far."""
        return self._ordinal

    @property
    def is_shadow(self) -> bool:
        """The journal approves other builds than this one: follow, and append nothing."""
        builds = self.machine.state.builds
        return bool(builds) and self.build not in builds

    @property
    def is_behind(self) -> bool:
        """EVENTS holds outputs that were not computed here yet."""
        return self._ordinal < self.confirmed

    def appendable(self) -> Iterable[Output]:
        """The outputs that this build may append: approved at their entry, or since."""
        if not self.is_shadow:
            return self.outbox
        return takewhile(lambda output: output.is_approved, self.outbox)

    def apply(self, record: Record) -> None:
        """Applies one journal record.

        Raises:
            PoisonError: if it cannot be applied; the message names its sequence. It is never
                skipped: every replica stops here until people decide.
        """
        try:
            command = self._skips.get(record.seq) or codec.decode_command(record.body)
            events = self.machine.step(Entry(seq=record.seq, ts_ns=record.ts_ns, command=command))
        except CodecError as error:
            raise self._poison(record, error.text) from error
        except Exception as error:
            raise self._poison(record, repr(error)) from error
        self._put_out(record, events)
        if record.seq % CHECKPOINT_EVERY == 0:
            self._note_checkpoint()

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

    def _put_out(self, record: Record, events: tuple[Event, ...]) -> None:
        traceparent = record.headers.get(TRACE_HEADER, "")
        is_approved = not self.is_shadow
        for index, event in enumerate(events):
            body = codec.encode(event)
            self.chain = codec.link(self.chain, body)
            self._ordinal += 1
            self._emit(
                Output(
                    self._ordinal,
                    record.seq,
                    index,
                    subjects.events_subject(self.shard, event),
                    body,
                    self.chain,
                    traceparent,
                    is_approved,
                )
            )
            if isinstance(event, DivergenceReported):
                self.diverged_seq = record.seq

    def _note_checkpoint(self) -> None:
        seq = self.seq
        self.checkpoints[seq] = Checkpoint(seq, self._ordinal, self.chain, self.machine.digest())
        if len(self.checkpoints) > CHECKPOINTS_MAX:
            del self.checkpoints[next(iter(self.checkpoints))]

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

    def _poison(self, record: Record, why: str) -> PoisonError:
        text = (
            f"JOURNAL_{self.shard} sequence {record.seq} cannot be applied: {why}. Two people may "
            f"decide that it never counted, each by `tradewind shard skip {record.seq} --shard "
            f"{self.shard}`; then start the replicas again (`tradewind down`, `up`)"
        )
        return PoisonError(text, record.seq)
