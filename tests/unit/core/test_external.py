# SPDX-License-Identifier: Apache-2.0
"""An order of nobody's counts from the first word about it, and can be ended; it is never sent."""

from dataclasses import replace

import pytest

from tradewind.core import commands
from tradewind.core.events import OrderAdopted, OrderReport, ReportIgnored, VenueRequest
from tradewind.core.external import order_of
from tradewind.core.invariants import violations
from tradewind.core.state import Order
from tradewind.core.testing import ACCOUNT, LIMITS, SYMBOL, VENUE, Desk, one
from tradewind.core.types import (
    ExecType,
    OrdStatus,
    OrdType,
    Reason,
    Side,
    TimeInForce,
    VenueAction,
)

HOUSE = "HOUSE"
TERMS = {"account": HOUSE, "symbol": SYMBOL, "side": Side.SELL, "order_qty": 10, "price": 1_001}


@pytest.fixture
def desk() -> Desk:
    desk = Desk.opened()
    desk.step(replace(LIMITS, account=HOUSE, max_position=15))
    return desk


def test_it_is_adopted_and_its_account_has_it_at_stake(desk: Desk) -> None:
    adopted, report = desk.report("theirs", ExecType.NEW, **TERMS)
    assert isinstance(adopted, OrderAdopted)
    assert isinstance(report, OrderReport)
    assert (report.account, report.ord_status, report.leaves_qty) == (HOUSE, OrdStatus.NEW, 10)
    assert (report.strategy, report.order_id) == ("EXTERNAL", "theirs")
    assert desk.machine.state.position(HOUSE, SYMBOL).sell_working == 10
    denied = desk.submit("more", account=HOUSE, side=Side.SELL, order_qty=6)
    assert denied.reason is Reason.MAX_POSITION
    assert violations(desk.machine.state) == []


def test_nothing_is_known_of_it_but_what_the_report_says(desk: Desk) -> None:
    (adopted, _report) = desk.report("theirs", ExecType.NEW, venue_order_id="V9", **TERMS)
    entry = desk.entries[-1]
    assert adopted == OrderAdopted(
        venue=VENUE,
        account=HOUSE,
        order_id="theirs",
        cl_ord_id=f"{VENUE}-{entry.seq}",
        venue_order_id="V9",
        symbol=SYMBOL,
        side=Side.SELL,
        order_qty=10,
        price=1_001,
    )
    assert isinstance(adopted, OrderAdopted)
    assert order_of(entry, adopted) == Order(
        seq=entry.seq,
        account=HOUSE,
        order_id="theirs",
        cl_ord_id=adopted.cl_ord_id,
        venue=VENUE,
        venue_order_id="V9",
        symbol=SYMBOL,
        side=Side.SELL,
        ord_type=OrdType.LIMIT,
        time_in_force=TimeInForce.GTC,
        order_qty=10,
        price=1_001,
        cum_qty=0,
        leaves_qty=10,
        cum_notional=0,
        ord_status=OrdStatus.NEW,
        is_acked=True,
        client=VENUE,
        strategy="EXTERNAL",
        send_by_ns=0,
        stop_px=0,
        display_qty=0,
        is_post_only=False,
        expire_ns=0,
        algorithm="NONE",
        build="NONE",
        parent_order_id="",
        is_parent=False,
        child_working=0,
        is_unknown=False,
        replaced_seq=0,
        ended_ns=0,
        pendings=(),
        fills=(),
        venue_exec_ids=[],
    )


@pytest.mark.parametrize(
    "exec_type", [ExecType.NEW, ExecType.TRADE, ExecType.TRIGGERED, ExecType.RESTATED]
)
def test_any_word_of_an_order_at_work_is_enough(desk: Desk, exec_type: ExecType) -> None:
    terms = {**TERMS, "order_qty": 1, "last_qty": 1, "last_px": 1_001}
    adopted, report = desk.report("theirs", exec_type, **terms)
    assert isinstance(adopted, OrderAdopted)
    assert isinstance(report, OrderReport)
    assert report.exec_type is exec_type


def test_a_fill_is_enough_to_find_it_and_is_booked_once(desk: Desk) -> None:
    trade = {**TERMS, "last_qty": 4, "last_px": 1_001, "exec_id": "X1"}
    assert len(desk.report("theirs", ExecType.TRADE, **trade)) == 2
    assert len(desk.report("theirs", ExecType.NEW, **TERMS)) == 1
    ignored = one(desk.report("theirs", ExecType.TRADE, **trade), ReportIgnored)
    assert ignored.text == "seen before"
    order = desk.order("theirs")
    assert (order.ord_status, order.cum_qty) == (OrdStatus.PARTIALLY_FILLED, 4)
    assert desk.machine.state.position(HOUSE, SYMBOL).qty == -4
    assert violations(desk.machine.state) == []


def test_it_can_be_cancelled_and_no_session_sends_it(desk: Desk) -> None:
    adopted = one(desk.report("theirs", ExecType.NEW, **TERMS), OrderAdopted)
    assert len(desk.take_session()) == 1
    cancel = commands.CancelOrder(
        account=HOUSE, cl_ord_id="x", orig_cl_ord_id=adopted.cl_ord_id, client="ops"
    )
    request = one(desk.step(cancel), VenueRequest)
    assert (request.action, request.order_id) == (VenueAction.CANCEL, "theirs")
    desk.report("theirs", ExecType.CANCELED, request_id=request.request_id)
    assert desk.order("theirs").ord_status is OrdStatus.CANCELED
    assert violations(desk.machine.state) == []


def test_a_mass_cancel_of_the_shard_ends_it_too(desk: Desk) -> None:
    desk.report("theirs", ExecType.NEW, **TERMS)
    events = desk.step(commands.MassCancel(account="", cl_ord_id="all", client="ops"))
    assert one(events, VenueRequest).order_id == "theirs"


@pytest.mark.parametrize(
    "changes",
    [
        {"symbol": ""},
        {"symbol": "OTHER"},
        {"venue": "ELSEWHERE"},
        {"order_qty": 0},
        {"price": -1},
        {"exec_type": ExecType.CANCELED},
        {"exec_type": ExecType.REJECTED},
        {"exec_type": ExecType.CANCEL_REJECTED},
    ],
)
def test_what_does_not_say_enough_is_ignored_as_ever(
    desk: Desk, changes: dict[str, object]
) -> None:
    exec_type = ExecType(str(changes.get("exec_type", ExecType.NEW)))
    rest = {key: value for key, value in changes.items() if key != "exec_type"}
    ignored = one(desk.report("theirs", exec_type, **{**TERMS, **rest}), ReportIgnored)
    assert ignored.text == "no order of ours has this id"
    assert desk.machine.state.orders == {}


def test_a_market_order_has_no_price_and_a_retired_one_is_never_adopted(desk: Desk) -> None:
    desk.report("market", ExecType.NEW, **{**TERMS, "price": 0})
    assert desk.order("market").ord_type == "MARKET"
    desk.report("market", ExecType.CANCELED)
    desk.step(commands.RollDay(trading_date="2026-01-02", retire_before_ns=desk.now_ns + 1))
    ignored = one(desk.report("market", ExecType.NEW, **TERMS), ReportIgnored)
    assert ignored.text == "its order was retired"


def test_terms_change_nothing_for_an_order_that_is_ours(desk: Desk) -> None:
    order_id = desk.submit().order_id
    desk.report(order_id, ExecType.NEW, **TERMS)
    order = desk.order(order_id)
    assert (order.account, order.side) == (ACCOUNT, Side.BUY)
