# SPDX-License-Identifier: Apache-2.0
"""Composition root of one replica."""

import asyncio
import logging
from dataclasses import asdict
from typing import Any

import msgspec

from tradewind.common import streams, subjects
from tradewind.common.errors import BusError
from tradewind.common.jetstream import Bus, StreamReader, read_last, set_consumer_floor
from tradewind.common.lifecycle import Stop, serve_until
from tradewind.common.status import Heartbeat
from tradewind.oms.appender import Appender, patience_of
from tradewind.oms.queries import Queries
from tradewind.oms.replica import Checkpoint, Replica
from tradewind.oms.settings import Settings
from tradewind.oms.timekeeper import keep_time

log = logging.getLogger(__name__)

FLOOR_INTERVAL_S = 1.0


async def serve(settings: Settings, stop: Stop) -> None:
    """Follows the shard, and leads it whenever nobody else does, until `stop`."""
    service = settings.service
    bus = await Bus.connect(service.bus, name=service.instance)
    try:
        await streams.verify(bus, service.shards)
        replica = Replica(settings.shard, await events_tail(bus, settings.shard))
        journal = StreamReader(
            bus,
            subjects.journal_stream(settings.shard),
            subjects.live(subjects.journal_all(settings.shard)),
            1,
        )
        events = StreamReader(
            bus,
            subjects.events_stream(settings.shard),
            subjects.live(subjects.events_all(settings.shard)),
            replica.confirmed + 1,
        )
        appender = Appender(
            bus,
            replica,
            events,
            instance=service.instance,
            patience_ms=patience_of(settings.rank, settings.patience_ms),
        )
        await journal.open()
        await events.open()
        await Queries(replica, appender, service.instance).serve(bus)
        heartbeat = Heartbeat(bus, service, "oms")
        await serve_until(
            stop,
            follow_journal(bus, journal, replica, appender, service.instance),
            follow_events(events, replica, appender),
            appender.run(stop),
            keep_time(
                bus,
                replica,
                appender,
                instance=service.instance,
                rank=settings.rank,
                interval_ms=settings.time_interval_ms,
            ),
            show_floor(bus, replica, appender),
            heartbeat.run(stop, lambda: facts(replica, appender)),
        )
    finally:
        await bus.close()


async def events_tail(bus: Bus, shard: int) -> Checkpoint | None:
    """The last output that EVENTS holds: where this replica's own outputs begin to matter.

    Reading it first also keeps a starting replica from appending what has long been there.
    """
    last = await read_last(bus, subjects.events_stream(shard))
    if last is None:
        return None
    return Checkpoint(
        seq=int(last.headers[subjects.HEADER_ENTRY]),
        ordinal=last.seq,
        chain=last.headers[subjects.HEADER_CHAIN],
    )


async def follow_journal(
    bus: Bus, journal: StreamReader, replica: Replica, appender: Appender, instance: str
) -> None:
    """Applies every entry, in order, for ever; tells the others the chain at fixed sequences."""
    told = 0
    while True:
        for record in await journal.next_batch():
            replica.apply(record)
        if replica.outbox:
            appender.outputs_ready()
        if replica.checkpoints and replica.checkpoints[-1].seq > told:
            point = replica.checkpoints[-1]
            told = point.seq
            body = {"shard": replica.shard, "instance": instance, **asdict(point)}
            bus.tell(subjects.digest(replica.shard), msgspec.json.encode(body))


async def follow_events(events: StreamReader, replica: Replica, appender: Appender) -> None:
    """Compares what was appended with what was computed here, for ever."""
    while True:
        for record in await events.next_batch():
            replica.confirm(record)
        appender.tail_moved()


async def show_floor(bus: Bus, replica: Replica, appender: Appender) -> None:
    """Moves the durable consumer `oms` to what the group has emitted, for operators to see."""
    shown = 0
    while True:
        await asyncio.sleep(FLOOR_INTERVAL_S)
        if not appender.is_leading or replica.confirmed == shown:
            continue
        shown = replica.confirmed
        try:
            await set_consumer_floor(bus, subjects.events_stream(replica.shard), "oms", shown)
        except BusError as error:
            log.warning("the consumer oms of shard %d was not moved: %s", replica.shard, error)


def facts(replica: Replica, appender: Appender) -> dict[str, Any]:
    """What the heartbeat tells of a replica."""
    return {
        "role": "leader" if appender.is_leading else "standby",
        "shard": replica.shard,
        "seq": replica.seq,
        "ordinal": replica.ordinal,
        "confirmed": replica.confirmed,
        "chain": replica.chain,
        "live_orders": len(replica.machine.state.live_orders),
        "orders": len(replica.machine.state.orders),
        "takeovers": appender.takeovers,
        "refusals": appender.refusals,
    }
