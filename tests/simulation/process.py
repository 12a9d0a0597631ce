# SPDX-License-Identifier: Apache-2.0
"""A process of the suite: it is started, crashes, pauses, ends, and is started again."""

from collections.abc import Awaitable, Callable
from typing import Any

from tests.simulation.bus import Broker, SimBus
from tests.simulation.loop import Node
from tradewind.common.errors import BusError, CorruptionError
from tradewind.venue.adapter import SessionLost


class Process:
    """A place where one life after another of a process runs."""

    def __init__(
        self, broker: Broker, name: str, main: Callable[["Process"], Awaitable[None]]
    ) -> None:
        self._broker = broker
        self._main = main
        self.name = name
        self.world = broker.world
        self.lives = 0
        self.node = Node(name)
        self.bus: SimBus | None = None
        self.holds: Any = None

    def start(self) -> None:
        """Begins a life."""
        if self.world.loop.is_ending:
            return
        self.lives += 1
        self.holds = None
        self.node = Node(f"{self.name}/{self.lives}")
        self.world.loop.create_task(self._live(self.node), context=self.node.context)

    def connect(self) -> SimBus:
        """A new connection to the bus."""
        self.bus = SimBus(self._broker)
        return self.bus

    def crash(self) -> None:
        """Ends this life between two steps; nothing of it is cleaned up. Another one begins."""
        if self.node.is_dead:
            return
        self.world.saw(f"crash of {self.name.split('-')[0]}")
        self.node.is_dead = True
        if self.bus is not None:
            self.bus.cut_off()
        self.world.loop.later(self.world.rng.uniform(0.05, 0.8), self.start)

    def pause(self, for_s: float) -> None:
        """Stops it between two steps; it knows nothing of the time that passes."""
        if self.node.is_dead or self.node.is_paused:
            return
        self.world.saw(f"pause of {self.name.split('-')[0]}")
        self.node.is_paused = True
        self.world.loop.later(for_s, self.world.loop.resume, self.node)

    async def _live(self, node: Node) -> None:
        try:
            await self._main(self)
        except SessionLost:
            self.world.saw("session lost to another")
            node.is_dead = True
            return
        except BusError as error:
            self.world.loop.note(f"{self.name} ended: {error.text}")
        except CorruptionError as error:
            self.world.broken(f"{self.name} stopped: {error.text}")
        except Exception as error:
            self.world.broken(f"{self.name} failed: {error!r}")
        node.is_dead = True
        self.world.loop.later(self.world.rng.uniform(0.05, 0.3), self.start)
