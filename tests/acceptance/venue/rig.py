# SPDX-License-Identifier: Apache-2.0
"""A venue with an adapter in front of it, as the cases drive them.

One simulated venue speaks every protocol at once. What an adapter is told it says is compared
with the venue's own ledger, which no adapter has a part in.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from aiohttp import ClientSession, ClientWebSocketResponse

from tests.acceptance.venue.requests import SYMBOL, VENUE
from tests.integration.simvenue.venue_process import KEY, Client, VenueProcess
from tradewind.common.testing import eventually
from tradewind.core.commands import ApplyVenueReport
from tradewind.core.events import VenueRequest
from tradewind.core.types import ExecType
from tradewind.simvenue.exchange.keys import secret_of
from tradewind.venue.adapter import FromVenue, SessionLost, VenueAdapter, VenueDialer, VenueGone
from tradewind.venue.dialers import Means, choose
from tradewind.venue.instruments import Instruments
from tradewind.venue.settings import Settings

DEADLINE_S = 10.0
FAR_BACK = 10**6
EXPIRY_MS = 300
_numbers = count(1)


@dataclass(frozen=True)
class Traits:
    """What a protocol can do. Where it cannot, its case asks for a refusal instead.

    `has_sessions`: the venue itself cuts an earlier logon off; else every message expires after
    `expiry_ms`. `replaces_any`: prices and larger quantities too. `has_all_terms`: every order type
    and time in force.
    """

    has_sessions: bool = True
    expiry_ms: int = 0
    replaces_any: bool = True
    has_all_terms: bool = True
    tells_trading_session: bool = True
    tells_amended_trades: bool = True


@dataclass(frozen=True)
class Protocol:
    """One adapter: its name in `dialers`, what it can do, how it is addressed."""

    name: str
    traits: Traits
    settings: Callable[[VenueProcess, str], dict[str, str]]
    account: Callable[[str], str]


def _sim_settings(venue: VenueProcess, session: str) -> dict[str, str]:
    return {
        "TRADEWIND_VENUE_URL": venue.url,
        "TRADEWIND_VENUE_SESSION": session,
        "TRADEWIND_VENUE_KEY": KEY,
    }


def _ccxt_settings(venue: VenueProcess, session: str) -> dict[str, str]:
    key = f"{session}.one"
    return {
        "TRADEWIND_VENUE_EXCHANGE": "binance",
        "TRADEWIND_VENUE_URL": venue.http,
        "TRADEWIND_VENUE_KEY": key,
        "TRADEWIND_VENUE_SECRET": secret_of(KEY, key),
        "TRADEWIND_VENUE_EXPIRY_MS": str(EXPIRY_MS),
    }


def _fix_settings(venue: VenueProcess, session: str) -> dict[str, str]:
    return {
        "TRADEWIND_VENUE_URL": venue.fix,
        "TRADEWIND_VENUE_SESSION": session,
        "TRADEWIND_VENUE_KEY": KEY,
        "TRADEWIND_VENUE_PEER": "SIMVENUE",
    }


EXCHANGE = Traits(
    has_sessions=False,
    expiry_ms=EXPIRY_MS,
    replaces_any=False,
    has_all_terms=False,
    tells_trading_session=False,
    tells_amended_trades=False,
)
PROTOCOLS = {
    "sim": Protocol("sim", Traits(), _sim_settings, lambda session: f"{session}-0"),
    "ccxt": Protocol("ccxt", EXCHANGE, _ccxt_settings, lambda session: session),
    "fix": Protocol("fix", Traits(), _fix_settings, lambda session: f"{session}-0"),
}


class Reserved:
    """How far the numbers of FIX sessions are reserved; the bucket has tests of its own."""

    def __init__(self) -> None:
        self.ceilings: dict[str, int] = {}

    async def raised(self, session: str, at_least: int, by: int) -> int:
        """Reserves numbers."""
        first = max(self.ceilings.get(session, 1), at_least)
        self.ceilings[session] = first + by
        return first


class Rig:
    """One account at a running venue, for one case. The venue's own log is in `folder`/sim."""

    def __init__(
        self, protocol: Protocol, venue: VenueProcess, folder: Path, http: ClientSession
    ) -> None:
        self.protocol = protocol
        self.traits = protocol.traits
        self.venue = venue
        self.session = f"CASE{next(_numbers)}"
        self.account = protocol.account(self.session)
        self._folder = folder
        self._http = http
        self._ids = count(1)
        self._ceilings = Reserved()
        self.deadline_s = DEADLINE_S

    def order_id(self) -> str:
        """A new order's id, of the form that the core gives them."""
        return f"{self.session}-0-{next(self._ids)}"

    def dialer(self, **more: str) -> VenueDialer:
        """As the connector makes it from its environment."""
        instruments = Instruments()
        instruments.define(SYMBOL, "0.01", "0.00000001")
        (self._folder / "password").write_text("unused")
        env = {
            "TRADEWIND_NATS_URLS": "unused",
            "TRADEWIND_NATS_USER": "unused",
            "TRADEWIND_NATS_PASSWORD_FILE": str(self._folder / "password"),
            "TRADEWIND_INSTANCE": "venue-0",
            "TRADEWIND_SHARDS": "1",
            "TRADEWIND_STATE_DIR": str(self._folder),
            "TRADEWIND_VENUE": VENUE,
            "TRADEWIND_VENUE_ADAPTER": self.protocol.name,
            **self.protocol.settings(self.venue, self.session),
            **more,
        }
        settings = Settings.from_env(env)
        means = Means(settings, self._http, instruments, lambda: True, self._ceilings)
        return choose(self.protocol.name)(means)

    async def log_on(self) -> VenueAdapter:
        """A connection, logged on."""
        adapter = await self.dialer().dial(0)
        try:
            await adapter.fence()
        except (SessionLost, VenueGone):
            await adapter.close()
            raise
        return adapter

    @asynccontextmanager
    async def line(self, after: int = 0, back: int = 0) -> AsyncIterator["Line"]:
        """A connection that is logged on and hears reports."""
        adapter = await self.log_on()
        line = Line(adapter, self.deadline_s)
        try:
            await adapter.ask_reports(after, back)
            line.listen()
            yield line
        finally:
            await line.close()

    @asynccontextmanager
    async def counterparty(self) -> AsyncIterator["Counterparty"]:
        """Somebody else at the venue, to trade with, on the venue's own protocol."""
        async with self._http.ws_connect(f"{self.venue.url}/session") as socket:
            other = Counterparty(socket)
            try:
                await other.log_on(f"OTHER-{self.session}")
                yield other
            finally:
                await other.close()

    def ledger(self, order_id: str, kind: str = "report") -> list[dict[str, Any]]:
        """What the venue wrote about an order: its reports, or what came in."""
        lines = [
            json.loads(line)
            for line in (self._folder / "sim" / "venue.jsonl").read_text().splitlines()
        ]
        body = "msg" if kind == "in" else kind
        return [
            line[body]
            for line in lines
            if line["kind"] == kind and line[body].get("cl_id") == order_id
        ]

    def executions(self, order_id: str, kind: ExecType) -> list[dict[str, Any]]:
        """The venue's own executions of one kind."""
        return [report for report in self.ledger(order_id) if report["exec_type"] == kind]

    async def clear(self) -> None:
        """Leaves nothing of this case in the book."""
        async with self._http.get(f"{self.venue.http}/v1/orders") as answer:
            working = json.loads(await answer.read())["orders"]
        for number, item in enumerate(working):
            async with self._http.ws_connect(f"{self.venue.url}/session") as socket:
                owner, cl_id = Client(socket), item["state"]["cl_id"]
                await owner.log_on(item["session"])
                await owner.say(op="cancel", cl_id=cl_id, request_id=f"clear-{cl_id}-{number}")
                await owner.say(op="status", cl_id=cl_id)
                await owner.hear()


class Counterparty(Client):
    """Reads all the time, as whoever does not is taken for dead, however busy the machine is."""

    def __init__(self, socket: ClientWebSocketResponse) -> None:
        super().__init__(socket)
        self._heard: asyncio.Queue[str] = asyncio.Queue()
        self._reading = asyncio.ensure_future(self._read())

    async def hear(self) -> dict[str, Any]:
        async with asyncio.timeout(DEADLINE_S):
            return json.loads(await self._heard.get())  # type: ignore[no-any-return]

    async def close(self) -> None:
        """Reads no more."""
        self._reading.cancel()
        await asyncio.gather(self._reading, return_exceptions=True)

    async def _read(self) -> None:
        async for message in self.socket:
            self._heard.put_nowait(message.data)


class Line:
    """A connection and all that it was told."""

    def __init__(self, adapter: VenueAdapter, deadline_s: float) -> None:
        self.adapter = adapter
        self._deadline_s = deadline_s
        self.heard: list[FromVenue] = []
        self.end: SessionLost | VenueGone | None = None
        self._listening: asyncio.Future[None] | None = None

    def listen(self) -> None:
        """Takes reports from now on."""
        self._listening = asyncio.ensure_future(self._listen())

    async def _listen(self) -> None:
        try:
            async for said in self.adapter.reports():
                self.heard.append(said)
        except (SessionLost, VenueGone) as error:
            self.end = error

    async def send(self, request: VenueRequest) -> VenueRequest:
        """Sends."""
        await self.adapter.send(request)
        return request

    def reports(self, order_id: str, *kinds: ExecType) -> list[ApplyVenueReport]:
        """What was told about an order, each execution once, as the core takes it."""
        once: dict[str, ApplyVenueReport] = {}
        for said in self.heard:
            if isinstance(said, ApplyVenueReport) and said.order_id == order_id:
                once.setdefault(said.exec_id, said)
        return [said for said in once.values() if not kinds or said.exec_type in kinds]

    async def until(self, order_id: str, *kinds: ExecType, count: int = 1) -> ApplyVenueReport:
        """Waits for that many reports of these kinds about an order; the last of them."""

        def told() -> list[ApplyVenueReport]:
            assert self.end is None, self.end
            return self.reports(order_id, *kinds)

        what = f"{count} of {kinds} about {order_id}"
        await eventually(lambda: len(told()) >= count, self._deadline_s, what=what)
        return told()[count - 1]

    async def until_more_than(self, count: int) -> None:
        """Waits until more than `count` things were said."""
        await eventually(lambda: len(self.heard) > count, self._deadline_s, what="one more answer")

    async def until_traded(self, order_id: str, qty: int, except_for: Collection[str] = ()) -> None:
        """Waits until the fills of an order, but those of these ids, are exactly this much."""

        def traded() -> bool:
            fills = self.reports(order_id, ExecType.TRADE)
            return sum(f.last_qty for f in fills if f.exec_id not in except_for) == qty

        await eventually(traded, self._deadline_s, what=f"{qty} traded of {order_id}")

    async def until_ended(self, timeout_s: float = DEADLINE_S) -> SessionLost | VenueGone:
        """Waits for the end of the connection, and says why it ended."""
        await eventually(lambda: self.end is not None, timeout_s, what="the end of the line")
        assert self.end is not None
        return self.end

    async def close(self) -> None:
        """Leaves."""
        if self._listening is not None:
            self._listening.cancel()
            await asyncio.gather(self._listening, return_exceptions=True)
        await self.adapter.close()
