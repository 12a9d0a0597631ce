# SPDX-License-Identifier: Apache-2.0
"""Two connectors: one works, the other stands by, and takes over when it must."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from time import monotonic

import msgspec
import pytest

from tests.integration.venue.desk import DEADLINE_S, open_desk, order
from tests.integration.venue.test_connector import ORDERS, TOLD, require_once_and_complete
from tradewind.common import subjects
from tradewind.common.lease import Holder
from tradewind.common.testing import eventually
from tradewind.core.types import ExecType

pytestmark = [pytest.mark.cluster, pytest.mark.anyio]


@pytest.mark.parametrize("is_told", [True, False])
async def test_the_standby_takes_over_from_a_killed_connector(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], is_told: bool
) -> None:
    async with open_desk(tmp_path) as (desk, venue):
        first = desk.start_connector(venue, "venue-0")
        await desk.until_session(1)
        desk.start_connector(venue, "venue-1")
        await desk.until_role("venue-1", "standby")
        await desk.put_many(order(number) for number in range(ORDERS))
        await desk.until_reported(ORDERS // 4, *TOLD)
        first.kill()
        began_s = monotonic()
        if is_told:
            ended = msgspec.json.encode(Holder("venue-0", first.pid))
            desk.bus.tell(subjects.process_ended(), ended)
        await desk.until_session(2)
        with capsys.disabled():
            print(f"\ntaken over after {(monotonic() - began_s) * 1000:.0f} ms, told: {is_told}")
        await desk.until_reported(ORDERS, ExecType.TRADE)
        require_once_and_complete(desk, tmp_path / "sim", ORDERS)


async def test_a_connector_that_ends_by_itself_leaves_its_place_at_once(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as (desk, venue):
        first = desk.start_connector(venue, "venue-0")
        await desk.until_session(1)
        desk.start_connector(venue, "venue-1")
        await desk.until_role("venue-1", "standby")
        first.terminate()
        await desk.until_role("venue-1", "connected")
        assert first.wait() == 0
        assert "not given up" not in desk.log("venue-0")


async def test_who_is_cut_off_from_the_venue_steps_aside_for_one_that_is_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with open_desk(tmp_path) as (desk, venue), wire(venue.port) as cable:
        desk.start_connector(venue, "venue-0", TRADEWIND_VENUE_URL=cable.url)
        await desk.until_session(1)
        desk.start_connector(venue, "venue-1")
        await desk.until_role("venue-1", "standby")
        await desk.put_many(order(number) for number in range(ORDERS))
        await desk.until_reported(ORDERS // 4, *TOLD)
        cable.cut()
        began_s = monotonic()
        await desk.until_session(2)
        with capsys.disabled():
            print(f"\nreached from elsewhere {monotonic() - began_s:.1f} s after the cut")
        await desk.until_role("venue-1", "connected")
        await desk.until_role("venue-0", "standby")
        await desk.until_reported(ORDERS, ExecType.TRADE)
        require_once_and_complete(desk, tmp_path / "sim", ORDERS)
        assert "VENUE_CUT_OFF" in desk.log("venue-0")


async def test_a_standby_does_not_disturb_the_one_that_works(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as (desk, venue):
        desk.start_connector(venue, "venue-0")
        await desk.until_session(1)
        for other in ("venue-1", "venue-2"):
            desk.start_connector(venue, other)
            await desk.until_role(other, "standby")
        await desk.put_many(order(number) for number in range(ORDERS))
        await desk.until_reported(ORDERS, ExecType.TRADE)
        assert desk.sessions() == 1


async def test_a_paused_connector_loses_its_place_and_stops_when_it_wakes(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as (desk, venue):
        first = desk.start_connector(venue, "venue-0")
        await desk.until_session(1)
        desk.start_connector(venue, "venue-1")
        await desk.until_role("venue-1", "standby")
        await desk.put_many(order(number) for number in range(ORDERS))
        await desk.until_reported(ORDERS // 4, *TOLD)
        first.send_signal(signal.SIGSTOP)
        await desk.until_session(2)
        first.send_signal(signal.SIGCONT)
        await eventually(lambda: first.poll() is not None, DEADLINE_S)
        assert first.returncode == 1
        await desk.until_reported(ORDERS, ExecType.TRADE)
        require_once_and_complete(desk, tmp_path / "sim", ORDERS)
        assert desk.sessions() == 2


class Wire:
    """A way to a port of this machine that can be cut: nothing passes, nobody is told."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._is_whole = asyncio.Event()
        self._is_whole.set()
        self._ways: list[asyncio.Task[None]] = []
        self.url = ""

    def cut(self) -> None:
        """From now on nothing passes."""
        self._is_whole.clear()

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serves one connection."""
        to_reader, to_writer = await asyncio.open_connection("127.0.0.1", self._port)
        for way in (self._copy(reader, to_writer), self._copy(to_reader, writer)):
            self._ways.append(asyncio.create_task(way))

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65_536):
                await self._is_whole.wait()
                writer.write(data)
        finally:
            writer.close()

    async def end(self) -> None:
        """Stops carrying."""
        for way in self._ways:
            way.cancel()
        await asyncio.gather(*self._ways, return_exceptions=True)


@asynccontextmanager
async def wire(port: int) -> AsyncIterator[Wire]:
    made = Wire(port)
    server = await asyncio.start_server(made.carry, "127.0.0.1", 0)
    made.url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield made
    finally:
        server.close()
        await made.end()
