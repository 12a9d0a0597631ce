# SPDX-License-Identifier: Apache-2.0
"""The REST side: signed requests in, answers with stable codes out."""

import asyncio
import logging
import re
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute

from tradewind.common import trace
from tradewind.core.commands import Command, SetTradingState
from tradewind.gateway import openapi, requests, ws
from tradewind.gateway.auth import Authenticator, Key, Signed
from tradewind.gateway.egress import Answer
from tradewind.gateway.errors import Refusal, RefusedRequest, refusal
from tradewind.gateway.instruments import Instruments
from tradewind.gateway.intake import Intake
from tradewind.gateway.journal import InFlight, Journal
from tradewind.gateway.queries import Queries

MAX_LISTED = 1_000

_encode = msgspec.json.Encoder().encode
_log = logging.getLogger(__name__)
_account = re.compile(r"[A-Za-z0-9_-]{1,32}")
_submit = msgspec.json.Decoder(requests.SubmitBody)
_replace = msgspec.json.Decoder(requests.ReplaceBody)
_trading_state = msgspec.json.Decoder(requests.TradingStateBody)

T = TypeVar("T")
Endpoint = Callable[[Request], Awaitable[Response]]


class Waiter:
    """Turns a listener's calls into two futures for one REST call."""

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self.durable: asyncio.Future[Refusal | None] = loop.create_future()
        self.answer: asyncio.Future[Answer] = loop.create_future()

    def on_durable(self, request: InFlight) -> None:
        """The entry is stored."""
        if not self.durable.done():
            self.durable.set_result(None)

    def on_failed(self, request: InFlight, why: Refusal) -> None:
        """The entry is not stored, or nobody knows."""
        if not self.durable.done():
            self.durable.set_result(why)

    def on_answered(self, request: InFlight, answer: Any) -> None:
        """The entry's first output is here."""
        if not self.answer.done():
            self.answer.set_result(answer)


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    """The REST endpoints and what they need."""

    authenticator: Authenticator
    intake: Intake
    journal: Journal
    queries: Queries
    instruments: Instruments
    shards: int
    answer_wait_ms: int
    is_ready: Callable[[], bool]
    facts: Callable[[], dict[str, Any]]

    async def submit(self, request: Request) -> Response:
        """POST /v1/orders."""
        key, body = await self._signed(request, "trade")
        fields = _decoded(body, _submit)
        return await self._order(request, key, requests.Submit(**_as_dict(fields)))

    async def replace(self, request: Request) -> Response:
        """PUT /v1/orders/{cl_ord_id}."""
        key, body = await self._signed(request, "trade")
        fields = _decoded(body, _replace)
        if key.permits("trade", fields.account) is None:
            orig = request.path_params["cl_ord_id"]
            if self.instruments.grid_of_order(fields.account, orig) is None:
                await self.queries.order(fields.account, orig)
        return await self._order(request, key, self._of_path(request, "replace", _as_dict(fields)))

    async def cancel(self, request: Request) -> Response:
        """DELETE /v1/orders/{cl_ord_id}?account=..&request_id=.."""
        key, _body = await self._signed(request, "trade")
        query = request.query_params
        fields = {"account": query.get("account"), "cl_ord_id": query.get("request_id")}
        return await self._order(request, key, self._of_path(request, "cancel", fields))

    async def orders(self, request: Request) -> Response:
        """GET /v1/orders?account=&open_only=&limit=."""
        key, account = await self._reader(request)
        query = request.query_params
        limit = query.get("limit", "500")
        if not (limit.isascii() and limit.isdigit() and 1 <= int(limit[:9]) <= MAX_LISTED):
            raise RefusedRequest(refusal("INVALID_FIELD", f"limit is 1 to {MAX_LISTED}."))
        is_open_only = query.get("open_only", "false").lower() in ("true", "1")
        found = await self.queries.orders(key, account, is_open_only=is_open_only, limit=int(limit))
        return _json(200, {"orders": found})

    async def order(self, request: Request) -> Response:
        """GET /v1/orders/{cl_ord_id}?account=."""
        _key, account = await self._reader(request)
        if account is None:
            raise RefusedRequest(refusal("MISSING_FIELD", "account is needed."))
        found = await self.queries.order(account, request.path_params["cl_ord_id"])
        return _json(200, {"order": found})

    async def positions(self, request: Request) -> Response:
        """GET /v1/positions?account=."""
        key, account = await self._reader(request)
        return _json(200, {"positions": await self.queries.positions(key, account)})

    async def list_instruments(self, request: Request) -> Response:
        """GET /v1/instruments."""
        await self._signed(request, "read")
        return _json(200, {"instruments": self.instruments.all()})

    async def status(self, request: Request) -> Response:
        """GET /v1/status."""
        await self._signed(request, "read")
        return _json(200, {"gateway": self.facts(), "shards": await self.queries.states()})

    async def set_trading_state(self, request: Request) -> Response:
        """POST /v1/admin/trading-state: one entry on every shard, all named in the answer."""
        key, body = await self._signed(request, "admin")
        fields = _decoded(body, _trading_state)
        command = SetTradingState(
            scope=fields.scope, state=fields.state, actor=key.client, reason=fields.reason
        )
        traceparent = trace.accepted(request.headers.get(trace.HEADER))
        results = await asyncio.gather(
            *(self._journaled(shard, command, traceparent) for shard in range(self.shards))
        )
        shards = [
            {"shard": shard, "seq": seq, "outcome": "accepted" if answer else "durable"}
            if failed is None
            else {"shard": shard, "seq": None, **failed.body()}
            for shard, (failed, seq, answer) in enumerate(results)
        ]
        failures = [failed for failed, _seq, _answer in results if failed is not None]
        is_done = all(answer for _failed, _seq, answer in results)
        answer: dict[str, Any] = {"outcome": "accepted" if is_done else "durable", "shards": shards}
        if failures:
            answer = {"shards": shards, **failures[0].body()}
        status = failures[0].http_status if failures else (200 if is_done else 202)
        return _json(status, answer, traceparent)

    async def livez(self, request: Request) -> Response:
        """GET /livez: the main loop turns."""
        return _json(200, {"ok": True})

    async def readyz(self, request: Request) -> Response:
        """GET /readyz: requests would be served."""
        if not self.is_ready():
            raise RefusedRequest(refusal("NOT_READY"))
        return _json(200, {"ok": True})

    async def openapi_document(self, request: Request) -> Response:
        """GET /v1/openapi.json."""
        return _json(200, openapi.DOCUMENT)

    async def _signed(self, request: Request, scope: str) -> tuple[Key, bytes]:
        body = await _body(request)
        headers, query = request.headers, request.scope["query_string"]
        path: bytes = request.scope["raw_path"] + (b"?" + query if query else b"")
        signed = Signed(
            key_id=headers.get("tw-key", ""),
            timestamp=headers.get("tw-timestamp", ""),
            nonce=headers.get("tw-nonce", ""),
            signature=headers.get("tw-signature", ""),
            method=request.method,
            path=path.decode("latin-1"),
            body=body,
        )
        key = _accepted(self.authenticator.check(signed))
        refused = key.permits(scope)
        if refused is not None:
            raise RefusedRequest(refused)
        return key, body

    async def _reader(self, request: Request) -> tuple[Key, str | None]:
        key, _body = await self._signed(request, "read")
        account = request.query_params.get("account")
        if account is not None:
            if not _account.fullmatch(account):
                raise RefusedRequest(refusal("INVALID_FIELD", "account is not an account name."))
            refused = key.permits("read", account)
            if refused is not None:
                raise RefusedRequest(refused)
        return key, account

    def _of_path(self, request: Request, tag: str, fields: dict[str, Any]) -> Any:
        message = {"type": tag, "orig_cl_ord_id": request.path_params["cl_ord_id"], **fields}
        return _accepted(requests.decode_order_request(_encode(message)))

    async def _order(
        self, request: Request, key: Key, order_request: requests.OrderRequest
    ) -> Response:
        if not self.is_ready():
            raise RefusedRequest(refusal("NOT_READY"))
        command = self.intake.command(key, order_request)
        if isinstance(command, Refusal):
            raise RefusedRequest(command)
        traceparent = trace.accepted(request.headers.get(trace.HEADER))
        shard = self.journal.shard_of(command.account)
        failed, seq, answer = await self._journaled(shard, command, traceparent)
        body: dict[str, Any] = {"cl_ord_id": command.cl_ord_id}
        if failed is not None:
            return _json(failed.http_status, body | failed.body(), traceparent)
        body |= {"shard": shard, "seq": seq}
        if answer is None:
            return _json(202, {"outcome": "durable", **body}, traceparent)
        report = msgspec.Raw(answer.report)
        return _json(200, {"outcome": answer.outcome, **body, "report": report}, traceparent)

    async def _journaled(
        self, shard: int, command: Command, traceparent: str
    ) -> tuple[Refusal | None, int, Answer | None]:
        waiter = Waiter()
        in_flight = self.journal.publish(shard, command, waiter, traceparent)
        if isinstance(in_flight, Refusal):
            return in_flight, 0, None
        failed = await waiter.durable
        if failed is not None:
            return failed, 0, None
        try:
            async with asyncio.timeout(self.answer_wait_ms / 1000):
                return None, in_flight.seq, await waiter.answer
        except TimeoutError:
            return None, in_flight.seq, None


def build(api: Api, sessions: ws.Sessions) -> Starlette:
    """The ASGI application."""
    routes: list[tuple[str, str, Endpoint]] = [
        ("POST", "/v1/orders", api.submit),
        ("GET", "/v1/orders", api.orders),
        ("GET", "/v1/orders/{cl_ord_id}", api.order),
        ("PUT", "/v1/orders/{cl_ord_id}", api.replace),
        ("DELETE", "/v1/orders/{cl_ord_id}", api.cancel),
        ("GET", "/v1/positions", api.positions),
        ("GET", "/v1/instruments", api.list_instruments),
        ("GET", "/v1/status", api.status),
        ("POST", "/v1/admin/trading-state", api.set_trading_state),
        ("GET", "/v1/openapi.json", api.openapi_document),
        ("GET", "/livez", api.livez),
        ("GET", "/readyz", api.readyz),
    ]
    return Starlette(
        routes=[
            *(Route(path, _guarded(call), methods=[method]) for method, path, call in routes),
            WebSocketRoute(ws.PATH, sessions.endpoint),
        ],
        exception_handlers={HTTPException: _on_http_exception},
    )


def _guarded(endpoint: Endpoint) -> Endpoint:
    """Nothing but JSON with a stable code leaves, whatever happens inside."""

    async def guarded(request: Request) -> Response:
        try:
            return await endpoint(request)
        except RefusedRequest as error:
            return _json(error.refusal.http_status, error.refusal.body())
        except ClientDisconnect:
            return Response(status_code=499)
        except Exception:
            incident = secrets.token_hex(8)
            _log.exception("INTERNAL incident %s at %s", incident, request.url.path)
            internal = refusal("INTERNAL", f"Incident {incident}.")
            return _json(internal.http_status, internal.body())

    return guarded


async def _on_http_exception(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    code = "METHOD_NOT_ALLOWED" if error.status_code == 405 else "NOT_FOUND"
    refused = refusal(code)
    return _json(refused.http_status, refused.body())


async def _body(request: Request) -> bytes:
    """The body, read no further than its limit."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > requests.MAX_BODY_BYTES:
            raise RefusedRequest(refusal("BODY_TOO_LARGE"))
    return bytes(body)


def _accepted(value: T | Refusal) -> T:
    if isinstance(value, Refusal):
        raise RefusedRequest(value)
    return value


def _decoded(body: bytes, decoder: "msgspec.json.Decoder[T]") -> T:
    decoded = requests.decode(body, decoder)
    if isinstance(decoded, Refusal):
        raise RefusedRequest(decoded)
    return decoded


def _as_dict(struct: msgspec.Struct) -> dict[str, Any]:
    return {name: getattr(struct, name) for name in struct.__struct_fields__}


def _json(status: int, body: Any, traceparent: str | None = None) -> Response:
    headers = {trace.HEADER: traceparent} if traceparent else None
    return Response(_encode(body), status, headers, "application/json")
