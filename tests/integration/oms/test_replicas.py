# SPDX-License-Identifier: Apache-2.0
"""Two real replica processes on a real cluster: nothing lost, nothing doubled, order kept."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from itertools import pairwise
from pathlib import Path

import pytest

from tradewind.common import codec, subjects
from tradewind.common.jetstream import Bus, Record, StreamReader
from tradewind.common.testing import LocalCluster, eventually
from tradewind.core.commands import (
    Command,
    DefineInstrument,
    OpenSegment,
    SetLimits,
    SetReferencePrice,
    SubmitOrder,
)
from tradewind.core.events import OrderReport
from tradewind.core.types import ExecType, OrdType, Side, TimeInForce

pytestmark = [pytest.mark.cluster, pytest.mark.anyio]

FAR_NS = 2**62
DEADLINE_S = 30


class Shard:
    """Shard 0 on a cluster of its own, with replicas to kill."""

    def __init__(self, cluster: LocalCluster, bus: Bus, folder: Path) -> None:
        self._cluster = cluster
        self._bus = bus
        self._folder = folder
        self._password = folder / "oms.password"
        self._password.write_text(cluster.config.passwords["oms"])
        self.replicas: dict[str, subprocess.Popen[bytes]] = {}
        self.records: list[Record] = []

    async def put(self, command: Command) -> int:
        ack = await self._bus.publish(subjects.journal_subject(0, command), codec.encode(command))
        return ack.seq

    async def put_raw(self, body: bytes) -> int:
        return (await self._bus.publish("journal.0.cmd.A", body)).seq

    def start(self, rank: int) -> str:
        instance = f"oms-0-{rank}"
        with (self._folder / f"{instance}.log").open("ab") as log:
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
                    "TRADEWIND_STATE_DIR": str(self._folder),
                    "TRADEWIND_SHARD": "0",
                    "TRADEWIND_RANK": str(rank),
                },
            )
        return instance

    def log(self, instance: str) -> str:
        return (self._folder / f"{instance}.log").read_text()

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
            self._bus, subjects.events_stream(0), subjects.live(subjects.events_all(0)), 1
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
                answers = await self._bus.request_all(subjects.query_oms(0, "digests"), b"{}", 500)
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
async def opened(folder: Path) -> AsyncIterator[Shard]:
    async with LocalCluster(shards=1) as cluster:
        await cluster.create_streams()
        shard = Shard(cluster, await cluster.bus("admin"), folder)
        for command in OPENING:
            await shard.put(command)
        listening = asyncio.create_task(shard.listen())
        with _ended(shard):
            yield shard
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)


@contextmanager
def _ended(shard: Shard) -> Iterator[None]:
    try:
        yield
    finally:
        for process in shard.replicas.values():
            process.kill()
            process.wait()


@pytest.mark.parametrize("harm", [signal.SIGKILL, signal.SIGSTOP])
async def test_orders_go_on_in_order_and_once_when_the_leading_replica_is_lost(
    tmp_path: Path, harm: signal.Signals, capsys: pytest.CaptureFixture[str]
) -> None:
    async with opened(tmp_path) as shard:
        shard.start(0)
        shard.start(1)
        ids = [f"o{number}" for number in range(300)]
        for number, cl_ord_id in enumerate(ids):
            if number == 150:
                await shard.until_accepted(1)
                victim = shard.leader
                shard.replicas[victim].send_signal(harm)
            await shard.put(order(cl_ord_id))
        await shard.until_accepted(len(ids))
        assert shard.accepted() == ids
        assert shard.leader != victim
        with capsys.disabled():
            print(f"\n{harm.name} of the leading replica: {shard.largest_gap_ms():.0f} ms gap")
        if harm is signal.SIGSTOP:
            shard.replicas[victim].send_signal(signal.SIGCONT)
        else:
            shard.replicas[victim].wait()
            shard.start(int(victim[-1]))
        (seq, digest), (other_seq, other_digest) = await shard.digests()
        assert (seq, digest) == (other_seq, other_digest)
        assert shard.accepted() == ids


async def test_a_poison_entry_stops_every_replica_and_names_its_sequence(tmp_path: Path) -> None:
    async with opened(tmp_path) as shard:
        names = [shard.start(0), shard.start(1)]
        await shard.put(order("before"))
        await shard.until_accepted(1)
        seq = await shard.put_raw(b'{"v":1,"type":"Nonsense","data":{}}')
        for name in names:
            assert await asyncio.to_thread(shard.replicas[name].wait, DEADLINE_S) == 70
            assert f"JOURNAL_0 sequence {seq} cannot be applied" in shard.log(name)


async def test_a_replica_on_a_bus_without_streams_says_what_to_run(tmp_path: Path) -> None:
    async with LocalCluster(shards=1) as cluster:
        shard = Shard(cluster, await cluster.bus("admin"), tmp_path)
        with _ended(shard):
            name = shard.start(0)
            assert await asyncio.to_thread(shard.replicas[name].wait, DEADLINE_S) == 1
            assert "init_job" in shard.log(name)
