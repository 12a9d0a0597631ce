# SPDX-License-Identifier: Apache-2.0
"""Uvicorn inside a service: our signals, our socket, our loop."""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Iterator, Sequence

import uvicorn
from starlette.applications import Starlette

from tradewind.common.errors import SettingsError
from tradewind.common.lifecycle import Stop

MAX_FRAME_BYTES = 32 * 1024
"""One WebSocket frame is handled in one go: this bounds how long that keeps others waiting."""
DRAIN_S = 2
UNREAD_TIMEOUT_MS = 10_000
"""A client that takes no byte for this long is cut off by the kernel, whatever is still queued."""


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are the service's, not the web server's."""
        yield


def bind(host: str, port: int, setting: str = "TRADEWIND_HTTP_PORT") -> socket.socket:
    """The listening socket; `setting` is what names its port.

    Raises:
        SettingsError: PORT_TAKEN, if somebody else listens there.
    """
    listening = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNREAD_TIMEOUT_MS)
    try:
        listening.bind((host, port))
        listening.listen(1024)
    except OSError as error:
        listening.close()
        raise SettingsError(
            f"cannot listen on {host}:{port} ({error.strerror}): "
            f"stop what uses it or set another {setting}",
            code="PORT_TAKEN",
        ) from error
    return listening


async def run(
    application: Starlette,
    listening: socket.socket,
    stop: Stop,
    trusted_proxies: Sequence[str],
    tls: ssl.SSLContext | None,
) -> None:
    """Serves until `stop`, then lets open requests finish.

    Where a client is is what its connection says, or a proxy that is trusted.
    """
    config = uvicorn.Config(
        application,
        loop="none",
        http="httptools",
        ws="websockets-sansio",
        ws_max_size=MAX_FRAME_BYTES,
        ws_per_message_deflate=False,
        ws_ping_interval=10.0,
        ws_ping_timeout=10.0,
        lifespan="off",
        access_log=False,
        log_config=None,
        log_level="warning",
        server_header=False,
        proxy_headers=bool(trusted_proxies),
        forwarded_allow_ips=list(trusted_proxies),
        timeout_graceful_shutdown=DRAIN_S,
    )
    config.load()
    config.ssl = tls  # not made from files: the certificate changes while it serves
    server = _Server(config)
    serving = asyncio.ensure_future(server.serve([listening]))
    stopping = asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
        server.should_exit = True
        await serving
    finally:
        stopping.cancel()
