# SPDX-License-Identifier: Apache-2.0
"""A shard with everything between the journal and the venue, each in a process of its own."""

import asyncio
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.integration.simvenue.venue_process import KEY, VenueProcess, venue_process
from tradewind.common import codec, subjects
from tradewind.common.jetstream import Bus, KeyValue, StreamReader
from tradewind.common.testing import LocalCluster, eventually
from tradewind.core.commands import (
    CancelOrder,
    Command,
    DefineInstrument,
    OpenSegment,
    SetLimits,
    SetReferencePrice,
    SubmitOrder,
)
from tradewind.core.events import Event, OrderReport, SessionTaken
from tradewind.core.types import ExecType, OrdType, Side, TimeInForce

FAR_NS = 2**62
DEADLINE_S = 30.0
OPENING: tuple[Command, ...] = (
    OpenSegment(segment="test01", shard=0),
    DefineInstrument(symbol="BTC-USD", venue="SIM", tick_size="0.01", lot_size="1", currency="USD"),
    SetLimits(
        account="A",
        symbol="BTC-USD",
        max_order_qty=1000,
        max_notional=10**9,
        max_position=10**9,
        collar_bps=5000,
        max_reference_age_ms=10**7,
        version=1,
    ),
    SetReferencePrice(symbol="BTC-USD", price=100),
)


class Desk:
    """Shard 0: bus, one OMS replica, connectors, the venue."""

    def __init__(self, cluster: LocalCluster, bus: Bus, folder: Path) -> None:
        self._cluster = cluster
        self.bus = bus
        self._folder = folder
        self._processes: list[subprocess.Popen[bytes]] = []
        self._orders_by_kind: dict[ExecType, set[str]] = {}
        self.events: list[Event] = []
        for user in ("oms", "venue", "risk"):
            (folder / user).write_text(cluster.config.passwords[user])

    def start(self, service: str, instance: str, **more: str) -> subprocess.Popen[bytes]:
        """Starts a service."""
        with (self._folder / f"{instance}.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", f"tradewind.{service}"],
                stderr=log,
                env={
                    **os.environ,
                    "TRADEWIND_NATS_URLS": ",".join(self._cluster.urls),
                    "TRADEWIND_NATS_USER": service,
                    "TRADEWIND_NATS_PASSWORD_FILE": str(self._folder / service),
                    "TRADEWIND_INSTANCE": instance,
                    "TRADEWIND_SHARDS": "1",
                    "TRADEWIND_STATE_DIR": str(self._folder),
                    "TRADEWIND_SHARD": "0",
                    "TRADEWIND_RANK": "0",
                    **more,
                },
            )
        self._processes.append(process)
        return process

    def start_connector(
        self, venue: VenueProcess, instance: str, **more: str
    ) -> subprocess.Popen[bytes]:
        """Starts a connector."""
        return self.start(
            "venue",
            instance,
            **{
                "TRADEWIND_VENUE": "SIM",
                "TRADEWIND_VENUE_URL": venue.url,
                "TRADEWIND_VENUE_KEY": KEY,
                "TRADEWIND_VENUE_UNKNOWN_AFTER_MS": "300",
                **more,
            },
        )

    def stop(self) -> None:
        """Kills what runs."""
        for process in self._processes:
            process.kill()
            process.wait()

    def log(self, instance: str) -> str:
        """What a service said."""
        return (self._folder / f"{instance}.log").read_text()

    async def put(self, command: Command) -> None:
        """Journals a command."""
        await self.bus.publish(subjects.journal_subject(0, command), codec.encode(command))

    async def put_many(self, commands: Iterable[Command]) -> None:
        """Journals commands as fast as the journal takes them."""
        await asyncio.gather(
            *(
                self.bus.publish_nowait(subjects.journal_subject(0, command), codec.encode(command))
                for command in commands
            )
        )

    async def listen(self) -> None:
        """Collects the outputs, for ever."""
        reader = StreamReader(
            self.bus, subjects.events_stream(0), subjects.live(subjects.events_all(0)), 1
        )
        await reader.open()
        while True:
            for record in await reader.next_batch():
                self._note(codec.decode_event(record.body))

    def _note(self, event: Event) -> None:
        self.events.append(event)
        if isinstance(event, OrderReport):
            self._orders_by_kind.setdefault(event.exec_type, set()).add(event.order_id)

    def reports(self, *kinds: ExecType) -> list[OrderReport]:
        """The clients' reports of these kinds."""
        return [e for e in self.events if isinstance(e, OrderReport) and e.exec_type in kinds]

    def orders_with(self, kind: ExecType) -> set[str]:
        """Ids of the orders that have a report of this kind."""
        return self._orders_by_kind.get(kind, set())

    async def until_reported(self, count: int, *kinds: ExecType) -> list[OrderReport]:
        """Waits for that many orders with such a report."""

        def enough() -> bool:
            return len(set().union(*map(self.orders_with, kinds))) >= count

        await eventually(enough, DEADLINE_S, what=f"{count} orders with {kinds}")
        return self.reports(*kinds)

    async def until_told(self, cl_ord_id: str, kind: ExecType, count: int = 1) -> OrderReport:
        """Waits for that many reports of this kind about one order; the last of them."""

        def told() -> list[OrderReport]:
            return [e for e in self.reports(kind) if e.cl_ord_id == cl_ord_id]

        what = f"{count} reports {kind} of {cl_ord_id}"
        try:
            await eventually(lambda: len(told()) >= count, DEADLINE_S, what=what)
        except AssertionError as error:
            error.add_note(f"told was {self.history(cl_ord_id)}")
            raise
        return told()[count - 1]

    def history(self, cl_ord_id: str) -> list[str]:
        """What was told about one order, with the reasons."""
        told = (e for e in self.reports(*ExecType) if e.cl_ord_id == cl_ord_id)
        return [f"{e.exec_type} {e.reason} {e.text}".strip() for e in told]

    def sessions(self) -> int:
        """How many were taken."""
        return sum(isinstance(event, SessionTaken) for event in self.events)

    async def until_role(self, instance: str, role: str) -> None:
        """Waits until a connector says that it is this."""
        key = subjects.status_key("venue", instance)

        async def is_so() -> bool:
            entry = await KeyValue(self.bus, "STATUS").get(key)
            return entry is not None and json.loads(entry.value)["role"] == role

        await eventually(is_so, DEADLINE_S, what=f"{instance} {role}")

    async def until_session(self, epoch: int) -> None:
        """Waits until a session of this number was taken."""
        await eventually(
            lambda: any(isinstance(e, SessionTaken) and e.epoch >= epoch for e in self.events),
            DEADLINE_S,
        )


def order(number: int, void_after_ns: int = FAR_NS) -> SubmitOrder:
    """Buys and sells at one price, so that every two of them fill."""
    return SubmitOrder(
        account="A",
        cl_ord_id=f"o{number}",
        symbol="BTC-USD",
        side=Side.BUY if number % 2 else Side.SELL,
        ord_type=OrdType.LIMIT,
        time_in_force=TimeInForce.GTC,
        order_qty=10,
        price=100,
        client="test",
        strategy="test",
        void_after_ns=void_after_ns,
    )


def buy(cl_ord_id: str, price: int = 100, **terms: object) -> SubmitOrder:
    """A limit order of 10 lots, unless told otherwise."""
    made = replace(order(1), cl_ord_id=cl_ord_id, side=Side.BUY, price=price)
    return replace(made, **terms)  # type: ignore[arg-type]


def sell(cl_ord_id: str, price: int = 100, **terms: object) -> SubmitOrder:
    """As `buy`, on the other side."""
    return replace(buy(cl_ord_id, price, **terms), side=Side.SELL)


def cancel(number: int) -> CancelOrder:
    """Cancels order `number`."""
    return CancelOrder(
        account="A", cl_ord_id=f"c{number}", orig_cl_ord_id=f"o{number}", client="test"
    )


def executions(state_dir: Path, kind: str) -> Counter[str]:
    """How often the venue's own log has an execution of this kind, by order id."""
    return Counter(line["report"]["cl_id"] for line in _lines(state_dir) if _kind(line) == kind)


def received(state_dir: Path) -> Counter[str]:
    """How often the venue was sent each order, by its own log."""
    lines = [line for line in _lines(state_dir) if line["kind"] == "in"]
    return Counter(line["msg"]["cl_id"] for line in lines if line["msg"]["op"] == "new")


def traded_qty(state_dir: Path) -> Counter[str]:
    """What each order traded, by the venue's own log."""
    traded: Counter[str] = Counter()
    for line in _lines(state_dir):
        if _kind(line) == "TRADE":
            traded[line["report"]["cl_id"]] += line["report"]["last_qty"]
    return traded


def _kind(line: dict[str, Any]) -> str:
    return str(line.get("report", {}).get("exec_type", ""))


def _lines(state_dir: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (state_dir / "venue.jsonl").read_text().splitlines()]


@asynccontextmanager
async def open_desk(folder: Path) -> AsyncIterator[tuple[Desk, VenueProcess]]:
    """Everything but the connector, which the test starts."""
    async with (
        LocalCluster(shards=1) as cluster,
        venue_process(folder / "sim") as venue,
    ):
        await cluster.create_streams()
        desk = Desk(cluster, await cluster.bus("admin"), folder)
        listening = asyncio.create_task(desk.listen())
        try:
            desk.start("oms", "oms-0-0")
            for command in OPENING:
                await desk.put(command)
            yield desk, venue
        finally:
            desk.stop()
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)
