# SPDX-License-Identifier: Apache-2.0
"""A connection that nobody waits for is gone; one whose server is going to stop moves in time."""

import asyncio
import signal

import pytest

from tradewind.common import placement
from tradewind.common.jetstream import Bus, Message
from tradewind.common.testing import LocalCluster, RunNode, eventually

pytestmark = [pytest.mark.anyio, pytest.mark.cluster]


@pytest.mark.parametrize("after_ms", range(8))
async def test_a_connect_that_is_cancelled_leaves_nothing_running(
    cluster: LocalCluster, after_ms: int
) -> None:
    before = asyncio.all_tasks()
    connecting = asyncio.create_task(Bus.connect(cluster.settings("auditor"), name="test"))
    await asyncio.wait({connecting}, timeout=after_ms / 1000)
    connecting.cancel()
    result = (await asyncio.gather(connecting, return_exceptions=True))[0]
    if isinstance(result, Bus):
        await result.close()
    assert asyncio.all_tasks() - before == set()


async def test_a_server_that_is_going_to_stop_loses_no_question(run_node: RunNode) -> None:
    async with LocalCluster(shards=1, run_node=run_node) as cluster:
        await cluster.create_streams()
        admin, bus = await cluster.bus("admin"), await cluster.bus("oms")
        names = {node.client_port: node.name for node in cluster.config.nodes}
        port = connected_to(bus)
        await placement.place_stream(
            admin, "EVENTS_0", next(name for name in names.values() if name != names[port])
        )
        cluster.signal_node(names[port], signal.SIGUSR2)
        appended = 0

        async def goes_on_elsewhere() -> bool:
            """Every append, one after the other, is answered."""
            nonlocal appended
            message = Message("events.0.order.A", b"x")
            appended = (await bus.append_batch([message], appended, 2000)).seq
            return connected_to(bus) != port

        await eventually(goes_on_elsewhere, 20)
        assert appended > 1


def connected_to(bus: Bus) -> int:
    """The port of the bus's server."""
    url = bus.nc.connected_url
    return (url.port if url is not None else None) or 0
