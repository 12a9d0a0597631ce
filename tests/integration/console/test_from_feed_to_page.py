# SPDX-License-Identifier: Apache-2.0
"""Venue feed -> market data -> risk -> journal -> replica -> page, all real processes."""

import asyncio
import contextlib
import json
import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientError, ClientSession, web

from tradewind.common import codec, init_job, subjects
from tradewind.common.jetstream import Bus
from tradewind.common.testing import LocalCluster, eventually
from tradewind.core.commands import ApplyVenueReport, Command, SetTradingState, SubmitOrder
from tradewind.core.types import ExecType, OrdType, Side, TimeInForce, TradingState

pytestmark = [pytest.mark.cluster, pytest.mark.anyio]

DEADLINE_S = 30
FAR_NS = 2**62
BID, ASK = 7_831_700, 7_831_900
COIN = 100_000_000


class Suite:
    """One shard, one venue feed that the test speaks, and the three services behind it."""

    def __init__(self, cluster: LocalCluster, bus: Bus, folder: Path, feed_url: str) -> None:
        self._cluster = cluster
        self._bus = bus
        self._folder = folder
        with socket.socket() as held:
            held.bind(("127.0.0.1", 0))
            port = held.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.settings = {
            "oms": {"TRADEWIND_SHARD": "0", "TRADEWIND_RANK": "0"},
            "marketdata": {"TRADEWIND_VENUE": "SIM", "TRADEWIND_FEED_URL": feed_url},
            "risk": {"TRADEWIND_VENUE": "SIM"},
            "console": {"TRADEWIND_VENUE": "SIM", "TRADEWIND_HTTP_PORT": str(port)},
        }

    def start(self, service: str) -> None:
        password = self._folder / f"{service}.password"
        password.write_text(self._cluster.config.passwords[service])
        with (self._folder / f"{service}.log").open("ab") as log:
            self.processes[service] = subprocess.Popen(
                [sys.executable, "-m", f"tradewind.{service}"],
                stderr=log,
                env={
                    **os.environ,
                    "TRADEWIND_NATS_URLS": ",".join(self._cluster.urls),
                    "TRADEWIND_NATS_USER": service,
                    "TRADEWIND_NATS_PASSWORD_FILE": str(password),
                    "TRADEWIND_INSTANCE": f"{service}-0",
                    "TRADEWIND_SHARDS": "1",
                    "TRADEWIND_STATE_DIR": str(self._folder),
                    **self.settings[service],
                },
            )

    def end(self, service: str) -> int:
        process = self.processes.pop(service)
        process.terminate()
        return process.wait(DEADLINE_S)

    async def journal(self, command: Command) -> int:
        body = codec.encode(command)
        return (await self._bus.publish(subjects.journal_subject(0, command), body)).seq

    async def picture(self) -> dict[str, Any]:
        """What the page shows; empty before there is a page."""
        try:
            async with ClientSession() as http, http.get(f"{self.url}/v1/picture") as answer:
                return json.loads(await answer.read())  # type: ignore[no-any-return]
        except ClientError:
            return {}

    async def shows(self, what: str, **row: str | int) -> None:
        """Waits until the page has a row like this."""

        async def is_shown() -> bool:
            rows = (await self.picture()).get(what, [])
            return any(row.items() <= shown.items() for shown in rows)

        await eventually(is_shown, DEADLINE_S, what=f"{what} {row} ({self._folder})")


async def speak(request: web.Request) -> web.WebSocketResponse:
    """A venue's feed: the same quote again and again."""
    feed = web.WebSocketResponse()
    await feed.prepare(request)
    quote = {"type": "quote", "symbol": "BTC-USD", "bid_px": BID, "bid_qty": COIN}
    with contextlib.suppress(ConnectionError):
        while True:
            await feed.send_json({**quote, "ask_px": ASK, "ask_qty": 2 * COIN, "ts_ns": 1})
            await asyncio.sleep(0.05)
    return feed


@asynccontextmanager
async def feed_url() -> AsyncIterator[str]:
    application = web.Application()
    application.router.add_get("/feed", speak)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"ws://127.0.0.1:{runner.addresses[0][1]}/feed"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def suite(folder: Path) -> AsyncIterator[Suite]:
    async with LocalCluster(shards=1) as cluster, feed_url() as url:
        await init_job.run(
            init_job.Settings(
                bus=cluster.settings("admin"), system=cluster.settings("sys"), shards=1
            )
        )
        running = Suite(cluster, await cluster.bus("admin"), folder, url)
        for service in running.settings:
            running.start(service)
        try:
            yield running
        finally:
            for process in running.processes.values():
                process.kill()
                process.wait()


def order(cl_ord_id: str) -> SubmitOrder:
    return SubmitOrder(
        account="ALPHA",
        cl_ord_id=cl_ord_id,
        symbol="BTC-USD",
        side=Side.BUY,
        ord_type=OrdType.LIMIT,
        time_in_force=TimeInForce.GTC,
        order_qty=COIN,
        price=BID,
        client="test",
        strategy="test",
        void_after_ns=FAR_NS,
    )


def fill(order_id: str, qty: int) -> ApplyVenueReport:
    return ApplyVenueReport(
        venue="SIM",
        order_id=order_id,
        request_id="",
        venue_order_id="V1",
        exec_id=f"S{qty}",
        exec_no=1,
        exec_type=ExecType.TRADE,
        last_qty=qty,
        last_px=BID,
        order_qty=0,
        price=0,
        text="",
    )


async def test_a_quote_lets_orders_through_and_a_fill_is_on_the_page_with_its_profit(
    tmp_path: Path,
) -> None:
    async with suite(tmp_path) as running:
        await running.shows("quotes", symbol="BTC-USD", bid="78317", ask="78319", ask_qty="2")
        await running.shows("beats", service="risk", role="active")

        # The core denies without a fresh reference price: that one is accepted shows that a quote
        # went all the way into the journal.
        async def is_referenced() -> bool:
            beats = (await running.picture()).get("beats", [])
            return any(beat.get("references_journaled", 0) > 0 for beat in beats)

        await eventually(is_referenced, DEADLINE_S)
        await running.journal(order("c1"))
        await running.shows("orders", cl_ord_id="c1", status="PENDING_NEW", qty="1", price="78317")
        (row,) = (await running.picture())["orders"]
        await running.journal(fill(row["order_id"], COIN // 4))
        await running.shows("orders", cl_ord_id="c1", status="PARTIALLY_FILLED", cum="0.25")
        await running.shows("fills", account="ALPHA", last_qty="0.25", last_px="78317")
        await running.shows(
            "positions",
            account="ALPHA",
            qty="0.25",
            avg_px="78317",
            mark_px="78318",
            realised="0",
            unrealised="0.25",
        )
        halt = {"scope": "firm", "actor": "test", "reason": "seen on the page"}
        await running.journal(SetTradingState(state=TradingState.HALTED, **halt))
        await running.shows("states", state="HALTED", **halt)
        await running.shows("alerts", scope="firm", owner="operator")
        await running.shows("alerts", scope="firm", owner="supervisor")

        running.end("risk")
        running.start("risk")
        reborn = running.processes["risk"].pid
        await running.shows("beats", service="risk", pid=reborn, positions=1, checked=1)
        await running.shows("positions", account="ALPHA", qty="0.25", realised="0")
        async with ClientSession() as http, http.ws_connect(f"{running.url}/v1/live") as page:
            pushed = [json.loads(await page.receive_str(timeout=DEADLINE_S)) for _ in range(2)]
        assert pushed[0]["ts_ms"] < pushed[1]["ts_ms"]
        assert [running.end(service) for service in ("marketdata", "risk", "console")] == [0, 0, 0]
