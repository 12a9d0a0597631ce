# SPDX-License-Identifier: Apache-2.0
"""Crypto exchanges through ccxt: REST for requests and questions, a WebSocket for what happens.

Such an exchange has no sessions. Its requests expire, so the fence is to wait until the last one of
anybody before us must have (`ccxt_client`). What the stream does not tell is found by looking: all
since a time after a logon, and again every few seconds.

Requests of one order go one after the other, those of different orders side by side.
"""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Coroutine
from contextlib import suppress
from typing import Any

from ccxt.base.errors import BaseError

from tradewind.core.commands import ApplyVenueReport
from tradewind.core.events import VenueRequest
from tradewind.venue.adapter import FromVenue, SessionLost, VenueGone
from tradewind.venue.ccxt_client import Stamp, heard, make_client, retry_s, set_clock, terms_of
from tradewind.venue.ccxt_errors import Outcome, outcome_of
from tradewind.venue.ccxt_orders import Reporter
from tradewind.venue.ccxt_requests import Requests
from tradewind.venue.ccxt_teller import DAY_MS, Teller
from tradewind.venue.dialers import Means

log = logging.getLogger(__name__)

AT_ONCE_MAX = 16
LOOK_S = 1.0
SYNC_EVERY = 5
OFTEN = 3
FAILURES_MAX = 2
NOT_NOW = frozenset({Outcome.LATER, Outcome.STALE})
OVERLAP_MS = 10_000
BACK_MS = 300_000


class CcxtDialer:
    """Reaches one exchange."""

    def __init__(self, means: Means) -> None:
        self._means = means
        terms_of(means.settings.exchange)

    async def dial(self, shard: int) -> "CcxtAdapter":
        """Learns the exchange's time and its markets."""
        settings = self._means.settings
        stamp = Stamp()
        client = make_client(
            settings.exchange,
            address=settings.url,
            key=settings.key,
            secret=settings.secret,
            expiry_ms=settings.expiry_ms,
            stamp=stamp,
            may_send=self._means.may_send,
        )
        try:
            await set_clock(client, stamp)
            await client.load_markets()
        except BaseError as error:
            await client.close()
            raise VenueGone(f"{settings.venue} does not say its markets: {error!r}") from error
        except VenueGone:
            await client.close()
            raise
        return CcxtAdapter(self._means, client, stamp, shard)


class CcxtAdapter:
    """One shard's connection."""

    def __init__(self, means: Means, client: Any, stamp: Stamp, shard: int) -> None:
        self._client = client
        self._stamp = stamp
        self._terms = terms_of(means.settings.exchange)
        self._expiry_s = means.settings.expiry_ms / 1000
        reporter, instruments = Reporter(means.settings.venue), means.instruments
        self._teller = Teller(client, reporter, instruments, shard, self._say)
        self._requests = Requests(
            client, self._terms, stamp, reporter, self._teller, instruments, self._say
        )
        self._said: deque[FromVenue] = deque()
        self._wake = asyncio.Event()
        self._end: VenueGone | SessionLost | None = None
        self._tasks: set[asyncio.Future[Any]] = set()
        self._lanes: dict[str, asyncio.Future[None]] = {}
        self._slots = asyncio.Semaphore(AT_ONCE_MAX)
        self._since_ms = 0
        self._is_caught_up = asyncio.Event()

    async def fence(self) -> None:
        """Waits until whatever was sent before us has expired."""
        await asyncio.sleep(self._expiry_s)

    async def ask_reports(self, after: int, back: int) -> None:
        """Tells what has happened since then; `exec_no` is the exchange's time of it."""
        self._check()
        now_ms = self._stamp.now_ms()
        since_ms = after - (BACK_MS if back else OVERLAP_MS) if after else now_ms - DAY_MS
        if not self._since_ms:
            self._spawn(self._watch())
            self._spawn(self._look(now_ms))
        self._spawn(self._tell_since(since_ms, with_ended=True))

    async def send(self, request: VenueRequest) -> None:
        """Lets a request go, after those of its order that went before it."""
        self._check()
        await self._slots.acquire()
        lane = self._spawn(self._do(self._lanes.get(request.order_id), request))
        self._lanes[request.order_id] = lane
        lane.add_done_callback(lambda _lane: self._leave(request.order_id, lane))

    def query(self, request: VenueRequest) -> "asyncio.Future[bool]":
        """Asks for the order by our id."""
        answer = asyncio.ensure_future(self._exists(request))
        self._tasks.add(answer)
        answer.add_done_callback(self._tasks.discard)
        answer.add_done_callback(heard)
        return answer

    def ask(self, request: VenueRequest) -> None:
        """Has everything about a request's order told again."""
        self._spawn(self._requests.prove(request))

    async def ask_position(self, *, is_complete: bool) -> None:
        """Balances are an account's, not a session's: nothing is stated."""

    async def reports(self) -> AsyncIterator[FromVenue]:
        """What is seen, until the exchange is not reached any more, which is raised."""
        while True:
            while self._said:
                yield self._said.popleft()
            self._check()
            self._wake.clear()
            await self._wake.wait()

    async def close(self) -> None:
        """Ends everything that runs."""
        self._finish(VenueGone("closed here"))
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        with suppress(BaseError):
            await self._client.close()

    async def _do(self, before: "asyncio.Future[None] | None", request: VenueRequest) -> None:
        if before is not None:
            await asyncio.wait({before})
        await self._requests.do(request)

    async def _exists(self, request: VenueRequest) -> bool:
        self._check()
        return await self._requests.exists(request)

    async def _watch(self) -> None:
        """Hears the exchange's stream; after a break, once the exchange is seen to be there."""
        while True:
            try:
                for order in await self._client.watch_orders():
                    request_id = self._terms.cancel_of(order["info"])
                    await self._teller.order(order, request_id=request_id)
            except (BaseError, KeyError) as error:
                # ccxt fails with a KeyError where a stream breaks while it subscribes.
                log.warning("the stream broke: %r", error)
                self._is_caught_up.clear()
                await self._is_caught_up.wait()

    async def _look(self, since_ms: int) -> None:
        """Asks whether the exchange is there and, from time to time, what has happened.

        After a break of the stream more often: nobody knows when exactly it hears again.
        """
        self._since_ms = since_ms
        rounds, failures, often = 0, 0, OFTEN
        while True:
            await asyncio.sleep(LOOK_S)
            rounds += 1
            try:
                await set_clock(self._client, self._stamp)
                often = often - 1 if self._is_caught_up.is_set() else OFTEN
                if often > 0 or rounds % SYNC_EVERY == 0:
                    now_ms = self._stamp.now_ms()
                    await self._tell_since(self._since_ms - OVERLAP_MS, with_ended=False)
                    self._since_ms = now_ms
                self._is_caught_up.set()
                failures = 0
            except (BaseError, VenueGone) as error:
                failures += 1
                log.warning("%s", error)
                if failures >= FAILURES_MAX:
                    raise VenueGone(f"nothing is heard of the exchange: {error!r}") from error

    async def _tell_since(self, since_ms: int, *, with_ended: bool) -> None:
        while True:
            try:
                await self._teller.sync(since_ms, self._stamp.now_ms(), with_ended=with_ended)
                return
            except BaseError as error:
                if outcome_of(error, self._terms.duplicate) not in NOT_NOW:
                    raise
                await asyncio.sleep(retry_s(self._client))

    def _say(self, said: FromVenue | ApplyVenueReport) -> None:
        self._said.append(said)
        self._wake.set()

    def _check(self) -> None:
        if self._end is not None:
            raise self._end

    def _leave(self, order_id: str, lane: "asyncio.Future[None]") -> None:
        self._slots.release()
        if self._lanes.get(order_id) is lane:
            del self._lanes[order_id]

    def _spawn(self, work: Coroutine[Any, Any, None]) -> "asyncio.Future[None]":
        """Runs something that ends the connection if it fails."""

        async def guarded() -> None:
            try:
                await work
            except (VenueGone, SessionLost) as error:
                self._finish(error)
            except BaseError as error:
                self._finish(VenueGone(f"the exchange does not answer: {error!r}"))
            except Exception as error:
                log.exception("the connection ends")
                self._finish(VenueGone(f"what the exchange says is not understood: {error!r}"))

        task = asyncio.ensure_future(guarded())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _finish(self, why: VenueGone | SessionLost) -> None:
        if self._end is None:
            self._end = why
            self._wake.set()
