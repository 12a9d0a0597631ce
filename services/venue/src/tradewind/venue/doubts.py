# SPDX-License-Identifier: Apache-2.0
"""Requests that were sent and have no answer. They outlive sessions: doubt does not end with one.

Silence is never taken for a no. Past the deadline the order is called UNKNOWN, once for each
request, so that people see it and its exposure stays reserved; the venue is then asked about it,
less and less often, until it says what is true. Asking never makes anything be sent.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from tradewind.core.commands import ApplyVenueReport
from tradewind.core.events import VenueRequest
from tradewind.core.types import ExecType
from tradewind.venue.adapter import VenueAdapter

WATCH_INTERVAL_S = 0.1
ASK_FIRST_S = 0.5
ASK_MAX_S = 10.0


@dataclass(slots=True)
class _Doubt:
    request: VenueRequest
    sent_s: float
    next_s: float
    pause_s: float = 0.0
    is_of_this_session: bool = True


class Doubts:
    """What one shard's connector waits for, oldest first."""

    def __init__(
        self, journal: Callable[[ApplyVenueReport], None], *, unknown_after_ms: int
    ) -> None:
        self._journal = journal
        self._unknown_after_s = unknown_after_ms / 1000
        self._doubts: dict[str, _Doubt] = {}
        self._adapter: VenueAdapter | None = None
        self.unknown = 0

    def __len__(self) -> int:
        return len(self._doubts)

    def begin(self, adapter: VenueAdapter) -> None:
        """A session is open: the venue can be asked."""
        self._adapter = adapter

    def end(self) -> None:
        """The session is over: nobody is there to ask, and no answer to it can come late."""
        self._adapter = None
        for doubt in self._doubts.values():
            doubt.is_of_this_session = False

    def add(self, request: VenueRequest) -> None:
        """The request is on the wire, or may be at the venue."""
        now_s = _now_s()
        doubt = self._doubts.get(request.request_id)
        if doubt is None:
            self._doubts[request.request_id] = _Doubt(request, now_s, now_s + self._unknown_after_s)
        else:
            doubt.sent_s = now_s
            doubt.is_of_this_session = True

    def settle(self, request_id: str) -> VenueRequest | None:
        """The request has its answer, or will be sent again; returns it if there was a doubt."""
        doubt = self._doubts.pop(request_id, None)
        return None if doubt is None else doubt.request

    def hurry(self, request_id: str) -> None:
        """The venue itself does not know what became of the request: it is UNKNOWN now."""
        doubt = self._doubts.get(request_id)
        if doubt is not None:
            doubt.next_s = _now_s()

    def ask(self) -> None:
        """Asks about every one of them now: an answer that was lost is told again by that."""
        if self._adapter is not None:
            for doubt in self._doubts.values():
                self._adapter.ask(doubt.request)

    def overdue(self, timeout_s: float) -> VenueRequest | None:
        """A request of this session that has waited longer than this, if there is one."""
        horizon_s = _now_s() - timeout_s
        return next(
            (
                doubt.request
                for doubt in self._doubts.values()
                if doubt.is_of_this_session and doubt.sent_s < horizon_s
            ),
            None,
        )

    async def watch(self) -> None:
        """Calls orders UNKNOWN and asks, for ever; an adapter that fails has its session end."""
        while True:
            await asyncio.sleep(WATCH_INTERVAL_S)
            now_s = _now_s()
            due = [doubt for doubt in self._doubts.values() if doubt.next_s <= now_s]
            for doubt in due:
                self._tell(doubt)
                doubt.pause_s = min(doubt.pause_s * 2 or ASK_FIRST_S, ASK_MAX_S)
                doubt.next_s = now_s + doubt.pause_s
                if self._adapter is not None:
                    self._adapter.ask(doubt.request)

    def _tell(self, doubt: _Doubt) -> None:
        if doubt.pause_s == 0.0:
            self.unknown += 1
            self._journal(unknown(doubt.request))


def unknown(request: VenueRequest) -> ApplyVenueReport:
    """The report that nobody knows what became of a request; one for each, whoever says it."""
    return ApplyVenueReport(
        venue=request.venue,
        order_id=request.order_id,
        request_id=request.request_id,
        venue_order_id="",
        exec_id=f"UNKNOWN-{request.request_id}",
        exec_no=0,
        exec_type=ExecType.UNKNOWN,
        last_qty=0,
        last_px=0,
        order_qty=request.order_qty,
        price=request.price,
        text="NO_ANSWER",
    )


def _now_s() -> float:
    return asyncio.get_running_loop().time()
