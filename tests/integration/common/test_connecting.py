# SPDX-License-Identifier: Apache-2.0
"""A connection that nobody waits for any more is gone, wherever it was on its way."""

import asyncio

import pytest

from tradewind.common.jetstream import Bus
from tradewind.common.testing import LocalCluster

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
