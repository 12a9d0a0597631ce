# SPDX-License-Identifier: Apache-2.0
"""Planned restarts of the bus's nodes: what a node leads leaves it first, then its clients.

So go configuration changes and upgrades: one node after the other, each only when the one before is
back and leads what it should.
"""

import asyncio
import os
import signal
import time

from tradewind.cli.suite.facts import NODES, Facts, SuiteError
from tradewind.cli.suite.launcher import read_table
from tradewind.cli.suite.prepare import node_name
from tradewind.common import placement
from tradewind.common.errors import BusError
from tradewind.common.jetstream import Bus

BACK_S = 60.0
LOOK_AGAIN_S = 0.1


def names() -> list[str]:
    """The processes of the nodes."""
    return [f"nats-n{number}" for number in range(1, NODES + 1)]


async def restart(facts: Facts, name: str) -> None:
    """Restarts one node; returns once it runs again and everything is led from its place.

    Raises:
        SuiteError: UNKNOWN_NODE, NOT_RUNNING, or NOT_BACK if it does not come back in time.
        BusError: if its leaders would not leave it; then it still runs.
    """
    if name not in names():
        raise SuiteError(f"{name!r} is no node: {', '.join(names())}", code="UNKNOWN_NODE")
    pid = _pid(facts, name)
    bus = await Bus.connect(facts.bus("admin"), name="node-restart")
    try:
        await placement.leave(bus, node_name(facts, int(name.removeprefix("nats-n"))))
        os.kill(pid, signal.SIGUSR2)
        deadline_s = time.monotonic() + BACK_S
        while not await _is_back(facts, bus, name, pid):
            if time.monotonic() > deadline_s:
                raise SuiteError(f"{name} is not back after {BACK_S:.0f} s", code="NOT_BACK")
            await asyncio.sleep(LOOK_AGAIN_S)
    finally:
        await bus.close()


def _pid(facts: Facts, name: str) -> int:
    for row in read_table(facts).get("processes", []):
        if row["name"] == name and row["phase"] == "ready":
            return int(row["pid"])
    raise SuiteError(f"{name} does not run", code="NOT_RUNNING")


async def _is_back(facts: Facts, bus: Bus, name: str, before: int) -> bool:
    try:
        return _pid(facts, name) != before and await placement.is_placed(bus, facts.shards)
    except (SuiteError, BusError):
        return False
