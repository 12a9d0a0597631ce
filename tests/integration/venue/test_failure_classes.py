# SPDX-License-Identifier: Apache-2.0
"""Failure classes F1 to F13 of a venue, each played by a real one against a real connector.

docs/venues.md has the list. One suite for each protocol serves all; every test has orders of its
own. Tests that have a connector in common follow each other: another one takes seconds.
"""

from collections.abc import AsyncIterator, Callable

import pytest

from tests.integration.venue.desk import (
    DEADLINE_S,
    Desk,
    buy,
    executions,
    received,
    sell,
    traded_qty,
)
from tests.integration.venue.line import QUIET, READ_LAG_MS, SESSION, Line, open_line
from tradewind.common.testing import eventually
from tradewind.core.events import OrderAdopted, PositionStated
from tradewind.core.types import ExecType, OrdStatus, Reason, TradingState

pytestmark = [pytest.mark.cluster, pytest.mark.anyio]

FOR_LONG_MS = 60_000
PATIENT = {
    "TRADEWIND_VENUE_ANSWER_TIMEOUT_MS": str(FOR_LONG_MS),
    "TRADEWIND_VENUE_UNKNOWN_AFTER_MS": str(FOR_LONG_MS),
}
"""A connector that waits for answers and asks about none of them."""


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    """One loop for all tests here, as they share a suite."""
    return "asyncio"


@pytest.fixture(scope="module", params=["sim", "fix"])
async def suite(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Line]:
    async with open_line(tmp_path_factory.mktemp("line"), request.param, **QUIET) as line:
        yield line


@pytest.fixture
async def line(suite: Line) -> Line:
    """With nothing left of the tests before, those that failed among them."""
    await suite.ready()
    return suite


@pytest.fixture
async def quiet(suite: Line) -> Line:
    """The same, where no statement of the position finds what a test has lost before the test."""
    await suite.ready(**QUIET)
    return suite


async def order_id(line: Line, cl_ord_id: str) -> str:
    """The id of an order that the venue has acknowledged."""
    return (await line.desk.until_told(cl_ord_id, ExecType.NEW)).order_id


def booked(desk: Desk, cl_ord_id: str) -> list[int]:
    """The fills of an order."""
    reports = desk.reports(ExecType.TRADE)
    return [report.last_qty for report in reports if report.cl_ord_id == cl_ord_id]


def agrees(stated: PositionStated) -> bool:
    return stated.difference == (0, 0, 0)


async def until_settled(line: Line) -> PositionStated:
    """Waits for a statement after this that adds up; the last one."""
    return await until_stated(line, agrees)


async def until_stated(
    line: Line, is_meant: Callable[[PositionStated], bool] = lambda stated: stated.is_settled
) -> PositionStated:
    """Waits until the last statement after this is such a one."""
    before = len(line.desk.events)

    def last() -> PositionStated | None:
        said = [event for event in line.desk.events[before:] if isinstance(event, PositionStated)]
        return said[-1] if said and is_meant(said[-1]) else None

    found = await eventually(last, DEADLINE_S, what="a position that adds up")
    assert isinstance(found, PositionStated)
    return found


@pytest.mark.parametrize("kind", ["drop_reply", "ambiguous", "hang"])
async def test_f1_an_order_without_an_answer_is_unknown_until_the_venue_proves_it(
    quiet: Line, kind: str
) -> None:
    await quiet.play(kind, ms=FOR_LONG_MS)
    await quiet.desk.put(buy(f"f1-{kind}", 60))
    unknown = await quiet.desk.until_told(f"f1-{kind}", ExecType.UNKNOWN)
    assert (unknown.ord_status, unknown.leaves_qty) == (OrdStatus.UNKNOWN, 10)
    await quiet.venue.administer(op="heal")
    order = await order_id(quiet, f"f1-{kind}")
    assert received(quiet.venue_dir)[order] == 1


async def test_f2_an_order_that_was_never_sent_is_sent_after_the_crash_once(quiet: Line) -> None:
    quiet.kill_connector()
    await quiet.desk.put(buy("f2", 60))
    await quiet.desk.until_told("f2", ExecType.PENDING_NEW)
    await quiet.connect(**QUIET)
    order = await order_id(quiet, "f2")
    assert received(quiet.venue_dir)[order] == 1


async def test_f3_an_order_whose_acknowledgement_was_lost_in_a_crash_is_found(quiet: Line) -> None:
    await quiet.play("drop_reply")
    await quiet.desk.put(buy("f3", 60))
    pending = await quiet.desk.until_told("f3", ExecType.PENDING_NEW)
    await eventually(lambda: received(quiet.venue_dir)[pending.order_id] == 1, DEADLINE_S)
    quiet.kill_connector()
    await quiet.connect(**QUIET)
    assert await order_id(quiet, "f3") == pending.order_id
    assert received(quiet.venue_dir)[pending.order_id] == 1


async def test_f8_a_cancel_without_an_answer_frees_nothing_until_it_is_proved(quiet: Line) -> None:
    await quiet.desk.put(buy("f8", 60))
    await order_id(quiet, "f8")
    await quiet.play("drop_cancel_ack")
    await quiet.cancel("f8")
    unknown = await quiet.desk.until_told("f8", ExecType.UNKNOWN)
    assert (unknown.ord_status, unknown.leaves_qty) == (OrdStatus.PENDING_CANCEL, 10)
    canceled = await quiet.desk.until_told("cancel-f8", ExecType.CANCELED)
    assert canceled.leaves_qty == 0


async def unsure(quiet: Line, cl_ord_id: str, lag_ms: int) -> str:
    """An order without an answer; the next session is told what was true a while ago."""
    await quiet.play("drop_reply")
    await quiet.play("read_lag", count=9, ms=lag_ms)
    await quiet.desk.put(buy(cl_ord_id, 60))
    pending = await quiet.desk.until_told(cl_ord_id, ExecType.PENDING_NEW)
    await eventually(lambda: received(quiet.venue_dir)[pending.order_id] == 1, DEADLINE_S)
    await quiet.cut()
    return pending.order_id


async def test_f7_an_order_that_is_not_found_yet_is_not_sent_again(quiet: Line) -> None:
    order = await unsure(quiet, "f7", READ_LAG_MS * 2 // 3)
    await order_id(quiet, "f7")
    assert received(quiet.venue_dir)[order] == 1


async def test_f7_control_a_connector_that_believes_too_early_sends_twice(quiet: Line) -> None:
    await quiet.connect(**QUIET, **PATIENT, TRADEWIND_VENUE_READ_LAG_MS="0")
    order = await unsure(quiet, "f7-c", FOR_LONG_MS)
    await eventually(lambda: received(quiet.venue_dir)[order] == 2, DEADLINE_S)


async def test_f8_a_cancel_without_an_answer_halts_nothing_though_the_position_differs(
    quiet: Line,
) -> None:
    await quiet.connect(**PATIENT, TRADEWIND_VENUE_POSITION_EVERY_MS="100")
    await quiet.desk.put(buy("f8-p", 60))
    order = await order_id(quiet, "f8-p")
    before = len(quiet.halts())
    await quiet.play("drop_cancel_ack")
    await quiet.cancel("f8-p")
    await quiet.desk.until_told("cancel-f8-p", ExecType.CANCELED)
    await until_settled(quiet)
    assert order not in quiet.desk.orders_with(ExecType.UNKNOWN)
    assert len(quiet.halts()) == before


async def test_f4_fills_that_were_never_told_are_found_by_the_position(line: Line) -> None:
    before = len(line.halts())
    await line.play("drop_fill", count=2)
    await line.desk.put_many([buy("f4-a", 61), sell("f4-b", 61, order_qty=7)])
    for cl_ord_id in ("f4-a", "f4-b"):
        fill = await line.desk.until_told(cl_ord_id, ExecType.TRADE)
        assert (fill.last_qty, fill.last_px) == (7, 61)
    await until_settled(line)
    assert len(line.halts()) == before


async def test_f4_control_without_statements_nobody_finds_them(line: Line) -> None:
    await line.connect(**QUIET)
    await line.desk.put_many([buy("f4-c", 62), buy("f4-d", 50)])
    await line.desk.until_told("f4-d", ExecType.NEW)
    await line.play("drop_fill", count=2)
    await line.desk.put_many([sell("f4-e", 62), buy("f4-f", 50)])
    await line.desk.until_told("f4-f", ExecType.NEW)
    assert booked(line.desk, "f4-c") == []
    await line.connect()
    await line.desk.until_told("f4-c", ExecType.TRADE)


async def test_f5_reports_that_come_twice_or_in_disorder_are_booked_once(line: Line) -> None:
    rates = {"duplicate_report": 0.5, "reorder_reports": 0.5}
    await line.venue.administer(op="faults", rates=rates, seed=5, ms={"reorder_reports": 20})
    names = [f"f5-{number}" for number in range(10)]
    for name in names:
        await line.desk.put_many([buy(name, 63), sell(f"{name}-s", 63)])
    for name in names:
        await line.desk.until_told(name, ExecType.TRADE)
    await line.venue.administer(op="heal")
    await until_settled(line)
    assert [sum(booked(line.desk, name)) for name in names] == [10] * len(names)


async def test_f6_a_strangers_order_is_adopted_counted_told_and_can_be_cancelled(
    line: Line,
) -> None:
    terms = {"side": "SELL", "qty": 8, "price": 140}
    await line.venue.administer(op="external_order", session=SESSION, cl_id="theirs", **terms)

    def adoption() -> OrderAdopted | None:
        return next((e for e in line.desk.events if isinstance(e, OrderAdopted)), None)

    adopted = await eventually(adoption, DEADLINE_S)
    assert (adopted.account, adopted.order_id, adopted.order_qty) == ("EXTERNAL", "theirs", 8)
    assert "adopted" in line.desk.log("venue-0")
    await until_settled(line)
    await line.cancel(adopted.cl_ord_id, "EXTERNAL")
    canceled = await line.desk.until_told(f"cancel-{adopted.cl_ord_id}", ExecType.CANCELED)
    assert canceled.order_id == "theirs"


async def test_f9_a_fill_before_the_cancel_is_booked_before_it_though_told_after(
    line: Line,
) -> None:
    await line.desk.put(buy("f9", 64))
    order = await order_id(line, "f9")
    await line.play("fill_after_cancel", ms=100)
    await line.cancel("f9")
    canceled = await line.desk.until_told("cancel-f9", ExecType.CANCELED)
    kinds = [e.exec_type for e in line.desk.reports(*ExecType) if e.order_id == order]
    assert kinds[-2:] == [ExecType.TRADE, ExecType.CANCELED]
    assert (canceled.ord_status, canceled.cum_qty) == (OrdStatus.CANCELED, 5)
    assert traded_qty(line.venue_dir)[order] == 5
    await until_settled(line)


async def test_f10_an_order_is_known_after_the_session_was_lost_with_its_answer(
    line: Line,
) -> None:
    before = line.desk.sessions()
    await line.play("cut")
    await line.desk.put(buy("f10", 60))
    order = await order_id(line, "f10")
    assert line.desk.sessions() > before
    assert received(line.venue_dir)[order] == 1


async def test_f11_cancels_on_disconnect_are_booked_though_nobody_asked(line: Line) -> None:
    await line.connect(TRADEWIND_VENUE_CANCEL_ON_DISCONNECT="1")
    await line.desk.put(buy("f11", 60))
    await order_id(line, "f11")
    await line.cut()
    canceled = await line.desk.until_told("f11", ExecType.CANCELED)
    assert (canceled.ord_status, canceled.text) == (OrdStatus.CANCELED, "CANCEL_ON_DISCONNECT")
    await until_settled(line)


async def test_a_refusal_that_was_not_done_is_tried_again(line: Line) -> None:
    await line.play("rate_limit", count=3, ms=20)
    await line.desk.put(buy("limited", 60))
    order = await order_id(line, "limited")
    assert received(line.venue_dir)[order] == 1
    assert executions(line.venue_dir, "REJECTED")[order] == 0


async def test_f12_a_venue_that_forgot_orders_halts_their_instrument(line: Line) -> None:
    await line.desk.put(buy("f12", 60))
    await order_id(line, "f12")
    before = len(line.halts())
    held, to_buy, to_sell = (await until_stated(line)).difference
    await line.venue.administer(op="rollback", count=1)
    halt = await line.until_halted(before + 1)
    assert (halt.scope, halt.state) == ("symbol:BTC-USD", TradingState.HALTED)
    assert str((held, to_buy - 10, to_sell)) in halt.reason
    await line.desk.put(buy("f12-halted", 60))
    denied = await line.desk.until_told("f12-halted", ExecType.DENIED)
    assert denied.reason is Reason.TRADING_HALTED


async def test_f13_a_position_that_differs_halts_and_is_never_traded_away(line: Line) -> None:
    before = len(line.halts())
    held, to_buy, to_sell = (await until_stated(line)).difference
    sent = received(line.venue_dir)
    await line.venue.administer(op="drift", session=SESSION, qty=3)
    halt = await line.until_halted(before + 1)
    assert str((held + 3, to_buy, to_sell)) in halt.reason
    assert received(line.venue_dir) == sent
    await line.resume()
    await line.cut()
    await line.desk.put(buy("f13", 60))
    await order_id(line, "f13")
    assert len(line.halts()) == before + 1
