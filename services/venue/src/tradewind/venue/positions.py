# SPDX-License-Identifier: Apache-2.0
"""Has the venue state what it has of us, again and again, and has lost reports told again.

The core compares. Where it says that a statement does not add up, everything since the last one
that did is told again, and whatever has no answer is asked about, since a venue cannot say again
what it never said. Then the position is stated once more: what was lost is found by that. What
still differs then, the core halts. Nothing is ever traded here to make numbers agree.
"""

import asyncio
import logging
from contextlib import suppress

from tradewind.core.events import PositionStated
from tradewind.venue.adapter import VenueAdapter
from tradewind.venue.doubts import Doubts

log = logging.getLogger(__name__)


class Positions:
    """What one shard's connector has stated."""

    def __init__(self, every_ms: int) -> None:
        self._every_s = every_ms / 1000
        self._unsettled: PositionStated | None = None
        self._wake = asyncio.Event()
        self.settled = 0
        self.unsettled = 0

    def hear(self, stated: PositionStated) -> None:
        """The core has compared."""
        if stated.is_settled:
            self.settled += 1
            return
        self._unsettled = stated
        self.unsettled += 1
        self._wake.set()

    async def watch(self, adapter: VenueAdapter, doubts: Doubts) -> None:
        """Asks at once, then from time to time, until the session ends, which is raised."""
        while True:
            stated, self._unsettled = self._unsettled, None
            if stated is not None:
                log.warning("%s differs by %s: all is told again", stated.symbol, stated.difference)
                await adapter.ask_reports(stated.settled_exec_no, 0)
                doubts.ask()
            await adapter.ask_position(is_complete=stated is not None)
            self._wake.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(self._every_s):
                    await self._wake.wait()
