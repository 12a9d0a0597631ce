# SPDX-License-Identifier: Apache-2.0
"""`python -m tests.drills --drills 50 --orders 1000`: the kill switch drill, again and again.

One line of JSON for each, then one with the worst of all; ends with 1 if a promise was broken.
"""

import argparse
import asyncio
import json
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

from tests.drills.kill_switch import Figures, open_drill

WORST = ("last_new_ms", "last_cancel_ms", "never_canceled", "journaled_ms")


async def one(orders: int) -> tuple[Figures, list[str]]:
    """A drill on a platform of its own, and what was not as promised."""
    with tempfile.TemporaryDirectory(prefix="tradewind-drill-") as folder:
        async with open_drill(Path(folder)) as drill:
            figures = await drill.run(orders)
            faults = figures.faults()
            if not await drill.outlives_everything():
                faults.append("it did not outlive a restart")
            if not await drill.takes_two():
                faults.append("one person cleared it, or two could not")
    return figures, faults


def main() -> int:
    """Runs them all."""
    parser = argparse.ArgumentParser(prog="python -m tests.drills")
    parser.add_argument("--drills", type=int, default=1)
    parser.add_argument("--orders", type=int, default=1000)
    options = parser.parse_args()
    found: list[Figures] = []
    broken = 0
    for _ in range(options.drills):
        figures, faults = asyncio.run(one(options.orders))
        found.append(figures)
        broken += bool(faults)
        print(json.dumps({**asdict(figures), "faults": faults}), flush=True)
    worst = {name: max(getattr(figures, name) for figures in found) for name in WORST}
    print(json.dumps({"drills": len(found), "broken": broken, "worst": worst}))
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
