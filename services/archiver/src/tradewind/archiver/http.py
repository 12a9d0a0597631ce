# SPDX-License-Identifier: Apache-2.0
"""The archive's read endpoint: a few questions, and any one SELECT."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tradewind.archiver import reads
from tradewind.archiver.clickhouse import Warehouse, WarehouseError
from tradewind.archiver.consumer import Archiver

BODY_BYTES_MAX = 64 * 1024


class _Query(msgspec.Struct, forbid_unknown_fields=True):
    sql: str
    limit: int = reads.LIMIT_DEFAULT


class Endpoint:
    """Answers reads as JSON; errors as {"error": {"code", "text"}}."""

    def __init__(self, archiver: Archiver, warehouse: Warehouse) -> None:
        self._archiver = archiver
        self._warehouse = warehouse

    def app(self) -> Starlette:
        """The routes."""
        return Starlette(
            routes=[
                Route("/livez", self.livez),
                Route("/readyz", self.readyz),
                Route("/v1/positions", self.positions),
                Route("/v1/summary", self._answers(lambda request: reads.summary(self._warehouse))),
                Route("/v1/sums", self._answers(self._sums)),
                Route("/v1/orders", self._answers(self._orders)),
                Route("/v1/fills", self._answers(self._fills)),
                Route("/v1/query", self.query, methods=["POST"]),
            ]
        )

    async def livez(self, _request: Request) -> Response:
        """The process runs."""
        return _json({"live": True})

    async def readyz(self, _request: Request) -> Response:
        """Everything is followed, and what is read is stored."""
        is_ready = self._archiver.is_ready
        body = {"ready": is_ready, "problem": self._archiver.problem}
        return _json(body, 200 if is_ready else 503)

    async def positions(self, _request: Request) -> Response:
        """The last archived sequence of every stream that is followed; costs nothing to ask."""
        archived, segments = self._archiver.archived, self._archiver.segments
        return _json(
            {
                "streams": [
                    {"stream": stream, "segment": segments[stream], "last": archived[stream]}
                    for stream in sorted(archived)
                ]
            }
        )

    async def query(self, request: Request) -> Response:
        """POST {"sql", "limit"}: any one SELECT."""
        body = bytearray()
        async for part in request.stream():
            body += part
            if len(body) > BODY_BYTES_MAX:
                return _error("TOO_LONG", f"a query has at most {BODY_BYTES_MAX} bytes", 413)
        # A web page of another origin cannot send this type without asking first.
        if request.headers.get("content-type", "").split(";")[0] != "application/json":
            return _error("BAD_QUESTION", "the content type must be application/json", 415)
        try:
            question = msgspec.json.decode(bytes(body), type=_Query)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            return _error("BAD_QUESTION", f"the question was not understood: {error}", 400)
        limit = max(1, min(question.limit, reads.LIMIT_MAX))
        return await _answered(lambda: reads.select(self._warehouse, question.sql, limit))

    def _answers(self, ask: Callable[[Request], dict[str, Any]]) -> Callable[[Request], Any]:
        async def endpoint(request: Request) -> Response:
            return await _answered(lambda: ask(request))

        return endpoint

    def _sums(self, request: Request) -> dict[str, Any]:
        ask = request.query_params
        return reads.sums(
            self._warehouse,
            ask.get("stream", ""),
            ask.get("segment", ""),
            _whole(request, "first", 1),
            _whole(request, "last", 1),
            _whole(request, "block", 1000),
        )

    def _orders(self, request: Request) -> dict[str, Any]:
        return reads.orders(
            self._warehouse, request.query_params.get("account", ""), _limit(request)
        )

    def _fills(self, request: Request) -> dict[str, Any]:
        return reads.fills(
            self._warehouse, request.query_params.get("account", ""), _limit(request)
        )


async def _answered(ask: Callable[[], dict[str, Any]]) -> Response:
    try:
        return _json(await asyncio.to_thread(ask))
    except ValueError as error:
        return _error("BAD_QUESTION", f"the answer cannot be written as JSON: {error}", 400)
    except reads.BadQuestion as error:
        return _error(error.code, error.text, 400)
    except WarehouseError as error:
        return _error(error.code, error.text, 503)


def _whole(request: Request, name: str, default: int) -> int:
    text = request.query_params.get(name, "")
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise reads.BadQuestion(f"{name} must be a whole number")
    return int(text)


def _limit(request: Request) -> int:
    return max(1, min(_whole(request, "limit", reads.LIMIT_DEFAULT), reads.LIMIT_MAX))


def _json(body: dict[str, Any], status: int = 200) -> Response:
    # The standard library writes integers of any size: a notional may have more than 64 bits.
    text = json.dumps(body, default=str, allow_nan=False, separators=(",", ":"))
    return Response(text, status, media_type="application/json")


def _error(code: str, text: str, status: int) -> Response:
    return _json({"error": {"code": code, "text": text}}, status)
