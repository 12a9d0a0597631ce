# SPDX-License-Identifier: Apache-2.0
"""Two real replica processes on a real cluster: nothing lost, nothing doubled, order kept."""

import asyncio
import signal
from pathlib import Path

import pytest

from tests.integration.oms.shard import DEADLINE_S, Shard, ended, opened, order
from tradewind.common.testing import LocalCluster

pytestmark = [pytest.mark.cluster, pytest.mark.anyio]


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
            await shard.end(victim, code=-9)
            shard.start(int(victim[-1]))
        (seq, digest), (other_seq, other_digest) = await shard.digests()
        assert (seq, digest) == (other_seq, other_digest)
        assert shard.accepted() == ids


async def test_a_replica_on_a_bus_without_streams_says_what_to_run(tmp_path: Path) -> None:
    async with LocalCluster(shards=1) as cluster:
        shard = Shard(cluster, await cluster.bus("admin"), tmp_path)
        with ended(shard):
            name = shard.start(0)
            assert await asyncio.to_thread(shard.replicas[name].wait, DEADLINE_S) == 1
            assert "init_job" in shard.log(name)
