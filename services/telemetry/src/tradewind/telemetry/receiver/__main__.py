# SPDX-License-Identifier: Apache-2.0
"""`python -m tradewind.telemetry.receiver`: serves on TRADEWIND_HTTP_HOST and _PORT (4318)."""

import os

from tradewind.common.http import listen, serve_http
from tradewind.common.lifecycle import Stop, run
from tradewind.common.settings import integer
from tradewind.telemetry.receiver import Received


async def main(stop: Stop) -> None:
    """Reads the environment, serves until stopped."""
    port = integer(os.environ, "TRADEWIND_HTTP_PORT", 4318)
    with listen(os.environ.get("TRADEWIND_HTTP_HOST", "127.0.0.1"), port) as listening:
        await serve_http(Received().app(), listening, stop)


run(main, os.environ)
