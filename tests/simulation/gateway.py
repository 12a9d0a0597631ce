# SPDX-License-Identifier: Apache-2.0
"""A gateway of the simulation: the real journal intake and egress, without sockets."""

import asyncio
from collections.abc import Callable
from typing import Any

from tests.simulation.clients import Clients, Intention, Request
from tests.simulation.process import Process
from tests.simulation.world import Wire, World
from tradewind.common.lifecycle import supervise
from tradewind.gateway.egress import Egress
from tradewind.gateway.errors import Refusal
from tradewind.gateway.instruments import Instruments
from tradewind.gateway.journal import InFlight, Journal


class SimGateway:
    """A gateway's journal and egress, without sockets."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self.clients: Clients | None = None
        self._journal: Journal | None = None
        self._egress: Egress | None = None

    async def run(self) -> None:
        """One life of it."""
        bus: Any = self._process.connect()
        world = self._process.world
        self._journal = Journal(
            bus, shards=1, ack_timeout_ms=250, now_ns=lambda: round(world.now_s * 1e9)
        )
        self._egress = Egress(bus, self._journal, Instruments(), 1)
        await supervise(self._egress.run(0), self._journal.watch(), self._sweep(self._journal))

    def request(self, intention: Intention, command: Request) -> None:
        """A client's request is on its way here."""
        wire = Wire(self._process.world, self._process.node.context)
        wire.send(self._take, intention, command)

    async def _sweep(self, journal: Journal) -> None:
        while True:
            await asyncio.sleep(1)
            journal.sweep()

    def _take(self, intention: Intention, command: Request) -> None:
        if self._journal is None or self._egress is None or not self._egress.is_caught_up:
            return
        listener = _Listener(self.clients, intention, self._process.world)
        refused = self._journal.publish(0, command, listener, "")
        if isinstance(refused, Refusal):
            listener.tell(Clients.failed, command.cl_ord_id, refused.code)


class _Listener:
    """Carries what becomes of a request back to its client."""

    def __init__(self, clients: Clients | None, intention: Intention, world: World) -> None:
        self._clients = clients
        self._intention = intention
        self._wire = Wire(world, world.loop.world)

    def on_durable(self, request: InFlight) -> None:
        self.tell(Clients.durable, request.cl_ord_id, request.seq)

    def on_failed(self, request: InFlight, why: Refusal) -> None:
        self.tell(Clients.failed, request.cl_ord_id, why.code)

    def on_answered(self, request: InFlight, answer: Any) -> None:
        self.tell(Clients.answered, request.cl_ord_id, answer)

    def tell(self, how: Callable[..., None], *args: Any) -> None:
        """Says something to the client."""
        self._wire.send(how, self._clients, self._intention, *args)
