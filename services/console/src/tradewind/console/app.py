# SPDX-License-Identifier: Apache-2.0
"""Composition root of the console."""

import asyncio
import contextlib
import logging
from collections.abc import Iterator

import uvicorn

from tradewind.common import streams
from tradewind.common.jetstream import Bus
from tradewind.common.lifecycle import Stop, serve_until
from tradewind.common.status import Heartbeat
from tradewind.console.http import web_app
from tradewind.console.settings import Settings
from tradewind.console.watcher import Watcher

SHUTDOWN_S = 1


async def serve(settings: Settings, stop: Stop) -> None:
    """Serves the page until `stop`."""
    service = settings.service
    bus = await Bus.connect(service.bus, name=service.instance)
    try:
        await streams.verify(bus, service.shards)
        watcher = Watcher(bus, settings)
        await watcher.serve()
        heartbeat = Heartbeat(bus, service, "console")
        await serve_until(
            stop,
            *(watcher.follow(shard) for shard in range(service.shards)),
            watcher.poll(),
            serve_http(settings, watcher),
            heartbeat.run(stop, lambda: {"role": "serving"}),
            bus.failed(),
        )
    finally:
        await bus.close()


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are the service's, not the web server's."""
        yield


async def serve_http(settings: Settings, watcher: Watcher) -> None:
    """Listens until cancelled."""
    config = uvicorn.Config(
        web_app(watcher),
        host=settings.http_host,
        port=settings.http_port,
        log_level=logging.WARNING,
        lifespan="off",
        ws="websockets-sansio",
        timeout_graceful_shutdown=SHUTDOWN_S,
    )
    server = _Server(config)
    serving = asyncio.ensure_future(server.serve())
    try:
        await asyncio.shield(serving)
    finally:
        server.should_exit = True
        await serving
