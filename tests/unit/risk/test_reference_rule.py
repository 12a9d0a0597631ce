# SPDX-License-Identifier: Apache-2.0
"""Which quotes become reference prices, and when."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradewind.risk.reference import QuoteSeen, ReferencePolicy


def policy() -> ReferencePolicy:
    return ReferencePolicy(interval_ms=1000, move_bps=10)


def around(mid: int) -> QuoteSeen:
    return QuoteSeen(bid_px=mid - 1, ask_px=mid + 1)


@pytest.mark.parametrize(
    ("bid_px", "ask_px"), [(0, 0), (0, 101), (100, 0), (101, 101), (102, 101), (-5, 5), (-9, -8)]
)
def test_a_quote_without_a_middle_never_becomes_a_reference(bid_px: int, ask_px: int) -> None:
    quote = QuoteSeen(bid_px=bid_px, ask_px=ask_px)
    assert quote.mid is None
    fresh, told = policy(), policy()
    assert fresh.next_price(quote, 0) is None
    assert told.next_price(around(10_000), 0) == 10_000
    assert told.next_price(quote, 10_000_000) is None


def test_the_first_sound_quote_is_told_at_once_then_once_an_interval() -> None:
    told = policy()
    times = (5, 6, 1004, 1005, 1006, 2005)
    found = [told.next_price(around(10_000), now) for now in times]
    assert found == [10_000, None, None, 10_000, None, 10_000]


def test_only_a_move_of_more_than_the_threshold_is_told_at_once() -> None:
    told = policy()
    told.next_price(around(10_000), 0)
    assert told.next_price(around(10_010), 1) is None, "10 bps are not more than 10 bps"
    assert told.next_price(around(10_011), 2) == 10_011
    assert told.next_price(around(10_001), 3) is None, "counted from what was told last"
    assert told.next_price(around(10_000), 4) == 10_000


def test_a_slow_drift_is_measured_from_what_was_told_not_from_the_last_quote() -> None:
    told = policy()
    told.next_price(around(10_000), 0)
    drift = [told.next_price(around(10_000 + step), step) for step in range(1, 13)]
    assert drift == [None] * 10 + [10_011, None]


def test_the_middle_is_rounded_down() -> None:
    assert QuoteSeen(bid_px=10, ask_px=13).mid == 11


@given(
    st.lists(
        st.tuples(st.integers(-3, 50_000), st.integers(-3, 50_000), st.integers(0, 700)),
        max_size=60,
    )
)
def test_whatever_is_told_is_the_middle_of_a_sound_quote_and_never_too_often(
    quotes: list[tuple[int, int, int]],
) -> None:
    told, now_ms = policy(), 0
    last: tuple[int, int] | None = None
    for bid_px, ask_px, pause_ms in quotes:
        now_ms += pause_ms
        price = told.next_price(QuoteSeen(bid_px=bid_px, ask_px=ask_px), now_ms)
        is_sound = 0 < bid_px < ask_px
        if not is_sound:
            assert price is None
            continue
        mid = (bid_px + ask_px) // 2
        is_due = last is None or now_ms - last[1] >= 1000
        has_moved = last is not None and abs(mid - last[0]) * 10_000 > last[0] * 10
        assert price == (mid if is_due or has_moved else None)
        if price is not None:
            last = (price, now_ms)


def test_who_is_patient_tells_only_what_nobody_else_told_in_time() -> None:
    told = ReferencePolicy(interval_ms=1000, move_bps=10, patience_ms=150)
    assert told.next_price(around(10_000), 0) is None
    told.heard(10_000, 20)
    assert [told.next_price(around(10_000), now) for now in (900, 1020, 1100)] == [None] * 3
    told.heard(10_000, 1110)
    assert told.next_price(around(10_000), 2000) is None
    assert told.next_price(around(10_100), 2010) is None
    assert told.next_price(around(10_101), 2160) == 10_101


def test_a_quote_that_came_back_in_time_is_no_move() -> None:
    told = ReferencePolicy(interval_ms=1000, move_bps=10, patience_ms=150)
    told.heard(10_000, 0)
    assert told.next_price(around(10_100), 10) is None
    assert told.next_price(around(10_000), 100) is None
    assert told.next_price(around(10_100), 200) is None
    assert told.next_price(around(10_100), 350) == 10_100
