# SPDX-License-Identifier: Apache-2.0
"""Feed messages: what is passed on, what is marked, what is refused."""

from typing import Any

import pytest

from tradewind.marketdata.normalise import BadFeed, Depth, Quote, Trade, normalise

QUOTE = {"type": "quote", "bid_px": 10, "bid_qty": 1, "ask_px": 12, "ask_qty": 2, "ts_ns": 5}
TRADE = {"type": "trade", "px": 10, "qty": 1, "side": "BUY", "ts_ns": 5}
DEPTH = {"type": "depth", "bids": [[10, 1]], "asks": [[12, 2]], "ts_ns": 5}


def test_each_kind_becomes_its_own_type_with_the_symbol() -> None:
    kinds = [normalise(message, "S") for message in (QUOTE, TRADE, DEPTH)]
    assert [type(found[1]) for found in kinds if found] == [Quote, Trade, Depth]
    assert all(found is not None and found[1].symbol == "S" for found in kinds)


def test_an_unknown_kind_is_not_passed_on() -> None:
    assert normalise({"type": "hello"}, "S") is None


@pytest.mark.parametrize(("ask_px", "is_crossed"), [(12, False), (10, True), (9, True)])
def test_a_crossed_quote_is_marked(ask_px: int, is_crossed: bool) -> None:
    found = normalise(QUOTE | {"ask_px": ask_px}, "S")
    assert found is not None
    assert isinstance(found[1], Quote)
    assert found[1].is_crossed is is_crossed


def test_an_empty_side_is_zero_and_not_crossed() -> None:
    found = normalise(QUOTE | {"ask_px": 0, "ask_qty": 0}, "S")
    assert found is not None
    assert isinstance(found[1], Quote)
    assert not found[1].is_crossed


@pytest.mark.parametrize(
    "message",
    [
        QUOTE | {"bid_px": -1},
        QUOTE | {"bid_px": 0},
        QUOTE | {"bid_px": 1.5},
        QUOTE | {"bid_px": "10"},
        QUOTE | {"ts_ns": 0},
        {"type": "quote"},
        TRADE | {"qty": 0},
        TRADE | {"px": -1},
        DEPTH | {"bids": [[10, 0]]},
    ],
)
def test_what_cannot_be_is_refused(message: dict[str, Any]) -> None:
    with pytest.raises(BadFeed):
        normalise(message, "S")
