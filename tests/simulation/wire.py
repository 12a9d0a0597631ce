# SPDX-License-Identifier: Apache-2.0
"""A connection to the simulated venue: the adapter that the connector's real code uses."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable
from contextvars import copy_context

from tests.simulation.exchange import Exchange
from tests.simulation.world import Wire, World, settle
from tradewind.core.commands import ApplyVenueReport, StatePosition
from tradewind.core.events import VenueRequest
from tradewind.venue.adapter import FromVenue, SessionLost, VenueGone
from tradewind.venue.fills import Fills

LOGON_TIMEOUT_S = 3.0


class SimVenueDialer:
    """Reaches the simulated venue, if it is up."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self.down_until_s = 0.0

    async def dial(self, shard: int) -> "SimVenueAdapter":
        world = self._exchange.world
        await asyncio.sleep(world.delay())
        if world.now_s < self.down_until_s:
            raise VenueGone("the venue is down")
        return SimVenueAdapter(self._exchange)


class SimVenueAdapter:
    """One connection, with a wire in each direction."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._world: World = exchange.world
        self._context = copy_context()
        self._to_venue = Wire(self._world, self._world.loop.world)
        self._to_here = Wire(self._world, self._context)
        self._fills = Fills()
        self._said: deque[FromVenue] = deque()
        self._wake = asyncio.Event()
        self._end: VenueGone | SessionLost | None = None
        self._open: list[asyncio.Future[bool]] = []
        self._logged_on: asyncio.Future[bool] = self._world.loop.create_future()

    async def fence(self) -> None:
        self._to_venue.send(self._logon)
        try:
            async with asyncio.timeout(LOGON_TIMEOUT_S):
                await self._logged_on
        except TimeoutError as error:
            raise VenueGone("no answer to the logon") from error

    async def ask_reports(self, after: int, back: int) -> None:
        self._say(self._exchange.ask_reports, self, after, back)

    async def send(self, request: VenueRequest) -> None:
        slow_s = self._world.rng.uniform(0, 3) if self._world.strikes("slow-wire", 0.1) else None
        if slow_s is not None:
            self._world.saw("slow wire")
        self._say(self._exchange.take, request, delay_s=slow_s)
        await asyncio.sleep(0)

    def query(self, request: VenueRequest) -> Awaitable[bool]:
        future: asyncio.Future[bool] = self._world.loop.create_future()
        if self._end is not None:
            settle(future, self._end)
            return future
        self._world.saw("possibly sent: asked first")
        self._open.append(future)
        self._say(self._answer_query, request.order_id, future)
        return future

    def ask(self, request: VenueRequest) -> None:
        if self._end is None:
            self._say(self._exchange.ask, self, request)

    async def ask_position(self, *, is_complete: bool) -> None:
        self._say(self._exchange.state_position, self, is_complete)

    async def reports(self) -> AsyncIterator[FromVenue]:
        while True:
            while self._said:
                yield self._said.popleft()
            if self._end is not None:
                raise self._end
            self._wake.clear()
            await self._wake.wait()

    async def close(self) -> None:
        self._finish(VenueGone("closed here"))
        self._cut_wire()
        self._world.loop.later(self._world.delay(), self._exchange.left, self)

    def hear(self, said: ApplyVenueReport | StatePosition) -> None:
        """The venue says something."""
        self._to_here.send(self._take, said)

    def told_all(self, order_id: str) -> None:
        """The venue has told everything about an order."""
        self._to_here.send(self._take_held, order_id)

    def taken(self) -> None:
        """The venue gave the session to another."""
        self._to_here.send(self._finish, SessionLost("another logon"))

    def gone(self) -> None:
        """The venue, or the network, breaks the connection."""
        self._world.saw("venue connection broken")
        self._cut_wire()
        self._to_here.cut(self._world.rng.randint(0, len(self._to_here)))
        self._to_here.send(self._finish, VenueGone("the connection broke"))

    def _cut_wire(self) -> None:
        """What is under way may still arrive, from its beginning: it is in somebody's buffers."""
        self._to_venue.cut(self._world.rng.randint(0, len(self._to_venue)))

    def _logon(self) -> None:
        self._exchange.logon(self)
        self._to_here.send(settle, self._logged_on, True)

    def _answer_query(self, order_id: str, future: "asyncio.Future[bool]") -> None:
        self._to_here.send(settle, future, self._exchange.is_known(order_id))

    def _say(self, action: object, *args: object, delay_s: float | None = None) -> None:
        if self._end is not None:
            raise self._end
        self._to_venue.send(self._arrive, action, args, delay_s=delay_s)

    def _arrive(self, action: object, args: tuple[object, ...]) -> None:
        if self._exchange.is_fenced(self):
            self._world.saw("message of a fenced session dropped")
            return
        assert callable(action)
        action(*args)

    def _take(self, said: ApplyVenueReport | StatePosition) -> None:
        if isinstance(said, ApplyVenueReport) and self._ends_too_early(said):
            self._world.saw("a fill is missing at an end")
            if self._end is None:
                self._say(self._exchange.tell_again, self, said.order_id)
            return
        self._said.append(said if isinstance(said, ApplyVenueReport) else self._fills.weighed(said))
        self._wake.set()

    def _take_held(self, order_id: str) -> None:
        held = self._fills.told_all(order_id)
        if held is not None:
            self._said.append(held)
            self._wake.set()

    def _ends_too_early(self, report: ApplyVenueReport) -> bool:
        return self._fills.is_missing_some(report, self._exchange.cums.get(report.exec_id, 0))

    def _finish(self, why: VenueGone | SessionLost) -> None:
        if self._end is not None:
            return
        self._end = why
        for query in self._open:
            settle(query, why)
        settle(self._logged_on, why)
        self._wake.set()
