# SPDX-License-Identifier: Apache-2.0
"""Parts of bounds that span shards: what a shard may use, gives, takes and agrees to."""

from dataclasses import replace
from typing import Any

import pytest

from tradewind.core import commands, shares, uses
from tradewind.core.bounds import UNSET
from tradewind.core.commands import Command
from tradewind.core.events import (
    BoundAgreed,
    BoundsDivided,
    ControlRefused,
    OrderReport,
    ShareGiven,
    ShareTaken,
    ShareWanted,
)
from tradewind.core.logic import FOUR_EYES, RISK_CONTROLS
from tradewind.core.parts import Share, Transfer
from tradewind.core.shares import WHOLE, amount, units_for
from tradewind.core.snapshot import parts, restore
from tradewind.core.testing import BOUNDS, MILLISECOND_NS, SUBMIT, SYMBOL, Desk, one
from tradewind.core.types import ExecType, Reason, Side, TradingState

LOT = 10**6
ORDERS = "max_open_orders"
ABOUT = {"scope": "firm", "bound": ORDERS}


def divided(*, is_new: bool = True, count: int = 2, **bounds: int) -> Desk:
    """Shard 0 of some, with wide bounds of the firm but for these."""
    desk = Desk.opened()
    desk.step(commands.SetFxRate(currency="USD", rate_e9=10**9))
    desk.step(firm(1, **bounds))
    for kind in ("account", "strategy", "client"):
        desk.step(commands.SetScopeLimits(scope=f"{kind}:*", version=1, actor="op"))
    desk.step(commands.SetLogic(flag=RISK_CONTROLS, actor="op"))
    desk.step(commands.DivideBounds(shards=count, is_new=is_new, actor="op"))
    desk.reference(1_000)
    return desk


def firm(version: int, *, expires_ns: int = 0, **bounds: int) -> Command:
    changed: dict[str, Any] = bounds
    return replace(BOUNDS, version=version, expires_ns=expires_ns, **changed)


def passes(desk: Desk, count: int, qty: int = 1, side: Side = Side.BUY) -> list[bool]:
    """Which of so many orders one after the other pass."""
    sent = len(desk.entries)
    return [
        desk.submit(f"n{sent + number}", order_qty=qty, side=side).reason is Reason.NONE
        for number in range(count)
    ]


def agree(desk: Desk, limit: int, since_seq: int | None = None) -> tuple[Any, ...]:
    since = desk.machine.state.shares["firm", ORDERS].since_seq if since_seq is None else since_seq
    return desk.step(commands.AgreeBound(limit=limit, since_seq=since, **ABOUT))


def agree_to_all(desk: Desk) -> None:
    """What risk says once it has seen every shard."""
    state = desk.machine.state
    for (scope, bound), share in list(state.shares.items()):
        limit = getattr(state.scope_limits[scope], bound)
        since = share.since_seq
        desk.step(commands.AgreeBound(scope=scope, bound=bound, limit=limit, since_seq=since))


def give(desk: Desk, number: int, units: int, shard: int = 1, **about: str) -> tuple[Any, ...]:
    asked = {**ABOUT, **about}
    return desk.step(commands.GiveShare(shard=shard, number=number, units=units, **asked))


def take(desk: Desk, number: int, units: int, shard: int = 1) -> tuple[Any, ...]:
    return desk.step(commands.TakeShare(shard=shard, number=number, units=units, **ABOUT))


def refusal(events: tuple[Any, ...]) -> Reason:
    return one(events, ControlRefused).reason


def test_units_are_what_they_were_when_journals_were_written() -> None:
    assert (WHOLE, shares.SLACK, shares.SHARDS_MAX) == (2**62, 2**52, 1_000)
    assert list(divided().machine.state.divisions) == ["bounds"]


@pytest.mark.parametrize("limit", [1, 17, 10**9, 10**26])
@pytest.mark.parametrize("count", [2, 3, 7, shares.SHARDS_MAX])
def test_parts_never_add_up_to_more_and_no_unit_of_a_count_is_lost(limit: int, count: int) -> None:
    equal = WHOLE // count
    assert amount(limit, equal) * count <= limit
    assert amount(limit, WHOLE) == limit
    assert amount(limit, 0) == 0
    used = [limit // count + (place < limit % count) for place in range(count)]
    units = [units_for(limit, use) for use in used]
    assert all(amount(limit, unit) >= use for unit, use in zip(units, used, strict=True))
    if limit < 2**42:
        assert sum(units) <= WHOLE
    assert units_for(limit, limit) <= WHOLE < units_for(limit, limit + 1)
    assert units_for(0, 0) == 0
    assert units_for(0, 1) > WHOLE


@pytest.mark.parametrize(
    ("bounds", "qty", "count"),
    [
        ({ORDERS: 5}, 1, 2),
        ({"max_open_value_e8": 50 * LOT}, 10, 2),
        ({"max_gross_e8": 50 * LOT}, 10, 2),
        ({"max_net_e8": 50 * LOT}, 10, 2),
        ({"max_turnover_e8": 50 * LOT}, 10, 2),
        ({"max_long": 50}, 10, 2),
        ({"max_short": 50}, 10, 2),
    ],
)
def test_a_shard_of_two_may_use_half_of_what_adds_up_over_shards(
    bounds: dict[str, int], qty: int, count: int
) -> None:
    desk = divided(is_new=True, count=2, **bounds)
    side = Side.SELL if "max_short" in bounds else Side.BUY
    assert passes(desk, 4, qty, side) == [number < count for number in range(4)]
    wanted = [event for event in desk.outputs if isinstance(event, ShareWanted)]
    ((bound, limit),) = bounds.items()
    assert [(event.scope, event.bound) for event in wanted] == [("firm", bound)] * 2
    assert all(event.amount <= limit for event in wanted)
    state = desk.machine.state
    used = uses.used(state, "firm", bound)
    assert used is not None
    assert used <= limit // 2


def test_a_refusal_says_what_part_of_what_it_was() -> None:
    desk = divided(max_open_orders=4)
    passes(desk, 2)
    report = desk.submit("one-too-many")
    assert report.text == "C10 3 of 2 in firm, version 1, a part of 4 over all shards"
    assert desk.outputs[-1] == ShareWanted(amount=3, **ABOUT)


def test_no_part_is_asked_for_where_the_whole_has_no_room() -> None:
    desk = divided(max_gross_e8=10 * LOT)
    events = desk.step(replace(SUBMIT, order_qty=11))
    assert one(events, OrderReport).reason is Reason.MAX_EXPOSURE
    assert len(events) == 1


def test_what_one_order_may_be_and_what_an_account_may_do_is_not_divided() -> None:
    desk = divided(max_order_qty=10, max_order_value_e8=10 * LOT)
    mine = replace(BOUNDS, scope="account:DEMO", **bounds_of(max_gross_e8=10 * LOT))
    desk.step(mine)
    assert passes(desk, 1, 10) == [True]


def bounds_of(**bounds: int) -> Any:
    return bounds


def test_each_strategy_by_itself_is_bounded_in_each_shard_but_a_named_one_in_all() -> None:
    desk = divided()
    desk.step(replace(BOUNDS, scope="strategy:*", version=2, **bounds_of(max_open_orders=4)))
    assert passes(desk, 3) == [True] * 3
    desk.step(replace(BOUNDS, scope="strategy:strategy", **bounds_of(max_open_orders=10)))
    assert passes(desk, 1) == [False]
    desk.step(replace(BOUNDS, scope="strategy:*", version=3))
    agree_to_all(desk)
    assert passes(desk, 3) == [True, True, False]


def test_without_a_division_every_shard_has_all_of_it() -> None:
    desk = Desk.opened()
    desk.step(commands.SetFxRate(currency="USD", rate_e9=10**9))
    desk.step(firm(1, max_open_orders=3))
    desk.reference(1_000)
    assert passes(desk, 4) == [True, True, True, False]
    assert not any(isinstance(event, ShareWanted) for event in desk.outputs)
    assert refusal(give(desk, 1, 1)) is Reason.INVALID_LIMIT
    assert refusal(take(desk, 1, 1)) is Reason.INVALID_LIMIT
    told = desk.step(commands.AgreeBound(limit=3, since_seq=0, **ABOUT))
    assert refusal(told) is Reason.STALE_VERSION


def test_bounds_are_divided_once_and_among_more_than_one() -> None:
    desk = divided()
    assert desk.machine.state.divisions[shares.DIVISION] == BoundsDivided(
        shards=2, is_new=True, actor="op"
    )
    again = desk.step(commands.DivideBounds(shards=3, is_new=True, actor="op"))
    assert refusal(again) is Reason.INVALID_LIMIT
    for count in (0, 1, shares.SHARDS_MAX + 1):
        fresh = Desk.opened()
        told = fresh.step(commands.DivideBounds(shards=count, is_new=True, actor="op"))
        assert refusal(told) is Reason.INVALID_LIMIT


def test_where_shards_have_traded_a_division_is_agreed_upon_before_it_is_used() -> None:
    desk = divided(is_new=False, max_open_orders=4)
    assert passes(desk, 1) == [False]
    agree_to_all(desk)
    assert passes(desk, 3) == [True, True, False]


def test_units_that_are_not_used_are_given_once_and_used_no_more() -> None:
    desk = divided(max_open_orders=8)
    passes(desk, 1)
    given = one(give(desk, 1, WHOLE), ShareGiven)
    assert amount(8, given.left) == 1
    assert given.left + given.units == WHOLE // 2
    assert passes(desk, 1) == [False]
    assert refusal(give(desk, 1, 1)) is Reason.SHARE_NOT_NEXT
    assert refusal(give(desk, 3, 1)) is Reason.SHARE_NOT_NEXT
    assert refusal(give(desk, 2, 1)) is Reason.NOTHING_TO_SHARE


def test_units_that_another_shard_gave_are_taken_once() -> None:
    desk = divided(max_open_orders=8)
    assert refusal(take(desk, 2, 1)) is Reason.SHARE_NOT_NEXT
    taken = one(take(desk, 1, WHOLE // 8), ShareTaken)
    assert taken.held == WHOLE // 2 + WHOLE // 8
    assert refusal(take(desk, 1, WHOLE // 8)) is Reason.SHARE_NOT_NEXT
    assert refusal(take(desk, 2, WHOLE)) is Reason.INVALID_LIMIT
    assert refusal(take(desk, 2, 0)) is Reason.INVALID_LIMIT
    assert passes(desk, 6) == [True] * 5 + [False]


def test_units_of_a_bound_that_nobody_set_are_kept_and_agreed_to_by_nobody() -> None:
    desk = divided()
    command = commands.TakeShare(scope="firm", bound="max_long", shard=1, number=1, units=5)
    assert isinstance(desk.step(command)[0], ShareTaken)
    state = desk.machine.state
    assert state.shares["firm", "max_long"] == Share(
        units=WHOLE // 2 + 5, agreed=UNSET, since_seq=0
    )
    assert state.transfers["firm", "max_long", "1"] == Transfer(given=0, units=0, taken=1)


@pytest.mark.parametrize(
    ("shard", "about"),
    [
        (0, {}),
        (2, {}),
        (1, {"scope": "account:DEMO"}),
        (1, {"scope": "strategy:*"}),
        (1, {"scope": "nonsense"}),
        (1, {"bound": "max_messages"}),
    ],
)
def test_only_divided_bounds_go_to_other_shards(shard: int, about: dict[str, str]) -> None:
    assert refusal(give(divided(), 1, 1, shard, **about)) is Reason.INVALID_LIMIT


def test_what_cannot_be_valued_is_not_given_away() -> None:
    desk = divided()
    desk.submit(order_qty=1)
    desk.machine.state.fx_rates.clear()
    desk.machine.state.tallies.sums.clear()
    state = restore(parts(desk.machine.state))
    assert uses.used(state, "firm", "max_gross_e8") is None
    assert uses.needed(state, "firm", "max_gross_e8") is None
    assert uses.needed(state, "firm", "max_long") is None


def test_a_lowered_bound_takes_the_whole_difference_off_each_part_until_all_hold_it() -> None:
    desk = divided(max_open_orders=20)
    desk.step(firm(2, max_open_orders=13))
    assert passes(desk, 4) == [True] * 3 + [False]  # 10 - 7
    assert isinstance(agree(desk, 13)[0], BoundAgreed)
    assert passes(desk, 4) == [True] * 3 + [False]  # half of 13


def test_a_bound_lowered_by_more_than_a_part_leaves_nothing_of_it() -> None:
    desk = divided(max_open_orders=20)
    desk.step(firm(2, max_open_orders=3))
    assert passes(desk, 1) == [False]


def test_a_bound_lowered_below_what_is_used_lets_pass_what_reduces() -> None:
    desk = divided(max_gross_e8=100 * LOT)
    bought = desk.submit("long", order_qty=40).order_id
    desk.fill(bought, 40)
    desk.step(firm(2, max_gross_e8=10 * LOT))
    assert desk.submit("more", order_qty=1).reason is Reason.MAX_EXPOSURE
    assert desk.submit("less", order_qty=40, side=Side.SELL).reason is Reason.NONE
    assert desk.cancel("x", "less").reason is Reason.NONE


def test_a_raised_bound_is_used_at_once_but_remembered() -> None:
    desk = divided(max_open_orders=4)
    desk.step(firm(2, max_open_orders=8))
    assert passes(desk, 5) == [True] * 4 + [False]
    desk.step(firm(3, max_open_orders=7))
    assert desk.machine.state.shares["firm", ORDERS].agreed == 8


def test_a_bound_that_has_run_out_was_a_higher_one() -> None:
    desk = divided(max_open_orders=8)
    desk.step(firm(2, expires_ns=desk.now_ns + 10 * MILLISECOND_NS, max_open_orders=10))
    desk.now_ns += 20 * MILLISECOND_NS
    desk.reference(1_000)
    assert passes(desk, 4) == [True] * 3 + [False]  # half of 10, less 2


def test_a_version_before_which_others_are_missing_is_agreed_upon_first() -> None:
    desk = divided(max_open_orders=4)
    desk.step(firm(3, max_open_orders=8))
    assert passes(desk, 1) == [False]
    agree_to_all(desk)
    assert passes(desk, 1) == [True]


def test_a_bound_that_was_not_there_is_agreed_upon_first_and_keeps_its_units() -> None:
    desk = divided(max_open_orders=8)
    give(desk, 1, WHOLE // 4)
    desk.step(firm(2, max_open_orders=-1))
    assert passes(desk, 3) == [False] * 3  # C01: some scope must bound it
    desk.step(firm(3, max_open_orders=8))
    assert passes(desk, 1) == [False]
    agree(desk, 8)
    assert passes(desk, 3) == [True, True, False]


def test_nothing_is_agreed_to_but_the_limit_that_holds_since_that_entry() -> None:
    desk = divided(max_open_orders=8)
    since = desk.machine.state.shares["firm", ORDERS].since_seq
    desk.step(firm(2, max_open_orders=6))
    assert refusal(agree(desk, 6, since)) is Reason.STALE_VERSION
    assert refusal(agree(desk, 8)) is Reason.STALE_VERSION
    assert isinstance(agree(desk, 6)[0], BoundAgreed)
    assert isinstance(agree(desk, 6)[0], BoundAgreed)


def test_two_people_agree_on_a_limit_before_its_parts_follow() -> None:
    desk = divided(max_open_orders=8)
    desk.step(commands.SetLogic(flag=FOUR_EYES, actor="op"))
    desk.step(firm(2, max_open_orders=2))
    assert passes(desk, 2) == [True, True]
    subject = "SetScopeLimits firm"
    desk.step(commands.ApproveLimits(subject=subject, version=2, actor="second"))
    assert passes(desk, 1) == [False]


def test_in_parts_turnover_counts_what_works_and_lets_pass_what_becomes_less() -> None:
    desk = divided(max_turnover_e8=60 * LOT)
    order = desk.submit("first", order_qty=20)
    desk.ack(order.order_id)
    assert desk.submit("second", order_qty=11).reason is Reason.MAX_TURNOVER
    desk.fill(order.order_id, 10)
    assert uses.used(desk.machine.state, "firm", "max_turnover_e8") == 20 * LOT
    assert desk.replace("larger", "first", qty=31).reason is Reason.MAX_TURNOVER
    give(desk, 1, WHOLE, bound="max_turnover_e8")
    assert desk.replace("smaller", "first", qty=15).reason is Reason.NONE


def test_cancels_pass_whatever_the_part() -> None:
    desk = divided(max_open_orders=2)
    order = desk.submit("last")
    desk.step(firm(2, max_open_orders=0))
    desk.trading(TradingState.HALTED)
    assert desk.cancel("x", "last").exec_type is ExecType.PENDING_CANCEL
    assert order.reason is Reason.NONE


def test_parts_come_back_from_a_snapshot_as_they_were() -> None:
    desk = divided(max_open_orders=8)
    give(desk, 1, WHOLE // 4)
    take(desk, 1, 5)
    state = restore(parts(desk.machine.state))
    assert state == desk.machine.state
    assert state.transfers["firm", ORDERS, "1"].taken == 1
    assert SYMBOL in state.instruments
