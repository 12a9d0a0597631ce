# SPDX-License-Identifier: Apache-2.0
"""The venue misbehaves in all its ways at once, all through a run, while connectors die under it.

Most faults are drawn at rates. Its people add what no rate gives: a connection that breaks with
an answer on it, orders cancelled on a disconnect, orders in our name that nobody here asked for.
Ahead of each death of a connector answers are lost (F3) and requests refused (F2), so that it has
both in its hands when it dies.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from itertools import count, cycle

from tradewind.cli.chaos.venue_faults import READ_LAG_MS, Message, Play, VenuePeople
from tradewind.cli.suite.facts import Facts

RATES = {
    "drop_reply": 0.03,
    "ambiguous": 0.03,
    "hang": 0.001,
    "rate_limit": 0.01,
    "drop_cancel_ack": 0.1,
    "fill_after_cancel": 0.5,
    "drop_fill": 0.06,
    "late_fill": 0.06,
    "drop_report": 0.005,
    "late_report": 0.005,
    "duplicate_report": 0.05,
    "reorder_reports": 0.03,
    "read_lag": 0.3,
}
"""Of requests, reports and questions, each of those that it can happen to."""
LASTS_MS = {
    "hang": 700,
    "rate_limit": 50,
    "fill_after_cancel": 200,
    "late_fill": 300,
    "late_report": 300,
    "reorder_reports": 100,
    "read_lag": READ_LAG_MS,
}
CLASSES = {
    "F1": ("drop_reply", "ambiguous", "hang"),
    "F4": ("drop_fill",),
    "F5": ("duplicate_report", "reorder_reports"),
    "F6": ("external_order",),
    "F7": ("read_lag",),
    "F8": ("drop_cancel_ack",),
    "F10": ("cut",),
    "F11": ("cancelling_cut",),
}
"""What the venue plays of each class. F2 and F3 take a death, F9 is counted by its late fills."""
EVERY_S = 1.6
"""One deed of the venue's people at a session after the other; it breaks at two of three."""
LOST = Play("F3", ({"op": "fault", "kind": "drop_reply", "count": 2, "ms": 0},))
REFUSED = Play("F2", ({"op": "fault", "kind": "rate_limit", "count": 3, "ms": 50},))


class VenueRates(VenuePeople):
    """The people of a venue that misbehaves."""

    @classmethod
    @asynccontextmanager
    async def misbehaving(
        cls, facts: Facts, seed: int, *, has_deeds: bool
    ) -> AsyncIterator["VenueRates"]:
        """For the time of a block; then it is healed. `has_deeds`: its people do theirs, too."""
        async with cls(facts) as venue:
            await venue.administer({"op": "faults", "rates": RATES, "seed": seed, "ms": LASTS_MS})
            sessions = [f"TRADEWIND-{shard}" for shard in range(facts.shards)]
            deeds = asyncio.ensure_future(venue._do_deeds(sessions if has_deeds else []))
            try:
                yield venue
            finally:
                deeds.cancel()
                with suppress(asyncio.CancelledError):
                    await deeds

    async def prepare_a_death(self) -> None:
        """Returns when some answers have just been lost, and some requests refused."""
        for play in (LOST, REFUSED):
            await self.begin(play)
            await self.until_first(play)

    async def _do_deeds(self, sessions: Sequence[str]) -> None:
        numbers = count(1)
        for session in cycle(sessions):
            for message in (
                {"op": "fault", "kind": "cut", "count": 1, "ms": 0},
                _external(session, f"theirs-{next(numbers)}"),
                {"op": "cut", "session": session, "is_cancelling": True},
            ):
                await asyncio.sleep(EVERY_S / len(sessions))
                await self.administer(message)


def _external(session: str, cl_id: str) -> Message:
    """So far from the market that it never trades."""
    terms = {"side": "BUY", "qty": 1, "price": 1}
    return {"op": "external_order", "session": session, "cl_id": cl_id, **terms}


def by_class(played: Mapping[str, int]) -> dict[str, int]:
    """How often each class was played, by what the venue wrote down."""
    counts = Counter(played)
    return {name: sum(counts[kind] for kind in kinds) for name, kinds in CLASSES.items()}
