# SPDX-License-Identifier: Apache-2.0
"""Our FIX sessions with an engine that others have written, in both directions."""

import asyncio
import json
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any, cast

import pytest

from tests.acceptance.venue.requests import SYMBOL, new
from tests.acceptance.venue.rig import Line, Reserved
from tests.integration.simvenue.venue_process import venue_process
from tradewind.common.testing import eventually
from tradewind.core.types import ExecType
from tradewind.venue.dialers import Means, choose
from tradewind.venue.instruments import Instruments
from tradewind.venue.settings import Settings

pytestmark = pytest.mark.anyio

DEADLINE_S = 20.0
ORDER = "35=D|11={name}|55=BTC-USD|54=1|60=20260302-10:00:00|38=0.0000001|40=2|44={price}|59=1"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Peer:
    """QuickFIX, as a test sees it."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.said: list[dict[str, str]] = []
        self.reading = asyncio.ensure_future(self._read())

    async def _read(self) -> None:
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            if line.startswith(b"{"):
                self.said.append(json.loads(line))

    def texts(self, kind: str, part: str) -> list[str]:
        """What it said of this kind, with this in it."""
        return [m["text"] for m in self.said if m["kind"] == kind and part in m["text"]]

    async def until(self, kind: str, part: str = "", count: int = 1) -> None:
        """Waits until it has said so."""

        def found() -> bool:
            said = [m for m in self.said if m["kind"] == kind and part in m.get("text", "")]
            return len(said) >= count

        await eventually(found, DEADLINE_S, what=f"{count} {kind} {part}")

    def send(self, line: str) -> None:
        """Has it send a message."""
        assert self.process.stdin is not None
        self.process.stdin.write(line.encode() + b"\n")


@asynccontextmanager
async def quickfix(role: str, folder: Path, port: int) -> AsyncIterator[Peer]:
    """One life of the engine; it is killed at the end."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.integration.venue.quickfix_peer",
        role,
        str(folder),
        str(port),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        cwd=Path(__file__).parents[3],
    )
    peer = Peer(process)
    try:
        await peer.until("started")
        yield peer
    finally:
        process.kill()
        await process.wait()
        await peer.reading


def free_port() -> int:
    """A port that nobody has now."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        return int(listening.getsockname()[1])


def means(folder: Path, port: int, ceilings: Reserved) -> Means:
    """What an adapter is made with."""
    (folder / "password").write_text("unused")
    env = {
        "TRADEWIND_NATS_URLS": "unused",
        "TRADEWIND_NATS_USER": "unused",
        "TRADEWIND_NATS_PASSWORD_FILE": str(folder / "password"),
        "TRADEWIND_INSTANCE": "venue-0",
        "TRADEWIND_SHARDS": "1",
        "TRADEWIND_STATE_DIR": str(folder),
        "TRADEWIND_VENUE": "SIM",
        "TRADEWIND_VENUE_ADAPTER": "fix",
        "TRADEWIND_VENUE_URL": f"fix://127.0.0.1:{port}",
        "TRADEWIND_VENUE_PEER": "QUICK",
    }
    instruments = Instruments()
    instruments.define(SYMBOL, "0.01", "0.00000001")
    no_http = cast(Any, None)
    return Means(Settings.from_env(env), no_http, instruments, lambda: True, ceilings)


async def test_our_initiator_with_quickfix_as_the_venue(tmp_path: Path) -> None:
    port, ceilings = free_port(), Reserved()
    dialer = choose("fix")(means(tmp_path, port, ceilings))
    async with quickfix("acceptor", tmp_path / "quick", port) as peer:
        adapter = await dialer.dial(0)
        await adapter.fence()
        line = Line(adapter, DEADLINE_S)
        await adapter.ask_reports(0, 0)
        line.listen()
        await line.send(new("one"))
        fill = await line.until("one", ExecType.TRADE)
        assert (fill.last_qty, fill.last_px, fill.order_qty) == (10, 100, 10)
        seen = line.reports("one", ExecType.NEW)[0].exec_no
        await line.close()
        await peer.until("logout")
    async with quickfix("acceptor", tmp_path / "quick", port) as peer:
        adapter = await dialer.dial(0)
        await adapter.fence()
        line = Line(adapter, DEADLINE_S)
        await adapter.ask_reports(seen, 0)
        line.listen()
        again = await line.until("one", ExecType.TRADE)
        assert again.exec_id == fill.exec_id
        await line.send(new("two"))
        await line.until("two", ExecType.TRADE)
        await peer.until("admin", "|123=Y|")
        assert len(peer.texts("app", "|35=D|")) == 1
        assert peer.texts("app", "|43=Y|") == []
        await line.close()
    assert ceilings.ceilings["TRADEWIND-0"] == 20_001


async def test_quickfix_as_a_client_of_the_venue(tmp_path: Path) -> None:
    async with venue_process(tmp_path / "sim") as venue:
        folder = tmp_path / "quick"
        async with quickfix("initiator", folder, venue.fix_port) as peer:
            await peer.until("logon")
            peer.send(ORDER.format(name="life", price="7"))
            await peer.until("app", "|150=0|")
            peer.send(
                "35=G|11=less|41=life|55=BTC-USD|54=1|38=0.00000008|40=2|44=6|60=20260302-10:00:00"
            )
            await peer.until("app", "|150=5|")
            peer.send("35=H|11=less|55=BTC-USD|54=1|790=q")
            await peer.until("app", "|150=I|")
            peer.send(ORDER.format(name="kept", price="8"))
            await peer.until("app", "|11=kept|")
            peer.send("35=F|11=end|41=less|55=BTC-USD|54=1|60=20260302-10:00:00")
            await peer.until("app", "|150=4|")
            peer.send("35=V|262=x")
            await peer.until("app", "|35=j|")
        await venue.administer(op="end_day")
        async with quickfix("initiator", folder, venue.fix_port) as peer:
            await peer.until("logon")
            await venue.administer(op="cut")
            await peer.until("logout")
            await peer.until("logon", count=2)
            peer.send(ORDER.format(name="after", price="7"))
            await peer.until("app", "|11=after|")
            assert not peer.texts("admin", "|35=3|")
