# SPDX-License-Identifier: Apache-2.0
"""Real connectors between a real bus and a real venue: whatever dies, each order is sent once."""

import signal
import time
from pathlib import Path

import pytest

from tests.integration.simvenue.venue_process import venue_process
from tests.integration.venue.desk import (
    DEADLINE_S,
    Desk,
    cancel,
    executions,
    open_desk,
    order,
    traded_qty,
)
from tradewind.common.testing import eventually
from tradewind.core.types import ExecType

pytestmark = [pytest.mark.cluster, pytest.mark.anyio]

ORDERS = 1000
LATE_NS = 300_000_000
TOLD = (ExecType.NEW, ExecType.TRADE)


def require_once_and_complete(desk: Desk, state_dir: Path, count: int) -> None:
    """The venue had every order once, and every fill of it was told to the client once."""
    accepted = executions(state_dir, "NEW")
    assert len(accepted) == count
    assert set(accepted.values()) == {1}
    told: dict[str, int] = {}
    for report in desk.reports(ExecType.TRADE):
        told[report.order_id] = told.get(report.order_id, 0) + report.last_qty
    assert told == dict(traded_qty(state_dir))


async def test_a_killed_connector_loses_nothing_and_sends_nothing_twice(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as (desk, venue):
        connector = desk.start_connector(venue, "venue-0")
        await desk.until_session(1)
        await desk.put_many(order(number) for number in range(ORDERS))
        for some in (ORDERS // 4, ORDERS // 2):
            await desk.until_reported(some, *TOLD)
            connector.kill()
            connector.wait()
            connector = desk.start_connector(venue, "venue-0")
        await desk.until_reported(ORDERS, ExecType.TRADE)
        require_once_and_complete(desk, tmp_path / "sim", ORDERS)
        await desk.put(order(ORDERS))
        await desk.until_reported(ORDERS + 1, *TOLD)
        await desk.put(cancel(ORDERS))
        await desk.until_reported(1, ExecType.CANCELED)


async def test_a_killed_venue_is_reached_again_and_only_late_orders_are_not_sent(
    tmp_path: Path,
) -> None:
    async with open_desk(tmp_path) as (desk, venue):
        desk.start_connector(venue, "venue-0")
        await desk.until_session(1)
        await desk.put_many(order(number) for number in range(ORDERS))
        await desk.until_reported(ORDERS // 2, *TOLD)
        await venue.kill()
        late_ns = time.time_ns() + LATE_NS
        await desk.put(order(ORDERS, late_ns))
        await eventually(lambda: time.time_ns() > late_ns)
        async with venue_process(tmp_path / "sim", port=venue.port):
            await desk.until_reported(ORDERS, ExecType.TRADE)
            expired = await desk.until_reported(1, ExecType.EXPIRED)
            assert [(e.cl_ord_id, e.text) for e in expired] == [(f"o{ORDERS}", "NOT_SENT_IN_TIME")]
            require_once_and_complete(desk, tmp_path / "sim", ORDERS)


async def test_a_paused_connector_that_wakes_up_after_another_took_over_stops(
    tmp_path: Path,
) -> None:
    async with open_desk(tmp_path) as (desk, venue):
        first = desk.start_connector(venue, "venue-0")
        await desk.until_session(1)
        await desk.put_many(order(number) for number in range(ORDERS))
        await desk.until_reported(ORDERS // 2, *TOLD)
        first.send_signal(signal.SIGSTOP)
        desk.start_connector(venue, "venue-1")
        await desk.until_session(2)
        first.send_signal(signal.SIGCONT)
        await desk.until_reported(ORDERS, ExecType.TRADE)
        await eventually(lambda: first.poll() is not None, DEADLINE_S)
        assert first.returncode == 1
        log = desk.log("venue-0")
        assert "SESSION_TAKEN" in log or "LEASE_LOST" in log
        require_once_and_complete(desk, tmp_path / "sim", ORDERS)
