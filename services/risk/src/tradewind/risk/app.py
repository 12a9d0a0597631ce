# SPDX-License-Identifier: Apache-2.0
"""Composition root of risk."""

from tradewind.common import streams
from tradewind.common.jetstream import Bus
from tradewind.common.lifecycle import Stop, serve_until
from tradewind.common.status import Heartbeat
from tradewind.risk.service import Risk
from tradewind.risk.settings import Settings


async def serve(settings: Settings, stop: Stop) -> None:
    """Watches over all shards until `stop`."""
    service = settings.service
    bus = await Bus.connect(service.bus, name=service.instance)
    try:
        await streams.verify(bus, service.shards)
        risk = Risk(bus, settings)
        await risk.load_instruments()
        await risk.serve()
        heartbeat = Heartbeat(bus, service, "risk")
        await serve_until(
            stop,
            *(risk.follow(shard) for shard in range(service.shards)),
            risk.halt_breaches(),
            heartbeat.run(stop, risk.facts),
            bus.failed(),
        )
    finally:
        await bus.close()
