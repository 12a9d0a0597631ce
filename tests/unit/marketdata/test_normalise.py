# SPDX-License-Identifier: Apache-2.0
"""What a venue may say, and what is refused with which code."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradewind.marketdata.normalise import (
    Depth,
    FeedError,
    Quote,
    QuoteState,
    Trade,
    normalise,
)

QUOTE = {
    "type": "quote",
    "symbol": "BTC-USD",
    "bid_px": 100,
    "bid_qty": 5,
    "ask_px": 101,
    "ask_qty": 7,
    "ts_ns": 1_700_000_000_000_000_000,
}
TRADE = {"type": "trade", "symbol": "BTC-USD", "px": 1, "qty": 2, "side": "BUY", "ts_ns": 3}
DEPTH = {
    "type": "depth",
    "symbol": "BTC-USD",
    "bids": [[100, 1], [99, 2]],
    "asks": [[101, 3], [105, 1]],
    "ts_ns": 4,
}


def say(message: dict[str, Any], **changes: Any) -> Quote | Trade | Depth:
    return normalise(json.dumps({**message, **changes}), 77)


def refused(message: dict[str, Any], **changes: Any) -> str:
    with pytest.raises(FeedError) as caught:
        say(message, **changes)
    return caught.value.code


def test_a_quote_keeps_its_numbers_and_gets_our_time_of_it() -> None:
    quote = say(QUOTE)
    assert isinstance(quote, Quote)
    assert (quote.bid_px, quote.bid_qty, quote.ask_px, quote.ask_qty) == (100, 5, 101, 7)
    assert (quote.state, quote.received_ns) == (QuoteState.OK, 77)


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({"bid_px": 101}, QuoteState.CROSSED),
        ({"bid_px": 102}, QuoteState.CROSSED),
        ({"bid_px": 0, "bid_qty": 0}, QuoteState.ONE_SIDED),
        ({"ask_px": 0, "ask_qty": 0}, QuoteState.ONE_SIDED),
        ({"bid_px": 0, "bid_qty": 0, "ask_px": 0, "ask_qty": 0}, QuoteState.EMPTY),
    ],
)
def test_a_quote_without_a_middle_is_marked(changes: dict[str, int], state: QuoteState) -> None:
    quote = say(QUOTE, **changes)
    assert isinstance(quote, Quote)
    assert quote.state is state


@pytest.mark.parametrize(
    ("message", "changes", "code"),
    [
        (QUOTE, {"bid_px": -1}, "BAD_NUMBER"),
        (QUOTE, {"ask_qty": -7}, "BAD_NUMBER"),
        (QUOTE, {"ask_px": 2**62}, "BAD_NUMBER"),
        (QUOTE, {"bid_px": 0}, "BAD_SIDE"),
        (QUOTE, {"ask_qty": 0}, "BAD_SIDE"),
        (QUOTE, {"bid_px": 100.5}, "BAD_MESSAGE"),
        (QUOTE, {"bid_px": "100"}, "BAD_MESSAGE"),
        (QUOTE, {"bid_px": None}, "BAD_MESSAGE"),
        (QUOTE, {"bid_px": True}, "BAD_MESSAGE"),
        (QUOTE, {"ts_ns": 0}, "BAD_NUMBER"),
        (QUOTE, {"symbol": "BTC.>"}, "BAD_SYMBOL"),
        (QUOTE, {"symbol": ""}, "BAD_SYMBOL"),
        (QUOTE, {"symbol": "BTC USD"}, "BAD_SYMBOL"),
        (QUOTE, {"type": "rumour"}, "BAD_MESSAGE"),
        (TRADE, {"px": 0}, "BAD_NUMBER"),
        (TRADE, {"qty": -1}, "BAD_NUMBER"),
        (TRADE, {"side": "UP"}, "BAD_MESSAGE"),
        (TRADE, {"trade_no": -1}, "BAD_NUMBER"),
        (DEPTH, {"bids": [[99, 1], [100, 1]]}, "BAD_DEPTH"),
        (DEPTH, {"asks": [[101, 1], [101, 1]]}, "BAD_DEPTH"),
        (DEPTH, {"asks": [[101, 0]]}, "BAD_NUMBER"),
        (DEPTH, {"asks": [[101]]}, "BAD_MESSAGE"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_a_stable_code(
    message: dict[str, Any], changes: dict[str, Any], code: str
) -> None:
    assert refused(message, **changes) == code


@pytest.mark.parametrize("raw", ["", "{", "null", "[]", "NaN", '"quote"', "[" * 5000, b"\xff\xfe"])
def test_what_is_no_message_is_refused(raw: str | bytes) -> None:
    with pytest.raises(FeedError) as caught:
        normalise(raw, 1)
    assert caught.value.code == "BAD_MESSAGE"


def test_depth_is_marked_as_its_best_levels_are() -> None:
    depth, crossed = say(DEPTH), say(DEPTH, asks=[[100, 1]])
    assert isinstance(depth, Depth)
    assert isinstance(crossed, Depth)
    assert (depth.state, crossed.state) == (QuoteState.OK, QuoteState.CROSSED)


@given(*[st.integers(-2, 2**63) for _ in range(4)])
def test_every_quote_is_refused_or_fit_for_use(
    bid_px: int, bid_qty: int, ask_px: int, ask_qty: int
) -> None:
    try:
        quote = say(QUOTE, bid_px=bid_px, bid_qty=bid_qty, ask_px=ask_px, ask_qty=ask_qty)
    except FeedError:
        return
    assert isinstance(quote, Quote)
    if quote.state is QuoteState.OK:
        assert 0 < quote.bid_px < quote.ask_px
        assert quote.bid_qty > 0
        assert quote.ask_qty > 0
