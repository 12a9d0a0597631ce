# SPDX-License-Identifier: Apache-2.0
"""The simulated venue's protocol: JSON over one WebSocket, one session for each shard."""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator
from typing import Any

import msgspec
from aiohttp import ClientError, ClientSession, ClientWebSocketResponse, ClientWSTimeout, WSMsgType

from tradewind.core.commands import ApplyVenueReport, SetTradingSession, StatePosition
from tradewind.core.events import VenueRequest
from tradewind.core.types import ExecType, Side, TradSesStatus, VenueAction
from tradewind.venue.adapter import FromVenue, InDoubt, NotDone, SessionLost, VenueGone
from tradewind.venue.fills import Fills

log = logging.getLogger(__name__)

CLOSE_TAKEN = 4001
DIAL_TIMEOUT_S = 2.0
ANSWER_TIMEOUT_S = 3.0
HEARTBEAT_S = 5.0
CLOSE_TIMEOUT_S = 0.2
DUPLICATE = "DUPLICATE_CL_ID"
NOT_DONE = "RATE_LIMITED"
COMPLETE = "complete"
SO_FAR = "so-far"


class _State(msgspec.Struct):
    """An order as a status answer tells it."""

    venue_order_id: str
    qty: int
    price: int
    leaves_qty: int
    last_exec_no: int


class _Heard(msgspec.Struct):
    """Whatever the venue says; each kind of message uses some of the fields."""

    op: str
    cl_id: str = ""
    request_id: str = ""
    venue_order_id: str = ""
    exec_id: str = ""
    exec_no: int = 0
    exec_type: ExecType | None = None
    last_qty: int = 0
    last_px: int = 0
    qty: int = 0
    price: int = 0
    exec_ref_id: str = ""
    cum_qty: int = 0
    fee_e8: int = 0
    fee_currency: str = ""
    text: str = ""
    found: bool = False
    order: _State | None = None
    session_epoch: int = 0
    status: TradSesStatus | None = None
    trading_date: str = ""
    code: str = ""
    retry_ms: int = 0
    symbol: str = ""
    side: Side | None = None
    last: int = 0
    open_buy_qty: int = 0
    open_sell_qty: int = 0


_decoder = msgspec.json.Decoder(_Heard)


class SimDialer:
    """Reaches the simulated venue."""

    def __init__(
        self,
        http: ClientSession,
        *,
        url: str,
        venue: str,
        session: str,
        key: str,
        is_cancelling: bool = False,
    ) -> None:
        """`is_cancelling`: the venue cancels a session's orders when it loses it."""
        self._http = http
        self._is_cancelling = is_cancelling
        self._url = url
        self._venue = venue
        self._session = session
        self._key = key

    async def dial(self, shard: int) -> "SimAdapter":
        """Opens a WebSocket for one shard's session."""
        try:
            async with asyncio.timeout(DIAL_TIMEOUT_S):
                socket = await self._http.ws_connect(
                    f"{self._url}/session",
                    heartbeat=HEARTBEAT_S,
                    max_msg_size=0,
                    timeout=ClientWSTimeout(ws_close=CLOSE_TIMEOUT_S),
                )
        except (ClientError, OSError, TimeoutError) as error:
            raise VenueGone(f"{self._venue} cannot be reached: {error!r}") from error
        logon = {
            "op": "logon",
            "session": f"{self._session}-{shard}",
            "key": self._key,
            "cancel_on_disconnect": self._is_cancelling,
        }
        return SimAdapter(socket, self._venue, logon)


class SimAdapter:
    """One session over one WebSocket."""

    def __init__(self, socket: ClientWebSocketResponse, venue: str, logon: dict[str, Any]) -> None:
        self._socket = socket
        self._venue = venue
        self._logon = logon
        self._queries: deque[asyncio.Future[bool]] = deque()
        self._questions: list[dict[str, Any]] = []
        self._fills = Fills()
        self._epoch = 0
        self._said: deque[FromVenue] = deque()
        self._wake = asyncio.Event()
        self._logged_on: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._end: SessionLost | VenueGone | None = None
        self._asking: asyncio.Future[None] | None = None
        self._reader = asyncio.ensure_future(self._read())

    async def fence(self) -> None:
        """Takes the session; the venue cuts off whoever had it before it answers."""
        await self._say(self._logon)
        try:
            async with asyncio.timeout(ANSWER_TIMEOUT_S):
                await self._logged_on
        except TimeoutError as error:
            raise VenueGone(f"{self._venue} does not answer a logon") from error

    async def ask_reports(self, after: int, back: int) -> None:
        """Asks for the session's reports."""
        await self._say({"op": "reports", "after": after, "back": back})

    async def send(self, request: VenueRequest) -> None:
        """Writes a request. The venue answers a repeated request id with the first answer."""
        await self._say(_message(request))

    def query(self, request: VenueRequest) -> "asyncio.Future[bool]":
        """Asks for an order's status; answers come in the order of the questions."""
        future: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        if self._end is not None:
            future.set_exception(self._end)
            return future
        self._queries.append(future)
        self._question({"op": "status", "cl_id": request.order_id})
        return future

    def ask(self, request: VenueRequest) -> None:
        """Has the reports of an order told again, and its state after them."""
        question = {"op": "status", "cl_id": request.order_id, "request_id": request.request_id}
        self._question(question)

    async def ask_position(self, *, is_complete: bool) -> None:
        """Asks for what all executions so far add up to."""
        await self._say({"op": "position", "request_id": COMPLETE if is_complete else SO_FAR})

    async def reports(self) -> AsyncIterator[FromVenue]:
        """What the venue says until the connection ends, which is raised."""
        while True:
            while self._said:
                yield self._said.popleft()
            if self._end is not None:
                raise self._end
            self._wake.clear()
            await self._wake.wait()

    async def close(self) -> None:
        """Closes the WebSocket."""
        self._finish(VenueGone("closed here"))
        self._reader.cancel()
        await asyncio.gather(self._reader, return_exceptions=True)
        await self._socket.close()

    def _question(self, question: dict[str, Any]) -> None:
        self._questions.append(question)
        if len(self._questions) == 1:
            self._asking = asyncio.ensure_future(self._put_questions())

    async def _put_questions(self) -> None:
        questions, self._questions = self._questions, []
        try:
            for question in questions:
                await self._say(question)
        except (VenueGone, SessionLost) as error:
            self._finish(error)

    async def _say(self, message: dict[str, Any]) -> None:
        if self._end is not None:
            raise self._end
        try:
            await self._socket.send_str(msgspec.json.encode(message).decode())
        except (ClientError, ConnectionError, RuntimeError) as error:
            raise VenueGone(f"{self._venue} has gone: {error!r}") from error

    async def _read(self) -> None:
        try:
            async for message in self._socket:
                if message.type is WSMsgType.TEXT:
                    self._hear(_decoder.decode(message.data))
        except (ClientError, ConnectionError) as error:
            log.warning("%s: %r", self._venue, error)
        except msgspec.MsgspecError as error:
            self._finish(VenueGone(f"{self._venue} says what is not understood: {error}"))
        if self._socket.close_code == CLOSE_TAKEN:
            self._finish(SessionLost(f"another logon took the session {self._logon['session']}"))
        self._finish(VenueGone(f"{self._venue} closed the connection"))

    def _hear(self, heard: _Heard) -> None:
        match heard.op:
            case "report":
                self._take_report(heard)
            case "status":
                self._take_status(heard)
            case "trading_session" if heard.status is not None:
                self._take(
                    SetTradingSession(
                        venue=self._venue, status=heard.status, trading_date=heard.trading_date
                    )
                )
            case "refused":
                self._take(_refusal(heard))
            case "position":
                self._take(self._fills.weighed(_statement(heard, self._venue)))
            case "logged_on":
                self._epoch = heard.session_epoch
                self._logged_on.set_result(None)
            case "error":
                self._finish(VenueGone(f"{self._venue} refuses: {heard.code} {heard.text}"))
            case _:
                pass

    def _take_status(self, heard: _Heard) -> None:
        if heard.request_id:
            works = heard.order is not None and heard.order.leaves_qty > 0
            held = None if works else self._fills.told_all(heard.cl_id)
            if heard.order is not None and works:
                self._take(_proof(heard, heard.order, self._venue, self._epoch))
            elif held is not None:
                self._take(held)
            return
        answer = self._queries.popleft()
        if not answer.done():
            answer.set_result(heard.found)

    def _take_report(self, heard: _Heard) -> None:
        if heard.exec_type is None:
            raise msgspec.ValidationError("a report without exec_type")
        if heard.exec_type is ExecType.REJECTED and heard.text == DUPLICATE:
            log.error("%s: %s was sent again while it works", self._venue, heard.cl_id)
            return
        report = _command(heard, self._venue)
        if self._fills.is_missing_some(report, heard.cum_qty):
            log.warning("%s: a fill of %s is missing at its end", self._venue, heard.cl_id)
            question = {"op": "status", "cl_id": heard.cl_id, "request_id": heard.cl_id}
            self._question(question)
            return
        self._take(report)

    def _take(self, said: FromVenue) -> None:
        self._said.append(said)
        self._wake.set()

    def _finish(self, why: SessionLost | VenueGone) -> None:
        if self._end is not None:
            return
        self._end = why
        for query in self._queries:
            _fail(query, why)
        _fail(self._logged_on, why)
        self._queries.clear()
        self._wake.set()


def _fail(future: "asyncio.Future[Any]", why: Exception) -> None:
    """Ends a future with an error that nobody has to fetch."""
    if not future.done():
        future.set_exception(why)
        future.exception()


def _message(request: VenueRequest) -> dict[str, Any]:
    match request.action:
        case VenueAction.NEW:
            return {
                "op": "new",
                "cl_id": request.order_id,
                "symbol": request.symbol,
                "side": request.side,
                "ord_type": request.ord_type,
                "time_in_force": request.time_in_force,
                "qty": request.order_qty,
                "price": request.price,
                "stop_px": request.stop_px,
                "display_qty": request.display_qty,
                "is_post_only": request.is_post_only,
                "expire_ns": request.expire_ns,
                "valid_until_ns": request.send_by_ns,
            }
        case VenueAction.CANCEL:
            return {"op": "cancel", "cl_id": request.order_id, "request_id": request.request_id}
        case VenueAction.REPLACE:
            return {
                "op": "replace",
                "cl_id": request.order_id,
                "request_id": request.request_id,
                "qty": request.order_qty,
                "price": request.price,
                "stop_px": request.stop_px,
            }
        case VenueAction.STATUS:
            raise AssertionError("a question is asked, not sent")


def _command(heard: _Heard, venue: str) -> ApplyVenueReport:
    assert heard.exec_type is not None
    return ApplyVenueReport(
        venue=venue,
        order_id=heard.cl_id,
        request_id=heard.request_id,
        venue_order_id=heard.venue_order_id,
        exec_id=heard.exec_id,
        exec_no=heard.exec_no,
        exec_type=heard.exec_type,
        last_qty=heard.last_qty,
        last_px=heard.last_px,
        order_qty=heard.qty,
        price=heard.price,
        text=heard.text,
        exec_ref_id=heard.exec_ref_id,
        fee_e8=heard.fee_e8,
        fee_currency=heard.fee_currency,
        symbol="" if heard.side is None else heard.symbol,
        side=heard.side or Side.BUY,
    )


def _refusal(heard: _Heard) -> NotDone | InDoubt:
    if heard.code == NOT_DONE:
        return NotDone(heard.request_id, heard.retry_ms / 1000)
    return InDoubt(heard.request_id)


def _statement(heard: _Heard, venue: str) -> StatePosition:
    return StatePosition(
        venue=venue,
        epoch=0,
        symbol=heard.symbol,
        exec_no=heard.last,
        qty=heard.qty,
        open_buy_qty=heard.open_buy_qty,
        open_sell_qty=heard.open_sell_qty,
        is_complete=heard.request_id == COMPLETE,
    )


def _proof(heard: _Heard, order: _State, venue: str, epoch: int) -> ApplyVenueReport:
    """That an order works, as its venue says now: new proof for each question and execution."""
    return ApplyVenueReport(
        venue=venue,
        order_id=heard.cl_id,
        request_id="",
        venue_order_id=order.venue_order_id,
        exec_id=f"STATUS-{epoch}-{heard.request_id}-{order.last_exec_no}",
        exec_no=0,
        exec_type=ExecType.NEW,
        last_qty=0,
        last_px=0,
        order_qty=order.qty,
        price=order.price,
        text="",
    )
