# SPDX-License-Identifier: Apache-2.0
"""Decimals at the edge, integers inside, nothing lost in between."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradewind.common.grid import MAX_INTEGER, Grid, GridError

GRID = Grid(Decimal("0.01"), Decimal("0.00000001"))


@pytest.mark.parametrize(
    ("text", "ticks"),
    [("0.01", 1), ("60000", 6_000_000), ("60000.10", 6_000_010), ("007.50", 750), ("1.000", 100)],
)
def test_a_price_on_the_grid_is_this_many_ticks(text: str, ticks: int) -> None:
    assert GRID.price_to_ticks(text) == ticks


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "BAD_NUMBER"),
        ("NaN", "BAD_NUMBER"),
        ("Infinity", "BAD_NUMBER"),
        ("-Infinity", "BAD_NUMBER"),
        ("1e3", "BAD_NUMBER"),
        ("+1", "BAD_NUMBER"),
        (" 1", "BAD_NUMBER"),
        ("1\n", "BAD_NUMBER"),
        ("1.", "BAD_NUMBER"),
        (".5", "BAD_NUMBER"),
        ("1,5", "BAD_NUMBER"),
        ("1_000", "BAD_NUMBER"),
        ("0x10", "BAD_NUMBER"),
        ("١٢", "BAD_NUMBER"),
        ("1" * 19, "BAD_NUMBER"),
        ("0." + "1" * 19, "BAD_NUMBER"),
        ("0", "NOT_POSITIVE"),
        ("0.00", "NOT_POSITIVE"),
        ("-0", "NOT_POSITIVE"),
        ("-0.01", "NOT_POSITIVE"),
        ("0.001", "OFF_GRID"),
        ("60000.005", "OFF_GRID"),
        ("0.000000000000000001", "OFF_GRID"),
        ("9" * 18, "TOO_LARGE"),
    ],
)
def test_a_number_that_cannot_be_on_the_grid_is_refused_by_code(text: str, code: str) -> None:
    with pytest.raises(GridError) as caught:
        GRID.price_to_ticks(text)
    assert caught.value.code == code
    assert len(caught.value.text) < 120


def test_quantities_have_their_own_grid() -> None:
    assert GRID.qty_to_lots("0.00000001") == 1
    with pytest.raises(GridError, match="quantity"):
        GRID.qty_to_lots("0.000000001")


@given(st.integers(1, 10**15))
def test_integers_come_back_as_they_went(number: int) -> None:
    assert GRID.price_to_ticks(GRID.ticks_to_text(number)) == number
    assert GRID.qty_to_lots(GRID.lots_to_text(number)) == number


@pytest.mark.parametrize("size", ["0.5", "0.25", "5", "0.00001", "1E+1", "2.50"])
@given(count=st.integers(1, 10**9))
def test_any_grid_is_exact(size: str, count: int) -> None:
    grid = Grid(Decimal(size), Decimal(1))
    assert grid.price_to_ticks(grid.ticks_to_text(count)) == count


@given(st.integers(-(2**80), 2**80))
def test_notionals_are_exact_however_large(notional: int) -> None:
    text = GRID.notional_to_text(notional)
    assert Decimal(text) == Decimal(notional).scaleb(-10)
    assert "E" not in text


def test_what_fits_a_signed_column_is_the_bound() -> None:
    grid = Grid(Decimal("0.000000000000000001"), Decimal(1))
    assert grid.price_to_ticks("4.611686018427387903") == MAX_INTEGER - 1
    with pytest.raises(GridError) as caught:
        grid.price_to_ticks("4.611686018427387904")
    assert caught.value.code == "TOO_LARGE"
