# SPDX-License-Identifier: Apache-2.0
"""Which quotes become references, and when."""

import pytest

from tradewind.risk.reference import QuoteSeen, ReferencePolicy


def policy() -> ReferencePolicy:
    return ReferencePolicy(interval_ms=1000, move_bps=10)


def test_the_first_good_quote_is_told_at_once() -> None:
    assert policy().next_price(QuoteSeen(bid_px=100, ask_px=104), now_ms=0) == 102


def test_an_unmoved_price_is_told_once_an_interval() -> None:
    rule = policy()
    quote = QuoteSeen(bid_px=99_999, ask_px=100_001)
    told = [now for now in range(0, 3001, 100) if rule.next_price(quote, now) is not None]
    assert told == [0, 1000, 2000, 3000]


def test_a_move_is_told_at_once() -> None:
    rule = policy()
    rule.next_price(QuoteSeen(bid_px=99_999, ask_px=100_001), now_ms=0)
    assert rule.next_price(QuoteSeen(bid_px=100_099, ask_px=100_101), now_ms=1) is None
    assert rule.next_price(QuoteSeen(bid_px=100_100, ask_px=100_102), now_ms=2) == 100_101


@pytest.mark.parametrize(
    ("bid_px", "ask_px"), [(0, 100), (100, 0), (0, 0), (100, 100), (101, 100), (-1, 100)]
)
def test_a_one_sided_or_crossed_quote_is_never_told(bid_px: int, ask_px: int) -> None:
    assert policy().next_price(QuoteSeen(bid_px=bid_px, ask_px=ask_px), now_ms=0) is None
