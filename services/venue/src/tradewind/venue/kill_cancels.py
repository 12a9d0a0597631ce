# SPDX-License-Identifier: Apache-2.0
"""What works in a scope that was stopped is cancelled at once, on a replica's word.

The journal may be without a leader just then, and its own cancels seconds away. They follow all
the same, and are the ones that are waited for: what is sent here is sent once, in advance.
"""

import asyncio
import logging
import time
from collections.abc import Sequence

import msgspec

from tradewind.common import subjects
from tradewind.common.errors import BusError
from tradewind.common.jetstream import Bus
from tradewind.common.kills import Kill
from tradewind.core.events import VenueRequest
from tradewind.venue.session import ShardSession

log = logging.getLogger(__name__)

ASK_TIMEOUT_MS = 300
ASK_AGAIN_S = 0.02
PATIENCE_S = 15.0
"""By then the journal's own cancels are there, with whoever has the session."""


class _Answer(msgspec.Struct):
    requests: list[VenueRequest] = []
    last: int = 0


_decoder = msgspec.json.Decoder(_Answer)


class KillCancels:
    """Cancels of one venue's orders. `sessions` are the shards' that this process has."""

    def __init__(self, bus: Bus, venue: str, sessions: Sequence[ShardSession]) -> None:
        self._bus = bus
        self._venue = venue
        self._sessions = sessions
        self._running: set[asyncio.Task[None]] = set()

    def begin(self, kill: Kill) -> None:
        """A scope was stopped."""
        for session in self._sessions:
            task = asyncio.ensure_future(self._cancel(session, kill.scope))
            self._running.add(task)
            task.add_done_callback(self._running.discard)

    async def _cancel(self, session: ShardSession, scope: str) -> None:
        """Asks until a replica has told everything and it is on its way, for a while.

        The session may be lost just now, and had again at once: its node of the bus has died.
        """
        deadline_s = time.monotonic() + PATIENCE_S
        after = 0
        while time.monotonic() < deadline_s:
            if session.is_held:
                try:
                    answer = await self._ask(session.shard, scope, after)
                except BusError as error:
                    log.warning("shard %d: what to cancel is not known: %s", session.shard, error)
                else:
                    session.hurry(answer.requests)
                    if not answer.last:
                        return
                    after = answer.last
                    continue
            await asyncio.sleep(ASK_AGAIN_S)

    async def _ask(self, shard: int, scope: str, after: int) -> _Answer:
        question = msgspec.json.encode({"scope": scope, "venue": self._venue, "after": after})
        subject = subjects.query_oms(shard, "to-cancel")
        return _decoder.decode(await self._bus.request(subject, question, ASK_TIMEOUT_MS))
