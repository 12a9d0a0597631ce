# SPDX-License-Identifier: Apache-2.0
"""`python -m tradewind.common.init_job`: prints one line with the leaders."""

import os
import sys

from tradewind.common.init_job import Settings, run
from tradewind.common.lifecycle import Stop
from tradewind.common.lifecycle import run as run_process


async def _main(_stop: Stop) -> None:
    leaders = await run(Settings.from_env(os.environ))
    placed = ", ".join(f"{stream} on {node}" for stream, node in leaders.items())
    sys.stderr.write(f"streams are ready; led: {placed}\n")


if __name__ == "__main__":
    run_process(_main, os.environ)
