# SPDX-License-Identifier: Apache-2.0
"""Gross exposure of an account over all instruments, in the base currency (C12)."""

import pytest

from tradewind.core import commands
from tradewind.core.exposure import gross_e8, scaled, worth_e8
from tradewind.core.testing import ACCOUNT, MILLISECOND_NS, SYMBOL, VENUE, Desk
from tradewind.core.types import Reason, Side

ONE_E8 = 100_000_000
EURO = "BTC-EUR"


def two_markets(max_gross: int) -> Desk:
    """SYMBOL trades in USD (base) and EURO in EUR at 1.10; a lot is worth 0.01 of a currency."""
    desk = Desk.opened()
    desk.take_session()
    desk.step(
        commands.DefineInstrument(
            symbol=EURO, venue=VENUE, tick_size="0.01", lot_size="0.001", currency="EUR"
        )
    )
    desk.limits(symbol=EURO)
    for symbol in (SYMBOL, EURO):
        desk.step(commands.SetReferencePrice(symbol=symbol, price=1_000))
    rate(desk, "USD", 1_000_000_000)
    rate(desk, "EUR", 1_100_000_000)
    bound(desk, max_gross * ONE_E8 // 100)
    return desk


def rate(desk: Desk, currency: str, rate_e9: int) -> None:
    desk.step(commands.SetFxRate(currency=currency, rate_e9=rate_e9))


def bound(desk: Desk, max_gross_e8: int) -> None:
    desk.step(
        commands.SetAccountLimits(
            account=ACCOUNT, max_gross_e8=max_gross_e8, max_rate_age_ms=60_000, version=1
        )
    )


def test_exposure_adds_up_over_instruments_and_currencies_to_the_unit() -> None:
    desk = two_markets(max_gross=10 + 11)
    assert desk.submit("usd", order_qty=10).reason is Reason.NONE
    assert desk.submit("too-much", symbol=EURO, order_qty=11).reason is Reason.MAX_EXPOSURE
    assert desk.submit("eur", symbol=EURO, order_qty=10).reason is Reason.NONE
    assert gross_e8(desk.machine.state, ACCOUNT) == 21 * ONE_E8 // 100
    assert desk.submit("one-more", order_qty=1).reason is Reason.MAX_EXPOSURE


def test_the_larger_side_counts_so_that_the_other_costs_nothing() -> None:
    desk = two_markets(max_gross=10)
    assert desk.submit("buy", order_qty=10).reason is Reason.NONE
    assert desk.submit("sell", order_qty=10, side=Side.SELL).reason is Reason.NONE
    assert desk.submit("more", order_qty=1, side=Side.SELL).reason is Reason.MAX_EXPOSURE


def test_what_reduces_passes_even_beyond_the_limit_and_without_rates() -> None:
    desk = two_markets(max_gross=10)
    order = desk.submit("buy", order_qty=10)
    desk.ack(order.order_id)
    desk.fill(order.order_id, 10)
    bound(desk, 1)
    desk.now_ns += 3_600_000_000_000
    desk.step(commands.SetReferencePrice(symbol=SYMBOL, price=1_000))
    assert desk.submit("sell", order_qty=10, side=Side.SELL).reason is Reason.NONE
    assert desk.submit("turn", order_qty=11, side=Side.SELL).reason is Reason.STALE_FX_RATE


def test_a_replace_counts_only_what_it_adds() -> None:
    desk = two_markets(max_gross=12)
    desk.ack(desk.submit("one", order_qty=10).order_id)
    assert desk.replace("two", "one", qty=12).reason is Reason.NONE
    assert desk.replace("three", "two", qty=13).reason is Reason.MAX_EXPOSURE


def test_without_a_rate_or_with_an_old_one_nothing_is_added() -> None:
    desk = two_markets(max_gross=100)
    desk.machine.state.fx_rates.pop("EUR")
    assert desk.submit("blind", symbol=EURO, order_qty=1).reason is Reason.NO_FX_RATE
    assert desk.submit("seen", order_qty=1).reason is Reason.NONE
    rate(desk, "EUR", 1_100_000_000)
    desk.now_ns += 60_001_000_000
    for symbol in (SYMBOL, EURO):
        desk.step(commands.SetReferencePrice(symbol=symbol, price=1_000))
    rate(desk, "USD", 1_000_000_000)
    assert desk.submit("late", symbol=EURO, order_qty=1).reason is Reason.STALE_FX_RATE


def test_an_account_without_such_a_limit_needs_no_rates() -> None:
    desk = Desk.opened()
    assert desk.submit("free").reason is Reason.NONE
    assert gross_e8(desk.machine.state, ACCOUNT) is None


@pytest.mark.parametrize(("extra_ns", "reason"), [(0, Reason.NONE), (1, Reason.STALE_FX_RATE)])
def test_a_rate_is_too_old_by_one_nanosecond(extra_ns: int, reason: Reason) -> None:
    desk = two_markets(max_gross=100)
    rate(desk, "USD", 1_000_000_000)
    desk.now_ns += (60_000 - 2) * MILLISECOND_NS + extra_ns
    desk.reference(1_000)
    assert desk.submit().reason is reason


@pytest.mark.parametrize(("price", "reason"), [(0, Reason.NO_REFERENCE_PRICE), (1, Reason.NONE)])
def test_what_is_held_in_another_instrument_needs_a_price(price: int, reason: Reason) -> None:
    desk = two_markets(max_gross=100)
    desk.submit("held", symbol=EURO, order_qty=1)
    desk.step(commands.SetReferencePrice(symbol=EURO, price=price))
    assert desk.submit("more").reason is reason
    desk.machine.state.references.pop(EURO)
    assert desk.submit("blind").reason is Reason.NO_REFERENCE_PRICE


def test_an_instrument_in_which_nothing_is_at_stake_needs_no_value() -> None:
    desk = two_markets(max_gross=100)
    desk.submit("usd", order_qty=10)
    desk.machine.state.fx_rates.pop("EUR")
    assert gross_e8(desk.machine.state, ACCOUNT) == 10 * ONE_E8 // 100


def test_a_lot_is_worth_its_size_at_the_size_of_a_tick() -> None:
    desk = two_markets(max_gross=100)
    desk.step(
        commands.DefineInstrument(
            symbol="OIL", venue=VENUE, tick_size="0.25", lot_size="0.5", currency="USD"
        )
    )
    assert worth_e8(desk.machine.state, "OIL", 3, 7) == 3 * 7 * ONE_E8 // 8


@pytest.mark.parametrize(
    ("text", "value"), [("0.001", (1, 3)), ("5", (5, 0)), ("0.25", (25, 2)), ("10.0", (100, 1))]
)
def test_decimals_are_read_exactly(text: str, value: tuple[int, int]) -> None:
    assert scaled(text) == value


@pytest.mark.parametrize("text", ["", ".", "-1", "1e3", "0.0.1", "١", " 1", "0", "0.00"])
def test_an_instrument_needs_a_grid(text: str) -> None:
    desk = Desk.opened()
    (refused,) = desk.step(
        commands.DefineInstrument(
            symbol="X", venue=VENUE, tick_size=text, lot_size="1", currency="USD"
        )
    )
    assert getattr(refused, "reason", None) is Reason.INVALID_INSTRUMENT
