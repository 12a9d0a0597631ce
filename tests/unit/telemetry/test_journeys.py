# SPDX-License-Identifier: Apache-2.0
"""One order is one trace, made of what its records say."""

from typing import Any

import pytest

from tradewind.common.jetstream import Record
from tradewind.telemetry.journeys import QUIET_NS, SLOW_PER_S_MAX, Journeys
from tradewind.telemetry.names import Spans
from tradewind.telemetry.spans import Span

MS = 1_000_000
TRACE, ROOT = "a" * 32, "b" * 16
NEW = b'{"v":1,"type":"OrderReport","data":{"exec_type":"%s","reason":"%s"}}'


def entry(seq: int, at_ms: int, subject: str, sampled: bool, **headers: str) -> Record:
    traceparent = f"00-{TRACE}-{ROOT}-{'01' if sampled else '00'}"
    body = b'{"v":1,"type":"SubmitOrder","data":{"account":"A","cl_ord_id":"c1"}}'
    return Record(seq, at_ms * MS, subject, {"traceparent": traceparent} | headers, body)


def output(
    seq: int,
    of: int,
    at_ms: int,
    *,
    said: str = "PENDING_NEW",
    reason: str = "",
    venue: bool = False,
    sampled: bool = False,
) -> Record:
    headers = {
        "traceparent": f"00-{TRACE}-{ROOT}-{'01' if sampled else '00'}",
        "Tw-Entry": str(of),
        "Tw-Index": "1" if venue else "0",
        "Tw-By": "oms-0-1",
    }
    subject = "events.0.venue.SIM" if venue else "events.0.order.A"
    return Record(seq, at_ms * MS, subject, headers, NEW % (said.encode(), reason.encode()))


def told(journeys: Journeys, at_ms: int) -> dict[str, list[Span]]:
    """The spans that are shown by then, by name."""
    found: dict[str, list[Span]] = {}
    for span in journeys.ripe(at_ms * MS):
        found.setdefault(span.kind.value.name, []).append(span)
    return found


def lived(
    *,
    sampled: bool,
    said: str = "PENDING_NEW",
    slow_ms: int = 1000,
    more: dict[str, str] | None = None,
) -> Journeys:
    """A request, and what became of it."""
    journeys = Journeys(slow_ns=slow_ms * MS)
    at = {"Tw-At": str(100 * MS)} | (more or {})
    journeys.entry(0, entry(7, 102, "journal.0.cmd.A", sampled, **at))
    journeys.output(0, output(9, 7, 105, said=said, reason="MAX_POSITION", sampled=sampled))
    return journeys


def test_a_journey_is_shown_from_the_call_to_the_archive_once_it_is_quiet() -> None:
    journeys = lived(sampled=True)
    journeys.output(0, output(10, 7, 105, venue=True))
    reported = {"Tw-Sent": str(107 * MS), "Tw-At": str(110 * MS)}
    journeys.entry(0, entry(8, 111, "journal.0.venue.SIM", True, **reported))
    journeys.output(0, output(11, 8, 113, said="TRADE"))
    journeys.archived("EVENTS_0", 10, 150 * MS)
    journeys.archived("EVENTS_0", 11, 160 * MS)
    assert told(journeys, 161) == {}
    found = told(journeys, 161 + QUIET_NS // MS)
    times = {
        name: [(span.start_ns // MS, span.end_ns // MS) for span in spans]
        for name, spans in found.items()
    }
    assert times == {
        "request": [(100, 105)],
        "journal": [(100, 102)],
        "decide": [(102, 105), (111, 113)],
        "send": [(105, 107)],
        "venue": [(107, 110)],
        "report": [(110, 111)],
        "archive": [(105, 150), (113, 160)],
    }
    spans = [span for each in found.values() for span in each]
    assert {span.trace_id for span in spans} == {TRACE}
    assert len({span.span_id for span in spans}) == len(spans)
    root = found["request"][0]
    assert (root.span_id, root.parent_id) == (ROOT, "")
    assert {span.parent_id for span in spans if span is not root} == {ROOT}
    assert told(journeys, 10**9) == {}


@pytest.mark.parametrize(
    ("made", "is_shown"),
    [
        ({"sampled": False}, False),
        ({"sampled": True}, True),
        ({"sampled": False, "said": "DENIED"}, True),
        ({"sampled": False, "said": "REJECTED"}, True),
        ({"sampled": False, "slow_ms": 4}, True),
        ({"sampled": False, "slow_ms": 5}, False),
    ],
)
def test_what_was_not_sampled_is_shown_if_it_went_wrong_or_was_slow(
    made: dict[str, Any], is_shown: bool
) -> None:
    found = told(lived(**made), 10**6)
    assert bool(found) == is_shown
    if is_shown:
        is_error = made.get("said") in ("DENIED", "REJECTED")
        assert [span.is_wrong for span in found["request"]] == [is_error]


@pytest.mark.parametrize(
    ("answered_ms", "said", "is_shown"),
    [(40, "TRADE", False), (40, "REJECTED", True), (400, "TRADE", True)],
)
def test_what_the_venue_refuses_or_answers_late_is_shown_from_the_call_on(
    answered_ms: int, said: str, is_shown: bool
) -> None:
    journeys = lived(sampled=False, slow_ms=250)
    journeys.output(0, output(10, 7, 105, venue=True))
    heard_ms = 107 + answered_ms
    reported = {"Tw-Sent": str(107 * MS), "Tw-At": str(heard_ms * MS)}
    journeys.entry(0, entry(8, heard_ms, "journal.0.venue.SIM", False, **reported))
    journeys.output(0, output(11, 8, heard_ms + 1, said=said))
    shown = {"request", "journal", "decide", "send", "venue", "report"}
    assert told(journeys, 10**6).keys() == (shown if is_shown else set())


def many(said: str) -> Journeys:
    """As many as are shown of the slow ones in a second, and five more."""
    journeys = Journeys(slow_ns=MS)
    for seq in range(SLOW_PER_S_MAX + 5):
        asked = entry(seq, 102, "journal.0.cmd.A", False, **{"Tw-At": str(100 * MS)})
        decided = output(seq, seq, 105, said=said)
        for record in (asked, decided):
            record.headers["traceparent"] = f"00-{seq + 1:032x}-{ROOT}-00"
        journeys.entry(0, asked)
        journeys.output(0, decided)
    return journeys


def test_where_all_are_slow_some_are_shown_and_the_others_counted() -> None:
    journeys = many("PENDING_NEW")
    assert len(told(journeys, 10**6)["request"]) == SLOW_PER_S_MAX
    assert journeys.withheld == 5


def test_all_that_go_wrong_are_shown_however_slow() -> None:
    journeys = many("REJECTED")
    assert len(told(journeys, 10**6)["request"]) == SLOW_PER_S_MAX + 5
    assert journeys.withheld == 0


def test_each_second_shows_some_of_the_slow_ones() -> None:
    journeys = Journeys(slow_ns=MS)
    shown = 0
    for second in range(2):
        at_ms = 10_000 + second * 1000
        for seq in range(SLOW_PER_S_MAX + 5):
            asked = entry(seq, at_ms, "journal.0.cmd.A", False, **{"Tw-At": str((at_ms - 9) * MS)})
            asked.headers["traceparent"] = f"00-{second * 100 + seq + 1:032x}-{ROOT}-00"
            decided = output(seq, seq, at_ms)
            decided.headers["traceparent"] = asked.headers["traceparent"]
            journeys.entry(0, asked)
            journeys.output(0, decided)
        shown += len(told(journeys, at_ms + QUIET_NS // MS)["request"])
    assert shown == 2 * SLOW_PER_S_MAX


def test_a_span_of_the_callers_is_the_parent_of_the_request() -> None:
    found = told(lived(sampled=True, more={"Tw-Parent": "c" * 16}), 10**6)
    assert found["request"][0].parent_id == "c" * 16


def test_every_attribute_is_in_the_table_of_names() -> None:
    for spans in told(lived(sampled=True), 10**6).values():
        for span in spans:
            assert set(span.attributes) <= span.kind.value.attributes
    assert all(name.value.attributes for name in Spans)


def test_a_clock_that_is_behind_makes_no_span_end_before_it_begins() -> None:
    found = told(lived(sampled=True, more={"Tw-At": str(500 * MS)}), 10**6)
    assert all(span.end_ns >= span.start_ns for spans in found.values() for span in spans)


def test_what_a_request_took_is_counted_also_if_nobody_sees_its_trace() -> None:
    journeys = Journeys(slow_ns=10**12)
    journeys.entry(0, entry(7, 102, "journal.0.cmd.A", False, **{"Tw-At": str(100 * MS)}))
    decided = journeys.output(0, output(9, 7, 105))
    assert decided is not None
    assert (decided.exec_type, decided.accepted_ns) == ("PENDING_NEW", 5 * MS)
    assert journeys.output(0, output(10, 7, 105)) is None
