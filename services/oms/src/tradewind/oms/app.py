# SPDX-License-Identifier: Apache-2.0
"""Composition root of one replica."""

import asyncio
import gc
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tradewind.common import streams, subjects
from tradewind.common.build import build_id
from tradewind.common.errors import BusError
from tradewind.common.jetstream import Bus, StreamReader, set_consumer_floor
from tradewind.common.lifecycle import Stop, serve_until
from tradewind.common.status import Heartbeat
from tradewind.core.commands import SkipEntry
from tradewind.oms.agreement import Agreement
from tradewind.oms.appender import Appender
from tradewind.oms.keeper import SnapshotKeeper
from tradewind.oms.queries import Queries
from tradewind.oms.replica import PoisonError, Replica
from tradewind.oms.resume import Beginning, choose_beginning, decided_skip, events_tail
from tradewind.oms.settings import Settings
from tradewind.oms.timekeeper import keep_time

log = logging.getLogger(__name__)

FLOOR_INTERVAL_S = 1.0
PACKAGES = ("tradewind.core", "tradewind.common", "tradewind.oms")
"""The code that must be the same for two replicas to be of one build."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What a replica consists of."""

    replica: Replica
    beginning: Beginning
    journal: StreamReader
    events: StreamReader
    appender: Appender
    agreement: Agreement
    keeper: SnapshotKeeper


async def serve(settings: Settings, stop: Stop) -> None:
    """Follows the shard, and leads it whenever nobody else does, until `stop`.

    At a poison entry that two people decided to skip it begins again, with that decision: the
    failed attempt may have left half of the entry in its state.

    Raises:
        PoisonError: at an entry that cannot be applied and that nobody decided to skip.
    """
    skips: dict[int, SkipEntry] = {}
    while not stop.is_set():
        bus = await Bus.connect(settings.service.bus, name=settings.service.instance)
        try:
            await streams.verify(bus, settings.service.shards)
            await _run(bus, await _assemble(bus, settings, skips), settings, stop)
        except PoisonError as poison:
            skips[poison.seq] = await decided_skip(bus, settings.shard, poison)
        finally:
            await bus.close()


async def _assemble(bus: Bus, settings: Settings, skips: Mapping[int, SkipEntry]) -> Parts:
    shard, instance = settings.shard, settings.service.instance
    tail = await events_tail(bus, shard)
    beginning = await choose_beginning(bus, shard, tail)
    build = build_id(PACKAGES)
    replica = Replica(shard, tail, start=beginning.snapshot, build=build, skips=skips)
    journal = StreamReader(
        bus,
        subjects.journal_stream(shard),
        subjects.live(subjects.journal_all(shard)),
        replica.seq + 1,
    )
    events = StreamReader(
        bus,
        subjects.events_stream(shard),
        subjects.live(subjects.events_all(shard)),
        replica.confirmed + 1,
    )
    appender = Appender(
        bus,
        replica,
        events,
        instance=instance,
        patience_ms=settings.patience_ms,
        rank=settings.rank,
    )
    keeper = SnapshotKeeper(
        bus,
        replica,
        every=settings.snapshot_every,
        rank=settings.rank,
        instance=instance,
        folder=settings.service.state_dir,
        is_leading=lambda: appender.is_leading,
    )
    return Parts(
        replica=replica,
        beginning=beginning,
        journal=journal,
        events=events,
        appender=appender,
        agreement=Agreement(bus, replica, instance=instance),
        keeper=keeper,
    )


async def _run(bus: Bus, parts: Parts, settings: Settings, stop: Stop) -> None:
    replica, appender, instance = parts.replica, parts.appender, settings.service.instance
    await parts.journal.open()
    await parts.events.open()
    await parts.agreement.listen()
    await bus.subscribe(subjects.process_ended(), lambda message: appender.hear_end(message.body))
    await Queries(replica, appender, instance).serve(bus)
    await serve_until(
        stop,
        follow_journal(parts),
        follow_events(parts.events, replica, appender),
        appender.run(stop),
        parts.keeper.run(),
        parts.agreement.run(),
        keep_time(
            bus,
            replica,
            appender,
            instance=instance,
            rank=settings.rank,
            interval_ms=settings.time_interval_ms,
        ),
        show_floor(bus, replica, appender),
        Heartbeat(bus, settings.service, "oms").run(stop, lambda: facts(parts)),
    )


async def follow_journal(parts: Parts) -> None:
    """Applies every entry, in order, for ever; tells the others its digests at fixed sequences."""
    replica = parts.replica
    while True:
        for record in await parts.journal.next_batch():
            replica.apply(record)
            if replica.diverged_seq == record.seq:
                parts.keeper.keep_for_diff()
        if replica.outbox:
            parts.appender.outputs_ready()
        if parts.agreement.tell():
            # What is there by now mostly stays: a full collection would stop the shard for long.
            gc.freeze()


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


def facts(parts: Parts) -> dict[str, Any]:
    """What the heartbeat tells of a replica."""
    replica, appender, keeper = parts.replica, parts.appender, parts.keeper
    return {
        "role": appender.role,
        "build": replica.build,
        "shard": replica.shard,
        "seq": replica.seq,
        "ordinal": replica.ordinal,
        "confirmed": replica.confirmed,
        "chain": replica.chain,
        "live_orders": len(replica.machine.state.live_orders),
        "orders": len(replica.machine.state.orders),
        "takeovers": appender.takeovers,
        "refusals": appender.refusals,
        "begun_at": parts.beginning.seq,
        "snapshots_refused": parts.beginning.refused,
        "snapshot_seq": keeper.newest_seq,
        "snapshot_stall_ms": round(keeper.stall_ms, 1),
        "digests_compared": parts.agreement.compared,
        "disagreements": parts.agreement.disagreements,
    }
