# SPDX-License-Identifier: Apache-2.0
"""Breaks one thing at a time, writes down when, and goes on only when all is well again."""

import asyncio
import random
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

import msgspec

from tradewind.cli import nodes
from tradewind.cli.chaos.driver import Harm
from tradewind.cli.chaos.scenarios import STEPS, Action, Probe, Scenario, Victim
from tradewind.cli.chaos.venue_faults import VenuePeople, is_deadly, plays, rounds, until_settled
from tradewind.cli.chaos.venue_rates import VenueRates
from tradewind.cli.chaos.view import View
from tradewind.common.errors import BusError

QUIET_S = (0.3, 1.0)
LOOK_AGAIN_S = 0.05
"""Between two faults, so that a fault never meets the same moment of every cycle."""


PASSING = {Action.PAUSE, Action.CUT, Action.SLOW, *STEPS}
"""What a process survives; after anything else another one runs in its place."""
KILL_CONNECTOR = Scenario(victim=Victim.CONNECTOR, action=Action.KILL, probe=Probe.ACKNOWLEDGED)


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """One injection. `shard` is the one that is harmed, None for all.

    Of a cut, what from; of a venue's misbehaviour the class, and how often it was played; of a
    failpoint its name, and whether somebody died there.
    """

    t_ns: int
    scenario: str
    victim: str
    pids: dict[str, int]
    action: Action
    probe: Probe
    shard: int | None = None
    healed_ns: int = 0
    cut: str = ""
    failure_class: str = ""
    played: int = 0
    failpoint: str = ""
    has_hit: bool = False


class Nemesis:
    """Injects faults of one scenario."""

    def __init__(
        self,
        view: View,
        harm: Harm,
        scenario: str,
        seed: int,
        log: Path,
        venue: VenueRates | None = None,
    ) -> None:
        """`venue` is one that misbehaves all the time."""
        self._view = view
        self._harm = harm
        self._scenario = scenario
        self._random = random.Random(seed)
        classes = {each.failure_class for each in harm.scenarios}
        self._plays = plays(self._random, min(classes, key=len), view.facts.protocol)
        self._kinds = rounds(self._random, harm.scenarios)
        self._log = log
        self._venue = venue
        self.faults: list[Fault] = []

    async def run(self, count: int, on_fault: Callable[[Fault], object]) -> None:
        """Injects `count` faults, each when the last victim is back in step."""
        with self._log.open("ab", buffering=0) as log:
            while len(self.faults) < count:
                await self._view.until_in_step()
                await asyncio.sleep(self._random.uniform(*QUIET_S))
                fault = await self._inject(next(self._kinds), on_fault)
                self.faults.append(fault)
                log.write(msgspec.json.encode(fault) + b"\n")
                if fault.action not in PASSING:
                    for name, pid in fault.pids.items():
                        await self._view.until_replaced(name, pid)
                    hit = msgspec.structs.replace(fault, has_hit=bool(fault.failpoint))
                    self.faults[-1] = hit
            await self._view.until_in_step()

    async def _inject(self, scenario: Scenario, on_fault: Callable[[Fault], object]) -> Fault:
        if scenario.action is Action.MISBEHAVE:
            return await self._misbehave(scenario, on_fault)
        if scenario.action is Action.MAINTAIN:
            return await self._maintain(scenario, on_fault)
        if self._venue is not None:
            await self._venue.prepare_a_death()
        found = await self._candidates(scenario.victim)
        name = self._random.choice(sorted(found))
        await self._harm.until_possible(scenario, name)
        pids = await self._view.members(name)
        async with self._harm.harmed(scenario, name, pids) as at_ns:
            fault = Fault(
                t_ns=at_ns,
                scenario=self._scenario,
                victim=name,
                pids=pids,
                action=scenario.action,
                probe=scenario.probe,
                shard=found[name],
                cut=scenario.cut or "",
                failpoint=scenario.failpoint,
            )
            on_fault(fault)
            await self._harm.hold(scenario)
        return msgspec.structs.replace(fault, healed_ns=time.monotonic_ns())

    async def _candidates(self, victim: Victim) -> Mapping[str, int | None]:
        """A shard may have no leader, a venue no connector, the bus no answer, for a moment."""
        while True:
            with suppress(BusError):
                found = await self._view.candidates(victim)
                if found:
                    return found
            await asyncio.sleep(LOOK_AGAIN_S)

    async def _maintain(self, scenario: Scenario, on_fault: Callable[[Fault], object]) -> Fault:
        """The next node is restarted as people would do it: in turn, all of them."""
        turn = len(self.faults) % len(nodes.names())
        fault = Fault(
            t_ns=time.monotonic_ns(),
            scenario=self._scenario,
            victim=nodes.names()[turn],
            pids={},
            action=scenario.action,
            probe=scenario.probe,
        )
        on_fault(fault)
        await nodes.restart(self._view.facts, fault.victim)
        return msgspec.structs.replace(fault, healed_ns=time.monotonic_ns())

    async def _misbehave(self, scenario: Scenario, on_fault: Callable[[Fault], object]) -> Fault:
        """The venue plays a fault, and a connector may die of it; then all positions settle."""
        play = next(self._plays)
        fault = Fault(
            t_ns=time.monotonic_ns(),
            scenario=self._scenario,
            victim=str(play),
            pids={},
            action=scenario.action,
            probe=scenario.probe,
            failure_class=play.failure_class,
        )
        async with VenuePeople(self._view.facts) as venue:
            await venue.begin(play)
            on_fault(fault)
            played = await venue.until_played(play)
            if is_deadly(play, self._random):
                name = min(await self._candidates(KILL_CONNECTOR.victim))
                pids = await self._view.members(name)
                async with self._harm.harmed(KILL_CONNECTOR, name, pids):
                    await self._harm.hold(KILL_CONNECTOR)
                fault = msgspec.structs.replace(
                    fault, pids=pids, victim=" and ".join([fault.victim, *pids])
                )
        await until_settled(self._view.bus, self._view.facts.shards)
        return msgspec.structs.replace(fault, played=played, healed_ns=time.monotonic_ns())
