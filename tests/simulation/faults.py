# SPDX-License-Identifier: Apache-2.0
"""What is done to the suite, when, and how it is undone."""

from collections.abc import Callable

from tests.simulation.exchange import Exchange
from tests.simulation.process import Process
from tests.simulation.suite import Suite
from tests.simulation.wire import SimVenueDialer
from tests.simulation.world import CHAOS_S

STEPS_MAX = 60
"""A crash or pause comes up to so many steps of its victim after its time: anywhere between two
awaits, most of which are where something happens and not where it waits."""


class Faults:
    """The timed faults of a plan; those that strike by chance are asked for where they strike."""

    def __init__(self, suite: Suite, exchange: Exchange, dialer: SimVenueDialer) -> None:
        self._suite = suite
        self._world = suite.world
        self._exchange = exchange
        self._dialer = dialer
        streams = suite.broker.streams
        self._kinds: dict[str, Callable[[], None]] = {
            "oms-crash": lambda: self._crash(self._any(suite.replicas)),
            "oms-pause": lambda: self._pause(self._any(suite.replicas)),
            "oms-all-crash": self._crash_all,
            "venue-crash": lambda: self._crash(suite.connectors[-1]),
            "venue-pause": lambda: self._pause(suite.connectors[-1]),
            "venue-replaced": self._replace,
            "gateway-crash": lambda: self._crash(self._any(suite.gateways)),
            "gateway-pause": lambda: self._pause(self._any(suite.gateways)),
            "journal-leader": lambda: streams["JOURNAL_0"].lose_leader(self._stall_s()),
            "events-leader": lambda: streams["EVENTS_0"].lose_leader(self._stall_s()),
            "disconnect": self._disconnect,
            "session-loss": exchange.break_sessions,
            "venue-restart": self._restart_venue,
        }

    def start(self) -> None:
        """Plans all of them."""
        kinds = [kind for kind in self._world.plan.kinds if kind in self._kinds]
        if not kinds:
            return
        for _ in range(self._world.plan.faults):
            kind = self._world.rng.choice(kinds)
            self._world.loop.later(self._world.rng.uniform(0.2, CHAOS_S), self._strike, kind)

    def heal(self) -> None:
        """No more faults; what is paused goes on."""
        self._world.is_healed = True
        for process in self._suite.processes:
            if process.node.is_paused:
                self._world.loop.resume(process.node)

    def _strike(self, kind: str) -> None:
        if not self._world.is_healed:
            self._world.loop.note(kind)
            self._kinds[kind]()

    def _any(self, processes: list[Process]) -> Process:
        return self._world.rng.choice(processes)

    def _stall_s(self) -> float:
        return self._world.rng.choice((0.03, 0.3, 4.0))

    def _crash(self, process: Process) -> None:
        process.node.trip(self._world.rng.randint(0, STEPS_MAX), process.crash)

    def _pause(self, process: Process) -> None:
        for_s = self._world.rng.choice((0.05, 0.5, 3.0))
        steps = self._world.rng.randint(0, STEPS_MAX)
        process.node.trip(steps, lambda: process.pause(for_s))

    def _crash_all(self) -> None:
        for process in self._suite.replicas:
            self._crash(process)

    def _replace(self) -> None:
        old = self._suite.connectors[-1]
        steps = self._world.rng.randint(0, STEPS_MAX)
        for_s = self._world.rng.uniform(0, 2)
        old.node.trip(steps, lambda: old.pause(for_s))
        self._world.loop.later(self._world.rng.uniform(0, 0.5), self._suite.replace_connector)

    def _disconnect(self) -> None:
        bus = self._any(self._suite.processes).bus
        if bus is not None and bus.is_connected:
            bus.disconnect(self._world.rng.choice((0.05, 0.5, 2.0)))

    def _restart_venue(self) -> None:
        self._dialer.down_until_s = self._world.now_s + self._world.rng.uniform(0.1, 1.5)
        self._exchange.break_sessions()
