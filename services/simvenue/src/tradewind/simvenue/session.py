# SPDX-License-Identifier: Apache-2.0
"""One client's session over one WebSocket, and the fence.

A logon takes the session from whoever has it: that connection is cut off before the answer, and
nothing that it has sent but the venue has not read is done afterwards.
"""

import asyncio
import hmac
import logging

import msgspec
from aiohttp import WSMsgType, web

from tradewind.simvenue.admin import SetSession
from tradewind.simvenue.faults import Misanswered
from tradewind.simvenue.orders import Report
from tradewind.simvenue.requests import (
    MESSAGE_BYTES_MAX,
    Cancel,
    Logon,
    New,
    Position,
    Replace,
    Reports,
    Request,
    Status,
    decoder,
)
from tradewind.simvenue.venue import Venue, encode

log = logging.getLogger(__name__)

CLOSE_TAKEN = 4001
CLOSE_REFUSED = 4003
CLOSE_BAD_MESSAGE = 4400
CLOSE_GOING = 1001
BACKLOG_MAX = 1_000_000


class Sessions:
    """Who has which session."""

    def __init__(self, venue: Venue, key: str) -> None:
        self._venue = venue
        self._key = key
        self._owners: dict[str, Connection] = {}
        self._connections: set[Connection] = set()
        venue.faults.cutters.append(self.cut)
        venue.watchers.append(self.tell_all)

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        """Handles one WebSocket from its opening to its end."""
        socket = web.WebSocketResponse(max_msg_size=MESSAGE_BYTES_MAX, heartbeat=5.0)
        await socket.prepare(request)
        connection = Connection(self, self._venue, socket, request.transport)
        self._connections.add(connection)
        try:
            await connection.run()
        finally:
            self._connections.discard(connection)
            if self._owners.get(connection.session) is connection:
                del self._owners[connection.session]
                if connection.is_cancelling:
                    self._venue.disconnected(connection.session)
        return socket

    def take(self, connection: "Connection", logon: Logon) -> int | None:
        """Fences the session's owner and makes `connection` the new one; None: wrong key."""
        if not hmac.compare_digest(logon.key.encode(), self._key.encode()):
            return None
        owner = self._owners.pop(logon.session, None)
        if owner is not None:
            owner.cut_off()
        epoch = self._venue.take_session(logon.session)
        self._owners[logon.session] = connection
        return epoch

    def tell_all(self, session: SetSession) -> None:
        """Tells every client what part of the trading session it is now."""
        for connection in self._owners.values():
            connection.tell(session)

    def cut(self, session: str) -> None:
        """Breaks the connection of a session, or with "" of all: nobody says goodbye."""
        for owner in list(self._owners.values()):
            if session in ("", owner.session):
                owner.abort()

    def close(self) -> None:
        """Ends all connections: the venue stops."""
        self._owners.clear()
        for connection in list(self._connections):
            connection.end(CLOSE_GOING, "the venue stops")


class Connection:
    """One WebSocket. What is queued here leaves in order."""

    def __init__(
        self,
        sessions: Sessions,
        venue: Venue,
        socket: web.WebSocketResponse,
        transport: asyncio.Transport | None,
    ) -> None:
        self.session = ""
        self.is_cancelling = False
        self._transport = transport
        self._sessions = sessions
        self._venue = venue
        self._socket = socket
        self._outgoing: asyncio.Queue[bytes | tuple[int, str]] = asyncio.Queue()
        self._has_ended = False

    async def run(self) -> None:
        """Reads requests until the connection ends."""
        writer = asyncio.ensure_future(self._write())
        try:
            async for message in self._socket:
                if self._has_ended or message.type is not WSMsgType.TEXT:
                    break
                self._handle(message.data)
        finally:
            self._has_ended = True
            self._venue.release(self.session, self._deliver)
            if self._outgoing.empty():
                writer.cancel()
            await asyncio.gather(writer, return_exceptions=True)

    def cut_off(self) -> None:
        """The session is another's now: nothing more is read or written here."""
        self._venue.release(self.session, self._deliver)
        self.end(CLOSE_TAKEN, "the session was taken by another logon")

    def abort(self) -> None:
        """Breaks the connection as a network does; what is queued is lost."""
        self._has_ended = True
        self._venue.release(self.session, self._deliver)
        if self._transport is not None:
            self._transport.abort()

    def end(self, code: int, text: str) -> None:
        """Closes once what is queued has left."""
        self._has_ended = True
        self._outgoing.put_nowait((code, text))

    def _handle(self, data: str) -> None:
        try:
            request = decoder.decode(data)
        except msgspec.MsgspecError as error:
            self._refuse("BAD_MESSAGE", str(error), CLOSE_BAD_MESSAGE)
            return
        if isinstance(request, Logon):
            self._log_on(request)
        elif not self.session:
            self._refuse("NOT_LOGGED_ON", "the first message is a logon", CLOSE_REFUSED)
        else:
            self._do(request)

    def _log_on(self, logon: Logon) -> None:
        if self.session:
            self._refuse("LOGGED_ON", "this connection is logged on", CLOSE_REFUSED)
            return
        epoch = self._sessions.take(self, logon)
        if epoch is None:
            self._refuse("WRONG_KEY", "the key is not this session's", CLOSE_REFUSED)
            return
        self.session = logon.session
        self.is_cancelling = logon.cancel_on_disconnect
        self._send({"op": "logged_on", "session_epoch": epoch})

    def _do(self, request: Request) -> None:
        match request:
            case New() | Cancel() | Replace():
                self._do_request(request)
            case Position():
                answer = {"op": "position", "request_id": request.request_id}
                self._send({**answer, **self._venue.statement(self.session)})
            case Status():
                self._answer_status(request)
            case Reports():
                last = self._venue.receive(
                    self.session, self._deliver, after=request.after, back=request.back
                )
                self._send({"op": "reports_end", "last": last})
                if self._venue.trading_session is not None:
                    self.tell(self._venue.trading_session)
            case Logon():
                pass

    def _do_request(self, request: New | Cancel | Replace) -> None:
        try:
            self._venue.request(self.session, request)
        except Misanswered as fault:
            if fault.code == "NO_ANSWER":
                return
            answer = {"op": "refused", "code": fault.code, "retry_ms": fault.retry_ms}
            request_id = request.cl_id if isinstance(request, New) else request.request_id
            self._send({**answer, "cl_id": request.cl_id, "request_id": request_id})

    def _answer_status(self, request: Status) -> None:
        reports, state = self._venue.status(self.session, request.cl_id)
        if request.request_id:
            for report in reports:
                self._send(report)
        answer = {
            "op": "status",
            "cl_id": request.cl_id,
            "request_id": request.request_id,
            "found": state is not None,
        }
        self._send(answer if state is None else {**answer, "order": state})

    def tell(self, session: SetSession) -> None:
        """Tells what part of the trading session it is now."""
        self._send(session)

    def _refuse(self, code: str, text: str, close_code: int) -> None:
        self._send({"op": "error", "code": code, "text": text})
        self.end(close_code, code)

    def _deliver(self, report: Report) -> None:
        self._send(report)

    def _send(self, message: object) -> None:
        if self._outgoing.qsize() > BACKLOG_MAX:
            self.end(CLOSE_REFUSED, "too slow a reader")
            return
        self._outgoing.put_nowait(encode(message))

    async def _write(self) -> None:
        while True:
            item = await self._outgoing.get()
            await self._venue.faults.until_answering()
            try:
                if isinstance(item, tuple):
                    await self._socket.close(code=item[0], message=item[1].encode())
                    return
                await self._socket.send_str(item.decode())
            except ConnectionError:
                return
