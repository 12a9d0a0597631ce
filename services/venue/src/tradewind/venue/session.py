# SPDX-License-Identifier: Apache-2.0
"""One session: fence the venue, announce it in every shard's journal, recover, then trade.

Whether a request may have been sent before is decided by the journal: the announcement comes back
through EVENTS with everything unsettled behind it, marked. What this session reads before its own
announcement was meant for somebody else; another's announcement after it ends this one for good.
"""

import asyncio
import secrets

from tradewind.common import codec, subjects
from tradewind.common.errors import Refused, TradewindError, Unknown
from tradewind.common.jetstream import Bus, Record, StreamReader, stream_tail
from tradewind.common.lifecycle import supervise
from tradewind.common.trace import HEADER as TRACE_HEADER
from tradewind.core.commands import TakeSession
from tradewind.core.events import SessionTaken, VenueRequest
from tradewind.venue.adapter import VenueAdapter
from tradewind.venue.inbound import Inbound, Traces
from tradewind.venue.outbound import Outbound

ANNOUNCE_RETRY_S = 0.05


class SessionLost(TradewindError):
    """Another connector has taken the session: this one never sends again."""

    code = "SESSION_LOST"


class Session:
    """One life of one session with one venue, over all shards."""

    def __init__(
        self,
        bus: Bus,
        adapter: VenueAdapter,
        *,
        venue: str,
        instance: str,
        shards: int,
        read_lag_ms: int,
    ) -> None:
        self._bus = bus
        self._adapter = adapter
        self._venue = venue
        self._shards = shards
        self.owner = f"{instance}.{secrets.token_hex(4)}"
        self.epochs: dict[int, int] = {}
        self.positions: dict[int, int] = {}
        self._taken = [asyncio.Event() for _ in range(shards)]
        self._last_exec_no = [0] * shards
        self._traces = Traces()
        self.inbound = Inbound(bus, shards, self._traces)
        self.outbound = Outbound(adapter, self.inbound, read_lag_ms)

    @property
    def is_open(self) -> bool:
        """The session is announced and accepted in every shard."""
        return len(self.epochs) == self._shards

    async def run(self) -> None:
        """Trades until the session ends.

        Raises:
            VenueDown: the venue is gone; a new session may be tried.
            SessionLost: another connector has the session.
        """
        await supervise(
            self._receive(),
            self._recover_and_send(),
            *(self.inbound.run(shard) for shard in range(self._shards)),
            *(self._follow(shard) for shard in range(self._shards)),
        )

    async def _receive(self) -> None:
        """Holds reports back until it is known what the journals already have."""
        for taken in self._taken:
            await taken.wait()
        while True:
            self.inbound.take(await self._adapter.next_reports())

    async def _recover_and_send(self) -> None:
        for taken in self._taken:
            await taken.wait()
        await self._adapter.replay(min(self._last_exec_no))
        await self.outbound.run()

    async def _follow(self, shard: int) -> None:
        """Reads one shard's outputs from before its own announcement on, for ever."""
        stream = subjects.events_stream(shard)
        _first, last = await stream_tail(self._bus, stream)
        reader = StreamReader(
            self._bus, stream, subjects.live(subjects.events_all(shard)), last + 1
        )
        await reader.open()
        try:
            await self._announce(shard)
            while True:
                for record in await reader.next_batch():
                    self._take(shard, record)
                self.positions[shard] = reader.next_seq - 1
        finally:
            await reader.close()

    async def _announce(self, shard: int) -> None:
        """Journals the announcement. Twice is harmless: the owner is the same."""
        command = TakeSession(venue=self._venue, owner=self.owner)
        subject = subjects.journal_subject(shard, command)
        while True:
            try:
                await self._bus.publish(subject, codec.encode(command))
            except (Refused, Unknown):
                await asyncio.sleep(ANNOUNCE_RETRY_S)
            else:
                return

    def _take(self, shard: int, record: Record) -> None:
        if ".venue." not in record.subject:
            return
        event = codec.decode_event(record.body)
        if not isinstance(event, SessionTaken | VenueRequest) or event.venue != self._venue:
            return
        if isinstance(event, SessionTaken):
            self._session_taken(shard, event)
        elif shard in self.epochs:
            self._traces.note(event.order_id, record.headers.get(TRACE_HEADER, ""))
            self.outbound.put(event)

    def _session_taken(self, shard: int, event: SessionTaken) -> None:
        if event.owner == self.owner:
            self.epochs[shard] = event.epoch
            self._last_exec_no[shard] = event.last_exec_no
            self.inbound.start_after(shard, event.last_exec_no)
            self._taken[shard].set()
        elif shard in self.epochs:
            raise SessionLost(
                f"{event.owner} has taken the session with {self._venue} in shard {shard}"
            )
