# SPDX-License-Identifier: Apache-2.0
"""Composition root of the connector."""

import asyncio
import logging
import os
import secrets
from collections.abc import Callable, Sequence
from typing import Any

from aiohttp import ClientSession

from tradewind.common import streams, subjects
from tradewind.common.errors import BusError, TradewindError
from tradewind.common.jetstream import (
    Bus,
    KeyValue,
    StreamReader,
    set_consumer_floor,
    stream_tail,
)
from tradewind.common.kills import Kills
from tradewind.common.lease import BUCKET, Holder, Lease, hear_ends
from tradewind.common.lifecycle import Stop, serve_until, supervise
from tradewind.common.status import Heartbeat
from tradewind.core import scopes
from tradewind.core.events import VenueRequest
from tradewind.venue.adapter import VenueDialer
from tradewind.venue.dialers import Means, choose
from tradewind.venue.fix_ceilings import BUCKET as FIX
from tradewind.venue.fix_ceilings import KvCeilings
from tradewind.venue.instruments import BUCKET as INSTRUMENTS
from tradewind.venue.instruments import Instruments
from tradewind.venue.kill_cancels import KillCancels
from tradewind.venue.session import ShardSession
from tradewind.venue.settings import Settings

log = logging.getLogger(__name__)

SERVICE = "venue"
FLOOR_INTERVAL_S = 1.0
LOOK_S = 0.1
CUT_OFF_S = 2.0
ASIDE_S = 0.5
"""How long the one that stepped aside leaves the lease to others."""


class CutOff(TradewindError):
    """The venue cannot be reached from here."""

    code = "VENUE_CUT_OFF"


async def serve(settings: Settings, stop: Stop) -> None:
    """Stands by, then holds a session for every shard, until `stop` or until another has one."""
    service = settings.service
    make_dialer = choose(settings.adapter)
    bus = await Bus.connect(service.bus, name=service.instance)
    try:
        await streams.verify(bus, service.shards)
        async with ClientSession() as http:
            me = Holder(service.instance, os.getpid(), one_life_of(service.instance))
            lease = Lease(KeyValue(bus, BUCKET), f"{SERVICE}.{settings.venue}", me)
            await hear_ends(bus, lease)
            instruments = Instruments(KeyValue(bus, INSTRUMENTS))
            ceilings = KvCeilings(KeyValue(bus, FIX), settings.venue)
            dialer = make_dialer(
                Means(settings, http, instruments, lambda: lease.is_held, ceilings)
            )
            await instruments.load()
            sessions: list[ShardSession] = []
            kill_cancels = KillCancels(bus, settings.venue, sessions)
            kills = Kills(kill_cancels.begin)
            await kills.listen(bus)
            try:
                await serve_until(
                    stop,
                    lease.follow(),
                    instruments.follow(),
                    work(bus, settings, dialer, lease, sessions, kills),
                    Heartbeat(bus, service, SERVICE).run(
                        stop, lambda: facts(settings.venue, lease, sessions, kills)
                    ),
                )
            finally:
                await lease.release()
    finally:
        await bus.close()


async def work(
    bus: Bus,
    settings: Settings,
    dialer: VenueDialer,
    lease: Lease,
    sessions: list[ShardSession],
    kills: Kills,
) -> None:
    """Stands by until the lease is this process's, then holds a session for every shard.

    One that cannot reach the venue steps aside: another may stand where the network is whole.

    Raises:
        LeaseLost, SessionLost: another connector is the active one.
    """
    while True:
        await lease.acquire()
        readers = await asyncio.gather(
            *(read_outputs(bus, shard) for shard in range(settings.service.shards))
        )
        process = one_life_of(settings.service.instance)
        sessions += [
            build(bus, settings, dialer, process, shard, reader, lambda: lease.is_held, kills)
            for shard, reader in enumerate(readers)
        ]
        try:
            await supervise(
                lease.keep(),
                show_floors(bus, sessions),
                until_cut_off(sessions),
                *(session.run() for session in sessions),
            )
        except CutOff as error:
            log.warning("%s: %s", error.code, error.text)
        sessions.clear()
        for reader in readers:
            await reader.close()
        await lease.release()
        await asyncio.sleep(ASIDE_S)


def one_life_of(instance: str) -> str:
    """A name that no other process has, and no other time that this one holds the sessions."""
    return f"{instance}.{secrets.token_hex(6)}"


async def until_cut_off(sessions: Sequence[ShardSession]) -> None:
    """Watches whether the venue can be reached from here.

    Raises:
        CutOff: no session has been able to for a while.
    """
    while True:
        await asyncio.sleep(LOOK_S)
        unreached_s = min(session.unreached_s for session in sessions)
        if unreached_s > CUT_OFF_S:
            raise CutOff(f"the venue was not reached for {unreached_s:.1f} s: another may try")


async def read_outputs(bus: Bus, shard: int) -> StreamReader:
    """A shard's outputs from the tail as it is before TakeSession."""
    start = await last_output(bus, shard) + 1
    stream, live = subjects.events_stream(shard), subjects.live(subjects.events_all(shard))
    reader = StreamReader(bus, stream, live, start)
    await reader.open()
    return reader


async def last_output(bus: Bus, shard: int) -> int:
    """The sequence of a shard's last output."""
    _first, last = await stream_tail(bus, subjects.events_stream(shard))
    return last


def build(
    bus: Bus,
    settings: Settings,
    dialer: VenueDialer,
    process: str,
    shard: int,
    outputs: StreamReader,
    may_send: Callable[[], bool],
    kills: Kills,
) -> ShardSession:
    """One shard's session."""
    return ShardSession(
        shard=shard,
        venue=settings.venue,
        process=process,
        outputs=outputs,
        tail=lambda: last_output(bus, shard),
        journal=bus,
        dialer=dialer,
        read_lag_ms=settings.read_lag_ms,
        answer_timeout_ms=settings.answer_timeout_ms,
        may_send=may_send,
        is_stopped=lambda request: kills.stop(scopes_of(request)),
        unknown_after_ms=settings.unknown_after_ms,
        position_every_ms=settings.position_every_ms,
        external=subjects.account_in(shard, settings.service.shards, settings.external_account),
    )


def scopes_of(request: VenueRequest) -> tuple[str, ...]:
    """The scopes by which a request can be stopped here; its strategy and client the core knows."""
    return scopes.of_position(request.account, request.symbol, request.venue)


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


def facts(
    venue: str, lease: Lease, sessions: Sequence[ShardSession], kills: Kills
) -> dict[str, Any]:
    """What the heartbeat tells."""
    return {
        "role": role_of(lease, sessions),
        "venue": venue,
        "killed": kills.scopes,
        "shards": [
            {
                "shard": session.shard,
                "is_open": session.is_open,
                "epoch": session.epoch,
                "position": session.position,
                "sent": session.counters.sent,
                "found": session.counters.found,
                "expired": session.counters.expired,
                "throttled": session.counters.throttled,
                "external": session.external,
                "position_settled": session.positions.settled,
                "position_differed": session.positions.unsettled,
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


def role_of(lease: Lease, sessions: Sequence[ShardSession]) -> str:
    """Connected, on the way there, or standing by for one that is seen to work."""
    if sessions:
        return "connected" if all(session.is_open for session in sessions) else "connecting"
    return "standby" if lease.has_other else "waiting"
