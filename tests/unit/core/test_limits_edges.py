# SPDX-License-Identifier: Apache-2.0
"""Scopes' bounds where nothing was done yet, at the last unit, and where scopes do not agree."""

from dataclasses import replace
from typing import Any

import pytest

from tests.unit.core.limits_cases import SELL, TWAP, twice, working
from tests.unit.core.test_limits import EMPTY, OK, bound, governed
from tradewind.core import limits
from tradewind.core.events import ControlRefused
from tradewind.core.testing import ACCOUNT, MILLISECOND_NS, Desk, one
from tradewind.core.types import OrdType, Reason, TimeInForce, TradingState

STRICTER = f"account:{ACCOUNT}"


def flooded() -> Desk:
    """A desk whose account is halted, since it has sent too much."""
    desk = governed()
    bound(desk, STRICTER)
    twice()(desk)
    bound(desk, STRICTER, flood_messages=2)
    assert desk.submit("flood").reason is Reason.MESSAGE_FLOOD
    return desk


def test_a_scope_that_is_halted_for_its_flood_says_that_it_is_halted() -> None:
    assert flooded().submit("n").reason is Reason.TRADING_HALTED


def test_a_scope_that_people_have_resumed_is_halted_again_for_a_flood() -> None:
    desk = flooded()
    desk.trading(TradingState.ACTIVE, STRICTER)
    assert [desk.submit(name).reason for name in "ab"] == [OK, OK]
    assert desk.submit("c").reason is Reason.MESSAGE_FLOOD


@pytest.mark.parametrize("scope", [STRICTER, "strategy:strategy"])
def test_what_one_scope_permits_another_may_forbid(scope: str) -> None:
    desk = governed(allows_gtc=1, allows_self_match=1)
    working(10, **SELL)(desk)
    bound(desk, scope, allows_gtc=0, allows_self_match=0)
    gtc = desk.submit("a", **TWAP, time_in_force=TimeInForce.GTC, price=999)
    assert gtc.reason is Reason.TIME_IN_FORCE_NOT_PERMITTED
    assert desk.submit("b").reason is Reason.SELF_MATCH


def test_an_order_without_a_price_rests_nowhere() -> None:
    desk = governed(allows_self_match=0)
    stop = {"ord_type": OrdType.STOP, "price": 0, "stop_px": 990}
    working(10, **stop, **SELL)(desk)
    assert desk.submit("n").reason is OK


@pytest.mark.parametrize(("jump_bps", "reason"), [(10_000, OK), (9_999, Reason.MARKET_UNSTABLE)])
def test_a_price_that_has_doubled_has_moved_by_ten_thousand(jump_bps: int, reason: Reason) -> None:
    desk = governed(max_jump_bps=jump_bps)
    desk.reference(2_000)
    assert desk.submit("n", price=2_000).reason is reason


def test_the_first_hundred_messages_of_a_day_need_no_trade() -> None:
    desk = governed(max_orders_per_trade=0)
    for number in range(100):
        assert desk.submit(f"free-{number}", order_qty=1).reason is OK
    assert desk.submit("n", order_qty=1).reason is Reason.ORDER_TO_TRADE_RATIO


@pytest.mark.parametrize(("children", "reason"), [(1, OK), (0, Reason.TOO_MANY_CHILDREN)])
def test_a_first_child_is_one(children: int, reason: Reason) -> None:
    desk = governed(max_children=children)
    desk.submit("parent", order_qty=50, is_parent=True)
    assert desk.submit("n", order_qty=1, parent_cl_ord_id="parent").reason is reason


def test_every_rule_is_among_the_rules_once() -> None:
    parts: tuple[Any, ...] = (limits.FIRST_RULES, limits.LAST_RULES, limits.PARENT_RULES)
    assert set(limits.RULES) == {rule for part in parts for rule in part}
    assert len(limits.RULES) == len(set(limits.RULES))


def only(**bounds: int) -> Desk:
    """A desk with these bounds of the firm's alone."""
    desk = Desk.opened()
    changed: dict[str, Any] = {**bounds}
    desk.step(replace(EMPTY, scope="firm", **changed))
    return desk


def test_one_order_of_a_content_is_remembered_where_one_is_permitted() -> None:
    desk = only(max_duplicates=1)
    assert desk.submit("a").reason is OK
    assert desk.submit("b").reason is Reason.DUPLICATE_CONTENT


def test_a_content_is_remembered_as_long_as_the_longest_window() -> None:
    desk = only(max_duplicates=1, duplicate_window_ms=60_000)
    desk.step(replace(EMPTY, scope=STRICTER, max_duplicates=1_000, duplicate_window_ms=1))
    desk.submit("a")
    for number in range(10):
        desk.submit(f"n{number}", price=950 + number)
    assert desk.submit("b").reason is Reason.DUPLICATE_CONTENT


def test_two_old_contents_are_forgotten_with_each_new_one() -> None:
    desk = only(max_duplicates=10, duplicate_window_ms=1_000)
    for number in range(6):
        desk.submit(f"n{number}", price=950 + number)
    desk.now_ns += 2_000 * MILLISECOND_NS
    desk.submit("new")
    assert len(desk.machine.state.contents) == 6 + 1 - 2


def test_only_what_was_accepted_for_the_venue_counts_as_a_content() -> None:
    desk = only(max_duplicates=1)
    desk.submit("parent", is_parent=True)
    desk.trading(TradingState.HALTED)
    assert desk.submit("denied").reason is Reason.TRADING_HALTED
    desk.trading(TradingState.ACTIVE)
    assert desk.submit("a").reason is OK
    assert desk.submit("b").reason is Reason.DUPLICATE_CONTENT


def test_the_content_of_a_replace_is_what_it_asks_for() -> None:
    desk = only(max_duplicates=1)
    desk.submit("c1")
    assert desk.replace("r", "c1", qty=20).reason is OK
    assert desk.submit("same-as-replaced", order_qty=20).reason is Reason.DUPLICATE_CONTENT


@pytest.mark.parametrize("scope", ["account:A/symbol:", "account:/symbol:X", "account:A/symbol"])
def test_a_scope_of_two_names_needs_both(scope: str) -> None:
    desk = governed()
    told = desk.step(replace(EMPTY, scope=scope))
    assert one(told, ControlRefused).reason is Reason.INVALID_LIMIT


@pytest.mark.parametrize("scope", ["firm", STRICTER, "client:client"])
def test_messages_about_unknown_instruments_count_too(scope: str) -> None:
    desk = governed()
    bound(desk, scope, max_messages=2)
    for name in "ab":
        assert desk.submit(name, symbol="?").reason is Reason.UNKNOWN_INSTRUMENT
    assert desk.submit("n").reason is Reason.MESSAGE_RATE
