# SPDX-License-Identifier: Apache-2.0
"""Composition root of the warehouse."""

import asyncio

from tradewind.common.http import listen, serve_http
from tradewind.common.lifecycle import Stop, serve_until
from tradewind.warehouse.engine import Engine
from tradewind.warehouse.http import Interface
from tradewind.warehouse.settings import Settings


async def serve(settings: Settings, stop: Stop) -> None:
    """Opens the database and answers, until `stop`."""
    listening = listen(settings.http_host, settings.http_port)
    try:
        engine = await asyncio.to_thread(Engine, settings.folder)
        try:
            await serve_until(
                stop, serve_http(Interface(engine, settings.password).app(), listening, stop)
            )
        finally:
            await asyncio.to_thread(engine.close)
    finally:
        listening.close()
