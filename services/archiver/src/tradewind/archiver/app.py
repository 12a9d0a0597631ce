# SPDX-License-Identifier: Apache-2.0
"""Composition root of the archiver."""

import asyncio
import logging
from typing import Any

from tradewind.archiver.clickhouse import Warehouse, WarehouseUnavailable
from tradewind.archiver.consumer import RETRY_FIRST_S, RETRY_MAX_S, Archiver
from tradewind.archiver.http import Endpoint
from tradewind.archiver.settings import Settings
from tradewind.common import streams
from tradewind.common.http import listen, serve_http
from tradewind.common.jetstream import Bus
from tradewind.common.lifecycle import Stop, serve_until
from tradewind.common.status import Heartbeat

log = logging.getLogger(__name__)


async def serve(settings: Settings, stop: Stop) -> None:
    """Archives every stream, or stands by for who does, and answers reads, until `stop`."""
    service = settings.service
    listening = listen(settings.http_host, settings.http_port)
    warehouse = await open_warehouse(settings.clickhouse_dsn, settings.clickhouse_password)
    try:
        bus = await Bus.connect(service.bus, name=service.instance)
        try:
            await streams.verify(bus, service.shards)
            archiver = Archiver(bus, warehouse, service.shards, service.instance)
            await archiver.listen()
            heartbeat = Heartbeat(bus, service, "archiver")
            await serve_until(
                stop,
                bus.failed(),
                archiver.write_blocks(),
                archiver.tell(),
                archiver.show_floor(),
                heartbeat.run(stop, lambda: facts(archiver)),
                serve_http(Endpoint(archiver, warehouse).app(), listening, stop),
                *(archiver.follow_shard(shard) for shard in range(service.shards)),
            )
        finally:
            await bus.close()
    finally:
        listening.close()
        await asyncio.to_thread(warehouse.close)


async def open_warehouse(dsn: str, password: str) -> Warehouse:
    """The warehouse; waits for a server that does not answer yet."""
    delay_s = RETRY_FIRST_S
    while True:
        try:
            return await asyncio.to_thread(Warehouse, dsn, password)
        except WarehouseUnavailable as error:
            log.warning("%s; next try in %.1f s", error, delay_s)
            await asyncio.sleep(delay_s)
            delay_s = min(delay_s * 2, RETRY_MAX_S)


def facts(archiver: Archiver) -> dict[str, Any]:
    """What the heartbeat tells."""
    return {
        "role": "writer" if archiver.turn.is_mine else "standby",
        "is_ready": archiver.is_ready,
        "problem": archiver.problem,
        "failures": archiver.failures,
        "segments": archiver.segments,
        "archived": archiver.archived,
    }
