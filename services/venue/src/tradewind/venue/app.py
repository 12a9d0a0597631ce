# SPDX-License-Identifier: Apache-2.0
"""Composition root of the connector."""

import asyncio
import logging
import secrets
from collections.abc import Sequence
from typing import Any

from aiohttp import ClientSession

from tradewind.common import streams, subjects
from tradewind.common.errors import BusError
from tradewind.common.jetstream import Bus, StreamReader, set_consumer_floor, stream_tail
from tradewind.common.lifecycle import Stop, serve_until
from tradewind.common.status import Heartbeat
from tradewind.venue.adapter import VenueDialer
from tradewind.venue.session import ShardSession
from tradewind.venue.settings import Settings
from tradewind.venue.sim_adapter import SimDialer

log = logging.getLogger(__name__)

FLOOR_INTERVAL_S = 1.0


async def serve(settings: Settings, stop: Stop) -> None:
    """Holds a session with the venue for every shard, until `stop` or until another has one."""
    service = settings.service
    bus = await Bus.connect(service.bus, name=service.instance)
    try:
        await streams.verify(bus, service.shards)
        async with ClientSession() as http:
            dialer = SimDialer(
                http,
                url=settings.url,
                venue=settings.venue,
                session=settings.session,
                key=settings.key,
            )
            process = f"{service.instance}.{secrets.token_hex(6)}"
            sessions = [
                await build(bus, settings, dialer, process, shard)
                for shard in range(service.shards)
            ]
            heartbeat = Heartbeat(bus, service, "venue")
            await serve_until(
                stop,
                *(session.run() for session in sessions),
                show_floors(bus, sessions),
                heartbeat.run(stop, lambda: facts(settings.venue, sessions)),
            )
    finally:
        await bus.close()


async def build(
    bus: Bus, settings: Settings, dialer: VenueDialer, process: str, shard: int
) -> ShardSession:
    """One shard's session, reading outputs from the tail as it is before TakeSession."""
    stream = subjects.events_stream(shard)
    _first, last = await stream_tail(bus, stream)
    reader = StreamReader(bus, stream, subjects.live(subjects.events_all(shard)), last + 1)
    await reader.open()
    return ShardSession(
        shard=shard,
        venue=settings.venue,
        process=process,
        outputs=reader,
        journal=bus,
        dialer=dialer,
        read_lag_ms=settings.read_lag_ms,
        answer_timeout_ms=settings.answer_timeout_ms,
        unknown_after_ms=settings.unknown_after_ms,
    )


async def show_floors(bus: Bus, sessions: Sequence[ShardSession]) -> None:
    """Moves the durable consumers `venue` to what was read, for operators to see."""
    shown = dict.fromkeys(range(len(sessions)), 0)
    while True:
        await asyncio.sleep(FLOOR_INTERVAL_S)
        for session in sessions:
            if session.position == shown[session.shard]:
                continue
            shown[session.shard] = session.position
            stream = subjects.events_stream(session.shard)
            try:
                await set_consumer_floor(bus, stream, "venue", session.position)
            except BusError as error:
                log.warning("the consumer venue of %s was not moved: %s", stream, error)


def facts(venue: str, sessions: Sequence[ShardSession]) -> dict[str, Any]:
    """What the heartbeat tells."""
    is_open = all(session.is_open for session in sessions)
    return {
        "role": "connected" if is_open else "connecting",
        "venue": venue,
        "shards": [
            {
                "shard": session.shard,
                "is_open": session.is_open,
                "epoch": session.epoch,
                "position": session.position,
                "sent": session.counters.sent,
                "found": session.counters.found,
                "expired": session.counters.expired,
                "to_send": session.backlog,
                "unanswered": len(session.doubts),
                "unknown": session.doubts.unknown,
                "reports": session.inbound.journaled,
                "to_journal": session.inbound.backlog,
                "last_exec_no": session.inbound.last_exec_no,
                "sent_us": session.counters.percentiles_us(),
            }
            for session in sessions
        ],
    }
