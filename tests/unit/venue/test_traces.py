# SPDX-License-Identifier: Apache-2.0
"""What a report's entry says of the order's journey."""

from tradewind.common.trace import Sampler
from tradewind.venue.traces import Traces


def test_the_first_report_says_when_the_request_was_sent_and_all_whose_trace_it_is() -> None:
    traces = Traces(clock_ns=iter(range(10, 100)).__next__)
    traceparent = Sampler(0).new()
    traces.note("a", traceparent)
    traces.sent("a")
    assert traces.headers("a") == {"traceparent": traceparent, "Tw-At": "11", "Tw-Sent": "10"}
    assert traces.headers("a") == {"traceparent": traceparent, "Tw-At": "12"}


def test_an_order_without_a_trace_is_known_all_the_same() -> None:
    traces = Traces()
    traces.note("a", "")
    traces.sent("b")
    assert (traces.knows("a"), traces.headers("a")) == (True, {})
    assert (traces.knows("b"), traces.headers("b")) == (False, {})
