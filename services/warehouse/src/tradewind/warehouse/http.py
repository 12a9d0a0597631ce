# SPDX-License-Identifier: Apache-2.0
"""ClickHouse's HTTP interface, as far as its clients need it to write and to read.

A statement comes as the parameter `query`, the body, or one after the other; `param_NAME` binds
NAME, other parameters are settings, but for those that are about the connection. There are no
sessions, no compression and one user.
"""

import asyncio
import base64
import hmac
import logging

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from tradewind.warehouse.engine import Engine, Failed

log = logging.getLogger(__name__)

USER = "default"
BODY_BYTES_MAX = 256 * 1024 * 1024
_BIND = "param_"
_CONNECTION = frozenset(
    {
        "buffer_size",
        "client_protocol_version",
        "compress",
        "database",
        "enable_http_compression",
        "query",
        "query_id",
        "send_progress_in_http_headers",
        "session_id",
        "wait_end_of_query",
    }
)
"""Parameters that say nothing to an engine in this process."""


class Interface:
    """Answers clients."""

    def __init__(self, engine: Engine, password: str) -> None:
        self._engine = engine
        self._allowed = b"Basic " + base64.b64encode(f"{USER}:{password}".encode())

    def app(self) -> Starlette:
        """The routes."""
        return Starlette(
            routes=[
                Route("/ping", self.ping),
                Route("/", self.run, methods=["GET", "POST"]),
            ]
        )

    async def ping(self, _request: Request) -> Response:
        """It runs."""
        return PlainTextResponse("Ok.\n")

    async def run(self, request: Request) -> Response:
        """Runs a statement."""
        given = request.headers.get("authorization", "").encode()
        if not hmac.compare_digest(given, self._allowed):
            return _refused(516, "AUTHENTICATION_FAILED: user or password is wrong", 401)
        if request.headers.get("content-encoding"):
            return _refused(48, "a compressed body is not understood: send it plain", 415)
        statement = bytearray(request.query_params.get("query", "").encode())
        if statement:
            statement += b"\n"
        async for part in request.stream():
            statement += part
            if len(statement) > BODY_BYTES_MAX:
                return _refused(307, f"a request has at most {BODY_BYTES_MAX} bytes", 413)
        asked = request.query_params
        bound = {name.removeprefix(_BIND): asked[name] for name in asked if name.startswith(_BIND)}
        settings = {
            name: asked[name]
            for name in asked
            if name not in _CONNECTION and not name.startswith(_BIND)
        }
        try:
            answer = await asyncio.to_thread(self._engine.run, bytes(statement), bound, settings)
        except Failed as error:
            return _refused(error.number, error.text, 500)
        return Response(answer, headers={"X-ClickHouse-Summary": "{}"})


def _refused(number: int, text: str, status: int) -> Response:
    headers = {"X-ClickHouse-Exception-Code": str(number)}
    return PlainTextResponse(text, status, headers=headers)
