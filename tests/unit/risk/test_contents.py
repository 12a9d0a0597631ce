# SPDX-License-Identifier: Apache-2.0
"""Contents are remembered while a bound looks at them, and no longer."""

from dataclasses import replace

import pytest

from tradewind.core.events import ScopeLimitsSet
from tradewind.core.types import Side
from tradewind.risk.contents import Content, Contents
from tradewind.risk.recent import MILLISECOND_NS
from tradewind.risk.scope_limits import Held, ScopeLimits

SAME: Content = ("A", "BTC-USD", Side.BUY, 5, 1_000)
OTHER: Content = ("A", "BTC-USD", Side.SELL, 5, 1_000)
SET = ScopeLimitsSet(
    scope="firm", version=1, actor="op", second_actor="", expires_ns=0, duplicate_window_ms=10
)


def held(**bounds: int) -> Held:
    limits = ScopeLimits()
    limits.take(replace(SET, **bounds))  # type: ignore[arg-type]
    return limits.held(("firm",), 0)


def test_the_same_is_counted_and_what_differs_is_not() -> None:
    contents, bounds = Contents(), held(max_duplicates=3)
    counts = [contents.take(what, bounds, 0).count(10, 0) for what in (SAME, OTHER, SAME)]
    assert counts == [1, 1, 2]


@pytest.mark.parametrize(("ms", "count"), [(9, 1), (10, 0)])
def test_what_no_window_sees_any_more_is_forgotten(ms: int, count: int) -> None:
    contents, bounds = Contents(), held(max_duplicates=3)
    contents.take(SAME, bounds, 0)
    contents.take(OTHER, bounds, ms * MILLISECOND_NS)
    assert len(contents._of) == count + 1


def test_what_nothing_bounds_is_not_remembered() -> None:
    contents = Contents()
    assert contents.take(SAME, held(), 0).times == []
    assert contents._of == {}
