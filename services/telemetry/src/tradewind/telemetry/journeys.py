# SPDX-License-Identifier: Apache-2.0
"""Records of the streams -> the journey of each order. Pure; time is an input.

Every record has the broker's stamp, the trace it belongs to, and what its writer has put into its
headers: when a gateway got the request, when a connector sent it and heard of it. A journey is
shown once nothing was added to it for a while, if its trace was sampled at the gateway, if
something went wrong in it, or if it was slow; of the slow ones only some where all are slow, since
who tells of an overload must not add to it. Most are never shown: spans are made of those only
that are (`spans`), and here records are just kept.
"""

from collections import OrderedDict, deque
from collections.abc import Iterator
from dataclasses import dataclass

from tradewind.common import subjects, trace
from tradewind.common.jetstream import Record
from tradewind.telemetry.spans import (
    WRONG,
    Archived,
    Decision,
    Span,
    at_ns,
    is_request,
    said,
    sent_ns,
    spans_of,
)

QUIET_NS = 2_000_000_000
JOURNEYS_MAX = 50_000
ENTRIES_MAX = 50_000
SLOW_PER_S_MAX = 20
NS_PER_S = 1_000_000_000


class _Journey:
    """What has happened in one trace."""

    __slots__ = ("archived", "decisions", "is_shown", "is_slow", "touched_ns")

    def __init__(self, *, is_shown: bool) -> None:
        self.is_shown = is_shown
        self.is_slow = False
        self.touched_ns = 0
        self.decisions: list[Decision] = []
        self.archived: list[Archived] = []


@dataclass(frozen=True, slots=True)
class Decided:
    """An entry's first output, for the metrics. Times in nanoseconds; 0: not known."""

    shard: int
    exec_type: str
    accepted_ns: int
    answered_ns: int


class _Ration:
    """So many in each second."""

    def __init__(self, per_s: int) -> None:
        self._per_s = per_s
        self._second = self._taken = 0

    def take(self, now_ns: int) -> bool:
        """Whether there was one left."""
        if now_ns // NS_PER_S != self._second:
            self._second, self._taken = now_ns // NS_PER_S, 0
        self._taken += 1
        return self._taken <= self._per_s


class Journeys:
    """All journeys under way. `withheld` counts slow ones that were too many to be shown."""

    def __init__(self, *, slow_ns: int) -> None:
        self._slow_ns = slow_ns
        self._slow_ration = _Ration(SLOW_PER_S_MAX)
        self.withheld = 0
        self._entries: OrderedDict[tuple[int, int], Record] = OrderedDict()
        self._asked: OrderedDict[str, Record] = OrderedDict()
        self._journeys: OrderedDict[str, _Journey] = OrderedDict()
        self._unarchived: dict[str, deque[tuple[Record, trace.Context]]] = {}

    def entry(self, shard: int, record: Record) -> None:
        """An input was journaled."""
        if trace.HEADER not in record.headers:
            return
        self._entries[shard, record.seq] = record
        if len(self._entries) > ENTRIES_MAX:
            self._entries.popitem(last=False)

    def output(self, shard: int, record: Record) -> Decided | None:
        """An output was appended; what is to be counted, if it is an entry's first one."""
        traceparent = record.headers.get(trace.HEADER, "")
        if ".venue." in record.subject:
            self._asked[traceparent] = record
            if len(self._asked) > ENTRIES_MAX:
                self._asked.popitem(last=False)
        entry = self._entries.pop((shard, int(record.headers[subjects.HEADER_ENTRY])), None)
        context = trace.read(traceparent)
        if entry is None or context is None:
            return None
        asked = None if is_request(entry) else self._asked.pop(traceparent, None)
        exec_type = said(record.body, b"exec_type")
        waiting = self._unarchived.setdefault(subjects.events_stream(shard), deque())
        waiting.append((record, context))
        if len(waiting) > ENTRIES_MAX:
            waiting.popleft()
        return self._counted(Decision(shard, context, entry, record, exec_type, asked))

    def archived(self, stream: str, last: int, now_ns: int) -> None:
        """A stream is in the warehouse up to a sequence."""
        waiting = self._unarchived.get(stream, deque())
        while waiting and waiting[0][0].seq <= last:
            record, context = waiting.popleft()
            journey = self._journeys.get(context.trace_id)
            if journey is not None:
                shard = int(stream.rpartition("_")[2])
                journey.archived.append(Archived(shard, context, record, now_ns))
                self._touch(context.trace_id, journey, now_ns)

    def ripe(self, now_ns: int) -> Iterator[Span]:
        """The spans of journeys to which nothing is added any more, of those that are shown."""
        while self._journeys:
            trace_id, journey = next(iter(self._journeys.items()))
            is_full = len(self._journeys) > JOURNEYS_MAX
            if now_ns - journey.touched_ns < QUIET_NS and not is_full:
                return
            del self._journeys[trace_id]
            if self._is_shown(journey, now_ns):
                yield from spans_of(journey.decisions, journey.archived)

    def _counted(self, decision: Decision) -> Decided:
        """Adds a decision to its journey."""
        context, entry, exec_type = decision.context, decision.entry, decision.exec_type
        journey = self._journeys.get(context.trace_id)
        if journey is None:
            journey = self._journeys[context.trace_id] = _Journey(is_shown=context.is_sampled)
        journey.decisions.append(decision)
        self._touch(context.trace_id, journey, decision.output.ts_ns)
        accepted_ns = answered_ns = 0
        if is_request(entry):
            accepted_ns = decision.output.ts_ns - at_ns(entry)
        elif sent_ns(entry):
            answered_ns = at_ns(entry) - sent_ns(entry)
        journey.is_shown |= exec_type in WRONG
        journey.is_slow |= max(accepted_ns, answered_ns) > self._slow_ns
        return Decided(decision.shard, exec_type, accepted_ns, answered_ns)

    def _touch(self, trace_id: str, journey: _Journey, at_ns: int) -> None:
        journey.touched_ns = max(journey.touched_ns, at_ns)
        self._journeys.move_to_end(trace_id)

    def _is_shown(self, journey: _Journey, now_ns: int) -> bool:
        if journey.is_shown or not journey.is_slow:
            return journey.is_shown
        has_room = self._slow_ration.take(now_ns)
        self.withheld += not has_room
        return has_room
