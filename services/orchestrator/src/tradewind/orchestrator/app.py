# SPDX-License-Identifier: Apache-2.0
"""Composition root of the orchestrator."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import msgspec

from tradewind.common import subjects
from tradewind.common.errors import BusError
from tradewind.common.jetstream import Bus
from tradewind.common.lease import Holder
from tradewind.common.lifecycle import Stop, serve_until, supervise
from tradewind.common.status import Heartbeat
from tradewind.orchestrator.balancer import keep_placed
from tradewind.orchestrator.plan import read_plan
from tradewind.orchestrator.readiness import Readiness
from tradewind.orchestrator.scrubber import Scrubber
from tradewind.orchestrator.settings import Settings
from tradewind.orchestrator.supervisor import Supervisor
from tradewind.orchestrator.table import read_living

log = logging.getLogger(__name__)

RECONNECT_S = 1.0


async def serve(settings: Settings, stop: Stop) -> None:
    """Starts the plan's processes, keeps them running until `stop`, and leaves none behind.

    Raises:
        StartFailed: if one does not get ready; the others are stopped.
    """
    supervisor = Supervisor(
        read_plan(settings.plan_file),
        Readiness(settings.service.bus),
        env=settings.env,
        log_dir=settings.log_dir,
        table_path=settings.table_path,
        earlier=read_living(settings.table_path),
    )
    try:
        await serve_until(stop, start_and_watch(supervisor), tell(settings, supervisor, stop))
    finally:
        await supervisor.stop()


async def start_and_watch(supervisor: Supervisor) -> None:
    """The whole work."""
    await supervisor.start()
    await supervisor.watch()


async def tell(settings: Settings, supervisor: Supervisor, stop: Stop) -> None:
    """Puts the table into the heartbeat, whenever there is a bus. Supervision does not need one."""
    scrubber = Scrubber(supervisor, settings.service.shards)

    def facts() -> dict[str, Any]:
        return {"role": "active", "resynced": scrubber.resynced, **supervisor.table.plain()}

    await supervisor.started.wait()
    while not stop.is_set():
        try:
            async with connected(settings) as (bus, system):
                await supervise(
                    Heartbeat(bus, settings.service, "orchestrator").run(stop, facts),
                    tell_ends(bus, supervisor),
                    keep_placed(bus, system, settings.service.shards, scrubber.may_lead),
                    scrubber.run(bus),
                )
        except BusError:
            await asyncio.sleep(RECONNECT_S)


@asynccontextmanager
async def connected(settings: Settings) -> AsyncIterator[tuple[Bus, Bus | None]]:
    """The bus, as this service and, where it may, as the system account.

    Raises:
        BusError: if it cannot be reached.
    """
    name = settings.service.instance
    async with AsyncExitStack() as stack:
        bus = await Bus.connect(settings.service.bus, name=name)
        stack.push_async_callback(bus.close)
        system = None
        if settings.system is not None:
            system = await Bus.connect(settings.system, name=f"{name}-system")
            stack.push_async_callback(system.close)
        yield bus, system


async def tell_ends(bus: Bus, supervisor: Supervisor) -> None:
    """Proof of death: whoever stands by for a process that ended need not wait for its lease."""
    while True:
        name, pid = await supervisor.ended.get()
        try:
            bus.tell(subjects.process_ended(), msgspec.json.encode(Holder(name, pid)))
        except BusError as error:
            log.warning("the end of %s was not told: %s", name, error)
