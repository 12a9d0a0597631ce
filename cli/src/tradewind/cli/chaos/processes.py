# SPDX-License-Identifier: Apache-2.0
"""The driver of processes: the suite of `tradewind up`, on this machine."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from tradewind.cli.chaos.driver import Row, Running
from tradewind.cli.chaos.machine import Machine
from tradewind.cli.chaos.planted import connector_settings, instead
from tradewind.cli.chaos.report import Plan
from tradewind.cli.chaos.sabotage import LAZY_FSYNC
from tradewind.cli.chaos.scenarios import SCENARIOS
from tradewind.cli.suite.facts import Facts, Options, Size
from tradewind.cli.suite.launcher import read_table, running_suite
from tradewind.cli.up import Progress

REPLICAS = 3
COUNT = {Size.FULL: 2, Size.SMALL: 1}
"""Of shards, gateways and risk services: a small suite starts in two thirds of the time."""


@asynccontextmanager
async def running_processes(
    plan: Plan, folder: Path, env: Mapping[str, str]
) -> AsyncIterator[Running]:
    """A suite of processes for the time of a block.

    Raises:
        SuiteError: if the machine or the suite could not be made ready.
    """
    with Machine.prepared(SCENARIOS[plan.scenario], folder / "suite") as machine:
        options = Options(
            flow="synthetic",
            shards=COUNT[plan.size],
            replicas=REPLICAS,
            gateways=COUNT[plan.size],
            risks=COUNT[plan.size],
            protocol=plan.protocol,
            instead=instead(plan),
            connector=connector_settings(plan),
            places=machine.places,
            is_fsync_always=plan.sabotage != LAZY_FSYNC,
        )
        async with running_suite(folder / "suite", options, env, Progress()) as facts:
            yield Running(Processes(facts), machine)


class Processes:
    """Read from the table of the suite's orchestrator."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self.groups = {**_zones(facts), **_copies(facts)}

    async def rows(self) -> dict[str, Row]:
        """The processes by name."""
        return {
            row["name"]: Row(phase=row["phase"], pid=int(row["pid"]), text=row["text"])
            for row in read_table(self.facts).get("processes", [])
        }

    async def venue_log(self) -> Path:
        """Where the venue writes it."""
        return self.facts.venue_log


def _zones(facts: Facts) -> dict[str, frozenset[str]]:
    """What would share a building: a node, a replica of each shard, a gateway, a connector."""
    return {
        f"zone-{zone}": frozenset(
            {
                *(f"nats-n{zone + 1}", f"gateway-{zone}", f"venue-sim-{zone}"),
                *(f"oms-{shard}-{zone}" for shard in range(facts.shards)),
            }
        )
        for zone in range(len(facts.nodes))
    }


def _copies(facts: Facts) -> dict[str, frozenset[str]]:
    """A node with its copy of a shard's logs, and the replica that reads them anew."""
    return {
        f"copy-{shard}-{node}": frozenset({f"nats-n{node}", f"oms-{shard}-{node - 1}"})
        for shard in range(facts.shards)
        for node in range(1, len(facts.nodes) + 1)
    }
