# SPDX-License-Identifier: Apache-2.0
"""Starts the archiver with the environment's settings."""

import os

from tradewind.archiver.app import serve
from tradewind.archiver.settings import Settings
from tradewind.common.lifecycle import Stop, run


async def main(stop: Stop) -> None:
    """Reads the environment, serves until stopped."""
    await serve(Settings.from_env(os.environ), stop)


run(main, os.environ)
