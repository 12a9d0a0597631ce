# SPDX-License-Identifier: Apache-2.0
"""Parts of bounds at the last unit, what refusals of them say, and when they count."""

from dataclasses import replace
from typing import Any

import pytest

from tests.unit.core.test_limits import EMPTY
from tests.unit.core.test_shares import ABOUT, agree, divided, firm, give, passes, take
from tradewind.core import commands, shares
from tradewind.core.events import BoundsDivided, ControlRefused, ShareGiven, ShareTaken
from tradewind.core.logic import RISK_CONTROLS
from tradewind.core.machine import StateMachine
from tradewind.core.shares import WHOLE
from tradewind.core.snapshot import parts, restore
from tradewind.core.testing import MILLISECOND_NS, Desk, one
from tradewind.core.types import Reason

FIRM = "firm max_open_orders"


def divide(desk: Desk, count: int) -> tuple[Any, ...]:
    return desk.step(commands.DivideBounds(shards=count, is_new=True, actor="op"))


def of_shard(shard: int) -> Desk:
    desk = Desk()
    desk.step(commands.OpenSegment(segment="seg", shard=shard))
    return desk


def test_a_shard_is_one_of_those_that_divide() -> None:
    refused = ControlRefused(
        command="DivideBounds", subject="bounds", reason=Reason.INVALID_LIMIT, text=""
    )
    assert divide(of_shard(2), 2) == (refused,)
    assert isinstance(divide(of_shard(1), 2)[0], BoundsDivided)
    assert isinstance(divide(of_shard(0), shares.SHARDS_MAX)[0], BoundsDivided)


def test_a_second_division_is_told_that_there_is_one() -> None:
    told = ControlRefused(
        command="DivideBounds",
        subject="bounds",
        reason=Reason.INVALID_LIMIT,
        text="they are divided",
    )
    assert divide(divided(), 2) == (told,)


@pytest.mark.parametrize(
    ("refused", "command", "reason"),
    [
        (lambda desk: give(desk, 2, 1), "GiveShare", Reason.SHARE_NOT_NEXT),
        (lambda desk: take(desk, 2, 1), "TakeShare", Reason.SHARE_NOT_NEXT),
        (lambda desk: agree(desk, 5), "AgreeBound", Reason.STALE_VERSION),
        (lambda desk: give(desk, 1, 0), "GiveShare", Reason.NOTHING_TO_SHARE),
    ],
)
def test_a_refusal_says_which_part_of_which_bound(
    refused: Any, command: str, reason: Reason
) -> None:
    told = ControlRefused(command=command, subject=FIRM, reason=reason, text="")
    assert refused(divided(max_open_orders=8)) == (told,)


def test_one_unit_is_given_and_what_has_no_value_is_not() -> None:
    desk = divided(max_open_orders=8)
    assert one(give(desk, 1, 1), ShareGiven).units == 1
    desk.submit(order_qty=1)
    desk.machine.state.fx_rates.clear()
    desk.machine.state.tallies.sums.clear()
    poor = Desk(StateMachine(restore(parts(desk.machine.state))))
    refused = one(give(poor, 1, 1, bound="max_gross_e8"), ControlRefused)
    assert refused.reason is Reason.NOTHING_TO_SHARE


def test_all_of_a_bound_can_come_to_one_shard() -> None:
    taken = ShareTaken(**ABOUT, shard=1, number=1, units=WHOLE - WHOLE // 2, held=WHOLE)
    assert take(divided(), 1, WHOLE - WHOLE // 2) == (taken,)


def test_a_division_holds_from_its_entry_on_also_for_what_was_looked_up_before() -> None:
    desk = Desk.opened()
    desk.step(commands.SetFxRate(currency="USD", rate_e9=10**9))
    desk.step(firm(1, max_open_orders=4))
    for kind in ("account", "strategy", "client"):
        desk.step(replace(EMPTY, scope=f"{kind}:*"))
    desk.step(commands.SetLogic(flag=RISK_CONTROLS, actor="op"))
    desk.reference(1_000)
    assert passes(desk, 1) == [True]
    divide(desk, 2)
    share = desk.machine.state.shares["firm", "max_open_orders"]
    assert share.since_seq == desk.machine.state.seq
    assert passes(desk, 2) == [True, False]


def test_a_version_follows_the_newest_also_if_that_one_will_expire() -> None:
    desk = divided(max_open_orders=8)
    expires_ns = desk.now_ns + 10_000 * MILLISECOND_NS
    desk.step(firm(2, expires_ns=expires_ns, max_open_orders=8))
    desk.step(firm(3, max_open_orders=8))
    assert desk.machine.state.shares["firm", "max_open_orders"].agreed == 8


def test_a_bound_that_nobody_sets_has_no_parts() -> None:
    desk = divided()
    desk.step(firm(2))
    assert ("firm", "max_long") not in desk.machine.state.shares


def test_what_was_taken_can_be_used_by_who_was_denied_just_now() -> None:
    desk = divided(max_open_orders=4)
    assert passes(desk, 3) == [True, True, False]
    take(desk, 1, WHOLE // 4)
    assert passes(desk, 2) == [True, False]
