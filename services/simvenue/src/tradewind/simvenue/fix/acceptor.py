# SPDX-License-Identifier: Apache-2.0
"""Connections of FIX clients. A logon takes its session: the connection before it is cut first.

Who logs on says the venue's key as Password (554). SenderCompID is the session. What the client
was not told while it was away, it is told after the logon, with the numbers that come next.
"""

import asyncio
import hmac
import logging
from contextlib import suppress
from pathlib import Path

from tradewind.fix import tags
from tradewind.fix.framer import Framer, TooLong
from tradewind.fix.link import READ_BYTES, Link, LinkDown
from tradewind.fix.message import Body, Garbled, Malformed, Message, decode
from tradewind.fix.session import LOGON_TIMEOUT_S, Ends
from tradewind.simvenue.admin import SetSession
from tradewind.simvenue.faults import Kind
from tradewind.simvenue.fix.desk import Desk
from tradewind.simvenue.fix.drop_copy import COMP_ID, DropCopies
from tradewind.simvenue.fix.numbers import Numbers
from tradewind.simvenue.fix.outlet import Outlet
from tradewind.simvenue.orders import Report
from tradewind.simvenue.venue import Venue

log = logging.getLogger(__name__)

HEARTBEAT_S = 30
REQUESTS = frozenset(
    {tags.NEW_ORDER_SINGLE, tags.ORDER_CANCEL_REQUEST, tags.ORDER_CANCEL_REPLACE_REQUEST}
)


class Acceptor:
    """Which connection has which session."""

    def __init__(self, venue: Venue, folder: Path, name: str, key: str, copies: DropCopies) -> None:
        """`name` is the venue's CompID; what sessions remember is in `folder`."""
        folder.mkdir(parents=True, exist_ok=True)
        self._copies = copies
        self.venue = venue
        self.name = name
        self._folder = folder
        self._key = key
        self._numbers: dict[str, Numbers] = {}
        self._owners: dict[str, Connection] = {}
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        venue.faults.cutters.append(self.cut)
        venue.watchers.append(self.tell_all)

    async def listen(self, host: str, port: int) -> int:
        """Opens the port; returns its number. Raises OSError."""
        self._server = await asyncio.start_server(self._serve, host, port)
        return int(self._server.sockets[0].getsockname()[1])

    def tell_all(self, session: SetSession) -> None:
        """Tells every client what part of the trading session it is now."""
        for owner in self._owners.values():
            owner.desk.trading_session(session)

    def cut(self, session: str) -> None:
        """Breaks the connection of a session, or with "" of all: nobody says goodbye."""
        for owner in list(self._owners.values()):
            if session in ("", owner.session):
                owner.outlet.abort()

    async def close(self) -> None:
        """Ends everything: the venue stops."""
        if self._server is not None:
            self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for numbers in self._numbers.values():
            numbers.close()
        self._copies.close()

    def take(self, connection: "Connection") -> None:
        """Cuts off who had the session, and gives it to `connection`."""
        owner = self._owners.pop(connection.session, None)
        if owner is not None:
            owner.cut_off()
        self._owners[connection.session] = connection

    def leave(self, connection: "Connection") -> None:
        """The connection has ended."""
        self.venue.release(connection.session, connection.deliver)
        if self._owners.get(connection.session) is not connection:
            return
        del self._owners[connection.session]
        if connection.is_cancelling:
            self.venue.disconnected(connection.session)

    def numbers_of(self, session: str) -> Numbers:
        """What is remembered of a session."""
        if session not in self._numbers:
            self._numbers[session] = Numbers(self._folder / f"{session}.jsonl")
        return self._numbers[session]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        outlet = Outlet(writer, self.venue.faults)
        try:
            async with asyncio.timeout(LOGON_TIMEOUT_S):
                first, logon = await _first_message(reader)
            if self._copies.is_welcome(logon):
                await self._copies.serve(reader, outlet, logon, first)
            elif self._is_welcome(logon):
                await Connection(self, reader, outlet, logon).run(first)
        except (LinkDown, Garbled, Malformed, TooLong, OSError, TimeoutError) as error:
            log.info("a FIX connection has ended: %s", error)
        finally:
            self._tasks.discard(task)
            outlet.close()

    def _is_welcome(self, logon: Message) -> bool:
        """Whether a first message is a Logon of somebody whom the venue knows."""
        key = logon.get(tags.PASSWORD).encode("latin-1")
        return (
            logon.msg_type == tags.LOGON
            and logon.get(tags.TARGET_COMP_ID) == self.name
            and COMP_ID.fullmatch(logon.get(tags.SENDER_COMP_ID)) is not None
            and hmac.compare_digest(key, self._key.encode())
        )


class Connection:
    """One client's connection. From its making on, it has the session."""

    def __init__(
        self, acceptor: Acceptor, reader: asyncio.StreamReader, outlet: Outlet, logon: Message
    ) -> None:
        self.session = logon.get(tags.SENDER_COMP_ID)
        self.is_cancelling = logon.get(tags.CANCEL_ON_DISCONNECT) == "Y"
        self.outlet = outlet
        self.desk = Desk(acceptor.venue, self.session, self._tell)
        self._acceptor = acceptor
        self._venue = acceptor.venue
        self._numbers = acceptor.numbers_of(self.session)
        self._has_lost_numbers = False
        acceptor.take(self)
        ends = Ends(acceptor.name, self.session, is_initiator=False, heartbeat_s=HEARTBEAT_S)
        self._link = Link(reader, outlet, ends, self._numbers, self._hear)

    async def run(self, first: bytes) -> None:
        """Serves until the connection ends, which is raised as LinkDown."""
        try:
            await self._link.run(first)
        finally:
            self._acceptor.leave(self)
            if self._has_lost_numbers:
                self._numbers.reset()

    def cut_off(self) -> None:
        """The session is another's now: nothing more is read or written here."""
        self._link.session.cut("the session was taken by another logon")
        self._venue.release(self.session, self.deliver)
        self.outlet.abort()

    def deliver(self, report: Report) -> None:
        """Tells an execution."""
        self._numbers.telling = report.exec_no
        self.desk.report(report)
        self._numbers.telling = 0

    def _hear(self, message: Message) -> None:
        if self.outlet.is_closed:
            return
        if message.msg_type == tags.LOGON:
            self._welcome()
            return
        if message.msg_type in REQUESTS and self._venue.faults.strikes(Kind.SEQUENCE_RESET):
            self._has_lost_numbers = True
        self.desk.handle(message)
        if self._has_lost_numbers:
            self._link.session.cut("the venue has lost its numbers")
            self.outlet.abort()

    def _welcome(self) -> None:
        """The client has logged on: it is told what it does not know."""
        self._venue.take_session(self.session)
        after = self._numbers.last_exec_no
        self._venue.receive(self.session, self.deliver, after=after, back=0)
        if self._venue.trading_session is not None:
            self.desk.trading_session(self._venue.trading_session)

    def _tell(self, msg_type: str, body: Body) -> None:
        """Who has logged out is told at the next logon: it is no fault of who caused this."""
        if not self.outlet.is_closed:
            with suppress(LinkDown):
                self._link.tell(msg_type, body)


async def _first_message(reader: asyncio.StreamReader) -> tuple[bytes, Message]:
    """The bytes that have come, and the first message in them."""
    framer, first = Framer(), b""
    while True:
        data = await reader.read(READ_BYTES)
        if not data:
            raise LinkDown("it ended before a Logon")
        first += data
        for raw in framer.feed(data):
            with suppress(Garbled):
                return first, decode(raw)
