# SPDX-License-Identifier: Apache-2.0
"""Shard 0 on a cluster of its own, with real replica processes to start, stop and replace."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

from tradewind.common import codec, subjects
from tradewind.common.jetstream import Bus, KeyValue, Message, Record, StreamReader
from tradewind.common.jetstream.direct import read_from
from tradewind.common.testing import LocalCluster, eventually
from tradewind.core.commands import (
    Command,
    DefineInstrument,
    Entry,
    OpenSegment,
    SetLimits,
    SetReferencePrice,
    SubmitOrder,
)
from tradewind.core.events import OrderReport
from tradewind.core.types import ExecType, OrdType, Side, TimeInForce

FAR_NS = 2**62
BATCH = 400
LOOK_AGAIN_S = 0.01
DEADLINE_S = 30


class Shard:
    """Shard 0 on a cluster of its own, with replicas to kill."""

    def __init__(self, cluster: LocalCluster, bus: Bus, folder: Path) -> None:
        self._cluster = cluster
        self.bus = bus
        self.folder = folder
        self._password = folder / "oms.password"
        self._password.write_text(cluster.config.passwords["oms"])
        self.replicas: dict[str, subprocess.Popen[bytes]] = {}
        self.records: list[Record] = []

    async def put(self, command: Command) -> int:
        ack = await self.bus.publish(subjects.journal_subject(0, command), codec.encode(command))
        return ack.seq

    async def put_raw(self, body: bytes) -> int:
        return (await self.bus.publish("journal.0.cmd.A", body)).seq

    def start(self, rank: int, *, code: Path | None = None, **settings: int) -> str:
        """Starts a replica; `code` is a folder whose packages go before the installed ones."""
        instance = f"oms-0-{rank}"
        assert instance not in self.replicas, f"{instance} runs already"
        folder = self.folder / instance
        folder.mkdir(exist_ok=True)
        with (self.folder / f"{instance}.log").open("ab") as log:
            self.replicas[instance] = subprocess.Popen(
                [sys.executable, "-m", "tradewind.oms"],
                stderr=log,
                env={
                    **os.environ,
                    "TRADEWIND_NATS_URLS": ",".join(self._cluster.urls),
                    "TRADEWIND_NATS_USER": "oms",
                    "TRADEWIND_NATS_PASSWORD_FILE": str(self._password),
                    "TRADEWIND_INSTANCE": instance,
                    "TRADEWIND_SHARDS": "1",
                    "TRADEWIND_STATE_DIR": str(folder),
                    "TRADEWIND_SHARD": "0",
                    "TRADEWIND_RANK": str(rank),
                    **({} if code is None else {"PYTHONPATH": str(code)}),
                    **{f"TRADEWIND_{name.upper()}": str(value) for name, value in settings.items()},
                },
            )
        return instance

    async def end(self, instance: str, *, code: int | None = None) -> None:
        """Kills a replica, or waits for the exit code that it ends with by itself."""
        process = self.replicas[instance]
        if code is None:
            process.kill()
        found = await asyncio.to_thread(process.wait, DEADLINE_S)
        assert code is None or found == code, self.log(instance)
        del self.replicas[instance]

    async def facts(self, instance: str) -> dict[str, Any]:
        """What a replica's heartbeat says, once it says anything."""
        entry = await KeyValue(self.bus, "STATUS").get(subjects.status_key("oms", instance))
        facts: dict[str, Any] = {} if entry is None else json.loads(entry.value)
        process = self.replicas.get(instance)
        return facts if process is not None and facts.get("pid") == process.pid else {}

    async def until(
        self, instance: str, condition: Callable[[dict[str, Any]], bool]
    ) -> dict[str, Any]:
        """The replica's facts once they are such."""

        async def look() -> dict[str, Any] | None:
            facts = await self.facts(instance)
            assert self.replicas[instance].poll() is None, self.log(instance)
            return facts if facts and condition(facts) else None

        found: dict[str, Any] = await eventually(look, DEADLINE_S, what=f"{instance}'s facts")
        return found

    async def fill(self, count: int, prefix: str = "f") -> None:
        """Journals many orders."""
        commands = [order(f"{prefix}{number}") for number in range(count)]
        for start in range(0, count, BATCH):
            await self.bus.append_batch(
                [
                    Message(subjects.journal_subject(0, command), codec.encode(command))
                    for command in commands[start : start + BATCH]
                ],
                expected_last_seq=None,
                timeout_ms=10_000,
            )

    async def entries(self, last: int, *, first: int = 1) -> list[Entry]:
        """The journal's entries, decoded; a copy that is asked may be behind for a moment."""
        found: list[Entry] = []
        while first <= last:
            records = await read_from(self.bus, subjects.journal_stream(0), first, BATCH)
            if not records:
                await asyncio.sleep(LOOK_AGAIN_S)
                continue
            found += [
                Entry(
                    seq=record.seq,
                    ts_ns=record.ts_ns,
                    command=codec.decode_command(record.body),
                )
                for record in records
                if record.seq <= last
            ]
            first = records[-1].seq + 1
        return found

    def log(self, instance: str) -> str:
        return (self.folder / f"{instance}.log").read_text()

    def largest_gap_ms(self) -> float:
        """The longest time without an accepted order, by the broker's stamps."""
        stamps = [record.ts_ns for record in self.records if ".order." in record.subject]
        return max(after - before for before, after in pairwise(stamps)) / 1_000_000

    @property
    def leader(self) -> str:
        return self.records[-1].headers[subjects.HEADER_BY]

    def accepted(self) -> list[str]:
        events = [codec.decode_event(record.body) for record in self.records]
        return [
            event.cl_ord_id
            for event in events
            if isinstance(event, OrderReport) and event.exec_type is ExecType.PENDING_NEW
        ]

    async def listen(self) -> None:
        reader = StreamReader(
            self.bus, subjects.events_stream(0), subjects.live(subjects.events_all(0)), 1
        )
        await reader.open()
        while True:
            self.records.extend(await reader.next_batch())

    async def until_accepted(self, count: int) -> None:
        await eventually(lambda: len(self.accepted()) >= count, DEADLINE_S)

    async def digests(self) -> list[tuple[int, str]]:
        """(seq, digest) of every living replica once they are at the same entry."""
        async with asyncio.timeout(DEADLINE_S):
            while True:
                answers = await self.bus.request_all(subjects.query_oms(0, "digests"), b"{}", 500)
                found = sorted(_seq_and_digest(answer) for answer in answers)
                if len(found) == len(self.replicas) and found[0][0] == found[-1][0]:
                    return found


def _seq_and_digest(answer: bytes) -> tuple[int, str]:
    plain = json.loads(answer)
    return plain["seq"], plain["digest"]


def order(cl_ord_id: str) -> SubmitOrder:
    return SubmitOrder(
        account="A",
        cl_ord_id=cl_ord_id,
        symbol="BTC-USD",
        side=Side.BUY,
        ord_type=OrdType.LIMIT,
        time_in_force=TimeInForce.GTC,
        order_qty=1,
        price=100,
        client="test",
        strategy="test",
        void_after_ns=FAR_NS,
    )


OPENING: tuple[Command, ...] = (
    OpenSegment(segment="test01", shard=0),
    DefineInstrument(symbol="BTC-USD", venue="SIM", tick_size="0.01", lot_size="1", currency="USD"),
    SetLimits(
        account="A",
        symbol="BTC-USD",
        max_order_qty=1000,
        max_notional=10**9,
        max_position=10**9,
        collar_bps=500,
        max_reference_age_ms=10**6,
        version=1,
    ),
    SetReferencePrice(symbol="BTC-USD", price=100),
)


@asynccontextmanager
async def opened(folder: Path, *, is_listening: bool = True) -> AsyncIterator[Shard]:
    async with LocalCluster(shards=1) as cluster:
        await cluster.create_streams()
        shard = Shard(cluster, await cluster.bus("admin"), folder)
        for command in OPENING:
            await shard.put(command)
        listening = [asyncio.create_task(shard.listen())] if is_listening else []
        with ended(shard):
            yield shard
        for task in listening:
            task.cancel()
        await asyncio.gather(*listening, return_exceptions=True)


@contextmanager
def ended(shard: Shard) -> Iterator[None]:
    try:
        yield
    finally:
        for process in shard.replicas.values():
            process.kill()
            process.wait()
