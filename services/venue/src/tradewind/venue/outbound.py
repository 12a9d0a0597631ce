# SPDX-License-Identifier: Apache-2.0
"""Requests to the venue: at most once each, whatever an earlier session may have sent.

Unmarked requests came after this session's own announcement, so nobody else can have sent
them: they are sent at once. Marked ones may have been sent: the venue is asked, and only what it
does not know, after it was fenced and its read lag has passed, is sent. A live session never sends
a request twice.
"""

import asyncio
import time
from collections import deque

from tradewind.core.commands import ApplyVenueReport
from tradewind.core.events import VenueRequest
from tradewind.core.types import ExecType, Reason, VenueAction
from tradewind.venue.adapter import VenueAdapter
from tradewind.venue.inbound import Inbound

LATENCIES_MAX = 1000


class Outbound:
    """The way of requests to the venue, in journal order."""

    def __init__(self, adapter: VenueAdapter, inbound: Inbound, read_lag_ms: int) -> None:
        self._adapter = adapter
        self._inbound = inbound
        self._read_lag_s = read_lag_ms / 1000
        self._fenced_s = time.monotonic()
        self._queue: asyncio.Queue[tuple[float, VenueRequest]] = asyncio.Queue()
        self._handled: set[str] = set()
        self.latencies_us: deque[int] = deque(maxlen=LATENCIES_MAX)
        self.sent = 0
        self.found = 0
        self.expired = 0

    def put(self, request: VenueRequest) -> None:
        """Queues a request behind all before it."""
        self._queue.put_nowait((time.monotonic(), request))

    async def run(self) -> None:
        """Works the queue, one request after the other, for ever.

        Raises:
            VenueDown: when the session is lost; the next one gets what is unsettled again.
        """
        while True:
            taken_s, request = await self._queue.get()
            if request.request_id in self._handled:
                continue
            self._handled.add(request.request_id)
            await self._handle(request)
            self.latencies_us.append(int((time.monotonic() - taken_s) * 1_000_000))

    async def _handle(self, request: VenueRequest) -> None:
        is_new = request.action is VenueAction.NEW
        if is_new and request.is_possibly_sent:
            await self._wait_out_read_lag()
            if await self._adapter.knows(request.order_id):
                self.found += 1
                return
        if is_new and time.time_ns() > request.send_by_ns:
            self.expired += 1
            self._inbound.take([expired_unsent(request)])
            return
        # A repeated cancel or replace carries the same request id, so the venue answers it once.
        await self._adapter.send(request)
        self.sent += 1

    async def _wait_out_read_lag(self) -> None:
        left_s = self._fenced_s + self._read_lag_s - time.monotonic()
        if left_s > 0:
            await asyncio.sleep(left_s)


def expired_unsent(request: VenueRequest) -> ApplyVenueReport:
    """Tells the journal that an order was never sent and never will be."""
    return ApplyVenueReport(
        venue=request.venue,
        order_id=request.order_id,
        request_id="",
        venue_order_id="",
        exec_id=f"unsent-{request.order_id}",
        exec_no=0,
        exec_type=ExecType.EXPIRED,
        last_qty=0,
        last_px=0,
        order_qty=0,
        price=0,
        text=Reason.NOT_SENT_IN_TIME,
    )
