# SPDX-License-Identifier: Apache-2.0
"""Composition root of the connector: session after session, until stopped."""

import asyncio
import logging
import random
from typing import Any

from tradewind.common import streams, subjects
from tradewind.common.errors import BusError
from tradewind.common.jetstream import Bus, set_consumer_floor
from tradewind.common.lifecycle import Stop, serve_until
from tradewind.common.status import Heartbeat
from tradewind.venue.adapter import VenueDown
from tradewind.venue.session import Session
from tradewind.venue.settings import Settings
from tradewind.venue.sim_adapter import SimAdapter

log = logging.getLogger(__name__)

BACKOFF_MS_MIN = 50
BACKOFF_MS_MAX = 5000
FLOOR_INTERVAL_S = 1.0


async def serve(settings: Settings, stop: Stop) -> None:
    """Keeps a session with the venue until `stop`.

    Raises:
        SessionLost: another connector has taken over; this process must not send again.
    """
    bus = await Bus.connect(settings.service.bus, name=settings.service.instance)
    try:
        await streams.verify(bus, settings.service.shards)
        connector = Connector(bus, settings)
        heartbeat = Heartbeat(bus, settings.service, "venue")
        await serve_until(
            stop,
            connector.run(),
            connector.show_floor(),
            heartbeat.run(stop, connector.facts),
        )
    finally:
        await bus.close()


class Connector:
    """Sessions with one venue, one after the other."""

    def __init__(self, bus: Bus, settings: Settings) -> None:
        self._bus = bus
        self._settings = settings
        self._session: Session | None = None
        self._sessions = 0
        self._down = ""

    async def run(self) -> None:
        """Logs on, trades, and starts again when the venue was lost."""
        backoff_ms = BACKOFF_MS_MIN
        while True:
            try:
                await self._one_session()
            except VenueDown as error:
                if self._session is not None and self._session.is_open:
                    backoff_ms = BACKOFF_MS_MIN
                self._session, self._down = None, error.text
                log.warning("%s; next try in about %d ms", error.text, backoff_ms)
            await asyncio.sleep(backoff_ms / 1000 * random.uniform(0.5, 1.5))
            backoff_ms = min(backoff_ms * 2, BACKOFF_MS_MAX)

    async def show_floor(self) -> None:
        """Moves the durable consumer `venue` to what was read, for operators to see."""
        while True:
            await asyncio.sleep(FLOOR_INTERVAL_S)
            positions = dict(self._session.positions) if self._session is not None else {}
            for shard, position in positions.items():
                try:
                    await set_consumer_floor(
                        self._bus, subjects.events_stream(shard), "venue", position
                    )
                except BusError as error:
                    log.warning("the consumer venue of shard %d was not moved: %s", shard, error)

    def facts(self) -> dict[str, Any]:
        """What the heartbeat tells of the connector."""
        session = self._session
        common = {"venue": self._settings.venue, "sessions": self._sessions}
        if session is None or not session.is_open:
            return {**common, "role": "down", "why": self._down}
        latencies = sorted(session.outbound.latencies_us)
        return {
            **common,
            "role": "active",
            "owner": session.owner,
            "epochs": [session.epochs[shard] for shard in sorted(session.epochs)],
            "sent": session.outbound.sent,
            "found": session.outbound.found,
            "expired": session.outbound.expired,
            "journaled": session.inbound.journaled,
            "foreign": session.inbound.foreign,
            "send_us": {
                "p50": latencies[len(latencies) // 2] if latencies else 0,
                "p99": latencies[len(latencies) * 99 // 100] if latencies else 0,
            },
        }

    async def _one_session(self) -> None:
        settings = self._settings
        adapter = SimAdapter(
            settings.venue, settings.venue_url, settings.session_name, settings.venue_key
        )
        await adapter.logon()
        try:
            self._session = Session(
                self._bus,
                adapter,
                venue=settings.venue,
                instance=settings.service.instance,
                shards=settings.service.shards,
                read_lag_ms=settings.read_lag_ms,
            )
            self._sessions += 1
            await self._session.run()
        finally:
            await adapter.close()
