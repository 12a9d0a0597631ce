# SPDX-License-Identifier: Apache-2.0
"""Starts the notifier with the environment's settings."""

import os

from tradewind.common.lifecycle import Stop, run
from tradewind.notifier.app import serve
from tradewind.notifier.settings import Settings


async def main(stop: Stop) -> None:
    """Reads the environment, serves until stopped."""
    await serve(Settings.from_env(os.environ), stop)


run(main, os.environ)
