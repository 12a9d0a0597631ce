# SPDX-License-Identifier: Apache-2.0
"""A node that lost records to a flipped bit is found, and gets them back from the others."""

import asyncio
import os
import signal
from pathlib import Path

import pytest

from tradewind.common import subjects
from tradewind.common.jetstream import Bus
from tradewind.common.server_config import render, server_binary
from tradewind.common.testing import LocalCluster, eventually
from tradewind.orchestrator.plan import Plan, ProcessSpec, Ready, Stage
from tradewind.orchestrator.readiness import Readiness
from tradewind.orchestrator.scrubber import Scrubber
from tradewind.orchestrator.supervisor import Supervisor

pytestmark = [pytest.mark.cluster, pytest.mark.anyio]

RECORD = b"x" * 1_000
RECORDS = 20_000
"""More than two blocks of the broker: the bit is in one that is written no more."""


def supervisor_of(cluster: LocalCluster, folder: Path) -> Supervisor:
    """Starts the nodes as a suite would."""
    specs = []
    for node in cluster.config.nodes:
        config = folder / f"{node.name}.conf"
        config.write_text(render(cluster.config, node))
        url = f"http://{node.host}:{node.monitor_port}/healthz?js-server-only=true"
        argv = [str(server_binary()), "-c", str(config)]
        specs.append(ProcessSpec(name=node.name, argv=argv, ready=Ready.HTTP, ready_url=url))
    return Supervisor(
        Plan(stages=[Stage(name="bus", processes=specs)]),
        Readiness(cluster.settings("orchestrator")),
        env=os.environ,
        log_dir=folder / "logs",
        table_path=folder / "run" / "processes.json",
        earlier={},
    )


async def fill(bus: Bus) -> None:
    """Writes a journal of some blocks."""
    subject = subjects.journal_control(0, "-")
    for _ in range(RECORDS // 500):
        await asyncio.gather(*(bus.publish(subject, RECORD) for _ in range(500)))


def flip_a_bit(store: Path) -> None:
    """In the middle of the journal's first block."""
    block = store / "jetstream/APP/streams/JOURNAL_0/msgs/1.blk"
    body = bytearray(block.read_bytes())
    body[len(body) // 2] ^= 0x10
    block.write_bytes(body)


async def test_a_damaged_copy_may_not_lead_is_moved_aside_and_comes_anew(tmp_path: Path) -> None:
    cluster = LocalCluster(shards=1)
    supervisor = supervisor_of(cluster, tmp_path)
    tasks: list[asyncio.Task[None]] = []
    try:
        await supervisor.start()
        await cluster.create_streams()
        admin = await cluster.bus("admin")
        await fill(admin)
        scrubber = Scrubber(supervisor, shards=1)
        victim = cluster.config.nodes[2]
        flip_a_bit(victim.store_dir)
        tasks.append(asyncio.create_task(supervisor.watch()))
        os.kill(supervisor.table.rows[victim.name].pid, signal.SIGKILL)
        tasks.append(asyncio.create_task(scrubber.run(await cluster.bus("orchestrator"))))

        async def is_mended() -> bool:
            return scrubber.resynced == 1 and scrubber.may_lead("JOURNAL_0", victim.name)

        await eventually(is_mended, 30.0)
        (aside,) = victim.store_dir.glob("damaged/*-JOURNAL_0")
        assert (aside / "msgs" / "1.blk").exists()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await cluster.close_buses()
        await supervisor.stop()
        cluster.stop()
