# SPDX-License-Identifier: Apache-2.0
"""A leader that a failover put elsewhere comes back to its node."""

import asyncio

import pytest

from tests.integration.conftest import Connect
from tradewind.common import placement
from tradewind.common.jetstream import Bus
from tradewind.common.permissions import SYSTEM_USER
from tradewind.common.testing import eventually
from tradewind.orchestrator import balancer

pytestmark = [pytest.mark.cluster, pytest.mark.anyio]


async def moved_meta(system: Bus, node: str) -> bool:
    """Has a node lead JetStream itself; true once it does."""
    await placement.move_meta(system, node)
    return await placement.meta_leader(system) == node


async def test_misplaced_leaders_go_back_one_after_the_other(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(balancer, "LOOK_EVERY_S", 0.1)
    admin = await connect()
    names = await placement.nodes(admin)
    away = {"JOURNAL_0": names[1], "EVENTS_1": names[2]}
    system = await connect(SYSTEM_USER)
    for stream, node in away.items():
        await placement.place_stream(admin, stream, node)
    await eventually(lambda: moved_meta(system, names[0]), 20.0)
    assert await placement.misplaced(admin, 2) == {"JOURNAL_0": names[0], "EVENTS_1": names[1]}
    keeping = asyncio.ensure_future(
        balancer.keep_placed(
            await connect("orchestrator"), await connect(SYSTEM_USER), 2, lambda *_copy: True
        )
    )

    async def all_are_back() -> bool:
        for stream, node in (("JOURNAL_0", names[0]), ("EVENTS_1", names[1])):
            info = await admin.api(f"STREAM.INFO.{stream}")
            if info["cluster"].get("leader") != node:
                return False
        return await placement.meta_leader(system) == names[2]

    await eventually(all_are_back, 20.0)
    assert not keeping.done()
    keeping.cancel()
