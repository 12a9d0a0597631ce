# SPDX-License-Identifier: Apache-2.0
"""Requests about a whole account: mass cancel, flatten, adjust, reset."""

from dataclasses import replace
from typing import Any

import pytest

from tests.golden.life import Life
from tradewind.core import commands
from tradewind.core.events import MassCancelReport, OrderReport, PositionAdjusted, VenueRequest
from tradewind.core.invariants import violations
from tradewind.core.snapshot import dump
from tradewind.core.state import Position
from tradewind.core.testing import ACCOUNT, NEVER_NS, SYMBOL, VENUE, one, request_of
from tradewind.core.types import (
    ExecType,
    OrdStatus,
    OrdType,
    Reason,
    Side,
    TimeInForce,
    TradingState,
    VenueAction,
)

OTHER = "ETH-USD"
MASS = commands.MassCancel(account=ACCOUNT, cl_ord_id="m1", client="client")
FLATTEN = commands.FlattenPosition(
    account=ACCOUNT,
    cl_ord_id="f1",
    symbol=SYMBOL,
    client="client",
    strategy="strategy",
    void_after_ns=NEVER_NS,
    algorithm="TWAP",
    build="b1",
)
ADJUST = commands.AdjustPosition(
    account=ACCOUNT, cl_ord_id="a1", symbol=SYMBOL, qty=7, price=990, actor="op", reason="give-up"
)
RESET = commands.ResetPosition(
    account=ACCOUNT, cl_ord_id="z1", symbol=SYMBOL, actor="op", reason="new year"
)


def floor() -> Life:
    """Orders of two accounts, two instruments and two strategies, named by what they are of."""
    desk = Life.opened()
    desk.step(
        commands.DefineInstrument(
            symbol=OTHER, venue=VENUE, tick_size="0.01", lot_size="0.001", currency="USD"
        )
    )
    desk.step(commands.SetReferencePrice(symbol=OTHER, price=1_000))
    desk.limits(symbol=OTHER)
    desk.limits(account="ALPHA")
    desk.make("plain")
    desk.make("eth", symbol=OTHER)
    desk.make("carry", strategy="carry")
    desk.make("alpha", account="ALPHA")
    desk.fill(desk.make("over"), 10)
    return desk


def asked(desk: Life, command: commands.MassCancel) -> tuple[MassCancelReport, list[str]]:
    """What a mass cancel reports, and the orders that the venue is asked to cancel."""
    report, *rest = desk.step(command)
    assert isinstance(report, MassCancelReport)
    requests = [event for event in rest if isinstance(event, VenueRequest)]
    assert all(request.action is VenueAction.CANCEL for request in requests)
    assert len({request.request_id for request in requests}) == len(requests)
    exec_ids = [event.exec_id for event in rest if isinstance(event, OrderReport)]
    assert len(set(exec_ids)) == len(exec_ids) == len(requests)
    assert violations(desk.machine.state) == []
    return report, [desk.order(request.order_id).cl_ord_id for request in requests]


@pytest.mark.parametrize(
    ("scope", "names"),
    [
        ({}, ["plain", "eth", "carry"]),
        ({"symbol": SYMBOL}, ["plain", "carry"]),
        ({"symbol": OTHER}, ["eth"]),
        ({"strategy": "carry"}, ["carry"]),
        ({"symbol": OTHER, "strategy": "carry"}, []),
        ({"account": "ALPHA"}, ["alpha"]),
        ({"account": ""}, ["plain", "eth", "carry", "alpha"]),
        ({"account": "", "symbol": SYMBOL}, ["plain", "carry", "alpha"]),
    ],
)
def test_a_mass_cancel_asks_for_the_end_of_just_what_matches(
    scope: dict[str, Any], names: list[str]
) -> None:
    desk = floor()
    report, found = asked(desk, replace(MASS, **scope))
    assert found == names
    assert (report.order_count, report.reason) == (len(names), Reason.NONE)
    assert (report.account, report.symbol, report.strategy) == (
        scope.get("account", ACCOUNT),
        scope.get("symbol", ""),
        scope.get("strategy", ""),
    )
    for order in desk.machine.state.live_orders.values():
        is_asked = order.ord_status is OrdStatus.PENDING_CANCEL
        assert is_asked == (order.cl_ord_id in names)


def test_a_mass_cancel_can_be_for_what_one_client_entered() -> None:
    desk = floor()
    desk.make("theirs", client="theirs")
    assert asked(desk, replace(MASS, entered_by="nobody"))[1] == []
    other, found = asked(desk, MASS)
    assert (other.reason, found) == (Reason.CL_ORD_ID_REUSED, [])
    assert asked(desk, replace(MASS, cl_ord_id="m2", entered_by="theirs"))[1] == ["theirs"]


def test_a_mass_cancel_leaves_out_what_is_being_cancelled_already() -> None:
    desk = floor()
    desk.cancel("x1", "plain")
    report, found = asked(desk, replace(MASS, symbol=SYMBOL))
    assert (report.order_count, found) == (1, ["carry"])


def test_a_mass_cancel_passes_when_trading_is_halted_and_keeps_the_orders_ids() -> None:
    desk = floor()
    desk.trading(TradingState.HALTED)
    _report, found = asked(desk, MASS)
    assert found == ["plain", "eth", "carry"]
    order = desk.machine.state.order_of(ACCOUNT, "plain")
    assert order is not None
    desk.answer(order.order_id, ExecType.CANCELED)
    assert (order.cl_ord_id, order.ord_status) == ("plain", OrdStatus.CANCELED)


def test_a_repeated_mass_cancel_cancels_nothing_that_came_later() -> None:
    desk = floor()
    asked(desk, MASS)
    desk.make("later")
    report, found = asked(desk, MASS)
    assert (report.reason, report.order_count, found) == (Reason.DUPLICATE_CL_ORD_ID, 0, [])
    other, found = asked(desk, replace(MASS, symbol=SYMBOL))
    assert (other.reason, found) == (Reason.CL_ORD_ID_REUSED, [])
    assert asked(desk, replace(MASS, cl_ord_id="m2"))[1] == ["later"]


def test_a_mass_cancel_takes_parents_with_their_children_whatever_theirs_match() -> None:
    desk = Life.opened()
    parent = desk.make("parent", order_qty=30, is_parent=True)
    child = desk.make("child", parent_cl_ord_id="parent", strategy="child's own")
    alone = desk.make("alone", is_parent=True)
    report, *rest = desk.step(replace(MASS, strategy="strategy"))
    assert isinstance(report, MassCancelReport)
    assert report.order_count == 3
    assert request_of(tuple(rest)).order_id == child
    statuses = [desk.order(order_id).ord_status for order_id in (parent, child, alone)]
    assert statuses == ["PENDING_CANCEL", "PENDING_CANCEL", "CANCELED"]
    desk.answer(child, ExecType.CANCELED)
    assert (desk.order(parent).ord_status, desk.order(parent).cl_ord_id) == ("CANCELED", "parent")


def test_a_mass_cancel_does_not_touch_a_parent_that_does_not_match_nor_its_children() -> None:
    desk = Life.opened()
    parent = desk.make("parent", order_qty=30, is_parent=True, strategy="carry")
    desk.make("child", parent_cl_ord_id="parent", strategy="carry")
    desk.make("alone")
    assert asked(desk, replace(MASS, strategy="strategy"))[1] == ["alone"]
    assert desk.order(parent).ord_status is OrdStatus.NEW


def test_a_mass_cancel_that_matched_nothing_is_used_up_too() -> None:
    desk = Life.opened()
    assert asked(desk, MASS)[0].reason is Reason.NONE
    desk.make("later")
    assert asked(desk, MASS)[0].reason is Reason.DUPLICATE_CL_ORD_ID


@pytest.mark.parametrize("qty", [1, 7])
@pytest.mark.parametrize(("held", "side"), [(Side.BUY, Side.SELL), (Side.SELL, Side.BUY)])
def test_flatten_sends_a_market_order_of_just_the_position(
    held: Side, side: Side, qty: int
) -> None:
    desk = Life.opened()
    desk.fill(desk.make("h", side=held), qty)
    events = desk.step(FLATTEN)
    report, request = one(events, OrderReport), request_of(events)
    assert (report.exec_type, report.order_id) == (ExecType.PENDING_NEW, request.order_id)
    assert (report.algorithm, report.build, report.strategy) == ("TWAP", "b1", "strategy")
    assert (request.side, request.order_qty) == (side, qty)
    assert (request.ord_type, request.price) == (OrdType.MARKET, 0)
    assert (request.time_in_force, request.send_by_ns) == (TimeInForce.IOC, NEVER_NS)
    desk.report(desk.order(report.order_id).order_id, ExecType.NEW)
    desk.fill(report.order_id, qty)
    assert desk.position.qty == 0


def test_flatten_is_under_the_rules_of_a_new_order() -> None:
    desk = Life.opened()
    nothing = one(desk.step(FLATTEN), OrderReport)
    assert (nothing.reason, nothing.side) == (Reason.NOTHING_TO_FLATTEN, Side.BUY)
    assert (nothing.order_id, nothing.parent_order_id) == ("", "")
    desk.fill(desk.make("h"), 7)
    assert one(desk.step(replace(FLATTEN, symbol="?")), OrderReport).reason is not Reason.NONE
    desk.trading(TradingState.HALTED)
    denied = one(desk.step(replace(FLATTEN, cl_ord_id="f2")), OrderReport)
    assert (denied.exec_type, denied.reason) == (ExecType.DENIED, Reason.TRADING_HALTED)
    desk.trading(TradingState.REDUCING)
    passed = one(desk.step(replace(FLATTEN, cl_ord_id="f3")), OrderReport)
    assert passed.reason is Reason.NONE


def test_a_repeated_flatten_gets_the_original_outcome_and_sends_nothing() -> None:
    desk = Life.opened()
    assert one(desk.step(FLATTEN), OrderReport).reason is Reason.NOTHING_TO_FLATTEN
    desk.fill(desk.make("h"), 7)
    assert one(desk.step(FLATTEN), OrderReport).reason is Reason.NOTHING_TO_FLATTEN
    second = replace(FLATTEN, cl_ord_id="f2")
    first = one(desk.step(second), OrderReport)
    desk.fill(first.order_id, 7)
    (again,) = desk.step(second)
    assert isinstance(again, OrderReport)
    assert (again.reason, again.exec_type) == (Reason.DUPLICATE_CL_ORD_ID, ExecType.DENIED)
    assert (again.order_id, again.ord_status, again.cl_ord_id) == (first.order_id, "FILLED", "f2")
    desk.step(commands.RollDay(trading_date="2026-01-02", retire_before_ns=NEVER_NS))
    (late,) = desk.step(second)
    assert isinstance(late, OrderReport)
    assert (late.reason, late.order_id, late.ord_status, late.cum_qty) == (
        Reason.DUPLICATE_CL_ORD_ID,
        first.order_id,
        "FILLED",
        7,
    )


@pytest.mark.parametrize(
    ("qty", "price", "position"),
    [
        (7, 990, Position(qty=7, cost=6_930, adjusted_qty=7, adjusted_cost=6_930)),
        (-7, 990, Position(qty=-7, cost=-6_930, adjusted_qty=-7, adjusted_cost=-6_930)),
        (3, 0, Position(qty=3, adjusted_qty=3)),
    ],
)
def test_an_adjustment_is_booked_to_the_account_but_to_no_strategy(
    qty: int, price: int, position: Position
) -> None:
    desk = Life.opened()
    event = one(desk.step(replace(ADJUST, qty=qty, price=price)), PositionAdjusted)
    assert (event.qty, event.price, event.reason) == (qty, price, Reason.NONE)
    assert (event.actor, event.why, event.is_reset) == ("op", "give-up", False)
    assert desk.position == position
    assert desk.machine.state.ledgers == {(ACCOUNT, SYMBOL, "", "", ""): position}
    assert violations(desk.machine.state) == []


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"qty": 0}, Reason.INVALID_QUANTITY),
        ({"price": -1}, Reason.INVALID_PRICE),
        ({"symbol": "?"}, Reason.UNKNOWN_INSTRUMENT),
    ],
)
def test_an_adjustment_that_makes_no_sense_changes_nothing(
    wrong: dict[str, Any], reason: Reason
) -> None:
    desk = Life.opened()
    for _ in range(2):
        assert one(desk.step(replace(ADJUST, **wrong)), PositionAdjusted).reason is reason
    assert (desk.machine.state.positions, desk.machine.state.ledgers) == ({}, {})


def test_an_adjustment_against_the_position_realises_its_difference() -> None:
    desk = Life.opened()
    desk.fill(desk.make("h"), 10)
    desk.step(replace(ADJUST, qty=-4, price=1_010))
    position = desk.position
    assert (position.qty, position.cost, position.realised) == (6, 6_000, 40)
    assert (position.adjusted_qty, position.adjusted_cost) == (-4, -4_040)
    assert (position.bought_qty, position.sold_qty) == (10, 0)
    for _ in range(2):
        assert one(desk.step(replace(ADJUST, qty=-4, price=1_010)), PositionAdjusted).reason is (
            Reason.DUPLICATE_CL_ORD_ID
        )
    assert desk.position.qty == 6


def test_a_reset_makes_flat_what_is_held_and_leaves_what_is_working() -> None:
    desk = Life.opened()
    desk.fill(desk.make("h"), 6)
    desk.fill(desk.make("s", side=Side.SELL, strategy="carry"), 2, 1_010)
    before = {key: replace(ledger) for key, ledger in desk.machine.state.ledgers.items()}
    event = one(desk.step(RESET), PositionAdjusted)
    assert (event.qty, event.price, event.is_reset, event.why) == (-4, 0, True, "new year")
    for ledger in (desk.position, *desk.machine.state.ledgers.values()):
        assert (ledger.qty, ledger.cost, ledger.realised) == (0, 0, 0)
    assert (desk.position.buy_working, desk.position.sell_working) == (4, 8)
    assert (desk.position.bought_qty, desk.position.sold_qty) == (6, 2)
    assert (desk.position.adjusted_qty, desk.position.adjusted_cost) == (-4, -3_980)
    assert before.keys() == desk.machine.state.ledgers.keys()
    assert violations(desk.machine.state) == []
    assert one(desk.step(RESET), PositionAdjusted).reason is Reason.DUPLICATE_CL_ORD_ID
    reused = one(desk.step(replace(ADJUST, cl_ord_id="z1")), PositionAdjusted)
    assert reused.reason is Reason.CL_ORD_ID_REUSED


def test_a_reset_of_nothing_and_of_another_account_touches_nothing_else() -> None:
    desk = Life.opened()
    desk.fill(desk.make("h"), 6)
    held = dump(desk.machine.state)["ledgers"]
    assert one(desk.step(replace(RESET, account="ALPHA")), PositionAdjusted).qty == 0
    assert one(desk.step(replace(RESET, cl_ord_id="z2", symbol="?")), PositionAdjusted).reason is (
        Reason.UNKNOWN_INSTRUMENT
    )
    assert dump(desk.machine.state)["ledgers"] == held
    assert desk.position.qty == 6
