# SPDX-License-Identifier: Apache-2.0
"""Verify holds on a healthy shard, and names the first sequence of whatever was made wrong."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import clickhouse_connect
import msgspec
import pytest

from tests.integration.archiver.database import WarehouseProcess
from tests.integration.archiver.process import ArchiverProcess
from tradewind.cli import verify as verify_module
from tradewind.cli.verify import JOURNAL_TOO_SHORT, CouldNotRun, exit_code, verify
from tradewind.cli.verify_replay import Output, Replay
from tradewind.common import codec, snapshots, subjects
from tradewind.common.jetstream import Bus, StreamReader
from tradewind.common.snapshots import SnapshotStore
from tradewind.common.testing import LocalCluster
from tradewind.core.commands import (
    AdvanceTime,
    Command,
    DefineInstrument,
    OpenSegment,
    SetLimits,
    SetReferencePrice,
    SubmitOrder,
)
from tradewind.core.machine import StateMachine
from tradewind.core.types import OrdType, Side, TimeInForce

pytestmark = [pytest.mark.anyio, pytest.mark.cluster, pytest.mark.timeout(180)]

ORDERS = 1200
TAMPER = (
    "ALTER TABLE records UPDATE body = replace(body, 'BTC-USD', 'BTC-EUR') "
    "WHERE stream = 'JOURNAL_0' AND seq = 17 SETTINGS mutations_sync = 2"
)


def order(number: int) -> SubmitOrder:
    return SubmitOrder(
        account="A",
        cl_ord_id=f"c{number}",
        symbol="BTC-USD",
        side=Side.BUY,
        ord_type=OrdType.LIMIT,
        time_in_force=TimeInForce.GTC,
        order_qty=10 + number,
        price=10_000,
        client="test",
        strategy="test",
        void_after_ns=2**62,
    )


def opening() -> list[Command]:
    return [
        OpenSegment(segment="seg", shard=0),
        DefineInstrument(
            symbol="BTC-USD", venue="SIM", tick_size="0.01", lot_size="0.00000001", currency="USD"
        ),
        SetLimits(
            account="A",
            symbol="BTC-USD",
            max_order_qty=10**9,
            max_notional=10**15,
            max_position=10**12,
            collar_bps=1000,
            max_reference_age_ms=10**9,
            version=1,
        ),
        SetReferencePrice(symbol="BTC-USD", price=10_000),
    ]


class Bench:
    """Shard 0 of a cluster of its own."""

    def __init__(self, cluster: LocalCluster, bus: Bus, folder: Path) -> None:
        self.cluster = cluster
        self.bus = bus
        self.folder = folder
        self._processes: list[subprocess.Popen[bytes]] = []

    async def journal(self, commands: list[Command]) -> None:
        """Appends commands."""
        for command in commands:
            await self.bus.publish(subjects.journal_subject(0, command), codec.encode(command))

    async def outputs(self) -> tuple[Replay, list[Output]]:
        """The replay of the journal as it is, with all its outputs."""
        replay, outputs = Replay(0), []
        tail = (await self.bus.api("STREAM.INFO.JOURNAL_0"))["state"]["last_seq"]
        reader = StreamReader(self.bus, "JOURNAL_0", subjects.live(subjects.journal_all(0)), 1)
        await reader.open()
        while replay.seq < tail:
            for record in await reader.next_batch(tail - replay.seq):
                outputs += replay.apply(record)
        await reader.close()
        return replay, outputs

    async def append(self, outputs: list[Output]) -> None:
        """Appends outputs as a replica does."""
        for output in outputs:
            headers = {
                subjects.HEADER_ENTRY: str(output.entry_seq),
                subjects.HEADER_INDEX: str(output.index),
                subjects.HEADER_CHAIN: output.chain,
            }
            await self.bus.publish(output.subject, output.body, headers)

    async def answer_digests(self, **state: Any) -> None:
        """Answers as a replica would."""
        answer = msgspec.json.encode(
            {"ok": True, "instance": "oms-0-x", "checkpoints": [], **state}
        )

        async def digests(_question: bytes) -> bytes:
            return answer

        await self.bus.serve(subjects.query_oms(0, "digests"), digests)

    def start_replica(self, rank: int) -> None:
        """Starts a real one."""
        password_file = self.folder / "oms.password"
        password_file.write_text(self.cluster.config.passwords["oms"])
        with (self.folder / f"oms-{rank}.log").open("ab") as log:
            self._processes.append(
                subprocess.Popen(
                    [sys.executable, "-m", "tradewind.oms"],
                    stdout=log,
                    stderr=log,
                    env={
                        **os.environ,
                        "TRADEWIND_NATS_URLS": ",".join(self.cluster.urls),
                        "TRADEWIND_NATS_USER": "oms",
                        "TRADEWIND_NATS_PASSWORD_FILE": str(password_file),
                        "TRADEWIND_INSTANCE": f"oms-0-{rank}",
                        "TRADEWIND_SHARDS": "1",
                        "TRADEWIND_STATE_DIR": str(self.folder),
                        "TRADEWIND_SHARD": "0",
                        "TRADEWIND_RANK": str(rank),
                    },
                )
            )

    def stop(self) -> None:
        """Kills what was started."""
        for process in self._processes:
            process.kill()
            process.wait()

    async def verify(
        self,
        archive_url: str | None = None,
        *,
        replicas: int | None = None,
        from_snapshot: bool = False,
    ) -> tuple[int, dict[str, Any]]:
        """Exit code and the report on the shard, read as the auditor."""
        settings = self.cluster.settings("auditor")
        report = await verify(
            settings,
            1,
            [archive_url] if archive_url else [],
            replicas=replicas,
            from_snapshot=from_snapshot,
        )
        return exit_code(report), report["shards"][0]


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    async with LocalCluster(shards=1) as cluster:
        await cluster.create_streams()
        made = Bench(cluster, await cluster.bus("admin"), tmp_path)
        yield made
        made.stop()


async def test_a_healthy_shard_holds_and_a_changed_row_of_the_archive_does_not(
    bench: Bench, tmp_path: Path
) -> None:
    warehouse = WarehouseProcess(tmp_path / "warehouse")
    archiver = ArchiverProcess(bench.cluster, warehouse, tmp_path)
    try:
        warehouse.start()
        await bench.journal([*opening(), *(order(number) for number in range(ORDERS))])
        bench.start_replica(0)
        bench.start_replica(1)
        archiver.start()
        await archiver.ready()
        code, report = await bench.verify(archiver.url, replicas=2)
        assert (code, report["problems"]) == (0, [])
        assert report["entries"] >= ORDERS + 4
        assert report["outputs"] >= 2 * ORDERS
        assert [found["equal"] for found in report["replicas"]] == [True, True]
        assert (report["replicas_equal"], report["events_gap_free"]) == (True, True)
        assert report["archive_equal"] is True

        client = clickhouse_connect.get_client(dsn=warehouse.dsn, password="secret", compress=False)
        await asyncio.to_thread(client.command, TAMPER)
        code, report = await bench.verify(archiver.url, replicas=2)
        assert (code, report["archive_equal"]) == (1, False)
        assert (report["replicas_equal"], report["events_gap_free"]) == (True, True)
        assert [(found["stream"], found["seq"]) for found in report["problems"]] == [
            ("JOURNAL_0", 17)
        ]
    finally:
        archiver.kill()
        warehouse.kill()


async def test_a_flipped_output_is_found(bench: Bench) -> None:
    await bench.journal([*opening(), *(order(number) for number in range(20))])
    replay, outputs = await bench.outputs()
    flipped = outputs[30]
    body = flipped.body.replace(b'"A"', b'"B"', 1)
    assert body != flipped.body
    wrong = Output(
        flipped.ordinal, flipped.entry_seq, flipped.index, flipped.subject, body, flipped.chain
    )
    await bench.append([*outputs[:30], wrong, *outputs[31:]])
    await bench.answer_digests(
        seq=replay.seq, ordinal=replay.ordinal, chain=replay.chain, digest=replay.digest()
    )
    code, report = await bench.verify()
    assert (code, report["events_gap_free"], report["replicas_equal"]) == (1, False, True)
    assert [(found["check"], found["seq"]) for found in report["problems"]] == [("events", 31)]


async def test_a_replay_begins_at_a_snapshot_and_finds_one_that_is_wrong(bench: Bench) -> None:
    await bench.journal([*opening(), *(order(number) for number in range(10))])
    halfway, _outputs = await bench.outputs()
    store = SnapshotStore(await bench.cluster.bus("oms"), 0)
    half = snapshots.encode(
        StateMachine(halfway.state), chain=halfway.chain, build="b", instance="i"
    )
    meta = snapshots.decode_meta(half)
    await store.put(meta, [half])
    await bench.journal([order(number) for number in range(10, 20)])
    replay, outputs = await bench.outputs()
    await bench.append(outputs)
    await bench.answer_digests(
        seq=replay.seq, ordinal=replay.ordinal, chain=replay.chain, digest=replay.digest()
    )
    for from_snapshot, first in ((False, 1), (True, halfway.seq + 1)):
        code, report = await bench.verify(from_snapshot=from_snapshot)
        assert (code, report["first_entry"], report["entries"]) == (0, first, replay.seq)
        assert (report["snapshots"], report["digest"]) == (
            0 if from_snapshot else 1,
            replay.digest(),
        )
    await store.put(msgspec.structs.replace(meta, digest="0" * 64), [half])
    code, report = await bench.verify()
    assert (code, report["snapshots_equal"]) == (1, False)
    assert {(found["check"], found["seq"]) for found in report["problems"]} == {
        ("snapshot", halfway.seq)
    }
    code, report = await bench.verify(from_snapshot=True)
    assert (code, report["first_entry"]) == (1, 1), "it falls back, and says why"


async def test_a_replica_with_another_state_is_found(bench: Bench) -> None:
    await bench.journal([*opening(), order(1)])
    replay, outputs = await bench.outputs()
    await bench.append(outputs)
    await bench.answer_digests(
        seq=replay.seq, ordinal=replay.ordinal, chain=replay.chain, digest="0" * 64
    )
    code, report = await bench.verify()
    assert (code, report["events_gap_free"], report["replicas_equal"]) == (1, True, False)
    assert [(found["check"], found["seq"]) for found in report["problems"]] == [
        ("replicas", replay.seq)
    ]


async def test_a_missing_output_is_found(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verify_module, "READ_PATIENCE_S", 0.5)
    await bench.journal([*opening(), order(1)])
    replay, outputs = await bench.outputs()
    await bench.append(outputs[:-1])
    await bench.answer_digests(
        seq=replay.seq, ordinal=replay.ordinal, chain=replay.chain, digest=replay.digest()
    )
    code, report = await bench.verify()
    assert (code, report["events_gap_free"]) == (1, False)
    assert [(found["check"], found["seq"]) for found in report["problems"]] == [
        ("events", len(outputs))
    ]


async def test_an_output_that_follows_from_nothing_is_found(bench: Bench) -> None:
    await bench.journal([*opening(), order(1)])
    replay, outputs = await bench.outputs()
    await bench.append([*outputs, outputs[-1]])
    await bench.answer_digests(
        seq=replay.seq, ordinal=replay.ordinal, chain=replay.chain, digest=replay.digest()
    )
    code, report = await bench.verify()
    assert (code, report["events_gap_free"]) == (1, False)
    assert report["problems"][0]["seq"] == len(outputs) + 1


async def test_an_entry_that_cannot_be_applied_is_named(bench: Bench) -> None:
    await bench.journal([*opening(), order(1)])
    _replay, outputs = await bench.outputs()
    await bench.append(outputs)
    await bench.bus.publish("journal.0.cmd.A", b'{"v":1,"type":"Nonsense","data":{}}')
    await bench.journal([AdvanceTime(source="test")])
    code, report = await bench.verify()
    assert (code, report["events_gap_free"], report["entries"]) == (1, False, 5)
    assert (report["problems"][0]["check"], report["problems"][0]["seq"]) == ("journal", 6)


async def test_without_a_replica_it_could_not_run(bench: Bench) -> None:
    await bench.journal([*opening(), order(1)])
    _replay, outputs = await bench.outputs()
    await bench.append(outputs)
    with pytest.raises(CouldNotRun, match="0 of at least 1 OMS replicas") as raised:
        await bench.verify()
    assert raised.value.code == "NO_REPLICA"


async def test_a_journal_that_ends_before_what_a_replica_has_applied_is_told_by_its_code(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verify_module, "READ_PATIENCE_S", 0.5)
    await bench.journal([*opening(), order(1)])
    replay, outputs = await bench.outputs()
    await bench.append(outputs)
    await bench.answer_digests(
        seq=replay.seq + 3, ordinal=replay.ordinal, chain=replay.chain, digest=replay.digest()
    )
    text = f"ends at {replay.seq}, but entry {replay.seq + 3} was seen"
    with pytest.raises(CouldNotRun, match=text) as raised:
        await bench.verify()
    assert raised.value.code == JOURNAL_TOO_SHORT
