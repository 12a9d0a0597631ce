# SPDX-License-Identifier: Apache-2.0
"""What is remembered of what was done, and no more than is needed."""

from dataclasses import replace

import pytest

from tests.unit.core.test_limits import bound, governed
from tradewind.core import activity, commands
from tradewind.core.testing import ACCOUNT, BOUNDS, MILLISECOND_NS, SYMBOL, Desk
from tradewind.core.types import Side, TradingState


@pytest.mark.parametrize(
    ("times", "limit", "window_ms", "is_reached"),
    [
        ([], 0, 1, True),
        ([], 1, 1, False),
        ([0], 1, 10, False),
        ([1], 1, 10, True),
        ([0, 1, 2], 3, 10, False),
        ([1, 1, 2], 3, 10, True),
        ([0, 1, 2], 2, 10, True),
    ],
)
def test_a_limit_is_reached_when_its_newest_times_are_all_inside_the_window(
    times: list[int], limit: int, window_ms: int, is_reached: bool
) -> None:
    scaled = [time * MILLISECOND_NS for time in times]
    assert activity.is_reached(scaled, limit, window_ms, 10 * MILLISECOND_NS) is is_reached


def test_the_content_of_an_order_is_all_but_its_id() -> None:
    assert activity.content_of("A", "X", Side.BUY, 5, 100) == "A|X|BUY|5|100"


def test_only_as_many_times_are_kept_as_a_bound_needs() -> None:
    desk = governed(max_messages=3, flood_messages=5, max_duplicates=2)
    bound(desk, "account:*", max_messages=1, flood_messages=2)
    for number in range(20):
        desk.submit(f"n{number}")
    state = desk.machine.state
    assert len(state.activity["firm"].message_times) == 5
    assert len(state.activity[f"account:{ACCOUNT}"].message_times) == 2
    assert state.activity["firm"].messages == 20


def test_who_is_resumed_begins_anew() -> None:
    desk = governed()
    bound(desk, "strategy:strategy", max_repeats=5)
    order = desk.submit("a", algorithm="TWAP", build="b")
    desk.fill(order.order_id, 1)
    found = desk.machine.state.activity["strategy:strategy"]
    assert (len(found.message_times), len(found.repeat_times)) == (1, 1)
    desk.trading(TradingState.REDUCING, "strategy:strategy")
    assert found.repeat_times
    desk.trading(TradingState.ACTIVE, "strategy:strategy")
    assert (found.message_times, found.repeat_times) == ([], [])
    assert (found.messages, found.trades) == (1, 1)


def test_what_people_do_by_hand_is_no_repetition_and_has_a_turnover() -> None:
    desk = governed()
    desk.fill(desk.submit("a").order_id, 10, 1_001)
    found = desk.machine.state.activity["firm"]
    assert (found.trades, found.turnover_e8, found.repeat_times) == (1, 10_010_000, [])


def test_extremes_of_a_price_are_of_this_window_and_the_one_before() -> None:
    desk = governed()
    window_ns = activity.PRICE_WINDOW_NS
    began_ns = desk.machine.state.price_windows[SYMBOL].began_ns

    def at(after_ns: int, price: int) -> tuple[int, int, int, int]:
        command = commands.SetReferencePrice(symbol=SYMBOL, price=price)
        desk.step(command, ts_ns=began_ns + after_ns)
        found = desk.machine.state.price_windows[SYMBOL]
        return found.low, found.high, found.last_low, found.last_high

    assert window_ns == 10_000 * MILLISECOND_NS
    assert at(1, 990) == (990, 1_000, 1_000, 1_000)
    assert at(window_ns - 1, 1_020) == (990, 1_020, 1_000, 1_000)
    assert at(window_ns, 1_005) == (1_005, 1_005, 990, 1_020)
    assert at(3 * window_ns - 1, 1_010) == (1_010, 1_010, 1_005, 1_005)
    assert at(5 * window_ns - 1, 900) == (900, 900, 900, 900)
    assert at(5 * window_ns, 0) == (900, 900, 900, 900)
    assert at(5 * window_ns, 1) == (1, 900, 900, 900)


def test_nothing_is_remembered_where_nothing_is_bounded() -> None:
    desk = Desk.opened()
    desk.reference(990)
    desk.submit("a")
    state = desk.machine.state
    assert (state.activity, state.contents, state.price_windows) == ({}, {}, {})
    desk.step(replace(BOUNDS, max_duplicates=0))
    desk.reference(990)
    desk.submit("b")
    assert not state.contents
    assert state.price_windows
