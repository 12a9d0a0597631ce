# SPDX-License-Identifier: Apache-2.0
"""Composition root of telemetry."""

import gc
from typing import Any

from tradewind.common import streams
from tradewind.common.jetstream import Bus
from tradewind.common.lifecycle import Stop, serve_until
from tradewind.common.status import Heartbeat
from tradewind.telemetry.export import Meters, SpanSender
from tradewind.telemetry.journeys import Journeys
from tradewind.telemetry.settings import Settings
from tradewind.telemetry.watcher import Watcher

NS_PER_MS = 1_000_000


async def serve(settings: Settings, stop: Stop) -> None:
    """Shows what happens, until `stop`."""
    service = settings.service
    bus = await Bus.connect(service.bus, name=service.instance)
    spans = SpanSender(settings.endpoint)
    journeys = Journeys(slow_ns=settings.slow_ms * NS_PER_MS)
    meters = Meters(settings.endpoint, spans, journeys, is_sent=settings.has_metrics)
    try:
        await streams.verify(bus, service.shards)
        watcher = Watcher(bus, journeys, spans, meters)
        await watcher.listen()
        gc.freeze()  # what was imported stays: collections need not look at it again

        def facts() -> dict[str, Any]:
            return {
                "role": "active",
                "records": watcher.records,
                "spans_sent": spans.sent,
                "spans_lost": spans.lost,
            }

        await serve_until(
            stop,
            *(watcher.follow_journal(shard) for shard in range(service.shards)),
            *(watcher.follow_events(shard) for shard in range(service.shards)),
            watcher.harvest(),
            watcher.watch_hearts(),
            spans.run(),
            bus.failed(),
            Heartbeat(bus, service, "telemetry").run(stop, facts),
        )
    finally:
        spans.close()
        meters.close()
        await bus.close()
