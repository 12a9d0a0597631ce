# SPDX-License-Identifier: Apache-2.0
"""A desk whose connector can be replaced while a test goes on."""

import json
import subprocess
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.integration.simvenue.venue_process import VenueProcess
from tests.integration.venue.desk import DEADLINE_S, Desk, open_desk
from tradewind.common.jetstream import KeyValue
from tradewind.common.testing import eventually
from tradewind.core.commands import CancelOrder, SetTradingState
from tradewind.core.events import TradingStateSet
from tradewind.core.types import TradingState

SESSION = "TRADEWIND-0"
READ_LAG_MS = 150
GRID = {"symbol": "BTC-USD", "tick_size": "0.01", "lot_size": "0.00000001"}
PROTOCOLS: dict[str, Callable[[VenueProcess], dict[str, str]]] = {
    "sim": lambda venue: {"TRADEWIND_VENUE_URL": venue.url},
    "fix": lambda venue: {
        "TRADEWIND_VENUE_ADAPTER": "fix",
        "TRADEWIND_VENUE_URL": venue.fix,
        "TRADEWIND_VENUE_PEER": "SIMVENUE",
    },
}
SOON = {
    "TRADEWIND_VENUE_READ_LAG_MS": str(READ_LAG_MS),
    "TRADEWIND_VENUE_ANSWER_TIMEOUT_MS": "2000",
    "TRADEWIND_VENUE_POSITION_EVERY_MS": "1000",
}
QUIET = {"TRADEWIND_VENUE_POSITION_EVERY_MS": "3600000"}
"""No statement of the position between logons: what is lost is found otherwise, or not at all."""
SCOPE = "symbol:BTC-USD"


class Line:
    """Shard 0, its connector, and the venue."""

    def __init__(
        self, desk: Desk, venue: VenueProcess, venue_dir: Path, settings: Mapping[str, str]
    ) -> None:
        self.desk = desk
        self._settings = settings
        self.venue = venue
        self.venue_dir = venue_dir
        self._connector: subprocess.Popen[bytes] | None = None
        self._running: dict[str, str] = {}

    async def ready(self, **more: str) -> None:
        """Leaves nothing of an earlier test: no fault to play, a connector as told, no halt."""
        await self.venue.administer(op="heal")
        is_up = self._connector is not None and self._connector.poll() is None
        if not is_up or self._running != self._with(more):
            await self.connect(**more)
        if self.is_halted:
            await self.resume()

    def kill_connector(self) -> None:
        """Kills it without a word."""
        if self._connector is not None:
            self._connector.kill()
            self._connector.wait()
            self._running = {}

    async def connect(self, **more: str) -> None:
        """Starts a connector, in place of the one that may be there; it has the session then."""
        before = self.desk.sessions()
        self.start(**more)
        await self.until_sessions(before + 1)

    def start(self, **more: str) -> None:
        """Starts a connector, in place of the one that may be there."""
        self.kill_connector()
        self._running = self._with(more)
        self._connector = self.desk.start_connector(self.venue, "venue-0", **self._running)

    def _with(self, more: Mapping[str, str]) -> dict[str, str]:
        return {**SOON, **self._settings, **more}

    async def until_sessions(self, count: int) -> None:
        """Waits until so many sessions were taken."""
        await eventually(lambda: self.desk.sessions() >= count, DEADLINE_S, what="a session")

    async def play(self, kind: str, **more: Any) -> None:
        """Has the venue play a fault."""
        answer = await self.venue.administer(op="fault", kind=kind, **more)
        assert answer.get("ok"), answer

    async def cut(self) -> None:
        """Breaks the connection; another session is taken."""
        before = self.desk.sessions()
        await self.venue.administer(op="cut")
        await self.until_sessions(before + 1)

    async def cancel(self, cl_ord_id: str, account: str = "A") -> None:
        """Cancels an order."""
        request = f"cancel-{cl_ord_id}"
        await self.desk.put(
            CancelOrder(account=account, cl_ord_id=request, orig_cl_ord_id=cl_ord_id, client="test")
        )

    def halts(self) -> list[TradingStateSet]:
        """What the core has halted."""
        events = [event for event in self.desk.events if isinstance(event, TradingStateSet)]
        return [event for event in events if event.actor == "core"]

    async def until_halted(self, count: int) -> TradingStateSet:
        """Waits for so many halts; the last of them."""
        await eventually(lambda: len(self.halts()) >= count, DEADLINE_S, what="a halt")
        return self.halts()[count - 1]

    @property
    def is_halted(self) -> bool:
        """Whether the last word on the instrument was a halt."""
        states = [e.state for e in self.desk.events if isinstance(e, TradingStateSet)]
        return states[-1:] == [TradingState.HALTED]

    async def resume(self) -> None:
        """What an operator does after a halt."""
        state = TradingState.ACTIVE
        command = SetTradingState(scope=SCOPE, state=state, actor="ops", reason="compared")
        await self.desk.put(command)


@asynccontextmanager
async def open_line(folder: Path, protocol: str = "sim", **more: str) -> AsyncIterator[Line]:
    """A desk with a connector that has the session."""
    async with open_desk(folder) as (desk, venue):
        await KeyValue(desk.bus, "CONFIG").put("instrument.BTC-USD", json.dumps(GRID).encode())
        line = Line(desk, venue, folder / "sim", PROTOCOLS[protocol](venue))
        await line.connect(**more)
        yield line
