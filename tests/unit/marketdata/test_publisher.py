# SPDX-License-Identifier: Apache-2.0
"""The newest quote wins, trades are all said in order, and a lost bus loses only old quotes."""

import json
from typing import Any

from tradewind.common.errors import Refused
from tradewind.marketdata import publisher as module
from tradewind.marketdata.feed import BACKOFF_MAX_S, backoff_s
from tradewind.marketdata.normalise import Quote, QuoteState, Trade
from tradewind.marketdata.publisher import Publisher


class Bus:
    def __init__(self) -> None:
        self.said: list[tuple[str, dict[str, Any]]] = []
        self.is_away = False

    def tell(self, subject: str, body: bytes) -> None:
        if self.is_away:
            raise Refused("away")
        self.said.append((subject, json.loads(body)))


def quote(bid_px: int, symbol: str = "X") -> Quote:
    return Quote(
        symbol=symbol,
        bid_px=bid_px,
        bid_qty=1,
        ask_px=bid_px + 1,
        ask_qty=1,
        ts_ns=1,
        state=QuoteState.OK,
        received_ns=2,
    )


def trade(number: int) -> Trade:
    return Trade(symbol="X", px=1, qty=1, side="BUY", ts_ns=1, trade_no=number)


def publisher() -> tuple[Bus, Publisher]:
    bus = Bus()
    return bus, Publisher(bus, "SIM", conflate_ms=10)


def test_only_the_newest_quote_of_each_symbol_is_said() -> None:
    bus, out = publisher()
    for bid_px in (1, 2, 3):
        out.put(quote(bid_px))
    out.put(quote(9, "Y"))
    assert out.flush()
    assert [(subject, body["bid_px"]) for subject, body in bus.said] == [
        ("md.SIM.X.quote", 3),
        ("md.SIM.Y.quote", 9),
    ]
    assert out.conflated == 2
    assert bus.said[0][1]["type"] == "quote"
    assert bus.said[0][1]["state"] == "OK"


def test_trades_are_never_conflated_and_keep_their_order() -> None:
    bus, out = publisher()
    for number in (1, 2, 3):
        out.put(trade(number))
    assert out.flush()
    assert [body["trade_no"] for _subject, body in bus.said] == [1, 2, 3]


def test_what_a_lost_bus_did_not_take_is_said_later_and_said_once() -> None:
    bus, out = publisher()
    bus.is_away = True
    out.put(trade(1))
    out.put(quote(1))
    assert not out.flush()
    out.put(quote(2))
    out.put_status("X", "LIVE", gaps=0, missed=0, ts_ns=5)
    bus.is_away = False
    assert out.flush()
    assert out.flush()
    assert [subject for subject, _body in bus.said] == [
        "md.SIM.X.trade",
        "md.SIM.X.quote",
        "md.SIM.X.status",
    ]
    assert bus.said[1][1]["bid_px"] == 2


def test_trades_that_wait_are_bounded() -> None:
    bus, out = publisher()
    for number in range(module.TRADES_HELD_MAX + 3):
        out.put(trade(number))
    out.flush()
    assert len(bus.said) == module.TRADES_HELD_MAX
    assert bus.said[0][1]["trade_no"] == 3
    assert out.dropped == 3


def test_delays_grow_are_bounded_and_are_spread() -> None:
    longest = [backoff_s(attempt, 1.0) for attempt in range(40)]
    assert longest == sorted(longest)
    assert longest[-1] == BACKOFF_MAX_S
    assert all(backoff_s(attempt, 0.0) == bound / 2 for attempt, bound in enumerate(longest))
