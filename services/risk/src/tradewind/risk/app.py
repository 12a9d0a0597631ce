# SPDX-License-Identifier: Apache-2.0
"""Composition root of risk."""

from tradewind.common import alerts, streams, subjects
from tradewind.common.jetstream import Bus, KeyValue, stream_tail
from tradewind.common.lifecycle import Stop, serve_until
from tradewind.common.status import Heartbeat
from tradewind.risk.alerts import Alerts
from tradewind.risk.service import Risk
from tradewind.risk.settings import Settings


async def serve(settings: Settings, stop: Stop) -> None:
    """Watches over all shards until `stop`."""
    service = settings.service
    bus = await Bus.connect(service.bus, name=service.instance)
    try:
        await streams.verify(bus, service.shards)
        raised = Alerts(
            KeyValue(bus, alerts.BUCKET),
            owner=settings.alert_owner,
            escalates_to=settings.alert_escalates_to,
        )
        await raised.begin({shard: await _tail(bus, shard) for shard in range(service.shards)})
        risk = Risk(bus, settings, raised)
        await risk.load_instruments()
        await risk.serve()
        heartbeat = Heartbeat(bus, service, "risk")
        await serve_until(
            stop,
            *(risk.follow(shard) for shard in range(service.shards)),
            risk.halt_breaches(),
            raised.run(),
            raised.follow(),
            raised.escalate(),
            heartbeat.run(stop, risk.facts),
            bus.failed(),
        )
    finally:
        await bus.close()


async def _tail(bus: Bus, shard: int) -> int:
    return (await stream_tail(bus, subjects.events_stream(shard)))[1]
