# SPDX-License-Identifier: Apache-2.0
"""Reports reach the journal: all of them, in order, whatever the bus does."""

import asyncio
from dataclasses import replace

import pytest

from tests.unit.venue.fakes import FakeBus, report
from tradewind.common.errors import Refused, Unknown
from tradewind.common.testing import eventually
from tradewind.core.testing import STATEMENT
from tradewind.core.types import ExecType, Side
from tradewind.venue.inbound import WINDOW, Inbound
from tradewind.venue.traces import Traces

pytestmark = pytest.mark.anyio


def inbound(bus: FakeBus) -> Inbound:
    return Inbound(bus, 0, Traces(), "EXTERNAL")


async def cancelled(task: "asyncio.Future[None]") -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def deliver(bus: FakeBus, count: int) -> Inbound:
    part = inbound(bus)
    task = asyncio.ensure_future(part.run())
    for exec_no in range(1, count + 1):
        part.offer(report(exec_no))
    await eventually(lambda: part.backlog == 0)
    await cancelled(task)
    return part


async def test_reports_are_journaled_in_order() -> None:
    bus = FakeBus()
    part = await deliver(bus, 3 * WINDOW)
    assert [r.exec_no for r in bus.reports] == list(range(1, 3 * WINDOW + 1))
    assert (part.journaled, part.last_exec_no) == (3 * WINDOW, 3 * WINDOW)


async def test_what_was_refused_goes_again_before_anything_beyond_the_window() -> None:
    bus = FakeBus()
    bus.failures = [None, Refused("no leader"), None, Refused("no leader")]
    part = await deliver(bus, 3 * WINDOW)
    numbers = [r.exec_no for r in bus.reports]
    assert sorted(numbers) == list(range(1, 3 * WINDOW + 1))
    assert part.retried == 2
    assert max(numbers[: numbers.index(2)]) <= 1 + WINDOW
    assert max(numbers[: numbers.index(4)]) <= 1 + WINDOW


async def test_what_is_unknown_goes_again_under_the_same_execution_id() -> None:
    bus = FakeBus()
    bus.failures = [Unknown("no answer")]
    await deliver(bus, 1)
    assert [r.exec_id for r in bus.reports] == ["S1", "S1"]


async def test_the_end_of_an_order_waits_until_its_earlier_reports_are_stored() -> None:
    bus = FakeBus()
    bus.failures = [None, Refused("no leader")]
    part = inbound(bus)
    task = asyncio.ensure_future(part.run())
    part.offer(report(1))
    part.offer(replace(report(2), exec_type=ExecType.TRADE, last_qty=3, last_px=100))
    part.offer(replace(report(3), exec_type=ExecType.CANCELED))
    part.offer(report(4, order_id="seg-0-4"))
    await eventually(lambda: part.backlog == 0)
    await cancelled(task)
    assert [item.exec_no for item in bus.reports] == [1, 2, 3, 4]


async def test_an_order_of_nobodys_has_an_account_and_one_of_ours_needs_no_terms() -> None:
    bus, traces = FakeBus(), Traces()
    traces.note("seg-0-1", "")
    part = Inbound(bus, 0, traces, "EXTERNAL")
    task = asyncio.ensure_future(part.run())
    for order_id in ("seg-0-1", "nonsense"):
        part.offer(replace(report(1, order_id=order_id), symbol="BTC-USD", side=Side.SELL))
    part.offer(report(2, order_id="no-terms"))
    await eventually(lambda: part.backlog == 0)
    await cancelled(task)
    assert [(item.account, item.symbol) for item in bus.reports] == [
        ("", ""),
        ("EXTERNAL", "BTC-USD"),
        ("", ""),
    ]


async def test_a_statement_waits_for_all_before_it_and_is_never_said_twice() -> None:
    bus = FakeBus()
    bus.failures = [Refused("no leader"), None, Refused("no leader")]
    part = inbound(bus)
    task = asyncio.ensure_future(part.run())
    part.offer(report(1))
    part.offer(STATEMENT)
    part.offer(report(2))
    part.offer(STATEMENT)
    await eventually(lambda: part.backlog == 0)
    await cancelled(task)
    assert bus.journal == [report(1), report(2), STATEMENT]
