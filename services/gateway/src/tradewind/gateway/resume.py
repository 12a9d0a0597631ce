# SPDX-License-Identifier: Apache-2.0
"""Reports that a client missed while it was away: told again, from the outputs, before new ones.

A client names, by shard, the ordinal of the last report that it heard. Any gateway can go on from
there, because ordinals are the outputs' own numbers and not a gateway's.
"""

from collections.abc import Mapping
from typing import Protocol

from tradewind.common import subjects
from tradewind.common.jetstream import Bus, Record, StreamReader, stream_tail
from tradewind.gateway.auth import Key
from tradewind.gateway.egress import Egress
from tradewind.gateway.errors import Refusal, refusal

ORDER = "order"


class Listener(Protocol):
    """A session that catches up."""

    key: Key

    async def push_in_time(self, frame: bytes) -> None:
        """Takes a frame of the past; waits while the client has too many to read."""


class Resume:
    """Reads the past for sessions."""

    def __init__(self, bus: Bus, egress: Egress, shards: int) -> None:
        self._bus = bus
        self._egress = egress
        self._shards = shards

    async def refusal(self, positions: Mapping[int, int]) -> Refusal | None:
        """Why it cannot go on from there: there is no such shard, or it is too long ago."""
        for shard, ordinal in positions.items():
            if shard >= self._shards:
                return refusal("UNKNOWN_SHARD", f"There are {self._shards}.")
            first, _last = await stream_tail(self._bus, subjects.events_stream(shard))
            if ordinal + 1 < first:
                return refusal("RESUME_GONE", f"Shard {shard} begins with {first}.")
        return None

    async def tell(
        self, listener: Listener, positions: Mapping[int, int], until: Mapping[int, int]
    ) -> None:
        """Tells what came after `positions`, up to `until`; each shard in its own order.

        Raises:
            BusError: if the bus has failed for good.
        """
        for shard, ordinal in sorted(positions.items()):
            if ordinal < until[shard]:
                await self._tell_shard(listener, shard, ordinal + 1, until[shard])

    async def _tell_shard(self, listener: Listener, shard: int, first: int, last: int) -> None:
        live = subjects.live(subjects.events_all(shard))
        reader = StreamReader(self._bus, subjects.events_stream(shard), live, first)
        await reader.open()
        try:
            while reader.next_seq <= last:
                for record in await reader.next_batch():
                    if record.seq <= last and _is_for(listener.key, record):
                        await listener.push_in_time(self._egress.frame(shard, record))
        finally:
            await reader.close()


def _is_for(key: Key, record: Record) -> bool:
    kind = record.subject.split(".", 3)
    return kind[2] == ORDER and "read" in key.scopes and key.may_use(kind[3])
