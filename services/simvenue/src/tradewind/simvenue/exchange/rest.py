# SPDX-License-Identifier: Apache-2.0
"""The REST half: finds who asks and what, answers, and plays what a fault says of the answer."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from aiohttp import web

from tradewind.simvenue.exchange import errors
from tradewind.simvenue.exchange.account import Accounts
from tradewind.simvenue.exchange.errors import ApiError, misanswered
from tradewind.simvenue.exchange.keys import Params, authenticate
from tradewind.simvenue.exchange.public import Public
from tradewind.simvenue.faults import Faults, Kind, Misanswered

PATH = "/api/v3/"
SILENCE_S = 30.0

Open = Callable[[Params], Any]
Signed = Callable[[str, Params], Any]


class Rest:
    """One venue's REST endpoints."""

    def __init__(self, public: Public, accounts: Accounts, faults: Faults, key: str) -> None:
        self._faults = faults
        self._key = key
        self._stopping = asyncio.Event()
        self._open: Mapping[str, Open] = {
            "GET ping": public.ping,
            "GET time": public.time,
            "GET exchangeInfo": public.info,
            "GET depth": public.depth,
            "GET trades": public.trades,
            "GET aggTrades": public.agg_trades,
            "GET ticker/bookTicker": public.book_ticker,
        }
        self._signed: Mapping[str, Signed] = {
            "POST order": accounts.new,
            "GET order": accounts.order,
            "DELETE order": accounts.cancel,
            "PUT order/amend/keepPriority": accounts.amend,
            "GET openOrders": accounts.open_orders,
            "GET allOrders": accounts.all_orders,
            "GET myTrades": accounts.my_trades,
            "GET account": accounts.account,
        }

    async def serve(self, request: web.Request) -> web.Response:
        """Answers one request."""
        try:
            response = _json(self._answer(request, (await request.read()).decode()))
        except ApiError as error:
            response = _told(error)
        except Misanswered as fault:
            said = misanswered(fault)
            if said is None:
                return await self._say_nothing(request, fault)
            response = _told(said)
        await self._faults.until_answering()
        return response

    def _answer(self, request: web.Request, body: str) -> Any:
        name = f"{request.method} {request.match_info['tail']}"
        query = request.raw_path.partition("?")[2]
        if name in self._open:
            return self._open[name](dict(parse_qsl(query)))
        if name not in self._signed:
            raise ApiError(errors.NO_ENDPOINT)
        signed, _, signature = (query + body).rpartition("&signature=")
        api_key = request.headers.get("X-MBX-APIKEY", "")
        session, params = authenticate(self._key, api_key, signed, signature)
        return self._signed[name](session, params)

    async def _say_nothing(self, request: web.Request, fault: Misanswered) -> web.Response:
        """The connection breaks without an answer: at once, or after a long silence."""
        if fault.kind is not Kind.CUT:
            with suppress(TimeoutError):
                async with asyncio.timeout(SILENCE_S):
                    await self._stopping.wait()
        if request.transport is not None:
            request.transport.abort()
        return web.Response(status=errors.INTERNAL)

    def close(self) -> None:
        """Ends all silence: the venue stops."""
        self._stopping.set()


def _json(body: Any) -> web.Response:
    return web.Response(body=msgspec.json.encode(body), content_type="application/json")


def _told(error: ApiError) -> web.Response:
    return web.Response(
        status=error.told.status,
        headers=error.headers,
        body=msgspec.json.encode(error.body),
        content_type="application/json",
    )
