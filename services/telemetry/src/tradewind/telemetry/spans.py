# SPDX-License-Identifier: Apache-2.0
"""What is known of one journey -> its spans. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import blake2b
from typing import NamedTuple

from tradewind.common import subjects, trace
from tradewind.common.jetstream import Record
from tradewind.telemetry.names import Spans

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


class Decision(NamedTuple):
    """An entry and its first output; of a report also the request for the venue, if it is known."""

    shard: int
    context: trace.Context
    entry: Record
    output: Record
    exec_type: str
    asked: Record | None


class Archived(NamedTuple):
    """An output that was seen to be in the warehouse."""

    shard: int
    context: trace.Context
    output: Record
    now_ns: int


def is_request(entry: Record) -> bool:
    """It came from a client, not from a venue."""
    return ".cmd." in entry.subject


def at_ns(entry: Record) -> int:
    """When its writer had got it."""
    return _number(entry.headers.get(subjects.HEADER_AT)) or entry.ts_ns


def sent_ns(entry: Record) -> int:
    """Of a report: when the request that it answers was on the wire; 0: not known."""
    return _number(entry.headers.get(subjects.HEADER_SENT))


def said(body: bytes, name: bytes) -> str:
    """A plain text field of a message, found without decoding all of it; "" if it has none."""
    start = body.find(b'"' + name + b'":"')
    if start < 0:
        return ""
    start += len(name) + 4
    return body[start : body.index(b'"', start)].decode("utf-8", "replace")


def spans_of(decisions: Iterable[Decision], archived: Iterable[Archived]) -> Iterator[Span]:
    """All spans of one journey."""
    for decision in decisions:
        yield from _requested(decision) if is_request(decision.entry) else _reported(decision)
        yield _decided(decision)
    for shard, context, output, now_ns in archived:
        yield _span(Spans.ARCHIVE, context, (shard, output.seq), (output.ts_ns, now_ns), {})


def _requested(decision: Decision) -> Iterator[Span]:
    """A client's request: from the gateway to its first output."""
    shard, context, entry, output, exec_type, _asked = decision
    place, began_ns = (shard, entry.seq), at_ns(entry)
    told: Attributes = {
        "tradewind.account": entry.subject.rpartition(".")[2],
        "tradewind.cl_ord_id": said(entry.body, b"cl_ord_id"),
        "tradewind.exec_type": exec_type,
    }
    yield Span(
        kind=Spans.REQUEST,
        trace_id=context.trace_id,
        span_id=context.span_id,
        parent_id=entry.headers.get(subjects.HEADER_PARENT, ""),
        start_ns=began_ns,
        end_ns=max(began_ns, output.ts_ns),
        attributes=_placed(place) | told,
        is_wrong=exec_type in WRONG,
    )
    yield _span(Spans.JOURNAL, context, place, (began_ns, entry.ts_ns), {})


def _reported(decision: Decision) -> Iterator[Span]:
    """A venue's report: from the request that it answers to the journal."""
    shard, context, entry, _output, _exec_type, asked = decision
    place, heard_ns, wired_ns = (shard, entry.seq), at_ns(entry), sent_ns(entry)
    told: Attributes = {"tradewind.venue": entry.subject.rpartition(".")[2]}
    if asked is not None and wired_ns:
        yield _span(Spans.SEND, context, (shard, asked.seq), (asked.ts_ns, wired_ns), told)
    if wired_ns:
        yield _span(Spans.VENUE, context, place, (wired_ns, heard_ns), told)
    yield _span(Spans.REPORT, context, place, (heard_ns, entry.ts_ns), told)


def _decided(decision: Decision) -> Span:
    shard, context, entry, output, exec_type, _asked = decision
    told: Attributes = {
        "tradewind.replica": output.headers.get(subjects.HEADER_BY, ""),
        "tradewind.exec_type": exec_type,
        "tradewind.reason": said(output.body, b"reason"),
    }
    times = (entry.ts_ns, output.ts_ns)
    is_wrong = exec_type in WRONG
    return _span(Spans.DECIDE, context, (shard, entry.seq), times, told, is_wrong=is_wrong)


def _span(
    kind: Spans,
    context: trace.Context,
    place: tuple[int, int],
    times: tuple[int, int],
    told: Attributes,
    *,
    is_wrong: bool = False,
) -> Span:
    """Below the request. Clocks of machines differ: one that would end before it began takes 0."""
    named = f"{context.trace_id}{context.span_id}{kind.name}{place}"  # whoever sees it names it so
    return Span(
        kind=kind,
        trace_id=context.trace_id,
        span_id=blake2b(named.encode(), digest_size=8).hexdigest(),
        parent_id=context.span_id,
        start_ns=times[0],
        end_ns=max(times),
        attributes=_placed(place) | told,
        is_wrong=is_wrong,
    )


def _placed(place: tuple[int, int]) -> Attributes:
    return {"tradewind.shard": place[0], "tradewind.seq": place[1]}


def _number(text: str | None) -> int:
    return int(text) if text and text.isdigit() else 0
