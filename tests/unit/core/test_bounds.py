# SPDX-License-Identifier: Apache-2.0
"""Which bounds must be set, what holds where nobody says, and which numbers are refused."""

from dataclasses import fields, replace
from typing import Any

import pytest

from tradewind.core.bounds import REQUIRED, UNSET, Bounds, are_sane

WINDOWS = {
    "duplicate_window_ms": 60_000,
    "message_window_ms": 60_000,
    "repeat_window_ms": 60_000,
    "loss_window_ms": 86_400_000,
}
"""The longest of each."""
COUNTED = ("max_duplicates", "max_messages", "flood_messages", "max_repeats", "max_losses")
NUMBERS = [field.name for field in fields(Bounds) if field.name != "approved_build"]


def bounds(name: str, value: int) -> Bounds:
    """Nothing else is bounded."""
    changed: dict[str, Any] = {name: value}
    return replace(Bounds(), **changed)


def test_what_must_be_bounded_before_anything_is_accepted() -> None:
    assert REQUIRED == (
        "max_order_value_e8",
        "max_move_bps",
        "max_jump_bps",
        "max_duplicates",
        "max_messages",
        "max_repeats",
        "max_open_orders",
        "max_open_value_e8",
        "max_gross_e8",
        "max_net_e8",
        "max_children",
        "max_turnover_e8",
        "max_orders_per_trade",
        "allows_self_match",
        "allows_gtc",
    )


def test_windows_are_a_second_and_an_hour_where_nobody_says() -> None:
    unsaid = Bounds()
    assert [getattr(unsaid, name) for name in WINDOWS] == [1_000, 1_000, 1_000, 3_600_000]
    others = set(NUMBERS) - set(WINDOWS)
    assert {getattr(unsaid, name) for name in others} == {UNSET}


@pytest.mark.parametrize(("name", "longest"), WINDOWS.items())
def test_a_window_is_longer_than_nothing_and_has_an_end(name: str, longest: int) -> None:
    for window_ms, is_sane in ((0, False), (1, True), (longest, True), (longest + 1, False)):
        assert are_sane(bounds(name, window_ms)) is is_sane


@pytest.mark.parametrize("name", COUNTED)
def test_ten_thousand_times_are_counted_at_most(name: str) -> None:
    for count, is_sane in ((0, True), (10_000, True), (10_001, False)):
        assert are_sane(bounds(name, count)) is is_sane


@pytest.mark.parametrize("name", sorted(set(NUMBERS) - set(WINDOWS)))
def test_nothing_is_below_unset(name: str) -> None:
    assert are_sane(bounds(name, UNSET))
    assert not are_sane(bounds(name, UNSET - 1))
