# SPDX-License-Identifier: Apache-2.0
"""Positions against a naive model and against the core."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradewind.core.positions import apply_fill
from tradewind.core.state import Position
from tradewind.core.testing import ACCOUNT, SYMBOL, Desk
from tradewind.core.types import ExecType, Side
from tradewind.risk.book import Holding, RiskBook

FILLS = st.lists(
    st.tuples(st.sampled_from(Side), st.integers(1, 1_000), st.integers(1, 10**7)), max_size=40
)


def naive(fills: list[tuple[Side, int, int]]) -> tuple[int, Fraction, Fraction]:
    """Quantity, exact average price and exact profit taken: one lot after the other."""
    qty, average, realised = 0, Fraction(0), Fraction(0)
    for side, lots, price in fills:
        for _ in range(lots):
            step = side.sign
            if qty * step >= 0:
                average = (average * abs(qty) + price) / (abs(qty) + 1)
            else:
                realised += (price - average) * -step
            qty += step
    return qty, average, realised


def held(fills: list[tuple[Side, int, int]]) -> Holding:
    holding = Holding()
    for side, qty, price in fills:
        holding.trade(side, qty, price)
    return holding


@given(
    st.lists(
        st.tuples(st.sampled_from(Side), st.integers(1, 9), st.integers(1, 10_000)), max_size=25
    )
)
def test_positions_are_what_adding_up_lot_by_lot_gives(
    fills: list[tuple[Side, int, int]],
) -> None:
    holding, (qty, average, realised) = held(fills), naive(fills)
    assert holding.qty == qty
    assert abs(holding.cost - average * qty) <= len(fills), "rounded once per closing trade"
    assert abs(holding.realised - realised) <= len(fills)
    if qty == 0:
        assert holding.cost == 0
        assert holding.realised == realised, "nothing is lost to rounding once all is closed"


@given(FILLS, st.integers(1, 10**7))
def test_profit_taken_and_not_taken_is_all_the_money_there_is(
    fills: list[tuple[Side, int, int]], mark_px: int
) -> None:
    holding = held(fills)
    money = sum(-side.sign * qty * price for side, qty, price in fills)
    assert holding.realised + holding.unrealised(mark_px) == money + holding.qty * mark_px


@given(FILLS)
def test_risk_and_core_agree_though_they_share_no_code(
    fills: list[tuple[Side, int, int]],
) -> None:
    core, holding = Position(), held(fills)
    for side, qty, price in fills:
        apply_fill(core, side, qty, price)
    assert (holding.qty, holding.cost, holding.realised) == (core.qty, core.cost, core.realised)


@pytest.mark.parametrize("first", list(Side))
def test_a_trade_through_zero_opens_anew_at_its_own_price(first: Side) -> None:
    other = Side.SELL if first is Side.BUY else Side.BUY
    holding = held([(first, 10, 100), (other, 25, 130)])
    assert holding.qty == -15 * first.sign
    assert holding.cost == -15 * 130 * first.sign
    assert holding.realised == 300 * first.sign
    assert holding.unrealised(130) == 0


class Watched:
    """A desk whose every output risk's book follows."""

    def __init__(self) -> None:
        self.desk = Desk.opened()
        self.book = RiskBook()
        self._taken = 0

    def follow(self) -> None:
        for event in self.desk.outputs[self._taken :]:
            self.book.take(event)
        self._taken = len(self.desk.outputs)


def test_the_book_follows_what_the_core_did() -> None:
    watched = Watched()
    report = watched.desk.submit(order_qty=10, price=1_050)
    watched.desk.ack(report.order_id)
    watched.desk.fill(report.order_id, 4, 1_040)
    watched.desk.fill(report.order_id, 6, 1_045)
    watched.follow()
    holding, core = watched.book.holdings[ACCOUNT, SYMBOL], watched.desk.position
    assert (holding.qty, holding.cost, holding.realised) == (core.qty, core.cost, core.realised)


def test_a_fill_told_twice_by_the_venue_is_booked_once() -> None:
    watched = Watched()
    report = watched.desk.submit(order_qty=10)
    for _ in range(2):
        watched.desk.report(
            report.order_id, ExecType.TRADE, exec_id="same", last_qty=3, last_px=1_000
        )
    watched.follow()
    assert watched.book.holdings[ACCOUNT, SYMBOL].qty == 3


def test_a_fill_after_the_order_ended_is_booked_too() -> None:
    watched = Watched()
    report = watched.desk.submit(order_qty=10)
    watched.desk.report(report.order_id, ExecType.CANCELED)
    watched.desk.fill(report.order_id, 10)
    watched.follow()
    assert watched.book.holdings[ACCOUNT, SYMBOL].qty == 10
