# SPDX-License-Identifier: Apache-2.0
"""The driver of containers: a stack of the run's own, broken by the engine that runs it.

The engine starts nothing again that was killed through it, so that is done here, some seconds
later: what recovers before has recovered without the dead one.
"""

import asyncio
import os
import re
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from tradewind.cli.chaos.driver import Row, Running
from tradewind.cli.chaos.machine import HELD_S
from tradewind.cli.chaos.network import Cut
from tradewind.cli.chaos.planted import connector_settings, instead
from tradewind.cli.chaos.report import Plan
from tradewind.cli.chaos.sabotage import SABOTAGES
from tradewind.cli.chaos.scenarios import SCENARIOS, Action, Scenario, Victim
from tradewind.cli.chaos.tools import PREFIX, is_left_over
from tradewind.cli.console_io import err
from tradewind.cli.suite.containers import Container, facts_of
from tradewind.cli.suite.facts import Protocol, SuiteError
from tradewind.cli.suite.stack import (
    Stack,
    StackOptions,
    projects,
    require_engine,
    running_stack,
    take_away,
)

SINGLE = ("edge", "simvenue", "marketdata", "clickhouse", "console", "orchestrator")
REPLICAS = {"oms": 3, "gateway": 2, "risk": 2, "venue": 2, "archiver": 2} | dict.fromkeys(SINGLE, 1)
"""Of the services that a load needs; nodes and the init job come with these."""
ZONED = ("nats", "oms", "gateway", "venue")
DEAD_S = 3.0
LOOK_AGAIN_S = 0.25
"""Asking the engine costs a program's start."""
ATTEMPTS = 5
CANNOT_FREEZE = "unable to freeze"
OWN = re.compile(rf"{PREFIX}(\d+)")

Argv = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Means:
    """How the engine harms and heals one container, and the event that says when it did."""

    event: str
    make: Callable[[Stack, Container], Argv]
    heal: Callable[[Stack, Container], Argv]


def _connect(stack: Stack, container: Container) -> Argv:
    networks = container.network_settings.networks
    aliases = [f"--alias={alias}" for alias in networks[stack.network].aliases or []]
    return ("network", "connect", *aliases, stack.network, container.id)


MEANS = {
    Action.KILL: Means("kill", lambda _, it: ("kill", it.id), lambda _, it: ("start", it.id)),
    Action.PAUSE: Means("pause", lambda _, it: ("pause", it.id), lambda _, it: ("unpause", it.id)),
    Action.CUT: Means(
        "disconnect",
        lambda stack, it: ("network", "disconnect", stack.network, it.id),
        _connect,
    ),
}
PLAYED = {*MEANS, Action.MISBEHAVE}
ELSEWHERE = {Victim.COPY, Victim.NODES}
"""Victims of faults that only a machine has."""


@asynccontextmanager
async def running_containers(
    plan: Plan, folder: Path, env: Mapping[str, str]
) -> AsyncIterator[Running]:
    """A stack of containers for the time of a block.

    Raises:
        SuiteError: if this cannot be played, or the stack could not be made ready.
    """
    scenarios = playable(plan)
    require_engine(env)
    for project in projects(env):
        own = OWN.fullmatch(project)
        if own and is_left_over(int(own[1])):
            take_away(project, env)
    options = StackOptions(
        replicas=REPLICAS,
        instead=instead(plan),
        environment={
            "venue": {f"TRADEWIND_{name}": text for name, text in connector_settings(plan).items()}
        },
    )
    err.print("a stack of containers is built and started ...")
    async with running_stack(f"{PREFIX}{os.getpid()}", folder / "suite", options, env) as stack:
        roster = Containers(stack, await stack.containers())
        yield Running(roster, Engine(roster, scenarios))


def playable(plan: Plan) -> tuple[Scenario, ...]:
    """What of the plan's scenario can be played with containers.

    Raises:
        SuiteError: DRIVER_CANNOT, with what can.
    """
    found = tuple(filter(_is_playable, SCENARIOS[plan.scenario]))
    if not found:
        others = [name for name, each in SCENARIOS.items() if any(map(_is_playable, each))]
        raise SuiteError(
            f"containers cannot play {plan.scenario}: they can play {', '.join(others)}",
            code="DRIVER_CANNOT",
        )
    if plan.protocol is not Protocol.SIM:
        raise SuiteError("the stack's venue speaks sim only", code="DRIVER_CANNOT")
    if plan.sabotage and not SABOTAGES[plan.sabotage].service:
        raise SuiteError(f"{plan.sabotage} needs nodes as processes", code="DRIVER_CANNOT")
    return found


def _is_playable(scenario: Scenario) -> bool:
    is_whole = scenario.cut in (None, Cut.EVERYTHING)
    return scenario.action in PLAYED and scenario.victim not in ELSEWHERE and is_whole


class Containers:
    """Read from what the engine says."""

    def __init__(self, stack: Stack, containers: Mapping[str, Container]) -> None:
        self.stack = stack
        self.containers = containers
        self.facts = facts_of(containers, stack.folder)
        self.groups = {
            f"zone-{zone}": frozenset(f"{service}-{zone}" for service in ZONED)
            for zone in range(1, len(self.facts.nodes) + 1)
        }
        self._asked_s = 0.0

    async def rows(self) -> dict[str, Row]:
        """The containers by name. Asked too soon again, it waits."""
        await asyncio.sleep(self._asked_s + LOOK_AGAIN_S - time.monotonic())
        self.containers = await self.stack.containers()
        self.facts = facts_of(self.containers, self.stack.folder)
        self._asked_s = time.monotonic()
        return {
            name: Row(phase=each.phase, pid=each.state.pid)
            for name, each in self.containers.items()
        }

    async def venue_log(self) -> Path:
        """A copy of it."""
        venue = self.containers["simvenue-1"]
        path = self.stack.folder / "venue.jsonl"
        there = f"{venue.id}:/state/{venue.name}/venue.jsonl"
        await self.stack.docker("cp", there, str(path))
        return path


class _Actor(msgspec.Struct, rename="pascal"):
    id: str = msgspec.field(name="ID")
    attributes: dict[str, str]


class _Event(msgspec.Struct):
    at_ns: int = msgspec.field(name="timeNano")
    actor: _Actor = msgspec.field(name="Actor")


class Engine:
    """Harms containers."""

    def __init__(self, roster: Containers, scenarios: tuple[Scenario, ...]) -> None:
        self.scenarios = scenarios
        self._roster = roster
        self._stack = roster.stack

    async def until_possible(self, scenario: Scenario, name: str) -> None:
        """All that is played here is possible at any time."""

    @asynccontextmanager
    async def harmed(
        self, scenario: Scenario, victim: str, pids: Mapping[str, int]
    ) -> AsyncIterator[int]:
        """Given is the moment at which, as the engine says, the last of them was harmed."""
        means = MEANS[scenario.action]
        harmed = [self._roster.containers[name] for name in pids]
        since_ns = time.time_ns()
        await self._do(means.make, harmed)
        try:
            yield await self._moment(means.event, {each.id for each in harmed}, since_ns)
        finally:
            await self._do(means.heal, harmed)

    async def hold(self, scenario: Scenario) -> None:
        """Waits as long as this kind of harm lasts."""
        await asyncio.sleep(DEAD_S if scenario.action is Action.KILL else HELD_S[scenario.action])

    def moved_aside(self) -> int:
        """Nothing damages a copy here."""
        return 0

    async def _do(
        self, command: Callable[[Stack, Container], Argv], containers: list[Container]
    ) -> None:
        commands = (self._insist(command(self._stack, each)) for each in containers)
        await asyncio.gather(*commands)

    async def _insist(self, command: Argv) -> None:
        """A busy machine may fail to freeze at first; the engine has then undone the attempt."""
        for _ in range(ATTEMPTS - 1):
            try:
                await self._stack.docker(*command)
                return
            except SuiteError as error:
                if CANNOT_FREEZE not in error.text:
                    raise
        await self._stack.docker(*command)

    async def _moment(self, event: str, ids: set[str], since_ns: int) -> int:
        """Monotonic. A command's own begin is too early, its end too late by a program's start."""
        span = ("--since", _stamp(since_ns), "--until", _stamp(time.time_ns()))
        told = await self._stack.docker(
            "events", *span, "--filter", f"event={event}", "--format", "{{json .}}"
        )
        events = [msgspec.json.decode(line, type=_Event) for line in told.splitlines()]
        of_these = [
            each.at_ns
            for each in events
            if {each.actor.id, each.actor.attributes.get("container")} & ids
        ]
        if not of_these:
            raise SuiteError(f"the engine tells of no {event}", code="ENGINE_REFUSED")
        return time.monotonic_ns() - (time.time_ns() - max(of_these))


def _stamp(ns: int) -> str:
    return f"{ns // 10**9}.{ns % 10**9:09}"
