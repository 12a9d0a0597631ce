# SPDX-License-Identifier: Apache-2.0
"""A real simulated venue in a process of its own, on a port that the kernel chose."""

import asyncio
import json
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import ClientSession, ClientWebSocketResponse

LISTENING = re.compile(r" listening on ([0-9.]+):(\d+)")
FIX = re.compile(r"FIX clients are served on ([0-9.]+):(\d+)")
START_TIMEOUT_S = 20.0
ANSWER_TIMEOUT_S = 10.0
KEY = "venue-key"
COPY_KEY = "copy-key"


class VenueProcess:
    """One life of the venue."""

    def __init__(self, process: asyncio.subprocess.Process, port: int, fix_port: int) -> None:
        self.process = process
        self.port = port
        self.fix_port = fix_port
        self.fix = f"fix://127.0.0.1:{fix_port}"
        self.http = f"http://127.0.0.1:{port}"
        self.url = f"ws://127.0.0.1:{port}"

    async def kill(self) -> None:
        """Kills it without a word."""
        self.process.kill()
        await self.process.wait()

    async def status(self) -> dict[str, Any]:
        """What it says of itself."""
        async with ClientSession() as http, http.get(f"{self.http}/v1/status") as answer:
            return json.loads(await answer.read())  # type: ignore[no-any-return]

    async def administer(self, **message: Any) -> dict[str, Any]:
        """Does what people at the venue do."""
        body, headers = json.dumps(message), {"Venue-Key": KEY}
        url = f"{self.http}/v1/admin"
        async with ClientSession() as http, http.post(url, data=body, headers=headers) as answer:
            return json.loads(await answer.read())  # type: ignore[no-any-return]


@asynccontextmanager
async def venue_process(
    state_dir: Path,
    *,
    flow: str = "none",
    port: int = 0,
    fix_port: int = 0,
    symbol: str = "BTC-USD",
) -> AsyncIterator[VenueProcess]:
    """Starts a venue and ends it."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tradewind.simvenue",
        stderr=asyncio.subprocess.PIPE,
        env={
            "TRADEWIND_HTTP_PORT": str(port),
            "TRADEWIND_FIX_PORT": str(fix_port),
            "TRADEWIND_STATE_DIR": str(state_dir),
            "TRADEWIND_FLOW": flow,
            "TRADEWIND_SYMBOL": symbol,
            "TRADEWIND_VENUE_KEY": KEY,
            "TRADEWIND_DROP_COPY_KEY": COPY_KEY,
        },
    )
    assert process.stderr is not None
    try:
        async with asyncio.timeout(START_TIMEOUT_S):
            bound = await _port(process.stderr, LISTENING)
            bound_fix = await _port(process.stderr, FIX)
        drain = asyncio.ensure_future(process.stderr.read())
        yield VenueProcess(process, bound, bound_fix)
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()
    await drain


async def _port(lines: asyncio.StreamReader, said: re.Pattern[str]) -> int:
    """The port that the venue says it listens on."""
    while True:
        line = (await lines.readline()).decode()
        assert line, "the venue ended before it listened"
        found = said.search(line)
        if found is not None:
            return int(found[2])


class Client:
    """A client's end of a session, as a test drives it."""

    def __init__(self, socket: ClientWebSocketResponse) -> None:
        self.socket = socket

    async def say(self, **message: Any) -> None:
        """Sends one message."""
        await self.socket.send_str(json.dumps(message))

    async def hear(self) -> dict[str, Any]:
        """The next message."""
        return json.loads(await self.socket.receive_str(timeout=ANSWER_TIMEOUT_S))  # type: ignore[no-any-return]

    async def log_on(self, session: str = "tester") -> int:
        """Takes the session and asks for new reports."""
        await self.say(op="logon", session=session, key=KEY)
        answer = await self.hear()
        assert answer["op"] == "logged_on"
        return int(answer["session_epoch"])

    async def order(self, cl_id: str, side: str = "BUY", **changes: Any) -> None:
        """Sends a limit order."""
        terms = {"ord_type": "LIMIT", "time_in_force": "GTC", "qty": 10, "price": 100}
        await self.say(op="new", cl_id=cl_id, symbol="BTC-USD", side=side, **{**terms, **changes})


@asynccontextmanager
async def client(venue: VenueProcess) -> AsyncIterator[Client]:
    """A WebSocket to the venue's session endpoint, not logged on."""
    async with ClientSession() as http, http.ws_connect(f"{venue.url}/session") as socket:
        yield Client(socket)
