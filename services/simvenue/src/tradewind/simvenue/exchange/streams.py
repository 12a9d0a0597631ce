# SPDX-License-Identifier: Apache-2.0
"""The WebSocket half: an account's execution reports, and the market's changes.

Any number of connections may hear one account: each replica of a connector has its own.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import msgspec
from aiohttp import WSMsgType, web

from tradewind.simvenue.exchange import errors
from tradewind.simvenue.exchange.account import Accounts
from tradewind.simvenue.exchange.errors import ApiError
from tradewind.simvenue.exchange.events import TOLD, MarketChanges, execution
from tradewind.simvenue.exchange.keys import authenticate
from tradewind.simvenue.market import Market
from tradewind.simvenue.orders import Report
from tradewind.simvenue.venue import Venue

HEARTBEAT_S = 20.0
MARKET_INTERVAL_S = 0.1
BACKLOG_MAX = 100_000
SUBSCRIBE = "userDataStream.subscribe.signature"


class _Call(msgspec.Struct):
    """A message of a client."""

    id: int | str
    method: str
    params: dict[str, Any] | list[str] = {}


_calls = msgspec.json.Decoder(_Call)


class Streams:
    """All connections of both kinds."""

    def __init__(self, venue: Venue, market: Market, accounts: Accounts, key: str) -> None:
        self._venue = venue
        self._market = market
        self._accounts = accounts
        self._key = key
        self._all: set[_Stream] = set()
        self._listeners: defaultdict[str, set[_Stream]] = defaultdict(set)
        venue.faults.cutters.append(self._cut)

    async def serve_account(self, request: web.Request) -> web.WebSocketResponse:
        """A connection that asks to hear its account."""
        return await self._serve(request, self._call)

    async def serve_market(self, request: web.Request) -> web.WebSocketResponse:
        """A connection that hears what it names of the market."""
        telling: list[asyncio.Future[None]] = []

        def subscribe(stream: "_Stream", call: _Call) -> Any:
            if call.method == "SUBSCRIBE":
                names = {str(name).partition("@")[2].partition("@")[0] for name in call.params}
                telling.append(asyncio.ensure_future(self._tell_market(stream, names)))
            return {"id": call.id, "result": None}

        try:
            return await self._serve(request, subscribe)
        finally:
            for task in telling:
                task.cancel()

    def close(self) -> None:
        """Ends all connections: the venue stops."""
        for stream in list(self._all):
            stream.say(None)

    async def _serve(
        self, request: web.Request, answer: Callable[["_Stream", _Call], Any]
    ) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(heartbeat=HEARTBEAT_S)
        await socket.prepare(request)
        stream = _Stream(socket, request.transport)
        self._all.add(stream)
        writer = asyncio.ensure_future(stream.write(self._venue.faults.until_answering))
        try:
            async for message in socket:
                if message.type is not WSMsgType.TEXT:
                    break
                stream.say(answer(stream, _calls.decode(message.data)))
        except msgspec.MsgspecError:
            await socket.close(code=1008, message=b"what was said is not understood")
        finally:
            self._all.discard(stream)
            self._leave(stream)
            writer.cancel()
            await asyncio.gather(writer, return_exceptions=True)
        return socket

    def _call(self, stream: "_Stream", call: _Call) -> Any:
        try:
            if call.method != SUBSCRIBE or not isinstance(call.params, dict):
                raise ApiError(errors.NO_ENDPOINT)
            return {"id": call.id, "status": 200, "result": self._subscribe(stream, call.params)}
        except ApiError as error:
            return {"id": call.id, "status": error.told.status, "error": error.body}

    def _subscribe(self, stream: "_Stream", params: dict[str, Any]) -> dict[str, int]:
        signature = str(params.pop("signature", ""))
        signed = "&".join(f"{name}={params[name]}" for name in sorted(params))
        api_key = str(params.get("apiKey", ""))
        stream.session, _params = authenticate(self._key, api_key, signed, signature)
        if not self._listeners[stream.session]:
            last = self._venue.exchange.records.last_exec_no
            self._venue.receive(stream.session, self._deliver, after=last, back=0)
        self._listeners[stream.session].add(stream)
        return {"subscriptionId": 0}

    def _deliver(self, report: Report) -> None:
        if report.exec_type in TOLD:
            event = {"subscriptionId": 0, "event": execution(report, self._accounts)}
            for stream in self._listeners[report.session]:
                stream.say(event)

    def _leave(self, stream: "_Stream") -> None:
        listeners = self._listeners[stream.session]
        listeners.discard(stream)
        if not listeners:
            self._venue.release(stream.session, self._deliver)
            del self._listeners[stream.session]

    async def _tell_market(self, stream: "_Stream", names: set[str]) -> None:
        changes = MarketChanges(self._market, self._accounts.symbol_id)
        sources = {
            "trade": changes.trades,
            "aggTrade": changes.trades,
            "bookTicker": changes.top,
            "depth": changes.depth,
        }
        chosen = [source for name, source in sources.items() if name in names]
        while True:
            for source in chosen:
                for message in source():
                    stream.say(message)
            await asyncio.sleep(MARKET_INTERVAL_S)

    def _cut(self, session: str) -> None:
        for stream in list(self._all):
            if session in ("", stream.session):
                stream.abort()


class _Stream:
    """One WebSocket; what is queued leaves in order."""

    def __init__(self, socket: web.WebSocketResponse, transport: asyncio.Transport | None) -> None:
        self.session = ""
        self._socket = socket
        self._transport = transport
        self._outgoing: asyncio.Queue[Any] = asyncio.Queue()

    def say(self, message: Any) -> None:
        """Queues a message; None ends the connection. So does a reader that is too slow."""
        if self._outgoing.qsize() > BACKLOG_MAX:
            self.abort()
        else:
            self._outgoing.put_nowait(message)

    def abort(self) -> None:
        """Breaks the connection as a network does."""
        if self._transport is not None:
            self._transport.abort()

    async def write(self, until_answering: Callable[[], Any]) -> None:
        """Sends what is queued."""
        while True:
            message = await self._outgoing.get()
            await until_answering()
            try:
                if message is None:
                    await self._socket.close(code=1001, message=b"the venue stops")
                    return
                await self._socket.send_str(msgspec.json.encode(message).decode())
            except ConnectionError:
                return
