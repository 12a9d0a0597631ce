# SPDX-License-Identifier: Apache-2.0
"""What a venue's terms and sessions do to orders, from the journal to the venue and back."""

import time
from pathlib import Path

import pytest

from tests.integration.simvenue.venue_process import VenueProcess, venue_process
from tests.integration.venue.desk import DEADLINE_S, Desk, buy, sell
from tradewind.common.testing import eventually
from tradewind.core.events import SessionTaken, TradingSessionSet
from tradewind.core.types import (
    ExecType,
    OrdStatus,
    OrdType,
    Reason,
    TimeInForce,
    TradSesStatus,
)

pytestmark = [pytest.mark.cluster, pytest.mark.anyio]

DAY = "2026-03-02"


async def test_terms_of_orders_are_kept_by_the_venue(shard: tuple[Desk, VenueProcess]) -> None:
    desk, venue = shard
    await desk.put(sell("ask", 100))
    await desk.put(buy("post", 100, is_post_only=True))
    refused = await desk.until_told("post", ExecType.REJECTED)
    assert (refused.reason, refused.text) == (Reason.BY_VENUE, "POST_ONLY_WOULD_TAKE")
    await desk.put(buy("fok", 100, order_qty=11, time_in_force=TimeInForce.FOK))
    killed = await desk.until_told("fok", ExecType.CANCELED)
    assert (killed.cum_qty, killed.leaves_qty) == (0, 0)
    soon_ns = time.time_ns() + 500_000_000
    await desk.put(buy("gtd", 90, time_in_force=TimeInForce.GTD, expire_ns=soon_ns))
    expired = await desk.until_told("gtd", ExecType.EXPIRED)
    assert expired.transact_time_ns >= soon_ns
    await desk.put(buy("restated", 90))
    order_id = (await desk.until_told("restated", ExecType.NEW)).order_id
    terms = {"session": "TRADEWIND-0", "cl_id": order_id, "qty": 6, "price": 91}
    await venue.administer(op="restate", **terms)
    restated = await desk.until_told("restated", ExecType.RESTATED)
    assert (restated.order_qty, restated.price, restated.leaves_qty) == (6, 91, 6)


async def test_orders_follow_the_venues_trading_session(shard: tuple[Desk, VenueProcess]) -> None:
    desk, venue = shard
    await until_session_is(desk, venue, TradSesStatus.PRE_OPEN)
    await desk.put(buy("open", 100, time_in_force=TimeInForce.AT_OPEN))
    await desk.put(sell("day", 100, order_qty=4, time_in_force=TimeInForce.DAY))
    for cl_ord_id in ("open", "day"):
        await desk.until_told(cl_ord_id, ExecType.NEW)
    assert desk.reports(ExecType.TRADE) == []
    await until_session_is(desk, venue, TradSesStatus.OPEN)
    rest = await desk.until_told("open", ExecType.EXPIRED)
    assert (rest.cum_qty, rest.ord_status) == (0, OrdStatus.EXPIRED)
    await desk.put(buy("close", 100, order_qty=6, time_in_force=TimeInForce.AT_CLOSE))
    await desk.until_told("close", ExecType.NEW)
    await until_session_is(desk, venue, TradSesStatus.CLOSED)
    closed = await desk.until_told("close", ExecType.EXPIRED)
    assert (closed.cum_qty, closed.leaves_qty) == (4, 0)
    await desk.put(buy("late", 100))
    denied = await desk.until_told("late", ExecType.DENIED)
    assert denied.reason is Reason.VENUE_CLOSED


async def until_session_is(desk: Desk, venue: VenueProcess, status: TradSesStatus) -> None:
    await venue.administer(op="trading_session", status=status, trading_date=DAY)
    told = TradingSessionSet(venue="SIM", status=status, trading_date=DAY)
    await eventually(lambda: told in desk.events, DEADLINE_S)


async def test_a_stop_outlives_a_killed_venue(
    shard: tuple[Desk, VenueProcess], tmp_path: Path
) -> None:
    desk, venue = shard
    await desk.put(sell("ask", 101))
    await desk.put(buy("stop", 0, ord_type=OrdType.STOP, stop_px=101, order_qty=5))
    await desk.until_told("stop", ExecType.NEW)
    await venue.kill()
    async with venue_process(tmp_path / "sim", port=venue.port):
        await eventually(
            lambda: any(isinstance(e, SessionTaken) and e.epoch >= 2 for e in desk.events),
            DEADLINE_S,
        )
        await desk.put(buy("taker", 101, order_qty=5))
        assert (await desk.until_told("stop", ExecType.TRADE)).last_px == 101
