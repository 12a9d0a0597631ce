# SPDX-License-Identifier: Apache-2.0
"""Requests -> the venue, in the journal's order, each at most once in a session.

A request that the venue refuses for now, as one too many, waits and is sent again: it was not done.
A request that an earlier session may have sent is asked about first; so is one that is late,
because "it was not sent" may be said only by who still has the session. Cancels and replaces are
sent again: the venue answers a repeated request id with its first answer.
"""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

from tradewind.core.commands import ApplyVenueReport
from tradewind.core.events import VenueRequest
from tradewind.core.types import ExecType, Reason, VenueAction
from tradewind.venue.adapter import NotDone, VenueAdapter, VenueGone
from tradewind.venue.doubts import Doubts, unknown

LATENCIES_KEPT = 1000
WATCH_INTERVAL_S = 0.25
PAUSE_MAX_S = 5.0


class Counters:
    """What the heartbeat tells of requests; outlives sessions."""

    def __init__(self) -> None:
        self.sent = 0
        self.found = 0
        self.expired = 0
        self.throttled = 0
        self._latencies_ns: deque[int] = deque(maxlen=LATENCIES_KEPT)

    def note_sent(self, received_ns: int) -> None:
        """A request that was heard then is on the wire now."""
        self.sent += 1
        self._latencies_ns.append(time.perf_counter_ns() - received_ns)

    def percentiles_us(self) -> dict[str, int]:
        """From hearing a request to having written it, over the last ones sent."""
        ordered = sorted(self._latencies_ns)
        if not ordered:
            return {}
        last = len(ordered) - 1
        return {
            "p50": ordered[last // 2] // 1000,
            "p90": ordered[last * 9 // 10] // 1000,
            "p99": ordered[last * 99 // 100] // 1000,
        }


@dataclass(slots=True)
class _Item:
    request: VenueRequest
    received_ns: int
    was_sent: Awaitable[bool] | None
    is_awaited: bool = True


class Outbound:
    """The requests of one session. Made after the fence and the venue's read lag."""

    def __init__(
        self,
        adapter: VenueAdapter,
        journal: Callable[[ApplyVenueReport], None],
        counters: Counters,
        *,
        doubts: Doubts,
        answer_timeout_ms: int,
        may_send: Callable[[], bool],
        is_stopped: Callable[[VenueRequest], bool],
        on_sent: Callable[[str], None],
        clock_ns: Callable[[], int],
    ) -> None:
        self._adapter = adapter
        self._journal = journal
        self._counters = counters
        self._doubts = doubts
        self._answer_timeout_s = answer_timeout_ms / 1000
        self._may_send = may_send
        self._is_stopped = is_stopped
        self._on_sent = on_sent
        self._clock_ns = clock_ns
        self._queue: deque[_Item] = deque()
        self._again: deque[_Item] = deque()
        self._pause_s = 0.0
        self._wake = asyncio.Event()
        self._taken: set[str] = set()

    @property
    def backlog(self) -> int:
        """Requests that wait to be sent."""
        return len(self._queue) + len(self._again)

    def offer(self, request: VenueRequest, received_ns: int) -> None:
        """Takes a request over. One that this session has sent unanswered is not taken again."""
        if request.request_id in self._taken:
            return
        if request.action is not VenueAction.STATUS:
            self._taken.add(request.request_id)
        was_sent = None
        if request.is_possibly_sent and request.action is VenueAction.NEW:
            was_sent = self._adapter.query(request)
        self._queue.append(_Item(request, received_ns, was_sent))
        self._wake.set()

    def hurry(self, cancels: Iterable[VenueRequest]) -> None:
        """Sends cancels before everything else; nobody waits for what the venue says to them."""
        now_ns = time.perf_counter_ns()
        self._again.extend(_Item(request, now_ns, None, is_awaited=False) for request in cancels)
        self._wake.set()

    def answered(self, report: ApplyVenueReport) -> None:
        """The venue has said something about an order."""
        request_id = report.request_id or report.order_id
        self._doubts.settle(request_id)
        self._taken.discard(request_id)
        self._pause_s = 0.0

    def refused(self, refusal: NotDone) -> None:
        """The venue has too much to do: the request goes again, before others, after a pause."""
        request = self._doubts.settle(refusal.request_id)
        if request is None:
            return
        self._counters.throttled += 1
        self._pause_s = min(max(refusal.retry_s, self._pause_s * 2), PAUSE_MAX_S)
        self._again.append(_Item(request, time.perf_counter_ns(), None))
        self._wake.set()

    async def run(self) -> None:
        """Sends until the session ends, which is raised."""
        while True:
            while self._again or self._queue:
                await asyncio.sleep(self._pause_s)
                waiting = self._again or self._queue
                await self._handle(waiting[0])
                waiting.popleft()
            self._wake.clear()
            await self._wake.wait()

    async def watch(self) -> None:
        """Ends the session, by raising, if the venue leaves a request without an answer.

        A live session does not send again: silence may be a slow wire. The next session asks.
        """
        while True:
            await asyncio.sleep(WATCH_INTERVAL_S)
            late = self._doubts.overdue(self._answer_timeout_s)
            if late is not None:
                raise VenueGone(f"no answer to request {late.request_id} of order {late.order_id}")

    async def _handle(self, item: _Item) -> None:
        request = item.request
        if request.action is VenueAction.STATUS:
            self._adapter.ask(request)
            return
        if item.was_sent is not None and await self._proved(request, item.was_sent):
            self._found(request)
            return
        if request.action is VenueAction.REPLACE and self._is_stopped(request):
            self._stop(request)
            return
        if request.action is VenueAction.NEW and self._is_late(request):
            if await self._answer(self._adapter.query(request)):
                self._found(request)
                return
            self._counters.expired += 1
            self._doubts.settle(request.request_id)
            self._journal(not_sent_in_time(request))
            return
        if not self._may_send():
            raise VenueGone("this connector may not be the active one any more")
        await self._adapter.send(request)
        self._counters.note_sent(item.received_ns)
        if item.is_awaited:
            self._on_sent(request.order_id)
            self._doubts.add(request)

    async def _proved(self, request: VenueRequest, was_sent: Awaitable[bool]) -> bool:
        """The venue's word on a request that may have been sent; without it, nobody knows."""
        try:
            return await self._answer(was_sent)
        except VenueGone:
            self._journal(unknown(request))
            raise

    async def _answer(self, query: Awaitable[bool]) -> bool:
        try:
            async with asyncio.timeout(self._answer_timeout_s):
                return await query
        except TimeoutError as error:
            raise VenueGone("a question has no answer") from error

    def _found(self, request: VenueRequest) -> None:
        """It is at the venue: what was reported of it comes, or is asked for."""
        self._counters.found += 1
        if request.request_id in self._taken:
            self._doubts.add(request)

    def _is_late(self, request: VenueRequest) -> bool:
        """Time has run out for it, or its scope was stopped."""
        return self._clock_ns() > request.send_by_ns or self._is_stopped(request)

    def _stop(self, request: VenueRequest) -> None:
        """A replace that the kill switch caught: refused, unless an earlier session sent it.

        Of that one only the order's end tells, which the kill has asked for.
        """
        self._taken.discard(request.request_id)
        if not request.is_possibly_sent:
            self._journal(replace_stopped(request))


def replace_stopped(request: VenueRequest) -> ApplyVenueReport:
    """The report of a replace that was never sent, because its scope was stopped."""
    return ApplyVenueReport(
        venue=request.venue,
        order_id=request.order_id,
        request_id=request.request_id,
        venue_order_id=request.venue_order_id,
        exec_id=f"STOPPED-{request.request_id}",
        exec_no=0,
        exec_type=ExecType.REPLACE_REJECTED,
        last_qty=0,
        last_px=0,
        order_qty=request.order_qty,
        price=request.price,
        text=Reason.KILLED,
    )


def not_sent_in_time(request: VenueRequest) -> ApplyVenueReport:
    """The report of an order that was never sent. Its execution id is one for whoever says it."""
    return ApplyVenueReport(
        venue=request.venue,
        order_id=request.order_id,
        request_id="",
        venue_order_id="",
        exec_id=f"NOT-SENT-{request.order_id}",
        exec_no=0,
        exec_type=ExecType.EXPIRED,
        last_qty=0,
        last_px=0,
        order_qty=request.order_qty,
        price=request.price,
        text=Reason.NOT_SENT_IN_TIME,
    )
