# SPDX-License-Identifier: Apache-2.0
"""One shard's session with the venue: who may send, and from which output on.

Rules:

1. The venue is reached first; then TakeSession is journaled; then the venue's fence cuts off
   every other session; then outputs are read to the tail, where a session that was taken after
   this one would be; then the venue's read lag passes; only then is anything asked or sent.
2. Only outputs after this session's own SessionTaken count. What was heard before is forgotten:
   the core gives every unsettled request again, marked as possibly sent. What it gives again for
   a TakeSession of an earlier life, that the journal took late, is not meant for this one.
3. SessionTaken of another owner after that, or the venue's word that another has logged on,
   ends this connector for good.
4. Every broken connection, and every silence of the venue, is the end of a session: the next
   one has a new owner id.
5. Nothing is sent while it is not certain that this process is the active one (`may_send`).
6. A request without an answer leaves its order UNKNOWN, never refused; who asks about it sends
   nothing (`doubts`).
"""

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from itertools import count

from tradewind.common import codec, subjects
from tradewind.common.bus_clock import BusClock
from tradewind.common.errors import BusError
from tradewind.common.jetstream import Record
from tradewind.common.lifecycle import supervise
from tradewind.common.trace import HEADER as TRACE_HEADER
from tradewind.core.commands import ApplyVenueReport, StatePosition, TakeSession
from tradewind.core.events import OrderAdopted, PositionStated, SessionTaken, VenueRequest
from tradewind.core.types import VenueAction
from tradewind.venue.adapter import (
    FromVenue,
    InDoubt,
    Journal,
    NotDone,
    Outputs,
    SessionLost,
    VenueAdapter,
    VenueDialer,
    VenueGone,
)
from tradewind.venue.backoff import Backoff
from tradewind.venue.doubts import Doubts
from tradewind.venue.inbound import WINDOW, Inbound
from tradewind.venue.outbound import Counters, Outbound
from tradewind.venue.positions import Positions
from tradewind.venue.traces import Traces

log = logging.getLogger(__name__)

UNKNOWN_AFTER_MS = 2_000
POSITION_EVERY_MS = 5_000
EXTERNAL = "EXTERNAL"
LOOK_AGAIN_S = 0.02


class ShardSession:
    """Keeps a session with the venue for one shard, until another connector has it."""

    def __init__(
        self,
        *,
        shard: int,
        venue: str,
        process: str,
        outputs: Outputs,
        tail: Callable[[], Awaitable[int]],
        journal: Journal,
        dialer: VenueDialer,
        read_lag_ms: int,
        answer_timeout_ms: int,
        may_send: Callable[[], bool],
        is_stopped: Callable[[VenueRequest], bool] = lambda _request: False,
        unknown_after_ms: int = UNKNOWN_AFTER_MS,
        position_every_ms: int = POSITION_EVERY_MS,
        external: str = EXTERNAL,
    ) -> None:
        """`process` is unique to this life of this process; owners are named after it.

        `tail` is the last output's sequence as its stream's leader knows it.
        `may_send` is asked before each request: whether this process is still the active one;
        `is_stopped` before each that makes risk: whether the kill switch covers it.
        `external` is the account that orders of nobody's are counted against.
        """
        self.shard = shard
        self._venue = venue
        self._process = process
        self._outputs = outputs
        self._tail = tail
        self._journal = journal
        self._dialer = dialer
        self._read_lag_s = read_lag_ms / 1000
        self._answer_timeout_ms = answer_timeout_ms
        self._may_send = may_send
        self._is_stopped = is_stopped
        self._subject = subjects.events_subject(
            shard, SessionTaken(venue=venue, epoch=0, owner="", last_exec_no=0)
        )
        self._clock = BusClock()
        self._traces = Traces()
        self._lives = count(1)
        self._owner = ""
        self._taken: asyncio.Future[SessionTaken] | None = None
        self._is_given_again = False
        self._early: list[tuple[VenueRequest, int]] = []
        self._outbound: Outbound | None = None
        self._next_seq = 0
        self._entry_seq = 0
        self._progress = asyncio.Event()
        self.inbound = Inbound(journal, shard, self._traces, external)
        self.positions = Positions(position_every_ms)
        self.external = 0
        self.doubts = Doubts(self.inbound.offer, unknown_after_ms=unknown_after_ms)
        self.counters = Counters()
        self.epoch = 0
        self.sessions = 0
        self._unreached_since_s: float | None = None
        self._opened_s: float | None = None

    @property
    def unreached_s(self) -> float:
        """For how long this process has tried to reach the venue in vain."""
        since_s = self._unreached_since_s
        return 0.0 if since_s is None else time.monotonic() - since_s

    @property
    def _open_s(self) -> float:
        """For how long the last session has been open, 0 if it never was."""
        return 0.0 if self._opened_s is None else time.monotonic() - self._opened_s

    @property
    def is_open(self) -> bool:
        """Whether requests reach the venue now."""
        return self._outbound is not None

    @property
    def backlog(self) -> int:
        """Requests that were heard and are not sent."""
        return len(self._early) if self._outbound is None else self._outbound.backlog

    @property
    def position(self) -> int:
        """Sequence of the last output read."""
        return self._next_seq

    @property
    def is_held(self) -> bool:
        """There is a session with the venue, and it is this process's."""
        return self._outbound is not None

    def hurry(self, cancels: Iterable[VenueRequest]) -> None:
        """Sends cancels at once; without a session to do it in, the next one gets the journal's."""
        if self._outbound is not None:
            self._outbound.hurry(cancels)

    async def run(self) -> None:
        """Works for ever.

        Raises:
            SessionLost: another connector has the session.
        """
        await supervise(self._follow(), self.inbound.run(), self.doubts.watch(), self._live())

    async def _follow(self) -> None:
        while True:
            for record in await self._outputs.next_batch():
                self._clock.hear(record.ts_ns)
                if record.subject == self._subject:
                    self._hear(record)
                self._next_seq = record.seq
                self._entry_seq = int(record.headers[subjects.HEADER_ENTRY])
            self._progress.set()

    def _hear(self, record: Record) -> None:
        received_ns = time.perf_counter_ns()
        match codec.decode_event(record.body):
            case SessionTaken() as taken:
                self._session_taken(taken)
            case PositionStated() as stated:
                self.positions.hear(stated)
            case OrderAdopted() as adopted:
                self.external += 1
                log.error("order %s at %s is nobody's: adopted", adopted.order_id, self._venue)
            case VenueRequest() as request:
                self._traces.note(request.order_id, record.headers.get(TRACE_HEADER, ""))
                if not self._is_meant(request):
                    return
                if self._outbound is not None:
                    self._outbound.offer(request, received_ns)
                elif self._taken is not None and self._taken.done():
                    self._early.append((request, received_ns))
            case _:
                pass

    def _session_taken(self, taken: SessionTaken) -> None:
        if self._taken is None:
            return
        self._is_given_again = taken.owner == self._owner and not self._taken.done()
        if self._is_given_again:
            self.epoch = taken.epoch
            self._taken.set_result(taken)
            return
        if not self._taken.done():
            return
        if not taken.owner.startswith(f"{self._process}."):
            raise SessionLost(f"{taken.owner} has taken the session with {self._venue}")
        self.epoch = taken.epoch  # an earlier life's, stored late: the number is ours all the same

    def _is_meant(self, request: VenueRequest) -> bool:
        """A request that is given again follows a SessionTaken: this session's, or none of ours."""
        is_again = request.is_possibly_sent and request.action is not VenueAction.STATUS
        return self._is_given_again or not is_again

    async def _live(self) -> None:
        backoff = Backoff()
        while True:
            self._opened_s = None
            try:
                await self._one_session()
            except (VenueGone, BusError) as error:
                log.warning("shard %d: %s: %s", self.shard, error.code, error.text)
            finally:
                self._forget()
            await asyncio.sleep(backoff.after(self._open_s) * random.uniform(0.5, 1.0))

    async def _one_session(self) -> None:
        await self._until_active()
        adapter = await self._reach()
        try:
            taken = await self._take()
            await self._until_active()
            await adapter.fence()
            await self._until_read()
            await asyncio.sleep(self._read_lag_s)
            await self._ask_reports(adapter, taken)
            outbound = self._open(adapter)
            self.sessions += 1
            log.info("shard %d: session %d with %s is open", self.shard, self.epoch, self._venue)
            await supervise(
                self._pump(adapter, outbound),
                outbound.run(),
                outbound.watch(),
                self.positions.watch(adapter, self.doubts),
            )
        finally:
            await adapter.close()

    async def _reach(self) -> VenueAdapter:
        began_s = time.monotonic()
        try:
            adapter = await self._dialer.dial(self.shard)
        except VenueGone:
            if self._unreached_since_s is None:
                self._unreached_since_s = began_s
            raise
        self._unreached_since_s = None
        return adapter

    async def _until_active(self) -> None:
        while True:
            if self._may_send():
                return
            await asyncio.sleep(LOOK_AGAIN_S)

    async def _take(self) -> SessionTaken:
        """Journals that this owner takes the session, and waits until the core has said so.

        However long that takes: each TakeSession has every unsettled request given again, so a
        second one would make a core that is behind later still. Only if later entries have been
        answered and this one was not (people had it skipped) it is said again.
        """
        self._owner = f"{self._process}.{next(self._lives)}"
        self._taken = asyncio.get_running_loop().create_future()
        command = TakeSession(venue=self._venue, owner=self._owner)
        stored = await self._journal.publish_nowait(
            subjects.journal_subject(self.shard, command), codec.encode(command)
        )
        while not self._taken.done():
            if self._entry_seq > stored.seq:
                raise VenueGone(f"shard {self.shard} has skipped TakeSession, entry {stored.seq}")
            self._progress.clear()
            await self._progress.wait()
        return self._taken.result()

    async def _until_read(self) -> None:
        """Whoever has taken the session before the fence is heard of; later ones fence this one."""
        last = await self._tail()
        while self._next_seq < last:
            self._progress.clear()
            await self._progress.wait()

    async def _ask_reports(self, adapter: VenueAdapter, taken: SessionTaken) -> None:
        """Everything that the journal may lack; what this process was given, it still delivers."""
        known = self.inbound.last_exec_no
        if known:
            await adapter.ask_reports(known, 0)
        else:
            await adapter.ask_reports(taken.last_exec_no, WINDOW)

    def _open(self, adapter: VenueAdapter) -> Outbound:
        outbound = Outbound(
            adapter,
            self.inbound.offer,
            self.counters,
            doubts=self.doubts,
            answer_timeout_ms=self._answer_timeout_ms,
            may_send=self._may_send,
            is_stopped=self._is_stopped,
            on_sent=self._traces.sent,
            clock_ns=self._clock.now_ns,
        )
        self.doubts.begin(adapter)
        for request, received_ns in self._early:
            outbound.offer(request, received_ns)
        self._early.clear()
        self._outbound = outbound
        self._opened_s = time.monotonic()
        return outbound

    async def _pump(self, adapter: VenueAdapter, outbound: Outbound) -> None:
        async for said in adapter.reports():
            self._take_from_venue(said, outbound)

    def _take_from_venue(self, said: FromVenue, outbound: Outbound) -> None:
        match said:
            case NotDone():
                outbound.refused(said)
            case InDoubt():
                self.doubts.hurry(said.request_id)
            case ApplyVenueReport():
                outbound.answered(said)
                self.inbound.offer(said)
            case StatePosition():
                self.inbound.offer(replace(said, epoch=self.epoch))
            case _:
                self.inbound.offer(said)

    def _forget(self) -> None:
        self._taken = None
        self._outbound = None
        self.doubts.end()
        self._early.clear()
