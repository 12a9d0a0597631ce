# SPDX-License-Identifier: Apache-2.0
"""Plays the background flow into the venue, in its own time or faster, for ever."""

import asyncio
import logging
import time
from collections.abc import Callable, Iterator

from tradewind.simvenue.flow import FlowEvent
from tradewind.simvenue.venue import Venue

log = logging.getLogger(__name__)

STEP_S = 0.01
LAG_MAX_S = 2.0
YIELD_EVERY = 1000


class Replay:
    """Position in the flow. Everything of one instant is applied before anyone sees the book."""

    def __init__(self, venue: Venue, flow: Callable[[], Iterator[FlowEvent]], speed: float) -> None:
        self._venue = venue
        self._flow = flow
        self._speed = speed
        self.position_ms = 0
        self.events = 0
        self.rounds = 0
        self.leftovers = 0

    async def run(self) -> None:
        """Plays for ever; after the end the background is cleared and the flow begins again."""
        while True:
            self.rounds += 1
            log.info("background flow: round %d begins", self.rounds)
            await self._round()
            self._venue.exchange.book.clear_background()

    async def _round(self) -> None:
        started_s = time.monotonic()
        self.position_ms = 0
        for event in self._flow():
            if event.at_ms > self.position_ms:
                self.leftovers += self._venue.exchange.uncross()
                started_s = await self._wait(started_s, event.at_ms)
                self.position_ms = event.at_ms
            self._venue.background(event)
            self.events += 1
            if self.events % YIELD_EVERY == 0:
                await asyncio.sleep(0)

    async def _wait(self, started_s: float, at_ms: int) -> float:
        """Waits until an instant is due. Returns the start, moved if this process was held up."""
        due_s = started_s + at_ms / 1000 / self._speed
        ahead_s = due_s - time.monotonic()
        if ahead_s > 0:
            await asyncio.sleep(max(STEP_S, ahead_s))
        elif ahead_s < -LAG_MAX_S:
            return started_s - ahead_s
        return started_s
