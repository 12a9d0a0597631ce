# SPDX-License-Identifier: Apache-2.0
"""Trace context: well formed or made anew, the same trace all the way."""

import pytest

from tradewind.common.trace import Sampler, read

GIVEN = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def test_a_new_trace_is_well_formed_and_its_own() -> None:
    one, other = Sampler(0).new(), Sampler(0).new()
    assert one != other
    assert read(one) is not None


def test_the_share_of_sampled_traces_is_what_was_asked_for() -> None:
    for ratio, least, most in ((0.0, 0, 0), (1.0, 2000, 2000), (0.1, 120, 280)):
        made = [read(Sampler(ratio).new()) for _ in range(2000)]
        assert least <= sum(each is not None and each.is_sampled for each in made) <= most


def test_a_callers_trace_and_its_decision_are_kept_with_a_span_of_our_own() -> None:
    header, parent = Sampler(0).joined(GIVEN)
    made, given = read(header), read(GIVEN)
    assert made is not None
    assert given is not None
    assert (made.trace_id, made.is_sampled, parent) == (given.trace_id, True, given.span_id)
    assert made.span_id != given.span_id


@pytest.mark.parametrize("flags", ["01", "03", "ff"])
def test_the_lowest_bit_says_whether_a_trace_is_sampled(flags: str) -> None:
    found = read(GIVEN[:-2] + flags)
    assert found is not None
    assert found.is_sampled


@pytest.mark.parametrize(
    "bad",
    [
        None,
        "",
        "garbage",
        GIVEN.upper(),
        GIVEN + "\n",
        GIVEN + "-x",
        GIVEN[1:],
        "00-" + "0" * 32 + "-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-" + "0" * 16 + "-01",
    ],
)
def test_a_trace_that_is_not_well_formed_is_replaced(bad: str | None) -> None:
    assert read(bad) is None
    header, parent = Sampler(0).joined(bad)
    assert (read(header) is not None, parent) == (True, "")
