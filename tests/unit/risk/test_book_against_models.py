# SPDX-License-Identifier: Apache-2.0
"""Positions against a naive model and against the core, and the second look at orders."""

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradewind.core.events import LimitsSet, OrderReport
from tradewind.core.positions import apply_fill
from tradewind.core.state import Position
from tradewind.core.testing import ACCOUNT, SYMBOL, Desk
from tradewind.core.types import ExecType, OrdType, Side, TimeInForce
from tradewind.risk.book import Breach, Holding, RiskBook

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

    def follow(self) -> list[Breach]:
        outputs = self.desk.outputs[self._taken :]
        self._taken = len(self.desk.outputs)
        return [breach for breach in map(self.book.take, outputs) if breach is not None]


def test_the_book_follows_what_the_core_did_and_finds_nothing_wrong() -> None:
    watched = Watched()
    report = watched.desk.submit(order_qty=10, price=1_050)
    watched.desk.ack(report.order_id)
    watched.desk.fill(report.order_id, 4, 1_040)
    watched.desk.fill(report.order_id, 6, 1_045)
    assert watched.follow() == []
    holding, core = watched.book.holdings[ACCOUNT, SYMBOL], watched.desk.position
    assert (holding.qty, holding.cost, holding.realised) == (core.qty, core.cost, core.realised)
    assert watched.book.checked == 1


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


@given(
    st.lists(
        st.tuples(
            st.sampled_from(Side),
            st.sampled_from((1, 30, 100, 101)),
            st.sampled_from((0, 899, 900, 1_000, 1_100, 1_101)),
            st.sampled_from((0, 0, 0, 950, 1_050)),
        ),
        max_size=25,
    )
)
def test_what_the_core_accepts_is_never_objected_to(
    orders: list[tuple[Side, int, int, int]],
) -> None:
    watched = Watched()
    for number, (side, qty, price, reference) in enumerate(orders):
        if reference:
            watched.desk.reference(reference)
        watched.desk.submit(
            f"c{number}",
            side=side,
            order_qty=qty,
            price=price,
            ord_type=OrdType.LIMIT if price else OrdType.MARKET,
            time_in_force=TimeInForce.GTC if price else TimeInForce.IOC,
        )
    assert watched.follow() == []


def accepted(**changes: Any) -> OrderReport:
    """An order just accepted, as it would look if the core had let through what it must not."""
    return replace(Desk.opened().submit(), **changes)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"order_qty": 101}, "more than the 100 allowed"),
        ({"price": 1_101}, "outside the collar"),
        ({"price": 899}, "outside the collar"),
        ({"account": "STRANGER"}, "without limits"),
        ({"symbol": "ETH-USD"}, "without limits"),
    ],
)
def test_an_order_that_the_core_should_have_denied_is_a_breach(
    changes: dict[str, Any], said: str
) -> None:
    watched = Watched()
    watched.follow()
    breach = watched.book.take(accepted(**changes))
    assert breach is not None
    assert said in breach.text
    assert watched.book.breaches == [breach]
    assert breach.account == changes.get("account", ACCOUNT)


@pytest.mark.parametrize("changes", [{"order_qty": 100}, {"price": 1_100}, {"price": 900}])
def test_an_order_right_at_its_limits_is_no_breach(changes: dict[str, Any]) -> None:
    watched = Watched()
    watched.follow()
    assert watched.book.take(accepted(**changes)) is None


def test_limits_and_prices_count_from_when_they_are_set() -> None:
    watched = Watched()
    watched.follow()
    limits = next(event for event in watched.desk.outputs if isinstance(event, LimitsSet))
    report = accepted(order_qty=50, price=1_000)
    assert watched.book.take(report) is None
    watched.book.take(replace(limits, max_notional=49_999))
    breach = watched.book.take(report)
    assert breach is not None
    assert "value 50000 is more than the 49999 allowed" in breach.text
    watched.book.take(replace(limits, max_order_qty=49))
    assert watched.book.take(report) is not None
    assert len(watched.book.breaches) == 2


def test_what_is_no_new_order_is_not_checked() -> None:
    watched = Watched()
    watched.follow()
    for exec_type in ExecType:
        if exec_type is not ExecType.PENDING_NEW:
            assert watched.book.take(accepted(exec_type=exec_type, order_qty=10**9)) is None
    assert watched.book.checked == 0
