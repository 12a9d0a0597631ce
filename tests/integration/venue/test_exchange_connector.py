# SPDX-License-Identifier: Apache-2.0
"""Connectors at a crypto exchange, between a real bus and a real venue, killed and lied to."""

import json
import subprocess
from collections import Counter
from collections.abc import AsyncIterator, Collection
from itertools import count
from pathlib import Path

import pytest

from tests.integration.simvenue.venue_process import KEY, VenueProcess
from tests.integration.venue.desk import (
    DEADLINE_S,
    FAR_NS,
    Desk,
    buy,
    executions,
    open_desk,
    sell,
    traded_qty,
)
from tradewind.common.jetstream import KeyValue
from tradewind.common.testing import eventually
from tradewind.core.commands import CancelOrder, ReplaceOrder
from tradewind.core.types import ExecType, OrdStatus
from tradewind.simvenue.exchange.keys import secret_of

pytestmark = [pytest.mark.cluster, pytest.mark.anyio]

ORDERS = 100
GRID = {"symbol": "BTC-USD", "tick_size": "0.01", "lot_size": "0.00000001"}
LIES = {
    "ambiguous": 0.1,
    "drop_reply": 0.05,
    "rate_limit": 0.1,
    "cut": 0.03,
    "drop_report": 0.2,
    "late_report": 0.1,
    "duplicate_report": 0.2,
    "reorder_reports": 0.2,
    "read_lag": 0.1,
}


class Exchange:
    """A desk whose venue is reached as an exchange; each connector has a key of its own."""

    def __init__(self, desk: Desk, venue: VenueProcess, venue_dir: Path) -> None:
        self.desk = desk
        self.venue = venue
        self.venue_dir = venue_dir
        self._numbers = count(1)
        self.connector = self.connect()

    def connect(self) -> subprocess.Popen[bytes]:
        """Starts a connector."""
        key = f"TRADEWIND.{next(self._numbers)}"
        self.connector = self.desk.start_connector(
            self.venue,
            "venue-0",
            TRADEWIND_VENUE_ADAPTER="ccxt",
            TRADEWIND_VENUE_EXCHANGE="binance",
            TRADEWIND_VENUE_URL=self.venue.http,
            TRADEWIND_VENUE_KEY=key,
            TRADEWIND_VENUE_SECRET=secret_of(KEY, key),
            TRADEWIND_VENUE_EXPIRY_MS="1000",
            TRADEWIND_VENUE_READ_LAG_MS="300",
        )
        return self.connector

    def kill_connector(self) -> None:
        """Kills it without a word."""
        self.connector.kill()
        self.connector.wait()

    def require_once_and_complete(self, names: Collection[str]) -> None:
        """The exchange had each order once, and told each of its fills once."""
        orders = {r.order_id for r in self.desk.reports(ExecType.NEW) if r.cl_ord_id in names}
        accepted = executions(self.venue_dir, "NEW")
        assert {order: accepted[order] for order in orders} == dict.fromkeys(orders, 1)
        told: Counter[str] = Counter()
        for report in self.desk.reports(ExecType.TRADE):
            told[report.order_id] += report.last_qty
        traded = traded_qty(self.venue_dir)
        assert {o: told[o] for o in orders} == {o: traded[o] for o in orders}
        assert len(orders) == len(names)


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    """One loop for all tests here, as they share a suite."""
    return "asyncio"


@pytest.fixture(scope="module")
async def exchange(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Exchange]:
    folder = tmp_path_factory.mktemp("exchange")
    async with open_desk(folder) as (desk, venue):
        await KeyValue(desk.bus, "CONFIG").put("instrument.BTC-USD", json.dumps(GRID).encode())
        exchange = Exchange(desk, venue, folder / "sim")
        await desk.until_session(1)
        yield exchange


async def test_an_order_is_taken_changed_filled_and_cancelled(exchange: Exchange) -> None:
    desk = exchange.desk
    await desk.put(buy("life", 90))
    taken = await desk.until_told("life", ExecType.NEW)
    await desk.put(
        ReplaceOrder(
            account="A",
            cl_ord_id="less",
            orig_cl_ord_id="life",
            order_qty=8,
            price=90,
            client="test",
            void_after_ns=FAR_NS,
        )
    )
    replaced = await desk.until_told("less", ExecType.REPLACED)
    assert (replaced.order_id, replaced.order_qty, replaced.leaves_qty) == (taken.order_id, 8, 8)
    await desk.put(sell("hit", 90, order_qty=3))
    filled = await desk.until_told("less", ExecType.TRADE)
    assert (filled.last_qty, filled.last_px, filled.fee_currency) == (3, 90, "USD")
    await desk.put(CancelOrder(account="A", cl_ord_id="end", orig_cl_ord_id="less", client="test"))
    ended = await desk.until_told("end", ExecType.CANCELED)
    assert (ended.cum_qty, ended.leaves_qty) == (3, 0)
    exchange.require_once_and_complete(["life", "hit"])


async def test_a_killed_connector_loses_nothing_and_sends_nothing_twice(
    exchange: Exchange,
) -> None:
    desk = exchange.desk
    names = [f"kill-{number}" for number in range(ORDERS)]
    sides = (buy, sell)
    await desk.put_many(sides[number % 2](name, 80) for number, name in enumerate(names))
    await until_reported(desk, names, ExecType.NEW, ORDERS // 4)
    exchange.kill_connector()
    exchange.connect()
    await until_reported(desk, names, ExecType.TRADE, ORDERS)
    exchange.require_once_and_complete(names)


async def test_an_exchange_that_lies_is_found_out_and_nothing_is_done_twice(
    exchange: Exchange,
) -> None:
    desk = exchange.desk
    names = [f"lie-{number}" for number in range(ORDERS)]
    await exchange.venue.administer(op="faults", rates=LIES, seed=7, ms={"rate_limit": 100})
    for number, name in enumerate(names):
        await desk.put((buy, sell)[number % 2](name, 70))
    await until_reported(desk, names, ExecType.NEW, ORDERS // 2)
    await exchange.venue.administer(op="heal")
    await eventually(lambda: filled(desk, names) == ORDERS, DEADLINE_S)
    exchange.require_once_and_complete(names)
    assert reported(desk, names, ExecType.UNKNOWN) > 0


def reported(desk: Desk, names: Collection[str], kind: ExecType) -> int:
    """How many of these orders have a report of this kind."""
    return len({r.cl_ord_id for r in desk.reports(kind)} & set(names))


async def until_reported(desk: Desk, names: Collection[str], kind: ExecType, many: int) -> None:
    """Waits until so many of these orders have a report of this kind."""
    what = f"{many} orders with {kind}"
    await eventually(lambda: reported(desk, names, kind) >= many, DEADLINE_S, what=what)


def filled(desk: Desk, names: Collection[str]) -> int:
    """How many of these orders are filled."""
    reports = desk.reports(ExecType.TRADE)
    done = {r.cl_ord_id for r in reports if r.ord_status is OrdStatus.FILLED}
    return len(done & set(names))
