# SPDX-License-Identifier: Apache-2.0
"""Composition root of the notifier."""

from typing import Any

import aiohttp

from tradewind.common import streams, subjects
from tradewind.common.jetstream import Bus
from tradewind.common.lifecycle import Stop, serve_until
from tradewind.common.status import Heartbeat
from tradewind.notifier.hearing import Hearing
from tradewind.notifier.settings import Settings
from tradewind.notifier.teller import Teller
from tradewind.notifier.webhook import Webhook


async def serve(settings: Settings, stop: Stop) -> None:
    """Tells people, until `stop`."""
    service = settings.service
    bus = await Bus.connect(service.bus, name=service.instance)
    try:
        await streams.verify(bus, service.shards)
        await streams.require_consumer(bus, subjects.ALERTS_STREAM, subjects.ALERTS_READER)
        async with aiohttp.ClientSession() as session:
            teller = Teller(Webhook(session, settings.url, settings.secret))
            hearing = Hearing(service.bus, f"{service.instance}-faststream", teller)

            def facts() -> dict[str, Any]:
                return {
                    "role": "active" if hearing.is_connected else "disconnected",
                    "told": teller.told,
                    "failed": teller.failed,
                    "given_up": teller.given_up,
                    "errors": hearing.errors,
                }

            try:
                await hearing.start()
                heartbeat = Heartbeat(bus, service, "notifier")
                await serve_until(stop, hearing.failed(), bus.failed(), heartbeat.run(stop, facts))
            finally:
                await hearing.stop()
    finally:
        await bus.close()
