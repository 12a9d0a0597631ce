# SPDX-License-Identifier: Apache-2.0
"""A venue that misbehaves: what was not done is told as that, what is open stays open."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.acceptance.venue.requests import QTY, cancel, change, new
from tests.acceptance.venue.rig import DEADLINE_S, Line, Rig
from tradewind.common.testing import eventually
from tradewind.core.types import ExecType
from tradewind.venue.adapter import InDoubt, NotDone

pytestmark = pytest.mark.anyio

NEW, TRADE, CANCELED = ExecType.NEW, ExecType.TRADE, ExecType.CANCELED
REPLACED = ExecType.REPLACED
REFUSALS = (ExecType.REJECTED, ExecType.CANCEL_REJECTED)


@asynccontextmanager
async def playing(rig: Rig, kind: str, **more: object) -> AsyncIterator[None]:
    """The venue plays a fault."""
    try:
        answer = await rig.venue.administer(op="fault", kind=kind, **more)
        assert answer.get("ok"), answer
        yield
    finally:
        await rig.venue.administer(op="heal")


async def until_said(line: Line, said: NotDone | InDoubt) -> NotDone | InDoubt:
    """Waits until something is said of a request, whenever it may be tried again."""

    def found() -> NotDone | InDoubt | None:
        kinds = [s for s in line.heard if isinstance(s, type(said))]
        return next((s for s in kinds if s.request_id == said.request_id), None)

    answer = await eventually(found, DEADLINE_S, what=f"{said}")
    assert isinstance(answer, NotDone | InDoubt)
    return answer


async def test_a40_a_request_too_many_is_told_as_not_done(rig: Rig) -> None:
    async with rig.line() as line:
        order = new(rig.order_id())
        async with playing(rig, "rate_limit", ms=1000):
            await line.send(order)
            told = await until_said(line, NotDone(order.request_id, 0))
        assert isinstance(told, NotDone)
        assert told.retry_s == 1.0
        assert rig.executions(order.order_id, NEW) == []
        await line.send(order)
        await line.until(order.order_id, NEW)
        assert line.reports(order.order_id, *REFUSALS) == []


async def test_a41_an_outcome_that_the_venue_leaves_open_is_told_as_that(rig: Rig) -> None:
    async with rig.line() as line:
        order = new(rig.order_id())
        async with playing(rig, "ambiguous"):
            await line.send(order)
            await until_said(line, InDoubt(order.request_id))
        assert line.reports(order.order_id, *REFUSALS) == []
        assert await line.adapter.query(order)
        line.adapter.ask(order)
        await line.until(order.order_id, NEW)
        request = cancel(order, rig.order_id())
        async with playing(rig, "ambiguous"):
            await line.send(request)
            await until_said(line, InDoubt(request.request_id))
        line.adapter.ask(request)
        told = await line.until(order.order_id, CANCELED)
        assert told.request_id == request.request_id
        assert len(rig.executions(order.order_id, CANCELED)) == 1


async def test_a42_reports_that_come_twice_or_in_disorder_keep_their_names(rig: Rig) -> None:
    async with rig.line() as line, rig.counterparty() as other:
        order = await line.send(new(rig.order_id()))
        await line.until(order.order_id, NEW)
        for kind in ("duplicate_report", "reorder_reports", "late_fill"):
            async with playing(rig, kind, ms=50):
                number = len(rig.executions(order.order_id, TRADE))
                await other.order(f"{kind}-{order.order_id}", side="SELL", qty=3)
                await line.until(order.order_id, TRADE, count=number + 1)
        assert sum(r.last_qty for r in line.reports(order.order_id, TRADE)) == 9


async def test_a43_fills_that_were_not_told_are_told_when_asked_for(rig: Rig) -> None:
    async with rig.line() as line, rig.counterparty() as other:
        order = await line.send(new(rig.order_id()))
        await line.until(order.order_id, NEW)
        async with playing(rig, "drop_fill"):
            await other.order(f"all-{order.order_id}", side="SELL", qty=QTY)
            await eventually(lambda: rig.executions(order.order_id, TRADE), DEADLINE_S)
        line.adapter.ask(order)
        told = await line.until(order.order_id, TRADE)
        assert told.last_qty == QTY


async def test_a45_a_replace_without_an_answer_is_told_when_asked_for(rig: Rig) -> None:
    if not rig.traits.has_sessions:
        pytest.skip("the protocol does not name the request that changed an order")
    async with rig.line() as line:
        order = await line.send(new(rig.order_id()))
        await line.until(order.order_id, NEW)
        request = change(order, rig.order_id(), order_qty=6)
        async with playing(rig, "drop_cancel_ack"):
            await line.send(request)
            await eventually(lambda: rig.executions(order.order_id, REPLACED), DEADLINE_S)
        assert line.reports(order.order_id, REPLACED) == []
        line.adapter.ask(request)
        told = await line.until(order.order_id, REPLACED)
        assert (told.request_id, told.order_qty) == (request.request_id, 6)


async def test_a44_the_end_of_an_order_that_was_filled_late_hides_no_fill(rig: Rig) -> None:
    async with rig.line() as line:
        order = await line.send(new(rig.order_id()))
        await line.until(order.order_id, NEW)
        async with playing(rig, "fill_after_cancel", ms=200):
            await line.send(cancel(order, rig.order_id()))
            await eventually(lambda: rig.executions(order.order_id, TRADE), DEADLINE_S)
        executed = sum(r["last_qty"] for r in rig.executions(order.order_id, TRADE))
        await line.until_traded(order.order_id, executed)
