# SPDX-License-Identifier: Apache-2.0
"""What a venue may say, and what is refused."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradewind.marketdata.normalise import BadFeed, Depth, Quote, Trade, normalise

SYMBOL = "BTC-USD"
QUOTE = {
    "type": "quote",
    "symbol": SYMBOL,
    "bid_px": 100,
    "bid_qty": 5,
    "ask_px": 101,
    "ask_qty": 7,
    "ts_ns": 1_700_000_000_000_000_000,
}
TRADE = {"type": "trade", "symbol": SYMBOL, "px": 1, "qty": 2, "side": "BUY", "ts_ns": 3}
DEPTH = {
    "type": "depth",
    "symbol": SYMBOL,
    "bids": [[100, 1], [99, 2]],
    "asks": [[101, 3], [105, 1]],
    "ts_ns": 4,
}


def say(message: dict[str, Any], **changes: Any) -> Any:
    found = normalise({**message, **changes}, SYMBOL)
    assert found is not None
    kind, data = found
    assert kind == message["type"]
    return data


def test_a_quote_keeps_its_numbers_and_is_fit_for_use() -> None:
    assert say(QUOTE) == Quote(
        symbol=SYMBOL,
        bid_px=100,
        bid_qty=5,
        ask_px=101,
        ask_qty=7,
        is_crossed=False,
        ts_ns=1_700_000_000_000_000_000,
    )


@pytest.mark.parametrize("bid_px", [101, 102])
def test_a_locked_or_crossed_quote_is_marked(bid_px: int) -> None:
    assert say(QUOTE, bid_px=bid_px).is_crossed


def test_a_venue_cannot_pass_a_crossed_quote_off_as_sound_or_a_sound_one_as_crossed() -> None:
    assert say(QUOTE, bid_px=102, is_crossed=False).is_crossed
    assert not say(QUOTE, is_crossed=True).is_crossed


@pytest.mark.parametrize(
    "changes",
    [
        {"bid_px": 0, "bid_qty": 0},
        {"ask_px": 0, "ask_qty": 0},
        {"bid_px": 0, "bid_qty": 0, "ask_px": 0, "ask_qty": 0},
    ],
)
def test_an_empty_side_is_passed_on_as_zeros_and_is_not_crossed(changes: dict[str, int]) -> None:
    assert not say(QUOTE, **changes).is_crossed


def test_trades_and_depth_pass_as_they_are() -> None:
    assert say(TRADE) == Trade(symbol=SYMBOL, px=1, qty=2, side="BUY", ts_ns=3)
    assert say(DEPTH) == Depth(
        symbol=SYMBOL, bids=[(100, 1), (99, 2)], asks=[(101, 3), (105, 1)], ts_ns=4
    )


@pytest.mark.parametrize(
    ("message", "changes"),
    [
        (QUOTE, {"bid_px": -1}),
        (QUOTE, {"ask_qty": -7}),
        (QUOTE, {"bid_px": 0}),
        (QUOTE, {"ask_qty": 0}),
        (QUOTE, {"bid_px": 100.5}),
        (QUOTE, {"bid_px": "100"}),
        (QUOTE, {"bid_px": None}),
        (QUOTE, {"bid_px": True}),
        (QUOTE, {"ts_ns": 0}),
        (TRADE, {"px": 0}),
        (TRADE, {"qty": -1}),
        (TRADE, {"side": 1}),
        (DEPTH, {"asks": [[101, 0]]}),
        (DEPTH, {"bids": [[-1, 1]]}),
        (DEPTH, {"asks": [[101]]}),
    ],
)
def test_what_cannot_be_is_refused_never_repaired(
    message: dict[str, Any], changes: dict[str, Any]
) -> None:
    with pytest.raises(BadFeed):
        say(message, **changes)


@pytest.mark.parametrize("field", ["bid_px", "bid_qty", "ask_px", "ask_qty", "ts_ns"])
def test_a_quote_that_lacks_a_field_is_refused(field: str) -> None:
    with pytest.raises(BadFeed):
        normalise({name: value for name, value in QUOTE.items() if name != field}, SYMBOL)


@pytest.mark.parametrize("message", [{}, {"type": "rumour"}, {"type": None}, {"op": "quote"}])
def test_other_kinds_of_messages_are_left_out(message: dict[str, Any]) -> None:
    assert normalise(message, SYMBOL) is None


@given(*[st.integers(-2, 2**63) for _ in range(4)])
def test_every_quote_is_refused_or_consistent(
    bid_px: int, bid_qty: int, ask_px: int, ask_qty: int
) -> None:
    try:
        quote = say(QUOTE, bid_px=bid_px, bid_qty=bid_qty, ask_px=ask_px, ask_qty=ask_qty)
    except BadFeed:
        return
    for px, qty in ((quote.bid_px, quote.bid_qty), (quote.ask_px, quote.ask_qty)):
        assert (px > 0) == (qty > 0)
        assert px >= 0
    has_both = quote.bid_px > 0 and quote.ask_px > 0
    assert quote.is_crossed == (has_both and quote.bid_px >= quote.ask_px)
