# SPDX-License-Identifier: Apache-2.0
"""Trace context: well formed or made anew, the same trace all the way."""

import pytest

from tradewind.common.trace import accepted, child, new_traceparent

GIVEN = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def test_a_new_trace_is_well_formed_and_its_own() -> None:
    one, other = new_traceparent(), new_traceparent()
    assert one != other
    assert accepted(one) == one


def test_a_callers_trace_is_kept() -> None:
    assert accepted(GIVEN) == GIVEN


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
    made = accepted(bad)
    assert made != bad
    assert accepted(made) == made


def test_a_child_is_the_same_trace_with_another_span() -> None:
    made = child(GIVEN)
    assert made != GIVEN
    assert (made[:36], made[52:]) == (GIVEN[:36], GIVEN[52:])
    assert accepted(made) == made
