# SPDX-License-Identifier: Apache-2.0
"""Composition root of market data."""

from tradewind.common import streams
from tradewind.common.jetstream import Bus
from tradewind.common.lifecycle import Stop, serve_until
from tradewind.common.status import Heartbeat
from tradewind.marketdata.feed import Feed
from tradewind.marketdata.settings import Settings


async def serve(settings: Settings, stop: Stop) -> None:
    """Feeds the bus until `stop`."""
    bus = await Bus.connect(settings.service.bus, name=settings.service.instance)
    try:
        await streams.verify(bus, settings.service.shards)
        feed = Feed(bus, settings)
        heartbeat = Heartbeat(bus, settings.service, "marketdata")
        await serve_until(stop, feed.run(), feed.watch(), heartbeat.run(stop, feed.facts))
    finally:
        await bus.close()
