# SPDX-License-Identifier: Apache-2.0
"""What reports and requests say, field by field: nothing about an order is lost or made up."""

from dataclasses import replace
from typing import Any

from tests.golden.life import Life
from tradewind.core import commands
from tradewind.core.events import (
    MassCancelReport,
    OrderReport,
    PositionAdjusted,
    ReportIgnored,
    VenueRequest,
)
from tradewind.core.testing import ACCOUNT, NEVER_NS, SUBMIT, SYMBOL, VENUE, one, request_of
from tradewind.core.types import (
    ExecType,
    OrdStatus,
    OrdType,
    Reason,
    Side,
    TimeInForce,
    VenueAction,
)

TERMS: dict[str, Any] = {
    "side": Side.SELL,
    "ord_type": OrdType.LIMIT,
    "time_in_force": TimeInForce.GTD,
    "order_qty": 50,
    "price": 1_010,
    "display_qty": 5,
    "is_post_only": True,
    "expire_ns": NEVER_NS - 1,
}
WHO: dict[str, Any] = {"client": "desk-1", "strategy": "carry"}
MADE_BY: dict[str, Any] = {"algorithm": "TWAP", "build": "b1"}
COMMAND = replace(
    SUBMIT,
    cl_ord_id="c1",
    parent_cl_ord_id="parent",
    void_after_ns=NEVER_NS - 2,
    **TERMS,
    **WHO,
    **MADE_BY,
)
STOP_LIMIT: dict[str, Any] = {"ord_type": OrdType.STOP_LIMIT, "stop_px": 1_010}


def family() -> tuple[Life, OrderReport, VenueRequest]:
    """A parent's child that has every attribute there is; its report and its request."""
    desk = Life.opened()
    desk.make("parent", side=Side.SELL, order_qty=50, is_parent=True)
    report, request = desk.step(COMMAND)
    assert isinstance(report, OrderReport)
    assert isinstance(request, VenueRequest)
    return desk, report, request


def stamped(desk: Life, report: OrderReport, **changes: Any) -> OrderReport:
    """The report with the newest entry's time and execution id, and these changes."""
    seq = desk.machine.state.seq
    base = {"exec_id": f"E{seq}", "transact_time_ns": desk.now_ns}
    return replace(report, **{**base, **changes})


def test_an_accepted_order() -> None:
    desk, report, request = family()
    order_id = f"seg-0-{desk.machine.state.seq}"
    assert report == OrderReport(
        account=ACCOUNT,
        order_id=order_id,
        cl_ord_id="c1",
        orig_cl_ord_id="",
        exec_id=f"E{desk.machine.state.seq}",
        venue_exec_id="",
        venue_order_id="",
        exec_type=ExecType.PENDING_NEW,
        ord_status=OrdStatus.PENDING_NEW,
        symbol=SYMBOL,
        cum_qty=0,
        leaves_qty=50,
        cum_notional=0,
        last_qty=0,
        last_px=0,
        reason=Reason.NONE,
        text="",
        transact_time_ns=desk.now_ns,
        parent_order_id="seg-0-5",
        **TERMS,
        **WHO,
        **MADE_BY,
    )
    assert request == VenueRequest(
        venue=VENUE,
        action=VenueAction.NEW,
        account=ACCOUNT,
        order_id=order_id,
        request_id=order_id,
        venue_order_id="",
        symbol=SYMBOL,
        is_possibly_sent=False,
        send_by_ns=NEVER_NS - 2,
        **TERMS,
    )
    assert desk.submit("alone").parent_order_id == ""


def test_a_denied_order() -> None:
    desk, report, _request = family()
    denied = one(desk.step(replace(COMMAND, cl_ord_id="c2", order_qty=51)), OrderReport)
    assert denied == stamped(
        desk,
        report,
        cl_ord_id="c2",
        order_id="",
        exec_type=ExecType.DENIED,
        ord_status=OrdStatus.DENIED,
        order_qty=51,
        leaves_qty=0,
        reason=Reason.PARENT_EXCEEDED,
    )
    again = one(desk.step(replace(COMMAND, cl_ord_id="c2", order_qty=51)), OrderReport)
    assert again == stamped(desk, denied, parent_order_id="")


def test_the_venues_word_on_an_order() -> None:
    desk, report, _request = family()
    order_id = report.order_id
    new = one(desk.report(order_id, ExecType.NEW, text="hello", exec_id="N"), OrderReport)
    assert new == stamped(
        desk,
        report,
        exec_type=ExecType.NEW,
        ord_status=OrdStatus.NEW,
        venue_exec_id="N",
        venue_order_id="V1",
        text="hello",
    )
    traded = desk.fill(order_id, 4, 1_012, exec_id="F", fee_e8=7, fee_currency="USD")
    assert traded == stamped(
        desk,
        new,
        exec_type=ExecType.TRADE,
        ord_status=OrdStatus.PARTIALLY_FILLED,
        venue_exec_id="F",
        text="",
        cum_qty=4,
        leaves_qty=46,
        cum_notional=4_048,
        last_qty=4,
        last_px=1_012,
        fee_e8=7,
        fee_currency="USD",
    )
    asked, request = desk.step(
        commands.CancelOrder(account=ACCOUNT, cl_ord_id="x1", orig_cl_ord_id="c1", client="else")
    )
    still = {"last_qty": 0, "last_px": 0, "fee_e8": 0, "fee_currency": "", "venue_exec_id": ""}
    assert asked == stamped(
        desk,
        traded,
        **still,
        exec_type=ExecType.PENDING_CANCEL,
        ord_status=OrdStatus.PENDING_CANCEL,
        cl_ord_id="x1",
        orig_cl_ord_id="c1",
    )
    assert isinstance(request, VenueRequest)
    events = desk.report(
        order_id, ExecType.CANCEL_REJECTED, request_id=request.request_id, exec_id="R", text="late"
    )
    assert one(events, OrderReport) == stamped(
        desk,
        traded,
        **{**still, "venue_exec_id": "R"},
        exec_type=ExecType.CANCEL_REJECTED,
        cl_ord_id="x1",
        orig_cl_ord_id="c1",
        reason=Reason.BY_VENUE,
        text="late",
    )


def test_requests_to_the_venue_about_an_order() -> None:
    desk, report, new = family()
    desk.ack(report.order_id)
    known = replace(new, venue_order_id="V1")
    replaced = request_of(desk.step(replace_to(60)))
    seq = desk.machine.state.seq
    assert replaced == replace(
        known, action=VenueAction.REPLACE, request_id=f"seg-0-{seq}", order_qty=40, price=1_011
    )
    desk.cancel("x1")
    canceled = desk.outputs[-1]
    assert canceled == replace(known, action=VenueAction.CANCEL, request_id=f"seg-0-{seq + 1}")
    assert isinstance(canceled, VenueRequest)
    marked = [event for event in desk.take_session() if isinstance(event, VenueRequest)]
    assert marked == [replace(item, is_possibly_sent=True) for item in (replaced, canceled)]
    desk.step(commands.RequestStatus(account=ACCOUNT, cl_ord_id="c1", client="client"))
    assert desk.outputs[-1] == replace(
        known,
        action=VenueAction.STATUS,
        request_id=f"seg-0-{desk.machine.state.seq}",
        is_possibly_sent=True,
    )


def replace_to(seq: int) -> commands.ReplaceOrder:
    return commands.ReplaceOrder(
        account=ACCOUNT,
        cl_ord_id=f"r{seq}",
        orig_cl_ord_id="c1",
        order_qty=40,
        price=1_011,
        client="client",
        void_after_ns=NEVER_NS,
    )


def test_requests_about_a_stop_order_have_its_stop_price() -> None:
    desk = Life.opened()
    desk.make("c1", **STOP_LIMIT)
    desk.replace("r1", qty=20, stop_px=1_020)
    desk.cancel("x1")
    stops = [event.stop_px for event in desk.outputs if isinstance(event, VenueRequest)]
    assert stops == [1_010, 1_020, 1_010]
    again = [event.stop_px for event in desk.take_session() if isinstance(event, VenueRequest)]
    assert again == [1_020, 1_010]


def test_requests_that_one_entry_makes_are_numbered() -> None:
    desk = Life.opened()
    desk.make("a")
    desk.make("parent", is_parent=True)
    desk.make("b", parent_cl_ord_id="parent")
    report, *rest = desk.step(
        commands.MassCancel(account=ACCOUNT, cl_ord_id="m", client="desk-2", symbol=SYMBOL)
    )
    seq = desk.machine.state.seq
    assert report == MassCancelReport(
        account=ACCOUNT,
        cl_ord_id="m",
        exec_id=f"E{seq}",
        symbol=SYMBOL,
        strategy="",
        order_count=3,
        reason=Reason.NONE,
        client="desk-2",
        transact_time_ns=desk.now_ns,
    )
    ids = [event.exec_id for event in rest if isinstance(event, OrderReport)]
    assert ids == [f"E{seq}.1", f"E{seq}.2", f"E{seq}.3"]
    requests = [event.request_id for event in rest if isinstance(event, VenueRequest)]
    assert requests == [f"seg-0-{seq}.1", f"seg-0-{seq}.3"]
    own = [event.cl_ord_id for event in rest if isinstance(event, OrderReport)]
    assert own == ["a", "parent", "b"]
    marked = [event.request_id for event in desk.take_session() if isinstance(event, VenueRequest)]
    assert marked == requests
    assert desk.machine.state.id_uses[ACCOUNT, "m"].order_id == ""


def test_a_request_that_names_no_order() -> None:
    desk = Life.opened()
    assert desk.cancel("x1", "nobody", client="desk-3") == OrderReport(
        account=ACCOUNT,
        order_id="",
        cl_ord_id="x1",
        orig_cl_ord_id="nobody",
        exec_id=f"E{desk.machine.state.seq}",
        venue_exec_id="",
        venue_order_id="",
        exec_type=ExecType.CANCEL_REJECTED,
        ord_status=OrdStatus.DENIED,
        symbol="",
        side=Side.BUY,
        ord_type=OrdType.LIMIT,
        time_in_force=TimeInForce.DAY,
        order_qty=0,
        price=0,
        cum_qty=0,
        leaves_qty=0,
        cum_notional=0,
        last_qty=0,
        last_px=0,
        reason=Reason.UNKNOWN_ORDER,
        text="",
        client="desk-3",
        strategy="",
        transact_time_ns=desk.now_ns,
    )
    (status,) = desk.step(commands.RequestStatus(account=ACCOUNT, cl_ord_id="x", client="client"))
    assert isinstance(status, OrderReport)
    assert status.orig_cl_ord_id == ""
    assert desk.submit("denied", order_qty=0).reason is Reason.INVALID_QUANTITY
    assert desk.cancel("x2", "denied").reason is Reason.UNKNOWN_ORDER


def test_an_order_that_retired() -> None:
    desk, report, _request = family()
    desk.fill(report.order_id, 4, 1_012)
    desk.report(report.order_id, ExecType.CANCELED)
    desk.step(commands.RollDay(trading_date="2026-01-02", retire_before_ns=NEVER_NS))
    (answer,) = desk.step(COMMAND)
    unknown = dict.fromkeys(("stop_px", "display_qty", "expire_ns", "last_qty", "last_px"), 0)
    assert answer == stamped(
        desk,
        report,
        **unknown,
        is_post_only=False,
        algorithm="NONE",
        build="NONE",
        parent_order_id="",
        orig_cl_ord_id="c1",
        venue_order_id="V1",
        exec_type=ExecType.DENIED,
        ord_status=OrdStatus.CANCELED,
        cum_qty=4,
        leaves_qty=0,
        cum_notional=4_048,
        reason=Reason.DUPLICATE_CL_ORD_ID,
    )


def test_a_refusal_of_a_request_and_the_answer_to_its_repetition() -> None:
    desk, report, _request = family()
    refused = desk.replace("r1", "c1", qty=0)
    assert refused == stamped(
        desk,
        report,
        exec_type=ExecType.REPLACE_REJECTED,
        cl_ord_id="r1",
        orig_cl_ord_id="c1",
        reason=Reason.INVALID_QUANTITY,
    )
    assert desk.replace("r1", "c1", qty=0) == stamped(desk, refused, exec_type=ExecType.DENIED)


def test_a_correction_by_hand() -> None:
    desk = Life.opened()
    words = {"account": ACCOUNT, "symbol": SYMBOL, "actor": "op"}
    (event,) = desk.step(
        commands.AdjustPosition(cl_ord_id="a", qty=1, price=990, reason="give-up", **words)
    )
    assert event == PositionAdjusted(
        cl_ord_id="a",
        is_reset=False,
        qty=1,
        price=990,
        why="give-up",
        reason=Reason.NONE,
        transact_time_ns=desk.now_ns,
        **words,
    )
    assert (desk.position.qty, desk.position.bought_qty, desk.position.sold_qty) == (1, 0, 0)


def test_a_report_that_is_ignored() -> None:
    desk = Life.opened()
    nobodys = desk.report("nobody", ExecType.NEW, exec_id="N", venue="ELSEWHERE")
    assert nobodys == (
        ReportIgnored(
            venue="ELSEWHERE",
            order_id="nobody",
            venue_exec_id="N",
            exec_type=ExecType.NEW,
            text="no order of ours has this id",
        ),
    )
    order_id = desk.make("c1")
    desk.report(order_id, ExecType.CANCELED, exec_id="C")
    texts = [
        event.text
        for exec_id in ("C", "D")
        for event in desk.report(order_id, ExecType.NEW, exec_id=exec_id)
        if isinstance(event, ReportIgnored)
    ]
    assert texts == ["seen before", "illegal in CANCELED"]
