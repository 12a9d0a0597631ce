# SPDX-License-Identifier: Apache-2.0
"""All processes of a run, made by the services' own composition roots."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from tests.simulation.bus import Broker
from tests.simulation.clients import Clients
from tests.simulation.exchange import READ_LAG_MS, VENUE
from tests.simulation.gateway import SimGateway
from tests.simulation.process import Process
from tests.simulation.wire import SimVenueDialer
from tradewind.common.kills import Kills
from tradewind.common.lifecycle import Stop
from tradewind.common.settings import BusSettings, ServiceSettings
from tradewind.core.machine import StateMachine
from tradewind.oms import app as oms
from tradewind.oms.settings import Settings as OmsSettings
from tradewind.venue import app as venue
from tradewind.venue.settings import Settings as VenueSettings

REPLICAS = 3
GATEWAYS = 2
SNAPSHOT_EVERY = 10


class Suite:
    """All processes of a run."""

    def __init__(self, broker: Broker, dialer: SimVenueDialer) -> None:
        self.world = broker.world
        self.broker = broker
        self._dialer = dialer
        self.replicas = [Process(broker, f"oms-{n}", self._oms(n)) for n in range(REPLICAS)]
        self.connectors = [Process(broker, "venue-0", self._connector)]
        self.gateways: list[Process] = []
        self._fronts: list[SimGateway] = []
        for number in range(GATEWAYS):
            process = Process(broker, f"gateway-{number}", self._gateway)
            self.gateways.append(process)
            self._fronts.append(SimGateway(process))
        self.clients = Clients(self.world, list(self._fronts))
        for front in self._fronts:
            front.clients = self.clients

    @property
    def processes(self) -> list[Process]:
        """Everything that can be harmed."""
        return [*self.replicas, *self.connectors, *self.gateways]

    def behind(self, truth: StateMachine) -> list[str]:
        """The replicas that are not where a fresh replay of the journal is."""
        found = []
        for process in self.replicas:
            replica = process.holds
            if replica is None or replica.seq != truth.state.seq:
                found.append(f"{process.name} has not applied the journal")
            elif replica.machine.digest() != truth.digest():
                found.append(f"{process.name} has another state than a fresh replay")
        return found

    def replace_connector(self) -> None:
        """Somebody believes the connector dead and starts another."""
        self.world.saw("second connector started")
        process = Process(self.broker, f"venue-{len(self.connectors)}", self._connector)
        self.connectors.append(process)
        process.start()

    def ensure_connector(self) -> None:
        """Starts a connector if the last one lost its session and none is there."""
        if all(process.node.is_dead for process in self.connectors):
            self.connectors[-1].start()

    async def _gateway(self, process: Process) -> None:
        await self._fronts[self.gateways.index(process)].run()

    def _oms(self, rank: int) -> Callable[[Process], Awaitable[None]]:
        async def main(process: Process) -> None:
            settings = OmsSettings(
                service=_service(process.name),
                shard=0,
                rank=rank,
                patience_ms=50,
                time_interval_ms=1000,
                snapshot_every=SNAPSHOT_EVERY,
            )
            await oms.serve(settings, Stop())

        return main

    async def _connector(self, process: Process) -> None:
        bus: Any = process.connect()
        settings = VenueSettings(
            service=_service(process.name),
            venue=VENUE,
            adapter="sim",
            url="",
            session="S",
            key="",
            read_lag_ms=READ_LAG_MS,
            answer_timeout_ms=1500,
            unknown_after_ms=500,
            position_every_ms=700,
            external_account="EXTERNAL",
            is_cancelling=False,
        )
        name = f"{process.name}.{process.lives}"
        outputs = await venue.read_outputs(bus, 0)
        session = venue.build(bus, settings, self._dialer, name, 0, outputs, lambda: True, Kills())
        await session.run()


def _service(name: str) -> ServiceSettings:
    bus = BusSettings(urls=(), user="", password="")
    return ServiceSettings(
        bus=bus, instance=name, shards=1, state_dir=Path(), status_interval_ms=500
    )
