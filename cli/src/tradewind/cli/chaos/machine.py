# SPDX-License-Identifier: Apache-2.0
"""Faults that are done to the machine under a process: signals, networks, disks.

Each is a block of time: broken when it begins, whole again when it ends.
"""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Collection, Iterator, Mapping
from contextlib import ExitStack, asynccontextmanager, contextmanager
from pathlib import Path

from tradewind.cli.chaos import disks, tools
from tradewind.cli.chaos.disks import Disks
from tradewind.cli.chaos.network import Network
from tradewind.cli.chaos.scenarios import PAUSE_S, Action, Scenario
from tradewind.cli.suite.facts import HOST, NODES, Place, SuiteError
from tradewind.cli.suite.launcher import running_orchestrator
from tradewind.common import subjects

HELD_S = {
    Action.PAUSE: PAUSE_S,
    Action.CUT: 12.0,
    Action.FILL: 5.0,
    Action.SLOW: 5.0,
    Action.FAIL: 2.0,
}
"""A cut lasts longer than the broker's election; a disk is bad for long enough to be noticed."""
PROGRAMS = {
    Action.CUT: ("ip", "iptables", "nsenter"),
    Action.FILL: ("mkfs.ext4", "mount", "umount", "fallocate"),
    Action.POWER: ("mkfs.ext4", "mount", "umount"),
    Action.SLOW: ("strace",),
    Action.FAIL: ("strace",),
}
"""What must be installed, besides being root."""
LOADED_S = 3.0
BLOCK_WITHIN_S = 120.0
LOOK_AGAIN_S = 0.1
SIGNALS = {
    Action.FLIP: signal.SIGKILL,
    Action.KILL: signal.SIGKILL,
    Action.ARM: signal.SIGUSR1,
    Action.AHEAD: signal.SIGUSR1,
    Action.BACK: signal.SIGUSR2,
}


def lacking(scenario: Scenario) -> list[str]:
    """What the machine lacks for a scenario."""
    programs = PROGRAMS.get(scenario.action)
    return tools.missing(*programs) if programs else []


class Machine:
    """What one run has made in the machine: no more than its `scenarios` need."""

    def __init__(
        self,
        scenarios: tuple[Scenario, ...],
        folder: Path,
        network: Network | None,
        own_disks: Disks | None,
    ) -> None:
        self.scenarios = scenarios
        self._folder = folder
        self._network = network
        self._disks = own_disks

    @classmethod
    @contextmanager
    def prepared(cls, scenarios: Collection[Scenario], folder: Path) -> Iterator["Machine"]:
        """The machine for the time of a block; nothing is left of it afterwards.

        Raises:
            SuiteError: MACHINE_LACKS, if it can do none of these; MACHINE_REFUSED, if it fails.
        """
        scenarios = _possible(scenarios)
        actions = {each.action for each in scenarios}
        with ExitStack() as stack:
            network = own_disks = None
            if Action.CUT in actions:
                network = stack.enter_context(Network.made(os.getpid(), NODES))
            if actions & {Action.FILL, Action.POWER}:
                made = Disks.made(os.getpid(), folder / "disks", NODES)
                own_disks = stack.enter_context(made)
            yield cls(scenarios, folder, network, own_disks)

    @property
    def places(self) -> tuple[Place, ...]:
        """Where the nodes of the suite run."""
        return tuple(self._place(node) for node in range(1, NODES + 1))

    async def until_possible(self, scenario: Scenario, name: str) -> None:
        """Waits until there is what is to be harmed: a bit in a block that is written no more.

        Before a power failure, a load that has much to lose.

        Raises:
            SuiteError: NOTHING_TO_HARM, if the load does not make one in time.
        """
        if scenario.action is Action.POWER:
            await asyncio.sleep(LOADED_S)
        if scenario.action is not Action.FLIP:
            return
        for _ in range(round(BLOCK_WITHIN_S / LOOK_AGAIN_S)):
            if disks.closed_block(*self._logs(name)) is not None:
                return
            await asyncio.sleep(LOOK_AGAIN_S)
        raise SuiteError(f"{name} has no full block: ask for more orders", code="NOTHING_TO_HARM")

    def moved_aside(self) -> int:
        """How many copies of logs the suite itself has found damaged."""
        stores = [place.store for place in self.places if place.store is not None]
        return sum(len(list(store.glob("damaged/*-[JE]*_*"))) for store in stores)

    @asynccontextmanager
    async def harmed(
        self, scenario: Scenario, victim: str, pids: Mapping[str, int]
    ) -> AsyncIterator[int]:
        """The processes are harmed for the time of a block, or once and for all at its begin.

        Given is the moment before, which the operating system does not let pass by.
        """
        ((name, pid), *_others) = pids.items()
        at_ns = time.monotonic_ns()
        match scenario.action:
            case Action.PAUSE:
                with _paused(pids):
                    yield at_ns
            case Action.CUT:
                assert self._network is not None
                assert scenario.cut is not None
                self._network.cut(_node(name), scenario.cut)
                try:
                    yield at_ns
                finally:
                    self._network.join(_node(name))
            case Action.FILL:
                assert self._disks is not None
                with self._disks.full(_node(name)):
                    yield at_ns
            case Action.SLOW:
                async with disks.slow_fsync(pid):
                    yield at_ns
            case Action.FAIL:
                async with disks.failing_fsync(pid):
                    yield at_ns
            case Action.POWER:
                assert self._disks is not None
                orchestrator = running_orchestrator(self._folder)
                assert orchestrator is not None
                with _paused({"orchestrator": orchestrator.pid}):
                    self._disks.lose_power()
                    _signal(pids, signal.SIGKILL)
                    await self._disks.power_again()
                yield at_ns
            case Action.FLIP:
                block = disks.closed_block(*self._logs(victim))
                assert block is not None
                disks.flip_a_bit(block)
                _signal(pids, SIGNALS[scenario.action])
                yield at_ns
            case _:
                _signal(pids, SIGNALS[scenario.action])
                yield at_ns

    async def hold(self, scenario: Scenario) -> None:
        """Waits as long as this kind of harm lasts."""
        await asyncio.sleep(HELD_S.get(scenario.action, 0.0))

    def _logs(self, copy: str) -> tuple[Path, list[str]]:
        """The store and the logs that a victim `copy-SHARD-NODE` means."""
        _copy, shard, node = copy.split("-")
        store = self._place(int(node)).store
        assert store is not None
        return store, [
            subjects.journal_stream(int(shard)),
            subjects.events_stream(int(shard)),
        ]

    def _place(self, node: int) -> Place:
        network, own_disks = self._network, self._disks
        return Place(
            host=network.host(node) if network else HOST,
            prefix=network.prefix(node) if network else (),
            store=own_disks.store(node) if own_disks else self._folder / "nats" / f"n{node}",
        )


def _possible(scenarios: Collection[Scenario]) -> tuple[Scenario, ...]:
    found = tuple(each for each in scenarios if not lacking(each))
    if not found:
        wanted = sorted({name for each in scenarios for name in lacking(each)})
        raise SuiteError(
            f"this machine lacks {', '.join(wanted)}: such faults need root and these programs",
            code="MACHINE_LACKS",
        )
    return found


def _node(name: str) -> int:
    return int(name.removeprefix("nats-n"))


@contextmanager
def _paused(pids: Mapping[str, int]) -> Iterator[None]:
    _signal(pids, signal.SIGSTOP)
    try:
        yield
    finally:
        _signal(pids, signal.SIGCONT)


def _signal(pids: Mapping[str, int], number: signal.Signals) -> None:
    for pid in pids.values():
        os.kill(pid, number)
