# SPDX-License-Identifier: Apache-2.0
"""Faults that are done to the machine under a process: signals, networks, disks.

Each is a block of time: broken when it begins, whole again when it ends.
"""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Collection, Iterator, Mapping
from contextlib import ExitStack, asynccontextmanager, contextmanager
from pathlib import Path

from tradewind.cli.chaos import disks, tools
from tradewind.cli.chaos.disks import Disks
from tradewind.cli.chaos.network import Network
from tradewind.cli.chaos.scenarios import PAUSE_S, Action, Scenario
from tradewind.cli.suite.facts import HOST, NODES, Place, SuiteError

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
    Action.SLOW: ("strace",),
    Action.FAIL: ("strace",),
}
"""What must be installed, besides being root."""
SIGNALS = {
    Action.KILL: signal.SIGKILL,
    Action.ARM: signal.SIGUSR1,
}


def lacking(scenario: Scenario) -> list[str]:
    """What the machine lacks for a scenario."""
    programs = PROGRAMS.get(scenario.action)
    return tools.missing(*programs) if programs else []


class Machine:
    """What one run has made in the machine: no more than its `scenarios` need."""

    def __init__(
        self, scenarios: tuple[Scenario, ...], network: Network | None, own_disks: Disks | None
    ) -> None:
        self.scenarios = scenarios
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
            if Action.FILL in actions:
                made = Disks.made(os.getpid(), folder / "disks", NODES)
                own_disks = stack.enter_context(made)
            yield cls(scenarios, network, own_disks)

    @property
    def places(self) -> tuple[Place, ...]:
        """Where the nodes of the suite run."""
        return tuple(self._place(node) for node in range(1, NODES + 1))

    @asynccontextmanager
    async def harmed(self, scenario: Scenario, pids: Mapping[str, int]) -> AsyncIterator[None]:
        """The processes are harmed for the time of a block, or once and for all at its begin."""
        ((name, pid), *_others) = pids.items()
        match scenario.action:
            case Action.PAUSE:
                with _paused(pids):
                    yield
            case Action.CUT:
                assert self._network is not None
                assert scenario.cut is not None
                self._network.cut(_node(name), scenario.cut)
                try:
                    yield
                finally:
                    self._network.join(_node(name))
            case Action.FILL:
                assert self._disks is not None
                with self._disks.full(_node(name)):
                    yield
            case Action.SLOW:
                async with disks.slow_fsync(pid):
                    yield
            case Action.FAIL:
                async with disks.failing_fsync(pid):
                    yield
            case _:
                _signal(pids, SIGNALS[scenario.action])
                yield

    async def hold(self, scenario: Scenario) -> None:
        """Waits as long as this kind of harm lasts."""
        await asyncio.sleep(HELD_S.get(scenario.action, 0.0))

    def _place(self, node: int) -> Place:
        network, own_disks = self._network, self._disks
        return Place(
            host=network.host(node) if network else HOST,
            prefix=network.prefix(node) if network else (),
            store=own_disks.store(node) if own_disks else None,
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
