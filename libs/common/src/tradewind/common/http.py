# SPDX-License-Identifier: Apache-2.0
"""A small web server inside a service: its own socket, the service's life cycle."""

import asyncio
import contextlib
import socket
from collections.abc import Iterator

import uvicorn
from starlette.applications import Starlette

from tradewind.common.errors import TradewindError
from tradewind.common.lifecycle import Stop


class PortTaken(TradewindError):
    """The port to listen on is another's."""

    code = "PORT_TAKEN"


def listen(host: str, port: int) -> socket.socket:
    """The socket to serve on, taken before anything is started.

    Raises:
        PortTaken: if it cannot be had.
    """
    taken = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        taken.bind((host, port))
    except OSError as error:
        taken.close()
        raise PortTaken(
            f"{host}:{port} cannot be listened on ({error.strerror}): "
            "set TRADEWIND_HTTP_PORT to a free port"
        ) from error
    return taken


async def serve_http(app: Starlette, listening: socket.socket, stop: Stop) -> None:
    """Serves until `stop`; signals stay with the process's own life cycle."""
    server = _Server(
        uvicorn.Config(app, log_config=None, access_log=False, lifespan="off", ws="none")
    )

    async def end() -> None:
        await stop.wait()
        server.should_exit = True

    ending = asyncio.ensure_future(end())
    try:
        await server.serve(sockets=[listening])
    finally:
        ending.cancel()


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
