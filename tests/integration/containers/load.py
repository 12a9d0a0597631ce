# SPDX-License-Identifier: Apache-2.0
"""A client outside the containers that retries safely, and what it saw.

Requests leave at their times, whatever became of earlier ones. One that fails or is answered
"unknown" or "not ready" is asked again under the same id; only what is never answered is an error.
"""

import asyncio
import contextlib
import secrets
import time
from dataclasses import dataclass, field

from tradewind.cli.client import GatewayClient, GatewayError, GatewaySocket, Message
from tradewind.cli.credentials import Credentials

ACCOUNTS = ("ALPHA", "BETA")
GIVE_UP_S = 30.0
AGAIN_S = 0.02
WS_AGAIN_S = 0.75


@dataclass(slots=True)
class Seen:
    """What became of the requests of one kind."""

    answered_s: list[float] = field(default_factory=list)
    """From the first attempt to the answer."""
    at_s: list[float] = field(default_factory=list)
    """When the answers came."""
    retries: int = 0
    denied: int = 0
    errors: int = 0

    def answer(self, began_s: float, *, is_denied: bool) -> None:
        """A request was answered at last."""
        self.at_s.append(time.monotonic())
        self.answered_s.append(self.at_s[-1] - began_s)
        self.denied += is_denied

    @property
    def longest_silence_s(self) -> float:
        """The longest time in which no answer came."""
        return max((b - a for a, b in zip(self.at_s, self.at_s[1:], strict=False)), default=0.0)

    def line(self) -> str:
        """In words."""
        slowest = max(self.answered_s, default=0.0)
        return (
            f"{len(self.answered_s)} answered, {self.errors} errors, {self.denied} denied, "
            f"{self.retries} retries, slowest {slowest:.2f} s, "
            f"longest silence {self.longest_silence_s:.2f} s"
        )


def order(number: int) -> Message:
    """A small market order, bought and sold by turns so that the position stays where it is."""
    return {
        "account": ACCOUNTS[number // 2 % len(ACCOUNTS)],
        "cl_ord_id": f"load-{secrets.token_hex(6)}",
        "symbol": "BTC-USD",
        "side": "BUY" if number % 2 else "SELL",
        "ord_type": "MARKET",
        "time_in_force": "IOC",
        "order_qty": "0.0001",
        "strategy": "load",
    }


async def rest(url: str, key: Credentials, rate: float, seconds: float) -> Seen:
    """Orders over REST."""
    seen = Seen()
    async with GatewayClient(url, key, timeout_s=2.0) as client, asyncio.TaskGroup() as group:
        for number in range(int(rate * seconds)):
            group.create_task(_submit(client, order(number), seen))
            await asyncio.sleep(1 / rate)
    return seen


async def _submit(client: GatewayClient, request: Message, seen: Seen) -> None:
    began_s = time.monotonic()
    while time.monotonic() - began_s < GIVE_UP_S:
        try:
            answer = await client.submit(request)
        except GatewayError:
            answer = {"outcome": "unknown"}
        if answer["outcome"] in ("accepted", "denied", "duplicate"):
            seen.answer(began_s, is_denied=answer["outcome"] == "denied")
            return
        seen.retries += 1
        await asyncio.sleep(AGAIN_S)
    seen.errors += 1


class Socket:
    """Orders over one WebSocket at a time, which is made anew when it ends."""

    def __init__(self, url: str, key: Credentials) -> None:
        self._url = url
        self._key = key
        self._leaving: set[asyncio.Future[None]] = set()
        self._done = asyncio.Event()
        self._open: dict[str, tuple[Message, float, float]] = {}
        self._socket: GatewaySocket | None = None
        self.seen = Seen()

    async def run(self, rate: float, seconds: float) -> Seen:
        """Sends at `rate`, then waits for what is open."""
        keeping = asyncio.ensure_future(self._keep())
        asking = asyncio.ensure_future(self._ask_again())
        for number in range(int(rate * seconds)):
            request = {"type": "submit", **order(number)}
            self._open[request["cl_ord_id"]] = (request, time.monotonic(), time.monotonic())
            self._send(request)
            self._done.clear()
            await asyncio.sleep(1 / rate)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(GIVE_UP_S):
                await self._done.wait()
        self.seen.errors = len(self._open)
        for task in (keeping, asking):
            task.cancel()
        await asyncio.gather(keeping, asking, *self._leaving, return_exceptions=True)
        if self._socket is not None:
            await self._socket.close()
        return self.seen

    def _send(self, request: Message) -> None:
        if self._socket is not None:
            self._socket.send(request)

    def _hear(self, message: Message) -> None:
        report = message.get("report", message)
        if message.get("type") != "report" or report["cl_ord_id"] not in self._open:
            return
        found = self._open.pop(report["cl_ord_id"])
        if not self._open:
            self._done.set()
        self.seen.answer(found[1], is_denied=report.get("ord_status") == "DENIED")

    async def _keep(self) -> None:
        while True:
            try:
                self._socket = await GatewaySocket.connect(self._url, self._key, self._hear)
            except GatewayError:
                await asyncio.sleep(AGAIN_S)
                continue
            self._resend(0.0)
            await self._socket.closed()
            self._leaving.add(asyncio.ensure_future(self._socket.close()))
            self._socket = None

    async def _ask_again(self) -> None:
        while True:
            await asyncio.sleep(AGAIN_S)
            self._resend(WS_AGAIN_S)

    def _resend(self, after_s: float) -> None:
        now_s = time.monotonic()
        for request, began_s, asked_s in list(self._open.values()):
            if self._socket is not None and now_s - asked_s >= after_s:
                self._open[request["cl_ord_id"]] = (request, began_s, now_s)
                self.seen.retries += 1
                self._send(request)
