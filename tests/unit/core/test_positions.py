# SPDX-License-Identifier: Apache-2.0
"""Average cost in integers, exact for ever."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tradewind.core.positions import apply_fill
from tradewind.core.state import Position
from tradewind.core.types import Side


def booked(*fills: tuple[Side, int, int]) -> Position:
    position = Position()
    for side, qty, price in fills:
        apply_fill(position, side, qty, price)
    return position


def test_buying_low_and_selling_high_realises_the_difference() -> None:
    position = booked((Side.BUY, 10, 100), (Side.SELL, 4, 110))
    assert (position.qty, position.cost, position.realised) == (6, 600, 40)


def test_selling_high_and_buying_low_realises_the_difference() -> None:
    position = booked((Side.SELL, 10, 110), (Side.BUY, 10, 100))
    assert (position.qty, position.cost, position.realised) == (0, 0, 100)


def test_a_fill_through_zero_closes_and_opens_at_its_own_price() -> None:
    position = booked((Side.BUY, 5, 100), (Side.SELL, 8, 90))
    assert (position.qty, position.cost, position.realised) == (-3, -270, -50)


fills = st.lists(
    st.tuples(st.sampled_from(Side), st.integers(1, 50), st.integers(1, 1_000)), max_size=30
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(fills)
def test_nothing_is_lost_to_rounding(history: list[tuple[Side, int, int]]) -> None:
    position = booked(*history)
    assert position.qty == sum(side.sign * qty for side, qty, _ in history)
    assert position.qty == position.bought_qty - position.sold_qty
    cash = sum(side.sign * qty * price for side, qty, price in history)
    assert position.cost - position.realised == cash
    assert position.qty != 0 or position.cost == 0
    assert position.cost * position.qty >= 0
