# SPDX-License-Identifier: Apache-2.0
"""The kill switch: it stops a scope, ends its orders, outlives restarts, and takes two to clear."""

from typing import Any

import pytest

from tradewind.core import commands
from tradewind.core.decide_kill import cancels
from tradewind.core.events import (
    ControlRefused,
    KillClearAsked,
    KillCleared,
    ScopeKilled,
    TradingStateSet,
    VenueRequest,
)
from tradewind.core.invariants import violations
from tradewind.core.machine import StateMachine
from tradewind.core.snapshot import parts, restore
from tradewind.core.testing import ACCOUNT, NEVER_NS, SYMBOL, VENUE, Desk, one
from tradewind.core.types import ExecType, OrdStatus, Reason, TradingState, VenueAction

SCOPES = (
    "firm",
    f"account:{ACCOUNT}",
    f"symbol:{SYMBOL}",
    "strategy:strategy",
    "client:client",
    f"venue:{VENUE}",
    f"account:{ACCOUNT}/symbol:{SYMBOL}",
)
OTHERS = ("account:OTHER", "symbol:ETH-USD", "strategy:other", "client:other", "venue:OTHER")


def kill(desk: Desk, scope: str = "firm", **changes: Any) -> tuple[Any, ...]:
    words = {"kill_id": "k1", "actor": "ann", "reason": "drill"} | changes
    return desk.step(commands.KillScope(scope=scope, **words))


def clear(desk: Desk, actor: str, scope: str = "firm", **changes: Any) -> tuple[Any, ...]:
    words = {"kill_id": "k1", "root_cause": "I-1"} | changes
    return desk.step(commands.ClearKill(scope=scope, actor=actor, **words))


def reason_of(events: tuple[Any, ...]) -> Reason:
    return one(events, ControlRefused).reason


@pytest.mark.parametrize("scope", SCOPES)
def test_it_stops_new_risk_and_ends_what_works_in_its_scope(scope: str) -> None:
    desk = Desk.opened()
    orders = [desk.ack(desk.submit(f"c{n}").order_id).order_id for n in range(3)]
    events = kill(desk, scope)
    assert one(events, ScopeKilled).order_count == 3
    cancels = [event for event in events if isinstance(event, VenueRequest)]
    assert [(each.action, each.order_id) for each in cancels] == [
        (VenueAction.CANCEL, order) for order in orders
    ]
    assert desk.submit("n").reason is Reason.KILLED
    assert desk.replace("r", "c0", qty=5).exec_type is ExecType.REPLACE_REJECTED
    assert violations(desk.machine.state) == []


@pytest.mark.parametrize("scope", OTHERS)
def test_others_go_on(scope: str) -> None:
    desk = Desk.opened()
    desk.submit("c1")
    assert one(kill(desk, scope), ScopeKilled).order_count == 0
    assert desk.submit("n").reason is Reason.NONE


def test_a_replace_of_what_cannot_be_cancelled_yet_is_refused_too() -> None:
    desk = Desk.opened()
    order = desk.ack(desk.submit("c1").order_id).order_id
    kill(desk)
    pending = desk.order(order).pendings[0].request_id
    desk.report(order, ExecType.CANCEL_REJECTED, request_id=pending)
    assert desk.replace("r", "c1", qty=5).reason is Reason.KILLED
    assert desk.cancel("x", "c1").exec_type is ExecType.PENDING_CANCEL


def test_what_works_in_a_scope_can_be_cancelled_before_any_entry_says_so() -> None:
    desk = Desk.opened()
    ended, *working = [desk.ack(desk.submit(f"c{n}").order_id).order_id for n in range(3)]
    desk.report(ended, ExecType.CANCELED)
    state = desk.machine.state
    for scope in SCOPES:
        found = cancels(state, scope, VENUE)
        assert [(each.action, each.order_id) for _seq, each in found] == [
            (VenueAction.CANCEL, order) for order in working
        ]
    assert not cancels(state, "firm", "OTHER")
    assert not any(cancels(state, scope, VENUE) for scope in OTHERS)
    first = cancels(state, "firm", VENUE)[0][1]
    desk.report(first.order_id, ExecType.CANCELED, request_id=first.request_id)
    assert desk.order(first.order_id).ord_status is OrdStatus.CANCELED
    kill(desk)
    second = cancels(desk.machine.state, "firm", VENUE)[0][1]
    desk.report(second.order_id, ExecType.CANCELED, request_id=second.request_id)
    assert desk.order(second.order_id).ord_status is OrdStatus.CANCELED


def test_a_parent_goes_with_its_children() -> None:
    desk = Desk.opened()
    desk.submit("p", order_qty=50, is_parent=True)
    child = desk.submit("c", parent_cl_ord_id="p", strategy="worker")
    assert one(kill(desk, "strategy:strategy"), ScopeKilled).order_count == 2
    assert [item.action for item in desk.order(child.order_id).pendings] == [VenueAction.CANCEL]


def test_fills_that_arrive_later_are_booked_and_unconfirmed_orders_stay_live() -> None:
    desk = Desk.opened()
    order = desk.ack(desk.submit("c1").order_id).order_id
    kill(desk)
    assert not desk.order(order).is_final
    desk.fill(order, 4)
    assert desk.position.qty == 4
    assert desk.order(order).reserved_qty == 6


def test_it_outlives_restarts_and_no_trading_state_opens_it() -> None:
    desk = Desk.opened()
    kill(desk)
    desk = Desk(StateMachine(restore(parts(desk.machine.state))))
    for state in (TradingState.ACTIVE, TradingState.REDUCING):
        command = commands.SetTradingState(scope="firm", state=state, actor="op", reason="x")
        assert reason_of(desk.step(command)) is Reason.KILLED
    desk.trading(TradingState.ACTIVE, f"account:{ACCOUNT}")
    assert desk.submit("n").reason is Reason.KILLED


def test_said_again_it_cancels_what_is_left_and_the_first_word_stays() -> None:
    desk = Desk.opened()
    order = desk.ack(desk.submit("c1").order_id).order_id
    first = one(kill(desk), ScopeKilled)
    assert one(kill(desk), ScopeKilled).order_count == 0
    pending = desk.order(order).pendings[0].request_id
    desk.report(order, ExecType.CANCEL_REJECTED, request_id=pending)
    again = one(kill(desk, kill_id="k2", actor="bob"), ScopeKilled)
    assert (again.order_count, again.kill_id, again.actor) == (1, "k1", "ann")
    assert again.ts_ns == first.ts_ns


def test_two_people_clear_it_and_somebody_opens_it() -> None:
    desk = Desk.opened()
    kill(desk)
    assert one(clear(desk, "ann"), KillClearAsked).root_cause == "I-1"
    assert desk.submit("a").reason is Reason.KILLED
    cleared = one(clear(desk, "bob"), KillCleared)
    assert (cleared.actor, cleared.second_actor) == ("ann", "bob")
    assert (desk.machine.state.kills, desk.machine.state.clearings) == ({}, {})
    assert desk.submit("b").reason is Reason.TRADING_HALTED
    desk.trading(TradingState.ACTIVE)
    assert desk.submit("c").reason is Reason.NONE
    assert reason_of(clear(desk, "bob")) is Reason.NOT_KILLED


def test_nobody_clears_it_alone_without_a_cause_for_another_kill_or_for_themselves() -> None:
    desk = Desk.opened()
    kill(desk)
    kill(desk, "client:client")
    clear(desk, "ann")
    assert reason_of(clear(desk, "ann")) is Reason.SECOND_PERSON_NEEDED
    assert reason_of(clear(desk, "")) is Reason.SECOND_PERSON_NEEDED
    assert reason_of(clear(desk, "bob", root_cause="")) is Reason.ROOT_CAUSE_MISSING
    assert reason_of(clear(desk, "bob", kill_id="k9")) is Reason.NOT_KILLED
    assert reason_of(clear(desk, "bob", "symbol:X")) is Reason.NOT_KILLED
    assert reason_of(clear(desk, "client", "client:client")) is Reason.SECOND_PERSON_NEEDED
    assert one(clear(desk, "bob", root_cause="I-2"), KillClearAsked).actor == "bob"
    kill(desk, actor="eve")
    assert one(clear(desk, "ann", root_cause="I-2"), KillClearAsked)


@pytest.mark.parametrize("scope", ["", "everything", "account:*", "account:", "shard"])
def test_only_one_scope_can_be_killed(scope: str) -> None:
    assert reason_of(kill(Desk.opened(), scope)) is Reason.INVALID_SCOPE


def test_it_says_who_stopped_what_and_why_and_numbers_its_requests() -> None:
    desk = Desk.opened()
    desk.ack(desk.submit("c1").order_id)
    events = kill(desk, reason="prices")
    killed, halted = one(events, ScopeKilled), one(events, TradingStateSet)
    assert (killed.scope, killed.actor, killed.reason) == ("firm", "ann", "prices")
    assert (halted.scope, halted.state) == ("firm", TradingState.HALTED)
    assert (halted.actor, halted.reason) == ("ann", "C28 prices")
    assert one(events, VenueRequest).request_id == f"seg-0-{desk.machine.state.seq}.1"
    again = one(kill(desk, reason="other"), ScopeKilled)
    assert again.reason == "prices"
    asked, cleared = one(clear(desk, "ann"), KillClearAsked), one(clear(desk, "bob"), KillCleared)
    assert (asked.kill_id, cleared.kill_id, cleared.root_cause) == ("k1", "k1", "I-1")
    refused = one(clear(desk, "bob"), ControlRefused)
    assert (refused.command, refused.subject, refused.text) == ("ClearKill", "firm", "")


def test_the_children_of_parents_elsewhere_go_on() -> None:
    desk = Desk.opened()
    desk.submit("p", order_qty=50, is_parent=True)
    child = desk.submit("c", parent_cl_ord_id="p")
    assert one(kill(desk, "strategy:other"), ScopeKilled).order_count == 0
    assert desk.order(child.order_id).pendings == ()


def test_a_new_session_is_given_cancels_and_questions_but_nothing_that_makes_risk() -> None:
    desk = Desk.opened()
    desk.submit("sent")
    replaced = desk.ack(desk.submit("replaced").order_id).order_id
    desk.replace("r", "replaced", qty=20)
    other = desk.submit("other", strategy="other").order_id
    kill(desk, "strategy:strategy")
    given = [event for event in desk.take_session() if isinstance(event, VenueRequest)]
    assert VenueAction.REPLACE not in {each.action for each in given}
    news = {each.order_id: each.send_by_ns for each in given if each.action is VenueAction.NEW}
    sent = desk.machine.state.order_of(ACCOUNT, "sent")
    assert sent is not None
    assert news == {sent.order_id: 0, other: NEVER_NS}
    cancels = [each.order_id for each in given if each.action is VenueAction.CANCEL]
    assert cancels == [sent.order_id, replaced]
    assert all(each.is_possibly_sent for each in given)


def test_without_a_kill_a_new_session_is_given_everything() -> None:
    desk = Desk.opened()
    desk.submit("sent")
    desk.ack(desk.submit("replaced").order_id)
    desk.replace("r", "replaced", qty=20)
    given = [event for event in desk.take_session() if isinstance(event, VenueRequest)]
    assert [each.action for each in given] == [VenueAction.NEW, VenueAction.REPLACE]
    assert given[0].send_by_ns == NEVER_NS
