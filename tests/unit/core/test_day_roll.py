# SPDX-License-Identifier: Apache-2.0
"""A new trading date: who is asked, who leaves memory, and what their ids answer for ever."""

from dataclasses import replace
from typing import Any

import pytest

from tests.golden.life import Life
from tradewind.core import commands
from tradewind.core.commands import Command
from tradewind.core.events import (
    ControlRefused,
    DayRolled,
    OrderReport,
    ReportIgnored,
    TradingStateSet,
    VenueRequest,
)
from tradewind.core.invariants import violations
from tradewind.core.snapshot import digest
from tradewind.core.testing import ACCOUNT, MILLISECOND_NS, SUBMIT, SYMBOL, one
from tradewind.core.types import (
    ExecType,
    OrdStatus,
    Reason,
    TimeInForce,
    TradingState,
    VenueAction,
)

DAY = {"time_in_force": TimeInForce.DAY}
STATUS = commands.RequestStatus(account=ACCOUNT, cl_ord_id="c1", client="client")


def roll(desk: Life, date: str = "2026-01-02", *, before_ns: int = 0) -> tuple[Any, ...]:
    return desk.step(commands.RollDay(trading_date=date, retire_before_ns=before_ns))


def gtd(desk: Life, in_ms: int) -> dict[str, Any]:
    expire_ns = desk.now_ns + in_ms * MILLISECOND_NS
    return {"time_in_force": TimeInForce.GTD, "expire_ns": expire_ns}


def test_a_date_begins_once_and_never_an_earlier_one() -> None:
    desk = Life.opened()
    rolled = one(roll(desk), DayRolled)
    assert (rolled.trading_date, rolled.retired_count) == ("2026-01-02", 0)
    assert desk.machine.state.trading_date == "2026-01-02"
    for date in ("2026-01-02", "2026-01-01", "2025-12-31"):
        refused = one(roll(desk, date), ControlRefused)
        assert (refused.subject, refused.reason) == (date, Reason.INVALID_DATE)
    assert one(roll(desk, "2026-01-03"), DayRolled).trading_date == "2026-01-03"


def test_the_venue_is_asked_about_orders_that_should_have_ended_and_nothing_is_presumed() -> None:
    desk = Life.opened()
    ids = {
        "day": desk.make("day", **DAY),
        "gtc": desk.make("gtc"),
        "gtd-over": desk.make("gtd-over", **gtd(desk, 5)),
        "gtd-later": desk.make("gtd-later", **gtd(desk, 1_000)),
        "unsent": desk.submit("unsent", **DAY).order_id,
        "over": desk.make("over", **DAY),
    }
    desk.fill(ids["over"], 10)
    rolled, *requests = roll(desk)
    assert isinstance(rolled, DayRolled)
    assert all(isinstance(request, VenueRequest) for request in requests)
    found = {(r.action, r.order_id) for r in requests}
    assert found == {(VenueAction.STATUS, ids["day"]), (VenueAction.STATUS, ids["gtd-over"])}
    seq = desk.machine.state.seq  # numbered as the live orders are
    assert [request.request_id for request in requests] == [f"seg-0-{seq}.1", f"seg-0-{seq}.3"]
    assert desk.order(ids["day"]).ord_status is OrdStatus.NEW
    desk.fill(ids["day"], 10)
    assert desk.position.qty == 20


@pytest.mark.parametrize(("early_ns", "is_asked"), [(0, True), (1, False)])
def test_a_dated_order_is_over_at_its_time(early_ns: int, is_asked: bool) -> None:
    desk = Life.opened()
    expire_ns = desk.now_ns + 3 * MILLISECOND_NS
    desk.make("dated", time_in_force=TimeInForce.GTD, expire_ns=expire_ns)
    desk.now_ns = expire_ns - early_ns - MILLISECOND_NS
    assert len(roll(desk)) == 1 + is_asked


def test_a_parent_that_is_over_is_cancelled_with_its_children() -> None:
    desk = Life.opened()
    parent = desk.make("parent", order_qty=30, is_parent=True, **DAY)
    child = desk.make("child", parent_cl_ord_id="parent")
    lonely = desk.make("lonely", is_parent=True, **DAY)
    desk.make("gtc-parent", is_parent=True)
    reports = [event for event in roll(desk) if isinstance(event, OrderReport)]
    assert [(r.order_id, r.exec_type) for r in reports] == [
        (parent, ExecType.PENDING_CANCEL),
        (child, ExecType.PENDING_CANCEL),
        (lonely, ExecType.CANCELED),
    ]
    assert len({report.exec_id for report in reports}) == 3
    desk.answer(child, ExecType.CANCELED)
    assert [desk.order(order_id).ord_status for order_id in (parent, lonely)] == ["CANCELED"] * 2
    assert desk.order(parent).cl_ord_id == "parent"
    assert violations(desk.machine.state) == []


def retired(desk: Life, end: ExecType = ExecType.CANCELED) -> str:
    """An order that traded 4 of 10, ended and left memory."""
    order_id = desk.make("c1")
    desk.fill(order_id, 4, 990)
    desk.report(order_id, end)
    roll(desk, before_ns=desk.now_ns + 1)
    assert order_id not in desk.machine.state.orders
    return order_id


def test_only_orders_that_ended_before_the_time_leave_memory() -> None:
    desk = Life.opened()
    first, second, live = desk.make("a"), desk.make("b"), desk.make("c")
    desk.report(first, ExecType.EXPIRED)
    limit_ns = desk.order(first).ended_ns
    desk.report(second, ExecType.EXPIRED)
    assert one(roll(desk, before_ns=limit_ns), DayRolled).retired_count == 0
    assert one(roll(desk, "2026-01-03", before_ns=limit_ns + 1), DayRolled).retired_count == 1
    assert list(desk.machine.state.orders) == [second, live]
    assert list(desk.machine.state.retired) == [first]
    assert violations(desk.machine.state) == []


def test_the_end_of_an_order_is_its_first_one() -> None:
    desk = Life.opened()
    order_id = desk.make("a")
    desk.report(order_id, ExecType.CANCELED)
    ended_ns = desk.order(order_id).ended_ns
    desk.fill(order_id, 1)
    assert desk.order(order_id).ended_ns == ended_ns == desk.now_ns - MILLISECOND_NS


def test_the_outcome_of_a_retired_order_answers_its_ids_for_ever() -> None:
    desk = Life.opened()
    order_id = retired(desk)
    outcome = {
        "order_id": order_id,
        "ord_status": OrdStatus.CANCELED,
        "orig_cl_ord_id": "c1",
        "venue_order_id": "V1",
        "symbol": SYMBOL,
        "side": SUBMIT.side,
        "ord_type": SUBMIT.ord_type,
        "time_in_force": SUBMIT.time_in_force,
        "order_qty": 10,
        "price": 1_000,
        "cum_qty": 4,
        "leaves_qty": 0,
        "cum_notional": 4 * 990,
        "client": "client",
        "strategy": "strategy",
    }
    answers: dict[str, tuple[Command, str, ExecType, Reason]] = {
        "submit": (SUBMIT, "c1", ExecType.DENIED, Reason.DUPLICATE_CL_ORD_ID),
        "other": (
            replace(SUBMIT, order_qty=11),
            "c1",
            ExecType.DENIED,
            Reason.CL_ORD_ID_REUSED,
        ),
        "status": (STATUS, "c1", ExecType.ORDER_STATUS, Reason.NONE),
        "cancel": (
            commands.CancelOrder(
                account=ACCOUNT, cl_ord_id="x1", orig_cl_ord_id="c1", client="client"
            ),
            "x1",
            ExecType.CANCEL_REJECTED,
            Reason.ORDER_IS_FINAL,
        ),
    }
    for name, (command, cl_ord_id, exec_type, reason) in answers.items():
        report = one(desk.step(command), OrderReport)
        assert (report.exec_type, report.reason) == (exec_type, reason), name
        assert report.cl_ord_id == cl_ord_id
        assert {key: getattr(report, key) for key in outcome} == outcome, name
    again = desk.cancel("x1", "c1")
    assert (again.exec_type, again.reason) == (ExecType.DENIED, Reason.ORDER_IS_FINAL)
    assert (again.order_id, again.cum_qty) == (order_id, 4)
    replaced = desk.replace("r1", "c1")
    assert (replaced.exec_type, replaced.reason) == (
        ExecType.REPLACE_REJECTED,
        Reason.ORDER_IS_FINAL,
    )


@pytest.mark.parametrize(
    ("exec_type", "exec_no", "is_halted"),
    [
        (ExecType.TRADE, 0, True),
        (ExecType.TRADE, 99, True),
        (ExecType.TRADE_CANCEL, 0, True),
        (ExecType.TRADE_CORRECT, 0, True),
        (ExecType.TRADE, 1, False),
        (ExecType.TRADE, 3, False),
        (ExecType.TRADE, 4, True),
        (ExecType.CANCELED, 0, False),
        (ExecType.NEW, 99, False),
    ],
)
def test_a_new_trade_of_a_retired_order_halts_its_instrument(
    exec_type: ExecType, exec_no: int, is_halted: bool
) -> None:
    desk = Life.opened()
    order_id = retired(desk)
    assert desk.machine.state.sessions["SIM"].last_exec_no == 3
    before = desk.position.qty
    ignored, *rest = desk.report(order_id, exec_type, exec_no=exec_no, last_qty=1, exec_id="late")
    assert isinstance(ignored, ReportIgnored)
    assert (ignored.order_id, ignored.venue_exec_id) == (order_id, "late")
    assert desk.position.qty == before
    assert len(rest) == is_halted
    if is_halted:
        (halted,) = rest
        assert isinstance(halted, TradingStateSet)
        assert (halted.scope, halted.state) == (f"symbol:{SYMBOL}", TradingState.HALTED)
        assert (halted.actor, halted.reason) == ("core", f"trade late of retired order {order_id}")
        assert "compare positions" in ignored.text
        assert desk.submit("next").reason is Reason.TRADING_HALTED
    else:
        assert ignored.text == "its order was retired"


def test_retirement_is_part_of_the_digest_at_once() -> None:
    desk = Life.opened()
    desk.report(desk.make("c1"), ExecType.CANCELED)
    desk.machine.digest()
    roll(desk, before_ns=desk.now_ns + 1)
    assert desk.machine.digest() == digest(desk.machine.state)


def test_a_parent_that_works_on_counts_the_children_that_are_still_in_memory() -> None:
    desk = Life.opened()
    desk.submit("parent", order_qty=50, is_parent=True)
    (parent_id,) = desk.machine.state.orders
    for name in ("a", "b"):
        desk.fill(desk.submit(name, order_qty=10, parent_cl_ord_id="parent").order_id, 10)
    desk.submit("c", order_qty=10, parent_cl_ord_id="parent")
    assert desk.machine.state.tallies.children[parent_id] == 3
    roll(desk, before_ns=desk.now_ns)
    assert desk.machine.state.tallies.children[parent_id] == 1
    assert violations(desk.machine.state) == []
