# SPDX-License-Identifier: Apache-2.0
"""A bus and a venue that a test drives by hand."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

from tradewind.common import codec, subjects
from tradewind.common.errors import BusError, Unknown
from tradewind.common.jetstream import PubAck, Record
from tradewind.core.commands import ApplyVenueReport, Command, TakeSession
from tradewind.core.events import Event, SessionTaken, VenueRequest
from tradewind.core.types import ExecType, OrdType, Side, TimeInForce, VenueAction
from tradewind.venue.adapter import FromVenue, SessionLost, VenueGone
from tradewind.venue.session import ShardSession

VENUE = "SIM"
FOR_EVER_NS = 2**62


class FakeBus:
    """Journal and outputs of shard 0. TakeSession is answered at once, unless told otherwise."""

    def __init__(self) -> None:
        self.journal: list[Command] = []
        self.epoch = 0
        self.last_exec_no = 0
        self.unsettled: list[VenueRequest] = []
        self.is_mute = False
        self.failures: list[BusError | None] = []
        self.tails = 0
        self._seq = 0
        self._unheard: list[Record] = []
        self._outputs: asyncio.Queue[Record] = asyncio.Queue()

    def publish_nowait(
        self, subject: str, body: bytes, headers: Mapping[str, str] | None = None
    ) -> "asyncio.Future[PubAck]":
        """Stores, or fails as told; a lost ack (Unknown) stores all the same."""
        future: asyncio.Future[PubAck] = asyncio.get_running_loop().create_future()
        failure = self.failures.pop(0) if self.failures else None
        command = codec.decode_command(body)
        assert subject == subjects.journal_subject(0, command)
        if failure is None or isinstance(failure, Unknown):
            self.journal.append(command)
        if failure is not None:
            future.set_exception(failure)
            return future
        future.set_result(PubAck("JOURNAL_0", len(self.journal)))
        if isinstance(command, TakeSession) and not self.is_mute:
            self.take(command.owner)
        return future

    async def next_batch(self) -> list[Record]:
        """One output at a time."""
        return [await self._outputs.get()]

    async def tail(self) -> int:
        """The last output, heard or not."""
        self.tails += 1
        return self._seq

    def emit(self, event: Event) -> None:
        """Appends an output."""
        self.store(event)
        self.tell()

    def store(self, event: Event) -> None:
        """Appends an output that is not heard yet."""
        self._seq += 1
        subject = subjects.events_subject(0, event)
        headers = {subjects.HEADER_ENTRY: str(len(self.journal))}
        self._unheard.append(Record(self._seq, 0, subject, headers, codec.encode(event)))

    def tell(self) -> None:
        """What is stored is heard."""
        for record in self._unheard:
            self._outputs.put_nowait(record)
        self._unheard.clear()

    def take(self, owner: str) -> None:
        """What the core does with TakeSession."""
        self.epoch += 1
        self.emit(
            SessionTaken(venue=VENUE, epoch=self.epoch, owner=owner, last_exec_no=self.last_exec_no)
        )
        for request in self.unsettled:
            self.emit(request)

    @property
    def reports(self) -> list[ApplyVenueReport]:
        """The reports in the journal."""
        return [command for command in self.journal if isinstance(command, ApplyVenueReport)]

    @property
    def takes(self) -> list[TakeSession]:
        """The sessions taken."""
        return [command for command in self.journal if isinstance(command, TakeSession)]


class FakeVenue:
    """Makes connections, and remembers what was said on all of them."""

    def __init__(self) -> None:
        self.log: list[tuple[str, object]] = []
        self.known: set[str] = set()
        self.is_down = False
        self.is_silent = False
        self.connections: list[FakeAdapter] = []

    async def dial(self, shard: int) -> "FakeAdapter":
        """A new connection."""
        if self.is_down:
            raise VenueGone("down")
        self.log.append(("dial", shard))
        adapter = FakeAdapter(self)
        self.connections.append(adapter)
        return adapter

    @property
    def sent(self) -> list[str]:
        """Request ids that were put on the wire, in order."""
        return [str(what) for kind, what in self.log if kind == "send"]

    @property
    def asked_again(self) -> list[str]:
        """Request ids whose orders were asked about again."""
        return [str(what) for kind, what in self.log if kind == "ask"]

    @property
    def asked(self) -> list[str]:
        """Order ids that were asked about."""
        return [str(what) for kind, what in self.log if kind == "query"]


class FakeAdapter:
    """One connection."""

    def __init__(self, venue: FakeVenue) -> None:
        self._venue = venue
        self._queue: asyncio.Queue[FromVenue | VenueGone | SessionLost] = asyncio.Queue()

    async def fence(self) -> None:
        """Logs on."""
        self._venue.log.append(("fence", None))

    async def ask_reports(self, after: int, back: int) -> None:
        """Asks for reports."""
        self._venue.log.append(("reports", (after, back)))

    async def send(self, request: VenueRequest) -> None:
        """Puts a request on the wire."""
        self._venue.log.append(("send", request.request_id))

    def ask(self, request: VenueRequest) -> None:
        """Asks about an order."""
        self._venue.log.append(("ask", request.request_id))

    def query(self, request: VenueRequest) -> Awaitable[bool]:
        """Answers at once."""
        self._venue.log.append(("query", request.order_id))
        future: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        if self._venue.is_silent:
            return future
        future.set_result(request.order_id in self._venue.known)
        return future

    async def ask_position(self, *, is_complete: bool) -> None:
        """Asks for the position."""
        self._venue.log.append(("position", is_complete))

    async def reports(self) -> AsyncIterator[FromVenue]:
        """What the test says."""
        while True:
            item = await self._queue.get()
            if isinstance(item, Exception):
                raise item
            yield item

    async def close(self) -> None:
        """Leaves."""
        self._venue.log.append(("close", None))

    def say(self, item: FromVenue | VenueGone | SessionLost) -> None:
        """Has the venue say something, or end the connection."""
        self._queue.put_nowait(item)


def session(
    bus: FakeBus,
    venue: FakeVenue,
    *,
    answer_timeout_ms: int = 60_000,
    unknown_after_ms: int = 60_000,
    may_send: Callable[[], bool] = lambda: True,
    is_stopped: Callable[[VenueRequest], bool] = lambda _request: False,
) -> ShardSession:
    """A connector's session for shard 0."""
    return ShardSession(
        shard=0,
        venue=VENUE,
        process="here",
        outputs=bus,
        tail=bus.tail,
        journal=bus,
        dialer=venue,
        read_lag_ms=1,
        answer_timeout_ms=answer_timeout_ms,
        may_send=may_send,
        is_stopped=is_stopped,
        unknown_after_ms=unknown_after_ms,
    )


def request(
    seq: int,
    action: VenueAction = VenueAction.NEW,
    *,
    order_seq: int = 0,
    is_possibly_sent: bool = False,
    send_by_ns: int = FOR_EVER_NS,
) -> VenueRequest:
    """A request made by journal entry `seq`."""
    return VenueRequest(
        venue=VENUE,
        action=action,
        account="DEMO",
        order_id=f"seg-0-{order_seq or seq}",
        request_id=f"seg-0-{seq}",
        venue_order_id="",
        symbol="BTC-USD",
        side=Side.BUY,
        ord_type=OrdType.LIMIT,
        time_in_force=TimeInForce.GTC,
        order_qty=10,
        price=100,
        is_possibly_sent=is_possibly_sent,
        send_by_ns=send_by_ns,
    )


def report(exec_no: int, order_id: str = "seg-0-1", request_id: str = "") -> ApplyVenueReport:
    """A report of the venue."""
    return ApplyVenueReport(
        venue=VENUE,
        order_id=order_id,
        request_id=request_id,
        venue_order_id="V1",
        exec_id=f"S{exec_no}",
        exec_no=exec_no,
        exec_type=ExecType.NEW,
        last_qty=0,
        last_px=0,
        order_qty=10,
        price=100,
        text="",
    )
