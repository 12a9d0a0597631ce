# SPDX-License-Identifier: Apache-2.0
"""The page, and a WebSocket that pushes the picture four times a second."""

import asyncio
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.websockets import WebSocket, WebSocketDisconnect

from tradewind.console.watcher import Watcher

PUSH_S = 0.25
CLOSE_FOREIGN = 4403
"""Another site's page may not read orders and positions through a visitor's browser."""
STATIC = Path(__file__).parent / "static"


def web_app(watcher: Watcher) -> Starlette:
    """The console's routes."""

    async def livez(_request: Request) -> Response:
        return PlainTextResponse("alive\n")

    async def readyz(_request: Request) -> Response:
        status = 200 if watcher.is_ready else 503
        return PlainTextResponse("ready\n" if watcher.is_ready else "waiting\n", status)

    async def picture(_request: Request) -> Response:
        return JSONResponse(watcher.picture())

    async def push(socket: WebSocket) -> None:
        origin = socket.headers.get("origin")
        if origin is not None and urlsplit(origin).netloc != socket.headers.get("host"):
            await socket.close(CLOSE_FOREIGN)
            return
        await socket.accept()
        try:
            while True:
                await socket.send_text(msgspec.json.encode(watcher.picture()).decode())
                await asyncio.sleep(PUSH_S)
        except (WebSocketDisconnect, RuntimeError):
            return

    return Starlette(
        routes=[
            Route("/livez", livez),
            Route("/readyz", readyz),
            Route("/v1/picture", picture),
            WebSocketRoute("/v1/live", push),
            Mount("/", StaticFiles(directory=STATIC, html=True)),
        ]
    )
