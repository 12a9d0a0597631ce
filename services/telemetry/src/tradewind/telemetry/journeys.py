# SPDX-License-Identifier: Apache-2.0
"""Records of the streams -> the spans of each order's journey. Pure; time is an input.

Every record has the broker's stamp, the trace it belongs to, and what its writer has put into its
headers: when a gateway got the request, when a connector sent it and heard of it. A journey is
shown once nothing was added to it for a while, if its trace was sampled at the gateway, if
something went wrong in it, or if it was slow.
"""

from collections import OrderedDict, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import NamedTuple

from tradewind.common import subjects, trace
from tradewind.common.jetstream import Record
from tradewind.telemetry.names import Spans

QUIET_NS = 2_000_000_000
JOURNEYS_MAX = 50_000
ENTRIES_MAX = 50_000
WRONG = frozenset({"DENIED", "REJECTED", "UNKNOWN", "EXPIRED", "REPLACE_REJECTED"})

Attributes = dict[str, str | int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """One step. Ids are hexadecimal; times are nanoseconds since 1970."""

    kind: Spans
    trace_id: str
    span_id: str
    parent_id: str
    start_ns: int
    end_ns: int
    attributes: Attributes
    is_wrong: bool = False


class _Step(NamedTuple):
    """What a span is made of: most are never shown, so most are never made."""

    kind: Spans
    context: trace.Context
    place: tuple[int, int]
    start_ns: int
    end_ns: int
    attributes: Attributes
    is_wrong: bool
    parent_id: str


@dataclass(slots=True)
class _Journey:
    is_shown: bool
    touched_ns: int
    steps: list[_Step] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Entry:
    """An entry that waits for its first output."""

    record: Record
    context: trace.Context


@dataclass(frozen=True, slots=True)
class Decided:
    """An entry's first output, for the metrics. Times in nanoseconds; 0: not known."""

    shard: int
    exec_type: str
    accepted_ns: int
    answered_ns: int


class Journeys:
    """All journeys under way."""

    def __init__(self, *, slow_ns: int) -> None:
        self._slow_ns = slow_ns
        self._entries: OrderedDict[tuple[int, int], _Entry] = OrderedDict()
        self._asked: OrderedDict[str, tuple[int, int]] = OrderedDict()
        self._journeys: OrderedDict[str, _Journey] = OrderedDict()
        self._unarchived: dict[str, deque[tuple[int, int, trace.Context]]] = {}

    def entry(self, shard: int, record: Record) -> None:
        """An input was journaled."""
        context = trace.read(record.headers.get(trace.HEADER))
        if context is None:
            return
        self._entries[shard, record.seq] = _Entry(record, context)
        if len(self._entries) > ENTRIES_MAX:
            self._entries.popitem(last=False)

    def output(self, shard: int, record: Record) -> Decided | None:
        """An output was appended; what is to be counted, if it is an entry's first one."""
        context = trace.read(record.headers.get(trace.HEADER))
        if context is None:
            return None
        if ".venue." in record.subject:
            self._asked[context.span_id] = (record.seq, record.ts_ns)
            if len(self._asked) > ENTRIES_MAX:
                self._asked.popitem(last=False)
        entry = self._entries.pop((shard, int(record.headers[subjects.HEADER_ENTRY])), None)
        if entry is None:
            return None
        exec_type, reason = _said(record.body, b"exec_type"), _said(record.body, b"reason")
        is_wrong = exec_type in WRONG
        is_request = ".cmd." in entry.record.subject
        shown = self._request if is_request else self._report
        decided = shown(shard, entry, record, exec_type)
        self._add(
            context,
            Spans.DECIDE,
            (shard, entry.record.seq),
            entry.record.ts_ns,
            record.ts_ns,
            {
                "tradewind.replica": record.headers.get(subjects.HEADER_BY, ""),
                "tradewind.exec_type": exec_type,
                "tradewind.reason": reason,
            },
            is_wrong=is_wrong,
        )
        waiting = self._unarchived.setdefault(subjects.events_stream(shard), deque())
        waiting.append((record.seq, record.ts_ns, context))
        if len(waiting) > ENTRIES_MAX:
            waiting.popleft()
        return decided

    def archived(self, stream: str, last: int, now_ns: int) -> None:
        """A stream is in the warehouse up to a sequence."""
        waiting = self._unarchived.get(stream, deque())
        while waiting and waiting[0][0] <= last:
            seq, ts_ns, context = waiting.popleft()
            if context.trace_id in self._journeys:
                place = (int(stream.rpartition("_")[2]), seq)
                self._add(context, Spans.ARCHIVE, place, ts_ns, now_ns, {})

    def ripe(self, now_ns: int) -> Iterator[Span]:
        """The spans of journeys to which nothing is added any more, of those that are shown."""
        while self._journeys:
            trace_id, journey = next(iter(self._journeys.items()))
            is_full = len(self._journeys) > JOURNEYS_MAX
            if now_ns - journey.touched_ns < QUIET_NS and not is_full:
                return
            del self._journeys[trace_id]
            if journey.is_shown:
                yield from map(_span, journey.steps)

    def _request(self, shard: int, entry: _Entry, output: Record, exec_type: str) -> Decided:
        """A client's request: from the gateway to its first output."""
        record, context = entry.record, entry.context
        at_ns = _number(record.headers.get(subjects.HEADER_AT)) or record.ts_ns
        taken_ns = output.ts_ns - at_ns
        place = (shard, record.seq)
        self._add(
            context,
            Spans.REQUEST,
            place,
            at_ns,
            output.ts_ns,
            {
                "tradewind.account": record.subject.rpartition(".")[2],
                "tradewind.cl_ord_id": _said(record.body, b"cl_ord_id"),
                "tradewind.exec_type": exec_type,
            },
            is_wrong=exec_type in WRONG,
            is_slow=taken_ns > self._slow_ns,
            parent_id=record.headers.get(subjects.HEADER_PARENT, ""),
        )
        self._add(context, Spans.JOURNAL, place, at_ns, record.ts_ns, {})
        return Decided(shard, exec_type, taken_ns, 0)

    def _report(self, shard: int, entry: _Entry, output: Record, exec_type: str) -> Decided:
        """A venue's report: from the request that it answers to the journal."""
        record, context = entry.record, entry.context
        place, said = (shard, record.seq), {"tradewind.venue": record.subject.rpartition(".")[2]}
        at_ns = _number(record.headers.get(subjects.HEADER_AT)) or record.ts_ns
        sent_ns = _number(record.headers.get(subjects.HEADER_SENT))
        asked = self._asked.pop(context.span_id, None)
        if asked is not None and sent_ns:
            self._add(context, Spans.SEND, (shard, asked[0]), asked[1], sent_ns, dict(said))
        if sent_ns:
            is_slow = at_ns - sent_ns > self._slow_ns
            self._add(context, Spans.VENUE, place, sent_ns, at_ns, dict(said), is_slow=is_slow)
        self._add(context, Spans.REPORT, place, at_ns, record.ts_ns, dict(said))
        return Decided(shard, exec_type, 0, at_ns - sent_ns if sent_ns else 0)

    def _add(
        self,
        context: trace.Context,
        kind: Spans,
        place: tuple[int, int],
        start_ns: int,
        end_ns: int,
        attributes: Attributes,
        *,
        is_wrong: bool = False,
        is_slow: bool = False,
        parent_id: str = "",
    ) -> None:
        journey = self._journeys.get(context.trace_id)
        if journey is None:
            journey = _Journey(context.is_sampled, end_ns)
            self._journeys[context.trace_id] = journey
        journey.is_shown |= is_wrong or is_slow
        journey.touched_ns = max(journey.touched_ns, end_ns)
        self._journeys.move_to_end(context.trace_id)
        journey.steps.append(
            _Step(kind, context, place, start_ns, end_ns, attributes, is_wrong, parent_id)
        )


def _span(step: _Step) -> Span:
    """Clocks of machines differ: a span that would end before it began takes no time."""
    context, is_root = step.context, step.kind is Spans.REQUEST
    told: Attributes = {"tradewind.shard": step.place[0], "tradewind.seq": step.place[1]}
    return Span(
        kind=step.kind,
        trace_id=context.trace_id,
        span_id=context.span_id if is_root else _span_id(context, step.kind, step.place),
        parent_id=step.parent_id if is_root else context.span_id,
        start_ns=step.start_ns,
        end_ns=max(step.start_ns, step.end_ns),
        attributes=told | step.attributes,
        is_wrong=step.is_wrong,
    )


def _span_id(context: trace.Context, kind: Spans, place: tuple[int, int]) -> str:
    """The same for whoever sees the same records."""
    named = f"{context.trace_id}{context.span_id}{kind.name}{place}"
    return blake2b(named.encode(), digest_size=8).hexdigest()


def _said(body: bytes, name: bytes) -> str:
    """A plain text field of a message, found without decoding all of it; "" if it has none."""
    start = body.find(b'"' + name + b'":"')
    if start < 0:
        return ""
    start += len(name) + 4
    return body[start : body.index(b'"', start)].decode("utf-8", "replace")


def _number(text: str | None) -> int:
    return int(text) if text and text.isdigit() else 0
