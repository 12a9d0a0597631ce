# SPDX-License-Identifier: Apache-2.0
"""Limits change by the word of two people, in order of their versions, and expire."""

from dataclasses import replace
from typing import Any

import pytest

from tradewind.core import commands, logic
from tradewind.core.bounds import COUNT_MAX, LOSS_WINDOW_MS_MAX, WINDOW_MS_MAX
from tradewind.core.commands import Command
from tradewind.core.decide_limits import PROPOSAL_NS, limits_of, subject_of
from tradewind.core.events import (
    AccountLimitsSet,
    ControlRefused,
    LimitsApproved,
    LimitsProposed,
    LimitsSet,
    ScopeLimitsSet,
)
from tradewind.core.invariants import violations
from tradewind.core.snapshot import digest, parts, restore
from tradewind.core.testing import ACCOUNT, BOUNDS, LIMITS, MILLISECOND_NS, SYMBOL, Desk, one
from tradewind.core.types import Reason

ACCOUNT_LIMITS = commands.SetAccountLimits(
    account=ACCOUNT, max_gross_e8=10**12, max_rate_age_ms=60_000, version=1
)
CHANGES: list[tuple[Any, type[Any]]] = [
    (LIMITS, LimitsSet),
    (ACCOUNT_LIMITS, AccountLimitsSet),
    (BOUNDS, ScopeLimitsSet),
    (replace(BOUNDS, expires_ns=2**62), ScopeLimitsSet),
]


def desk_with(*flags: str) -> Desk:
    desk = Desk.opened()
    for flag in flags:
        desk.step(commands.SetLogic(flag=flag, actor="op"))
    return desk


def refused(desk: Desk, command: Command) -> Reason:
    return one(desk.step(command), ControlRefused).reason


def in_table(desk: Desk, event: Any) -> bool:
    state = desk.machine.state
    tables = (state.limits, state.account_limits, state.scope_limits, state.temporary_limits)
    return any(event in table.values() for table in tables)


@pytest.mark.parametrize(("change", "event"), CHANGES)
def test_one_person_sets_limits_while_nobody_asked_for_two(change: Any, event: type[Any]) -> None:
    desk = desk_with()
    assert in_table(desk, one(desk.step(replace(change, actor="ann")), event))


@pytest.mark.parametrize(("change", "event"), CHANGES)
def test_a_version_counts_up(change: Any, event: type[Any]) -> None:
    desk = desk_with()
    desk.step(replace(change, version=5))
    desk.step(commands.SetLogic(flag=logic.RISK_CONTROLS, actor="op"))
    for version in (1, 4, 5):
        assert refused(desk, replace(change, version=version)) is Reason.STALE_VERSION
    assert one(desk.step(replace(change, version=6)), event).version == 6


def test_before_versions_counted_any_was_taken() -> None:
    desk = desk_with()
    one(desk.step(replace(LIMITS, version=5)), LimitsSet)
    one(desk.step(replace(LIMITS, version=1)), LimitsSet)


@pytest.mark.parametrize(("change", "event"), CHANGES)
def test_two_people_change_limits(change: Any, event: type[Any]) -> None:
    desk = desk_with(logic.RISK_CONTROLS, logic.FOUR_EYES)
    wanted = replace(change, version=2, actor="ann")
    subject = subject_of(wanted)
    proposed = one(desk.step(wanted), LimitsProposed)
    assert (proposed.subject, proposed.version, proposed.actor) == (subject, 2, "ann")
    events = desk.step(commands.ApproveLimits(subject=subject, version=2, actor="bob"))
    approved, found = one(events, LimitsApproved), one(events, event)
    assert (approved.actor, approved.second_actor) == ("ann", "bob")
    assert in_table(desk, found)
    assert found.version == 2
    assert not desk.machine.state.proposed
    again = commands.ApproveLimits(subject=subject, version=2, actor="bob")
    assert refused(desk, again) is Reason.NOT_PROPOSED


@pytest.mark.parametrize(("change", "_event"), CHANGES)
def test_nobody_alone_changes_limits(change: Any, _event: type[Any]) -> None:
    desk = desk_with(logic.RISK_CONTROLS, logic.FOUR_EYES)
    wanted = replace(change, version=2, actor="ann")
    before = digest_without_time(desk)
    assert refused(desk, replace(wanted, actor="")) is Reason.SECOND_PERSON_NEEDED
    assert digest_without_time(desk) == before
    desk.step(wanted)
    for actor in ("ann", ""):
        approval = commands.ApproveLimits(subject=subject_of(wanted), version=2, actor=actor)
        assert refused(desk, approval) is Reason.SECOND_PERSON_NEEDED


def digest_without_time(desk: Desk) -> str:
    state = restore(parts(desk.machine.state))
    state.seq = state.ts_ns = state.ordinal = 0
    return digest(state)


def test_what_was_not_proposed_or_is_another_version_cannot_be_approved() -> None:
    desk = desk_with(logic.RISK_CONTROLS, logic.FOUR_EYES)
    wanted = replace(BOUNDS, actor="ann", version=3)
    approval = commands.ApproveLimits(subject=subject_of(wanted), version=3, actor="bob")
    assert refused(desk, approval) is Reason.NOT_PROPOSED
    desk.step(wanted)
    desk.step(replace(wanted, version=4, max_children=7, actor="eve"))
    assert refused(desk, approval) is Reason.NOT_PROPOSED
    set_ = one(desk.step(replace(approval, version=4)), ScopeLimitsSet)
    assert (set_.max_children, set_.actor, set_.second_actor) == (7, "eve", "bob")


@pytest.mark.parametrize(("late_ns", "is_void"), [(0, False), (1, True)])
def test_a_proposal_is_void_after_a_day(late_ns: int, is_void: bool) -> None:
    desk = desk_with(logic.FOUR_EYES)
    wanted = replace(BOUNDS, actor="ann")
    desk.step(wanted)
    approval = commands.ApproveLimits(subject=subject_of(wanted), version=1, actor="bob")
    events = desk.step(approval, ts_ns=desk.now_ns + PROPOSAL_NS + late_ns)
    assert any(isinstance(event, ControlRefused) for event in events) is is_void


@pytest.mark.parametrize(
    "change",
    [
        {"scope": "everything"},
        {"scope": "account:"},
        {"scope": "symbol:X/account:Y"},
        {"scope": "account:X/symbol:Y/venue:Z"},
        {"scope": "strategy:x/symbol:Y"},
        {"max_children": -2},
        {"max_messages": COUNT_MAX + 1},
        {"duplicate_window_ms": 0},
        {"repeat_window_ms": WINDOW_MS_MAX + 1},
        {"max_losses": COUNT_MAX + 1},
        {"loss_window_ms": 0},
        {"loss_window_ms": LOSS_WINDOW_MS_MAX + 1},
        {"max_credit_e8": 1},
        {"max_credit_e8": 1, "scope": "account:X/symbol:Y"},
        {"expires_ns": 1},
    ],
)
def test_limits_that_mean_nothing_are_refused(change: dict[str, Any]) -> None:
    assert refused(desk_with(), replace(BOUNDS, **change)) is Reason.INVALID_LIMIT


def test_limits_that_expire_give_way_to_those_that_stay() -> None:
    desk = desk_with()
    desk.step(commands.SetFxRate(currency="USD", rate_e9=10**9))
    desk.step(replace(BOUNDS, max_order_qty=5))
    until_ns = desk.now_ns + 100 * MILLISECOND_NS
    desk.step(replace(BOUNDS, version=2, max_order_qty=10, expires_ns=until_ns))
    desk.reference(1_000)
    assert desk.submit("a").reason is Reason.NONE
    desk.now_ns = until_ns - 2 * MILLISECOND_NS
    assert desk.submit("b").reason is Reason.NONE
    assert desk.submit("c").reason is Reason.MAX_ORDER_QTY
    assert violations(desk.machine.state) == []


def test_limits_that_expire_may_be_the_only_ones() -> None:
    desk = desk_with()
    until_ns = desk.now_ns + 4 * MILLISECOND_NS
    desk.step(replace(BOUNDS, max_order_qty=5, expires_ns=until_ns, max_order_value_e8=-1))
    desk.reference(1_000)
    assert desk.submit("a").reason is Reason.MAX_ORDER_QTY
    assert desk.submit("b").reason is Reason.NONE


def test_a_state_that_is_restored_knows_of_limits_proposals_and_counts() -> None:
    desk = desk_with()
    desk.step(commands.SetFxRate(currency="USD", rate_e9=10**9))
    desk.step(BOUNDS)
    desk.step(commands.SetLogic(flag=logic.FOUR_EYES, actor="op"))
    desk.reference(1_000)
    desk.submit("a")
    desk.step(replace(BOUNDS, scope="account:*", actor="ann"))
    state = desk.machine.state
    assert state.activity["firm"].messages == 1
    assert state.contents
    assert state.price_windows
    restored = restore(parts(state))
    assert digest(restored) == digest(state)
    assert violations(restored) == []


def test_a_subject_is_the_command_and_its_scope() -> None:
    named = [subject_of(change) for change, _event in CHANGES]
    assert named[:3] == [
        f"SetLimits account:{ACCOUNT}/symbol:{SYMBOL}",
        f"SetAccountLimits account:{ACCOUNT}",
        "SetScopeLimits firm",
    ]
    approval = commands.ApproveLimits(subject="SetScopeLimits firm", version=1, actor="a")
    assert subject_of(approval) == "SetScopeLimits firm"
    for nothing in (subject_of, limits_of):
        with pytest.raises(TypeError, match="AdvanceTime sets no limits"):
            nothing(commands.AdvanceTime(source="x"))


def test_a_refusal_names_the_command_its_subject_and_the_version_in_force() -> None:
    desk = desk_with(logic.RISK_CONTROLS)
    desk.step(replace(BOUNDS, version=7))
    found = one(desk.step(replace(BOUNDS, version=7)), ControlRefused)
    assert (found.command, found.subject) == ("SetScopeLimits", "SetScopeLimits firm")
    assert found.text == "version 7 is in force"
    invalid = one(desk.step(replace(BOUNDS, max_children=-2)), ControlRefused)
    assert invalid.text == ""


def test_the_newest_version_counts_whether_it_expires_or_not() -> None:
    for expires in (True, False):
        desk = desk_with(logic.RISK_CONTROLS)
        first, second = (2**62, 0) if expires else (0, 2**62)
        desk.step(replace(BOUNDS, version=5, expires_ns=first))
        desk.step(replace(BOUNDS, version=6, expires_ns=second))
        assert refused(desk, replace(BOUNDS, version=6)) is Reason.STALE_VERSION
        assert one(desk.step(replace(BOUNDS, version=7)), ScopeLimitsSet).version == 7


def test_limits_that_end_now_are_over() -> None:
    for later_ns, is_over in ((0, True), (1, False)):
        desk = desk_with()
        ends_ns = desk.now_ns + MILLISECOND_NS + later_ns
        events = desk.step(replace(BOUNDS, expires_ns=ends_ns))
        assert any(isinstance(event, ControlRefused) for event in events) is is_over


def test_who_set_limits_alone_has_no_second_person() -> None:
    assert one(desk_with().step(replace(BOUNDS, actor="ann")), ScopeLimitsSet).second_actor == ""


def test_a_proposal_is_void_after_just_a_day() -> None:
    assert PROPOSAL_NS == 86_400_000_000_000
