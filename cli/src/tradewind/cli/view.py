# SPDX-License-Identifier: Apache-2.0
"""The live terminal view: what a running suite does, twice a second."""

import asyncio
import time
from collections import Counter, deque
from decimal import Decimal
from typing import Any

from rich.columns import Columns
from rich.console import Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from tradewind.cli.client import GatewayClient, GatewayError
from tradewind.cli.console_io import out
from tradewind.cli.status import read_status
from tradewind.cli.suite.facts import Facts
from tradewind.cli.suite.launcher import read_table
from tradewind.common import codec, subjects
from tradewind.common.errors import BusError
from tradewind.common.grid import Grid
from tradewind.common.jetstream import Bus, StreamReader, stream_tail
from tradewind.core.events import OrderReport
from tradewind.core.types import ExecType

REFRESH_S = 0.5
FILLS_SHOWN = 8
RATE_WINDOW_S = 5.0


class Feed:
    """Counts what happens, from every shard's outputs."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.fills: deque[OrderReport] = deque(maxlen=FILLS_SHOWN)
        self._accepted_s: deque[float] = deque()

    @property
    def orders_per_s(self) -> float:
        """Accepted orders per second over the last seconds."""
        now_s = time.monotonic()
        while self._accepted_s and now_s - self._accepted_s[0] > RATE_WINDOW_S:
            self._accepted_s.popleft()
        return len(self._accepted_s) / RATE_WINDOW_S

    async def follow(self, bus: Bus, shard: int) -> None:
        """Reads one shard from now on, for ever."""
        stream = subjects.events_stream(shard)
        _first, last = await stream_tail(bus, stream)
        live = subjects.live(subjects.events_all(shard))
        reader = StreamReader(bus, stream, live, last + 1)
        await reader.open()
        while True:
            for record in await reader.next_batch():
                event = codec.decode_event(record.body)
                if isinstance(event, OrderReport):
                    self._take(event)

    def _take(self, report: OrderReport) -> None:
        if report.is_parent:
            return
        self.counts[report.exec_type] += 1
        if report.exec_type is ExecType.PENDING_NEW:
            self._accepted_s.append(time.monotonic())
        elif report.exec_type is ExecType.TRADE:
            self.fills.appendleft(report)


async def live_view(facts: Facts) -> None:
    """Shows the suite until cancelled."""
    bus = await Bus.connect(facts.bus("auditor"), name="view")
    feed = Feed()
    following = [asyncio.ensure_future(feed.follow(bus, s)) for s in range(facts.shards)]
    try:
        async with GatewayClient(facts.gateway_url, facts.credentials()) as client:
            with Live(console=out, auto_refresh=False, transient=True) as live:
                while True:
                    live.update(await _picture(facts, bus, client, feed), refresh=True)
                    await asyncio.sleep(REFRESH_S)
    finally:
        for task in following:
            task.cancel()
        await asyncio.gather(*following, return_exceptions=True)
        await bus.close()


async def _picture(facts: Facts, bus: Bus, client: GatewayClient, feed: Feed) -> RenderableType:
    try:
        status = await read_status(facts, read_table(facts), bus)
        positions = await client.positions()
        grids = {
            row["symbol"]: Grid(Decimal(row["tick_size"]), Decimal(row["lot_size"]))
            for row in await client.instruments()
        }
    except (BusError, GatewayError) as error:
        return Text(f"waiting: {error.text}", style="yellow")
    parts: list[RenderableType] = [
        _heading(facts, status, feed),
        Columns([_shards(status), _latencies(status)], padding=(0, 4)),
        Columns([_positions(positions), _fills(feed, grids)], padding=(0, 4)),
        _processes(status),
    ]
    return Group(*parts)


def _heading(facts: Facts, status: dict[str, Any], feed: Feed) -> Text:
    counts = feed.counts
    text = Text("Tradewind  ", style="bold cyan")
    text.append(
        f"{feed.orders_per_s:.1f} orders/s   accepted {counts[ExecType.PENDING_NEW]}   "
        f"fills {counts[ExecType.TRADE]}   canceled {counts[ExecType.CANCELED]}   "
        f"replaced {counts[ExecType.REPLACED]}   denied {counts[ExecType.DENIED]}\n",
        style="default",
    )
    text.append(f"console {facts.console_url}   gateway {facts.gateway_url}   Ctrl-C stops\n")
    return text


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", box=None, pad_edge=False, title_style="bold")
    for column in columns:
        table.add_column(column, style="default", header_style="dim")
    return table


def _shards(status: dict[str, Any]) -> Table:
    table = _table("shards", "shard", "leads", "journal on", "entries", "outputs", "live orders")
    leaders = {row["stream"]: row["leader"] for row in status["streams"]}
    for row in status["shards"]:
        node = leaders.get(subjects.journal_stream(row["shard"])) or "no leader"
        table.add_row(
            str(row["shard"]),
            row["leader"] or "nobody yet",
            node.rpartition("-")[2],
            str(row["seq"]),
            str(row["ordinal"]),
            str(row["live"]),
        )
    return table


def _latencies(status: dict[str, Any]) -> Table:
    table = _table("latency, ms", "hop", "p50", "p99")
    for beat in status["heartbeats"]:
        for key, hop in (
            ("durable_ack_us", "durable"),
            ("accepted_us", "accepted"),
            ("send_us", "to the wire"),
        ):
            figures = beat.get(key)
            if figures:
                table.add_row(hop, *(_ms(figures.get(mark)) for mark in ("p50", "p99")))
    return table


def _ms(value_us: int | float | None) -> str:
    return "" if value_us is None else f"{value_us / 1000:.2f}"


def _positions(positions: list[dict[str, Any]]) -> Table:
    table = _table("positions", "account", "symbol", "quantity", "average", "realised")
    for row in positions:
        table.add_row(
            row["account"],
            row["symbol"],
            row["qty"],
            str(row["avg_px"] or "")[:12],
            row["realised"][:12],
        )
    return table


def _fills(feed: Feed, grids: dict[str, Grid]) -> Table:
    table = _table("last fills", "order", "account", "side", "quantity", "price")
    for fill in feed.fills:
        grid = grids.get(fill.symbol)
        if grid is None:
            continue
        table.add_row(
            fill.cl_ord_id,
            fill.account,
            fill.side,
            grid.lots_to_text(fill.last_qty),
            grid.ticks_to_text(fill.last_px),
        )
    return table


def _processes(status: dict[str, Any]) -> RenderableType:
    roles = {beat["instance"]: beat.get("role", "") for beat in status["heartbeats"]}
    cells = []
    for row in status["processes"]:
        if row["phase"] == "done":
            continue
        cell = Text(row["name"], style="green" if row["phase"] == "ready" else "bold red")
        restarts = f" restarted {row['restarts']}x" if row["restarts"] else ""
        cell.append(f" {roles.get(row['name'], '')}{restarts}", style="dim")
        cells.append(cell)
    return Columns(cells, padding=(0, 2), title="processes")
