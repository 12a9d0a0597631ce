# SPDX-License-Identifier: Apache-2.0
"""Starts market data with the environment's settings."""

import os

from tradewind.common.lifecycle import Stop, run
from tradewind.marketdata.app import serve
from tradewind.marketdata.settings import Settings


async def main(stop: Stop) -> None:
    """Reads the environment, serves until stopped."""
    await serve(Settings.from_env(os.environ), stop)


run(main, os.environ)
