# SPDX-License-Identifier: Apache-2.0
"""Logons, questions, lost connections: nothing is lost, nothing is done twice."""

import asyncio
import signal

import pytest

from tests.acceptance.venue.requests import QTY, VENUE, cancel, new
from tests.acceptance.venue.rig import FAR_BACK, Line, Rig
from tests.integration.simvenue.venue_process import Client
from tradewind.common.testing import eventually
from tradewind.core.commands import SetTradingSession
from tradewind.core.events import VenueRequest
from tradewind.core.types import ExecType, TradSesStatus
from tradewind.venue.adapter import NotDone, SessionLost, VenueGone

pytestmark = pytest.mark.anyio

NEW, TRADE = ExecType.NEW, ExecType.TRADE
CANCELED, REJECTED = ExecType.CANCELED, ExecType.REJECTED
TIMEOUT_S = 15.0
QUESTIONS = 200


async def sold(rig: Rig, other: Client, order_id: str, *quantities: int) -> None:
    """Somebody sells to the order, and the venue has written it."""
    already = len(rig.executions(order_id, TRADE))
    for number, qty in enumerate(quantities):
        await other.order(f"sell-{order_id}-{already + number}", side="SELL", qty=qty)
    count = already + len(quantities)
    await eventually(lambda: len(rig.executions(order_id, TRADE)) == count, TIMEOUT_S)


def is_repeated(rig: Rig, line: Line, order: VenueRequest) -> bool:
    """The venue has read an order twice, or the adapter says that the second time came too late."""
    is_read = len(rig.ledger(order.order_id, "in")) == 2
    return is_read or any(isinstance(said, NotDone) for said in line.heard)


async def test_a20_a_new_session_has_nothing_to_report(rig: Rig) -> None:
    async with rig.line() as line:
        assert not await line.adapter.query(new(rig.order_id()))
        assert line.heard == []
        assert line.end is None


async def test_a21_what_an_earlier_logon_sends_after_the_fence_is_not_done(rig: Rig) -> None:
    async with rig.line() as old:
        began_s = asyncio.get_running_loop().time()
        async with rig.line() as line:
            if rig.traits.has_sessions:
                assert isinstance(await old.until_ended(), SessionLost | VenueGone)
                late = new(rig.order_id())
                with pytest.raises((SessionLost, VenueGone)):
                    await old.send(late)
                assert not await line.adapter.query(late)
            else:
                took_s = asyncio.get_running_loop().time() - began_s
                assert took_s * 1000 >= rig.traits.expiry_ms


async def test_a22_a_question_finds_working_and_ended_orders_and_no_others(rig: Rig) -> None:
    async with rig.line() as line, rig.counterparty() as other:
        working, filled, canceled = (new(rig.order_id()) for _ in range(3))
        await line.send(filled)
        await line.until(filled.order_id, NEW)
        await sold(rig, other, filled.order_id, QTY)
        for order in (working, canceled):
            await line.send(order)
            await line.until(order.order_id, NEW)
        await line.send(cancel(canceled, rig.order_id()))
        await line.until(canceled.order_id, CANCELED)
        found = [await line.adapter.query(o) for o in (working, filled, canceled)]
        assert found == [True, True, True]
        assert not await line.adapter.query(new(rig.order_id()))


async def test_a23_asking_proves_that_an_order_works_each_time_anew(rig: Rig) -> None:
    async with rig.line() as line:
        order = await line.send(new(rig.order_id()))
        await line.until(order.order_id, NEW)
        for count, request_id in enumerate((rig.order_id(), rig.order_id()), 2):
            line.adapter.ask(cancel(order, request_id))
            proof = await line.until(order.order_id, NEW, count=count)
            assert (proof.request_id, proof.order_qty) == ("", QTY)


async def test_a24_asking_tells_all_of_an_ended_order_again(rig: Rig) -> None:
    async with rig.line() as first, rig.counterparty() as other:
        order = await first.send(new(rig.order_id()))
        await first.until(order.order_id, NEW)
        await sold(rig, other, order.order_id, 4, 6)
        await first.until(order.order_id, TRADE, count=2)
        known = {r.exec_id for r in first.reports(order.order_id, TRADE)}
        first.heard.clear()
        first.adapter.ask(order)
        await first.until(order.order_id, TRADE, count=2)
        assert {r.exec_id for r in first.reports(order.order_id, TRADE)} == known


async def test_a25_after_a_reconnect_no_report_is_missing_and_none_is_another(rig: Rig) -> None:
    async with rig.counterparty() as other:
        async with rig.line() as line:
            order = await line.send(new(rig.order_id()))
            canceled = await line.send(new(rig.order_id(), price=90))
            for one in (order, canceled):
                await line.until(one.order_id, NEW)
            await sold(rig, other, order.order_id, 3)
            seen = await line.until(order.order_id, TRADE)
            before = {r.exec_id for r in line.reports(order.order_id)}
        await sold(rig, other, order.order_id, 2, 1)
        async with rig.line(after=seen.exec_no) as line:
            await sold(rig, other, order.order_id, 4)
            await line.until_traded(order.order_id, 7, except_for=before)
            line.adapter.ask(canceled)
            await line.until(canceled.order_id, NEW)
        async with rig.line(back=FAR_BACK) as line:
            await line.until(order.order_id, TRADE, count=4)
            quantities = [r.last_qty for r in line.reports(order.order_id, TRADE)]
            assert sorted(quantities) == [1, 2, 3, 4]
            assert before <= {r.exec_id for r in line.reports(order.order_id)}


async def test_a26_ends_while_nobody_was_there_are_told(rig: Rig) -> None:
    async with rig.line() as line:
        order = await line.send(new(rig.order_id()))
        seen = await line.until(order.order_id, NEW)
    await rig.clear()
    async with rig.line(after=seen.exec_no) as line:
        await line.until(order.order_id, CANCELED)


async def test_a27_a_repeated_new_order_works_once(rig: Rig) -> None:
    async with rig.line() as line, rig.counterparty() as other:
        order = await line.send(new(rig.order_id()))
        await line.until(order.order_id, NEW)
        await line.send(order)
        await eventually(lambda: is_repeated(rig, line, order), TIMEOUT_S, what="a second answer")
        assert await line.adapter.query(order)
        await sold(rig, other, order.order_id, QTY)
        await line.until_traded(order.order_id, QTY)
        await other.order(f"more-{order.order_id}", side="SELL", price=1)
        await other.say(op="status", cl_id="more")
        await other.hear()
        assert len(rig.executions(order.order_id, NEW)) == 1
        assert sum(r["last_qty"] for r in rig.executions(order.order_id, TRADE)) == QTY
        assert line.reports(order.order_id, REJECTED) == []


async def test_a28_a_venue_that_dies_is_gone(own_rig: Rig) -> None:
    async with own_rig.line() as line:
        order = await line.send(new(own_rig.order_id()))
        await line.until(order.order_id, NEW)
        await own_rig.venue.kill()
        assert isinstance(await line.until_ended(TIMEOUT_S), VenueGone)
        with pytest.raises(VenueGone):
            await line.adapter.query(order)
        with pytest.raises(VenueGone):
            await line.send(new(own_rig.order_id()))
        with pytest.raises(VenueGone):
            await own_rig.log_on()


async def test_a29_a_venue_that_hangs_is_gone_in_time(own_rig: Rig) -> None:
    async with own_rig.line() as line:
        await line.send(new(own_rig.order_id()))
        own_rig.venue.process.send_signal(signal.SIGSTOP)
        try:
            async with asyncio.timeout(TIMEOUT_S):
                with pytest.raises(VenueGone):
                    await own_rig.log_on()
            assert isinstance(await line.until_ended(TIMEOUT_S), VenueGone)
        finally:
            own_rig.venue.process.send_signal(signal.SIGCONT)


async def test_a30_a_change_of_the_trading_session_is_told(own_rig: Rig) -> None:
    if not own_rig.traits.tells_trading_session:
        pytest.skip("the protocol has no trading sessions")
    async with own_rig.line() as line:
        await own_rig.venue.administer(
            op="trading_session", status="HALTED", trading_date="2026-03-02"
        )
        told = SetTradingSession(
            venue=VENUE, status=TradSesStatus.HALTED, trading_date="2026-03-02"
        )
        await eventually(lambda: told in line.heard, TIMEOUT_S)


async def test_a31_busts_and_corrections_name_their_fill(rig: Rig) -> None:
    if not rig.traits.tells_amended_trades:
        pytest.skip("the protocol has no busts and corrections")
    async with rig.line() as line, rig.counterparty() as other:
        order = await line.send(new(rig.order_id()))
        await line.until(order.order_id, NEW)
        await sold(rig, other, order.order_id, 4, 6)
        await line.until(order.order_id, TRADE, count=2)
        first, second = line.reports(order.order_id, TRADE)
        for fill, act in ((first, "bust"), (second, "correct")):
            [executed] = [
                r for r in rig.executions(order.order_id, TRADE) if r["last_qty"] == fill.last_qty
            ]
            terms = {"qty": 5, "px": 99} if act == "correct" else {}
            await rig.venue.administer(op=act, exec_no=executed["exec_no"], **terms)
        bust = await line.until(order.order_id, ExecType.TRADE_CANCEL)
        assert bust.exec_ref_id == first.exec_id
        corrected = await line.until(order.order_id, ExecType.TRADE_CORRECT)
        assert (corrected.exec_ref_id, corrected.last_qty) == (second.exec_id, 5)
        assert corrected.last_px == 99


async def test_a32_hundreds_of_questions_at_once_are_all_answered(rig: Rig) -> None:
    async with rig.line() as line:
        order = await line.send(new(rig.order_id()))
        await line.until(order.order_id, NEW)
        asked = [order, *(new(rig.order_id()) for _ in range(QUESTIONS))]
        found = await asyncio.gather(*(line.adapter.query(each) for each in asked))
        assert found == [True, *[False] * QUESTIONS]
        assert line.end is None
