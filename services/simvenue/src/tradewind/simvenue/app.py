# SPDX-License-Identifier: Apache-2.0
"""Composition root of the simulated venue."""

import asyncio
import logging
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from aiohttp import web

from tradewind.common.errors import TradewindError
from tradewind.common.lifecycle import Stop, serve_until
from tradewind.simvenue.api import Api
from tradewind.simvenue.exchange.edge import ExchangeEdge
from tradewind.simvenue.fix.acceptor import Acceptor
from tradewind.simvenue.fix.drop_copy import DropCopies
from tradewind.simvenue.flow import FlowEvent, find_recording, recorded, synthetic
from tradewind.simvenue.market import Market
from tradewind.simvenue.matching import Exchange
from tradewind.simvenue.replay import Replay
from tradewind.simvenue.session import Sessions
from tradewind.simvenue.settings import Settings
from tradewind.simvenue.venue import Venue

log = logging.getLogger(__name__)

LEDGER_NAME = "venue.jsonl"
FIX_FOLDER = "fix"
COPIES_FOLDER = "copies"
FIX_NAME = "SIMVENUE"
DAY_CHECK_S = 1.0
EXPIRY_CHECK_S = 0.1


async def serve(settings: Settings, stop: Stop) -> None:
    """Serves until `stop`."""
    settings.state_dir.mkdir(parents=True, exist_ok=True)
    market = Market(settings.symbol)
    exchange = Exchange(settings.symbol, market.on_trade, fee_bps=settings.fee_bps)
    market.book = exchange.book
    venue = Venue(exchange, settings.state_dir / LEDGER_NAME)
    if venue.ledger.repaired_bytes:
        log.warning("cut %d unfinished bytes off the ledger", venue.ledger.repaired_bytes)
    log.info(
        "%d executions and %d working orders restored",
        exchange.records.last_exec_no,
        len(exchange.records.working),
    )
    source, flow = choose_flow(settings)
    replay = Replay(venue, flow, settings.flow_speed)
    sessions = Sessions(venue, settings.key)
    api = Api(venue, market, settings.key, lambda: _status(settings, source, venue, replay))
    exchange_edge = ExchangeEdge(venue, market, settings.key)
    fix_folder = settings.state_dir / FIX_FOLDER
    copies = DropCopies(venue, fix_folder / COPIES_FOLDER, FIX_NAME, settings.drop_copy_key)
    acceptor = Acceptor(venue, fix_folder, FIX_NAME, settings.key, copies)
    runner = web.AppRunner(api.build(sessions, exchange_edge), access_log=None)
    await runner.setup()
    try:
        await _listen(runner, settings)
        if settings.fix_port is not None:
            await _listen_for_fix(acceptor, settings.host, settings.fix_port)
        parts = [market.run(), end_days(venue), expire(venue)]
        if source != "none":
            parts.append(replay.run())
        await serve_until(stop, *parts)
    finally:
        sessions.close()
        exchange_edge.close()
        await acceptor.close()
        await runner.cleanup()
        venue.close()


def choose_flow(settings: Settings) -> tuple[str, Callable[[], Iterator[FlowEvent]]]:
    """The background flow's name and how to begin it; says so where it is not the recording."""
    path: Path | None = None
    if settings.flow == "none":
        return "none", lambda: iter(())
    if settings.flow == "recorded":
        path = find_recording(settings.flow_dir)
    if path is not None:
        log.info("background flow: the recording %s at speed %g", path, settings.flow_speed)
        found = path
        return "recorded", lambda: recorded(found)
    if settings.flow == "recorded":
        log.warning("no recording in %s: using a seeded synthetic flow", settings.flow_dir)
    return "synthetic", lambda: synthetic(settings.flow_seed)


async def end_days(venue: Venue) -> None:
    """Ends the venue's day at midnight UTC, for ever."""
    today = datetime.now(UTC).date()
    while True:
        await asyncio.sleep(DAY_CHECK_S)
        if datetime.now(UTC).date() != today:
            today = datetime.now(UTC).date()
            venue.end_day()


async def expire(venue: Venue) -> None:
    """Ends orders whose own time is up, for ever."""
    while True:
        await asyncio.sleep(EXPIRY_CHECK_S)
        venue.expire()


async def _listen(runner: web.AppRunner, settings: Settings) -> None:
    try:
        await web.TCPSite(runner, settings.host, settings.port).start()
    except OSError as error:
        raise TradewindError(
            f"cannot listen on {settings.host}:{settings.port} ({error.strerror}): "
            "stop what uses it or set TRADEWIND_HTTP_PORT to a free port",
            code="PORT_TAKEN",
        ) from error
    for address in runner.addresses:
        log.info("listening on %s:%d", *address[:2])


async def _listen_for_fix(acceptor: Acceptor, host: str, port: int) -> None:
    try:
        bound = await acceptor.listen(host, port)
    except OSError as error:
        raise TradewindError(
            f"cannot listen on {host}:{port} ({error.strerror}): "
            "stop what uses it or set TRADEWIND_FIX_PORT to a free port",
            code="PORT_TAKEN",
        ) from error
    log.info("FIX clients are served on %s:%d", host, bound)


def _status(settings: Settings, source: str, venue: Venue, replay: Replay) -> dict[str, Any]:
    return {
        "symbol": settings.symbol,
        "flow": source,
        "flow_is_recorded": source == "recorded",
        "flow_speed": settings.flow_speed,
        "flow_position_ms": replay.position_ms,
        "flow_rounds": replay.rounds,
        "flow_events": replay.events,
        "flow_leftovers": replay.leftovers,
        "last_exec_no": venue.exchange.records.last_exec_no,
        "working_orders": len(venue.exchange.records.working),
        "resting_orders": len(venue.exchange.book),
        "sessions": venue.epochs,
        "faults_played": venue.faults.played,
    }
