# SPDX-License-Identifier: Apache-2.0
"""A receiver of OTLP over HTTP, in the test's own process."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tradewind.common.http import listen, serve_http
from tradewind.common.lifecycle import Stop
from tradewind.telemetry.receiver import Received


@asynccontextmanager
async def receiver() -> AsyncIterator[tuple[str, Received]]:
    """One on a port of its own, and its address."""
    received, stop = Received(), Stop()
    with listen("127.0.0.1", 0) as listening:
        serving = asyncio.ensure_future(serve_http(received.app(), listening, stop))
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}", received
        finally:
            stop.set()
            await serving
