# SPDX-License-Identifier: Apache-2.0
"""When a market is live, stale or lost, and when trades are missing."""

from tradewind.marketdata.watch import MILLISECOND_NS, MarketState, Watch

SECOND_NS = 1000 * MILLISECOND_NS


def watch() -> Watch:
    return Watch(expected_ms=1000, stale_factor=3)


def test_a_market_is_stale_only_after_k_times_the_expected_pause() -> None:
    market = watch()
    assert market.on_quote("X", 10 * SECOND_NS)
    assert market.check(13 * SECOND_NS) == []
    assert market.check(13 * SECOND_NS + 1) == ["X"]
    assert market.check(14 * SECOND_NS) == [], "a change is told once"
    assert market.markets["X"].state is MarketState.STALE


def test_a_quote_makes_a_stale_or_lost_market_live_again() -> None:
    market = watch()
    market.on_quote("X", 0)
    assert not market.on_quote("X", SECOND_NS)
    market.check(9 * SECOND_NS)
    assert market.on_quote("X", 9 * SECOND_NS)
    assert market.on_disconnected() == ["X"]
    assert market.on_disconnected() == []
    assert market.check(99 * SECOND_NS) == [], "lost says more than stale"
    assert market.on_quote("X", 99 * SECOND_NS)
    assert market.markets["X"].state is MarketState.LIVE


def test_only_quotes_keep_a_market_alive() -> None:
    market = watch()
    market.on_quote("X", 0)
    market.on_trade("X", 1)
    assert market.check(4 * SECOND_NS) == ["X"]


def test_missing_trades_are_counted_and_a_new_count_is_no_gap() -> None:
    market = watch()
    numbers = [7, 8, 11, 12, 1, 2, 5]
    assert [market.on_trade("X", number) for number in numbers] == [0, 0, 2, 0, 0, 0, 2]
    assert (market.markets["X"].gaps, market.markets["X"].missed) == (2, 4)


def test_a_venue_without_trade_numbers_never_has_gaps() -> None:
    market = watch()
    assert [market.on_trade("X", 0) for _ in range(3)] == [0, 0, 0]
