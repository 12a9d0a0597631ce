# SPDX-License-Identifier: Apache-2.0
"""Connectors on a FIX session, between a real bus and a real venue: killed, and made to forget.

The venue's own files are the witnesses: which orders it was sent, and which numbers it expected.
"""

import json
import socket
from collections.abc import AsyncIterator, Collection
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.integration.venue.desk import DEADLINE_S, buy, received, sell, traded_qty
from tests.integration.venue.line import PROTOCOLS, SESSION, Line, open_line
from tradewind.common.jetstream import KeyValue
from tradewind.common.testing import eventually
from tradewind.core.types import ExecType
from tradewind.venue.fix_ceilings import BUCKET
from tradewind.venue.fix_numbers import BLOCK
from tradewind.venue.hours import DAYS

pytestmark = [pytest.mark.cluster, pytest.mark.anyio]

ORDERS = 100
KEY = f"venue.SIM.{SESSION}"


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    """One loop for all tests here, as they share a suite."""
    return "asyncio"


@pytest.fixture(scope="module")
async def line(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Line]:
    async with open_line(tmp_path_factory.mktemp("line"), "fix") as line:
        yield line


def expected_numbers(venue_dir: Path) -> list[int]:
    """What the venue's side of the session expected next, all through its life."""
    lines = (venue_dir / "fix" / f"{SESSION}.jsonl").read_text().splitlines()
    return [number for number in (json.loads(line).get("expects", 0) for line in lines) if number]


async def until_traded(line: Line, names: Collection[str]) -> None:
    """Waits until every one of these orders has all its fills, as the venue has them."""

    def booked() -> int:
        fills = line.desk.reports(ExecType.TRADE)
        return sum(fill.last_qty for fill in fills if fill.cl_ord_id in names)

    await eventually(lambda: booked() == 10 * len(names), DEADLINE_S, what="every fill")
    taken = [r for r in line.desk.reports(ExecType.NEW) if r.cl_ord_id in names]
    orders = {report.order_id for report in taken}
    sent, traded = received(line.venue_dir), traded_qty(line.venue_dir)
    assert {order: sent[order] for order in orders} == dict.fromkeys(orders, 1)
    assert sum(traded[order] for order in orders) == 10 * len(names)


async def test_a_killed_connector_loses_nothing_and_sends_nothing_twice(line: Line) -> None:
    names = [f"kill-{number}" for number in range(ORDERS)]
    for begin in range(0, ORDERS, 25):
        some = enumerate(names[begin : begin + 25])
        await line.desk.put_many((buy, sell)[number % 2](name, 80) for number, name in some)
        await line.desk.until_told(names[begin], ExecType.NEW)
        await line.connect()
    await line.desk.put_many(sell(f"rest-{number}", 80) for number in range(4))
    names += [f"rest-{number}" for number in range(4)]
    await until_traded(line, names)


async def test_a_successor_begins_where_no_number_was_reserved(line: Line) -> None:
    before = max(expected_numbers(line.venue_dir))

    def jumped() -> list[int]:
        return [number for number in expected_numbers(line.venue_dir) if number > before]

    await line.connect()
    [first, *_more] = await eventually(jumped, DEADLINE_S, what="a logon")
    assert first % BLOCK in (2, 3), "a new block has begun, and nothing filled the last one"


async def test_numbers_that_the_bus_forgot_are_learnt_from_the_venue(line: Line) -> None:
    await KeyValue(line.desk.bus, BUCKET).put(KEY, json.dumps({"next_out": 1}).encode())
    before = max(expected_numbers(line.venue_dir))
    await line.connect()
    await line.desk.put(buy("forgot", 60))
    await line.desk.until_told("forgot", ExecType.NEW)
    assert max(expected_numbers(line.venue_dir)) > before


async def test_a_venue_that_lost_its_numbers_is_asked_for_everything(line: Line) -> None:
    await line.desk.put_many([buy("anew-a", 61), buy("anew-b", 62)])
    for name in ("anew-a", "anew-b"):
        await line.desk.until_told(name, ExecType.NEW)
    before = line.desk.sessions()
    await line.play("sequence_reset")
    await line.desk.put(sell("anew-c", 62))
    await line.until_sessions(before + 1)
    for name in ("anew-b", "anew-c"):
        fill = await line.desk.until_told(name, ExecType.TRADE)
        assert (fill.last_qty, fill.last_px) == (10, 62)
    assert "has lost its numbers" in line.desk.log("venue-0")
    await line.desk.put(sell("anew-d", 61))
    await line.desk.until_told("anew-a", ExecType.TRADE)


async def test_a_backup_address_is_used_when_the_first_one_is_dead(line: Line) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        dead = free.getsockname()[1]
    addresses = f"fix://127.0.0.1:{dead},{line.venue.fix}"
    await line.connect(**{**PROTOCOLS["fix"](line.venue), "TRADEWIND_VENUE_URL": addresses})
    await line.desk.put(buy("backup", 60))
    await line.desk.until_told("backup", ExecType.NEW)


async def test_outside_its_hours_nobody_logs_on(line: Line) -> None:
    before = line.desk.sessions()
    line.start(TRADEWIND_VENUE_HOURS="MON-SUN 00:00-00:00")
    await line.until_sessions(before + 1)
    line.start(TRADEWIND_VENUE_HOURS=_closed())
    await eventually(lambda: "is closed" in line.desk.log("venue-0"), DEADLINE_S)
    assert line.desk.sessions() == before + 1


def _closed() -> str:
    """Hours that are two days away."""
    day = DAYS[(datetime.now(UTC).weekday() + 2) % len(DAYS)]
    return f"{day}-{day} 00:00-23:59"
