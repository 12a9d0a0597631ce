# SPDX-License-Identifier: Apache-2.0
"""Contents are remembered while a bound looks at them, and no longer."""

from dataclasses import replace

import pytest

from tradewind.core.events import ScopeLimitsSet
from tradewind.core.types import Side
from tradewind.risk.contents import Content, Contents
from tradewind.risk.recent import MILLISECOND_NS
from tradewind.risk.scope_limits import ScopeLimits

SAME: Content = ("A", "BTC-USD", Side.BUY, 5, 1_000)
OTHER: Content = ("A", "BTC-USD", Side.SELL, 5, 1_000)
SET = ScopeLimitsSet(
    scope="firm", version=1, actor="op", second_actor="", expires_ns=0, duplicate_window_ms=10
)


def limits_of(**bounds: dict[str, int]) -> ScopeLimits:
    """Limits of some scopes."""
    limits = ScopeLimits()
    for scope, each in bounds.items():
        limits.take(replace(SET, scope=scope, **each))  # type: ignore[arg-type]
    return limits


def test_the_same_is_counted_and_what_differs_is_not() -> None:
    contents = Contents()
    counts = [contents.take(what, 3, 10, 0).count(10, 0) for what in (SAME, OTHER, SAME)]
    assert counts == [1, 1, 2]


@pytest.mark.parametrize(("ms", "count"), [(9, 1), (10, 0)])
def test_what_no_window_sees_any_more_is_forgotten(ms: int, count: int) -> None:
    contents = Contents()
    contents.take(SAME, 3, 10, 0)
    contents.take(OTHER, 3, 10, ms * MILLISECOND_NS)
    assert len(contents._of) == count + 1


def test_what_nothing_bounds_is_not_remembered() -> None:
    contents = Contents()
    assert contents.take(SAME, *limits_of(firm={}).repetition, 0).times == []
    assert contents._of == {}


def test_as_much_is_looked_at_as_any_limits_ask_for() -> None:
    wide = {"max_duplicates": 5, "duplicate_window_ms": 7}
    limits = limits_of(firm={"max_duplicates": 2}, symbol=wide)
    assert limits.repetition == (5, 10)
