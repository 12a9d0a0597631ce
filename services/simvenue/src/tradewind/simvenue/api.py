# SPDX-License-Identifier: Apache-2.0
"""HTTP for outsiders: the book, the orders, the trades, the public feed."""

import asyncio
import hmac
from collections.abc import Callable
from typing import Any

import msgspec
from aiohttp import WSMsgType, web

from tradewind.simvenue import admin
from tradewind.simvenue.exchange.edge import ExchangeEdge
from tradewind.simvenue.market import Market
from tradewind.simvenue.orders import state_of
from tradewind.simvenue.session import Sessions
from tradewind.simvenue.venue import BadAdministration, Venue

DEPTH_MAX = 1000
LIST_MAX = 10_000


class Api:
    """Handlers of everything but the sessions."""

    def __init__(
        self, venue: Venue, market: Market, key: str, status: Callable[[], dict[str, Any]]
    ) -> None:
        self._venue = venue
        self._market = market
        self._key = key
        self._status = status

    def build(self, sessions: Sessions, exchange: ExchangeEdge) -> web.Application:
        """The application with all routes."""
        application = web.Application()
        application.add_routes(
            [
                web.get("/livez", self._live),
                web.get("/readyz", self._live),
                web.get("/session", sessions.serve),
                web.get("/feed", self._feed),
                web.get("/v1/status", self._get_status),
                web.get("/v1/book", self._get_book),
                web.get("/v1/orders", self._get_orders),
                web.get("/v1/trades", self._get_trades),
                web.post("/v1/admin", self._administer),
                *exchange.routes(),
            ]
        )
        return application

    async def _administer(self, request: web.Request) -> web.Response:
        """What people at the venue do; whoever has the clients' key is one of them."""
        given = request.headers.get("Venue-Key", "")
        if not hmac.compare_digest(given.encode(), self._key.encode()):
            raise _bad(web.HTTPForbidden, "WRONG_KEY", "the header Venue-Key is not the key")
        try:
            message = admin.decoder.decode(await request.read())
            self._venue.administer(message)
        except msgspec.MsgspecError as error:
            raise _bad(web.HTTPBadRequest, "BAD_MESSAGE", str(error)) from error
        except BadAdministration as error:
            raise _bad(web.HTTPUnprocessableEntity, error.code, error.text) from error
        return _json({"ok": True, "last_exec_no": self._venue.exchange.records.last_exec_no})

    async def _live(self, request: web.Request) -> web.Response:
        return _json({"ok": True})

    async def _get_status(self, request: web.Request) -> web.Response:
        return _json(self._status())

    async def _get_book(self, request: web.Request) -> web.Response:
        return _json(self._market.depth(_number(request, "depth", 10, DEPTH_MAX)))

    async def _get_orders(self, request: web.Request) -> web.Response:
        working = list(self._venue.exchange.records.working.values())[:LIST_MAX]
        return _json({"orders": [{"session": o.session, "state": state_of(o)} for o in working]})

    async def _get_trades(self, request: web.Request) -> web.Response:
        after = _number(request, "after", 0, 2**62)
        return _json({"trades": [t for t in self._market.trades if t["trade_no"] > after]})

    async def _feed(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(heartbeat=5.0)
        await socket.prepare(request)
        queue = self._market.subscribe()
        reader = asyncio.ensure_future(_until_closed(socket))
        try:
            while not reader.done():
                item = asyncio.ensure_future(queue.get())
                await asyncio.wait({item, reader}, return_when=asyncio.FIRST_COMPLETED)
                if not item.done():
                    item.cancel()
                    break
                data = item.result()
                if data is None:
                    break
                await socket.send_str(data.decode())
        except ConnectionError:
            pass
        finally:
            self._market.unsubscribe(queue)
            reader.cancel()
            await socket.close()
        return socket


async def _until_closed(socket: web.WebSocketResponse) -> None:
    async for message in socket:
        if message.type is WSMsgType.ERROR:
            return


def _number(request: web.Request, name: str, default: int, most: int) -> int:
    text = request.query.get(name, str(default))
    if not text.isdecimal() or len(text) > 19:
        raise _bad(web.HTTPBadRequest, "BAD_NUMBER", f"{name} must be a whole number")
    return min(int(text), most)


def _bad(kind: type[web.HTTPError], code: str, text: str) -> web.HTTPError:
    body = {"error": {"code": code, "text": text}}
    return kind(body=msgspec.json.encode(body), content_type="application/json")


def _json(body: dict[str, Any]) -> web.Response:
    return web.Response(body=msgspec.json.encode(body), content_type="application/json")
