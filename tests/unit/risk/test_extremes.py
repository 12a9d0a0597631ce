# SPDX-License-Identifier: Apache-2.0
"""The extremes are those of the last seconds, whatever way the price took; the newest is known."""

from hypothesis import given
from hypothesis import strategies as st

from tradewind.risk.extremes import SPAN_NS, Extremes

SECOND_NS = 10**9


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(1, 9)), min_size=1, max_size=40))
def test_the_extremes_are_what_looking_at_all_prices_gives(steps: list[tuple[int, int]]) -> None:
    extremes, told, now_ns = Extremes(), [], 0
    for pause, price in steps:
        now_ns += pause * SECOND_NS
        extremes.add(now_ns, price)
        told.append((now_ns, price))
        young = [price for at_ns, price in told if now_ns - at_ns < SPAN_NS]
        assert extremes.at(now_ns) == (min(young), max(young))


def test_however_old_it_is_the_newest_price_is_remembered() -> None:
    extremes = Extremes()
    extremes.add(0, 7)
    extremes.add(1, 5)
    assert extremes.at(SPAN_NS - 1) == (5, 7)
    assert extremes.at(SPAN_NS) == (5, 5)
    assert extremes.at(100 * SPAN_NS) == (5, 5)
