# SPDX-License-Identifier: Apache-2.0
"""A receiver of webhooks on loopback: checks what it is sent, keeps it, answers as it is told."""

import asyncio
import hmac
import json
import time
from typing import Any

from aiohttp import web

SECRET = "between-us"
MAX_AGE_S = 300


def is_ours(header: str, body: bytes, secret: str, now_s: float) -> bool:
    """What a receiver has to do before it believes a call: whose it is, and how old."""
    parts = dict(part.split("=", 1) for part in header.split(","))
    signed = f"{parts['t']}.".encode() + body
    digest = hmac.new(secret.encode(), signed, "sha256").hexdigest()
    return hmac.compare_digest(digest, parts["v1"]) and abs(now_s - int(parts["t"])) < MAX_AGE_S


class Receiver:
    """`async with Receiver() as receiver`; `close` and `open` make it absent for a while."""

    def __init__(self) -> None:
        self.calls: list[dict[str, Any]] = []
        self.at_s: list[float] = []
        self.statuses: list[int] = []
        self.is_hanging = False
        self.begun = 0
        self.port = 0
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}/hook?token=secret"

    def events(self, about: str) -> list[str]:
        """What was taken of one alert, in order, repetitions included."""
        return [call["event"] for call in self.calls if call["dedup_key"] == about]

    async def __aenter__(self) -> "Receiver":
        await self.open()
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.close()

    async def open(self) -> None:
        """Listens, at the same address as before."""
        app = web.Application()
        app.router.add_post("/hook", self._take)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port, reuse_address=True)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def close(self) -> None:
        """Is gone."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _take(self, request: web.Request) -> web.Response:
        body = await request.read()
        self.begun += 1
        assert is_ours(request.headers["Tradewind-Signature"], body, SECRET, time.time())
        told = json.loads(body)
        assert request.headers["Idempotency-Key"] == told["notice_id"]
        if self.is_hanging:
            await asyncio.Event().wait()
        status = self.statuses.pop(0) if self.statuses else 204
        if 200 <= status < 300:
            self.at_s.append(time.monotonic())
            self.calls.append(told)
        return web.Response(status=status, headers={"Location": self.url})
