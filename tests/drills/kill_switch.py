# SPDX-License-Identifier: Apache-2.0
"""One drill of the kill switch, and what was measured in it.

Orders work at three venues and more arrive; one venue hangs, a journal's leader is killed, risk
does not run. Then the firm is killed. What reached the wire, and when, is read from the venues' own
ledgers: no clock but theirs, on one machine, and no word of what is tested.
"""

import asyncio
import json
import signal
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.integration.gateway.conftest import (
    OPERATOR,
    SHARDS,
    SUPERVISOR,
    TRADER,
    Platform,
    started_platform,
)
from tests.integration.simvenue.venue_process import KEY, VenueProcess, venue_process
from tradewind.cli.client import GatewayClient, GatewayError
from tradewind.common import codec, subjects
from tradewind.common.init_job import instrument_body
from tradewind.common.init_job.defaults import limits_of
from tradewind.common.jetstream import KeyValue
from tradewind.common.testing import eventually
from tradewind.core.commands import Command, DefineInstrument, SetReferencePrice

SYMBOLS = {"SIM": "BTC-USD", "EAST": "ETH-USD", "WEST": "SOL-USD"}
HUNG = "WEST"
ACCOUNTS = ("BENCH0", "BENCH1")
KILL = {"scope": "firm", "kill_id": "drill", "reason": "drill"}
CLEAR = {"scope": "firm", "kill_id": "drill", "root_cause": "INC-7"}
NEW_RISK_MS = 100
CANCELS_MS = 1_000
HANG_MS = 60_000
LOAD_PAUSE_S = 0.02
WATCHED_S = 2.0
PATIENCE_S = 60.0
AT_ONCE = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What one drill measured; times are after the kill was asked for."""

    orders: int
    last_new_ms: int
    last_cancel_ms: int
    never_canceled: int
    journaled_ms: int
    unconfirmed: int
    late_fills: int

    def faults(self) -> list[str]:
        """What was not as promised."""
        checks = {
            f"a new order left {self.last_new_ms} ms late": self.last_new_ms > NEW_RISK_MS,
            f"a cancel left {self.last_cancel_ms} ms late": self.last_cancel_ms > CANCELS_MS,
            f"{self.never_canceled} orders were left working": self.never_canceled > 0,
            "no order was unconfirmed: the venue did not hang": not self.unconfirmed,
            "no fill came late: nothing was proved of them": not self.late_fills,
        }
        return [text for text, is_wrong in checks.items() if is_wrong]


class Drill:
    """The platform with three venues."""

    def __init__(self, platform: Platform, venues: dict[str, VenueProcess], folder: Path) -> None:
        self.platform = platform
        self.venues = venues
        self._folder = folder
        self._is_over = False

    async def open(self) -> None:
        """Instruments of the other venues, connectors, a second gateway."""
        for venue, symbol in SYMBOLS.items():
            if venue != "SIM":
                await self._define(venue, symbol)
        self._start_services()
        await self.platform.ready(self.platform.other_url)
        await eventually(self._is_connected, PATIENCE_S, what="sessions with all venues")

    async def enter(self, orders: int) -> None:
        """Orders that work at all venues."""
        async with GatewayClient(self.platform.other_url, TRADER) as trader:
            for first in range(0, orders, AT_ONCE):
                numbers = range(first, min(first + AT_ONCE, orders))
                await asyncio.gather(*(self._surely(trader, order(f"w{n}", n)) for n in numbers))
        await eventually(
            lambda: len(self._told("NEW")) >= orders, PATIENCE_S, what="orders at the venues"
        )

    async def run(self, orders: int) -> Figures:
        """From the faults to the last fill; the scope stays killed."""
        await self.enter(orders)
        load = asyncio.ensure_future(self._keep_entering())
        west = self.venues[HUNG]
        await west.administer(op="fault", kind="fill_after_cancel", count=3, ms=200)
        await west.administer(op="fault", kind="hang", count=1, ms=HANG_MS)
        await asyncio.sleep(0.3)
        dead = await self._kill_leader()
        began_ns = time.time_ns()
        killing = asyncio.ensure_future(self._kill())
        await asyncio.sleep(WATCHED_S)
        await eventually(self._is_journaled, PATIENCE_S, what="the kill in every journal")
        journaled_ms = (time.time_ns() - began_ns) // 1_000_000
        await eventually(self._is_only_hung_unconfirmed, PATIENCE_S, what="what is unconfirmed")
        unconfirmed = len(await self._unconfirmed())
        self._is_over = True
        await asyncio.gather(killing, load)
        await west.administer(op="heal")
        await eventually(self._is_all_confirmed, PATIENCE_S, what="every order's end")
        self.platform.cluster.start_node(dead)
        entered, canceled = self._first("new"), self._first("cancel")
        return Figures(
            orders=len(entered),
            last_new_ms=(max(entered.values()) - began_ns) // 1_000_000,
            last_cancel_ms=(max(canceled.values(), default=0) - began_ns) // 1_000_000,
            never_canceled=len(entered.keys() - canceled.keys()),
            journaled_ms=journaled_ms,
            unconfirmed=unconfirmed,
            late_fills=len(self._told("TRADE")),
        )

    async def outlives_everything(self) -> bool:
        """Whether a new order is refused after every process of the platform was killed."""
        for instance in list(self.platform.processes):
            self.platform.kill(instance)
        for shard in range(SHARDS):
            self.platform.start_replica(shard)
        self.platform.start_gateway()
        self._start_services()
        await self.platform.ready()
        return await self._outcome("after") == "KILLED"

    async def takes_two(self) -> bool:
        """Whether one person cannot clear it, and two can."""
        async with (
            GatewayClient(self.platform.url, OPERATOR) as first,
            GatewayClient(self.platform.url, SUPERVISOR) as second,
        ):
            await first.operate("clear-kill", CLEAR)
            alone = await first.operate("clear-kill", CLEAR)
            is_stopped = await self._outcome("alone") == "KILLED"
            both = await second.operate("clear-kill", CLEAR)
        reason = alone["shards"][0]["report"]["reason"]
        return is_stopped and reason == "SECOND_PERSON_NEEDED" and both["outcome"] == "accepted"

    async def _define(self, venue: str, symbol: str) -> None:
        instrument = DefineInstrument(
            symbol=symbol, venue=venue, tick_size="0.01", lot_size="0.00000001", currency="USD"
        )
        price = SetReferencePrice(symbol=symbol, price=10_000_000)
        limits = [limits_of(account, symbol) for account in ACCOUNTS]
        for shard in range(SHARDS):
            commands: list[Command] = [instrument, *limits, price]
            for command in commands:
                await self._journal(shard, command)
        config = KeyValue(self.platform.bus, "CONFIG")
        await config.put(f"instrument.{symbol}", instrument_body(instrument))

    async def _journal(self, shard: int, command: Command) -> None:
        subject = subjects.journal_subject(shard, command)
        await self.platform.bus.publish(subject, codec.encode(command))

    def _start_services(self) -> None:
        self.platform.start_other_gateway()
        for name, venue in self.venues.items():
            env = {
                "TRADEWIND_VENUE": name,
                "TRADEWIND_VENUE_URL": venue.url,
                "TRADEWIND_VENUE_KEY": KEY,
            }
            self.platform.start("venue", f"venue-{name}", env)

    async def _is_connected(self) -> bool:
        beats = KeyValue(self.platform.bus, "STATUS")
        for name in self.venues:
            beat = await beats.get(subjects.status_key("venue", f"venue-{name}"))
            if beat is None or json.loads(beat.value)["role"] != "connected":
                return False
        return True

    async def _surely(self, trader: GatewayClient, wanted: dict[str, str]) -> None:
        """Sends it again, which is safe, while the journal takes nothing."""

        async def is_entered() -> bool:
            with suppress(GatewayError):
                return bool(await trader.submit(wanted))
            return False

        await eventually(is_entered, PATIENCE_S, what=f"order {wanted['cl_ord_id']}")

    async def _keep_entering(self) -> None:
        """More orders all the time, whatever becomes of them."""

        async def enter(number: int) -> None:
            with suppress(GatewayError):
                await trader.submit(order(f"x{number}", number))

        entering: list[asyncio.Future[None]] = []
        async with GatewayClient(self.platform.other_url, TRADER) as trader:
            while not self._is_over:
                entering.append(asyncio.ensure_future(enter(len(entering))))
                await asyncio.sleep(LOAD_PAUSE_S)
            await asyncio.gather(*entering)

    async def _kill_leader(self) -> str:
        info = await self.platform.bus.api(f"STREAM.INFO.{subjects.journal_stream(0)}")
        leader = str(info["cluster"]["leader"])
        self.platform.cluster.signal_node(leader, signal.SIGKILL)
        return leader

    async def _kill(self) -> None:
        """A journal does not answer: what stops is stopped all the same."""
        async with GatewayClient(self.platform.url, OPERATOR) as operator:
            with suppress(GatewayError):
                await operator.operate("kill", KILL)

    async def _outcome(self, cl_ord_id: str) -> str:
        """What becomes of an order; asked again, under its id, while it is only stored."""

        async def decided() -> str:
            async with GatewayClient(self.platform.url, TRADER) as trader:
                try:
                    answer = await trader.submit(order(cl_ord_id, 0))
                except GatewayError as error:
                    return error.code
            report = answer.get("report")
            return str(report["reason"] or answer["outcome"]) if report else ""

        return str(await eventually(decided, PATIENCE_S, what=f"a decision about {cl_ord_id}"))

    async def _is_journaled(self) -> bool:
        with suppress(GatewayError):
            return {row["shard"] for row in (await self._kills())["kills"]} == set(range(SHARDS))
        return False

    async def _kills(self) -> dict[str, Any]:
        async with GatewayClient(self.platform.url, OPERATOR) as operator:
            return await operator.call("GET", "/v1/admin/kills")

    async def _unconfirmed(self) -> dict[str, str]:
        """The instrument of each order that is listed."""
        return {row["order_id"]: row["symbol"] for row in (await self._kills())["unconfirmed"]}

    async def _is_only_hung_unconfirmed(self) -> bool:
        """All that the hung venue has is listed, maybe with what waits for it, and nothing else."""
        with suppress(GatewayError):
            listed = await self._unconfirmed()
            is_whole = self._first("new", HUNG).keys() <= listed.keys()
            return is_whole and set(listed.values()) == {SYMBOLS[HUNG]}
        return False

    async def _is_all_confirmed(self) -> bool:
        """Nothing is left, and what is booked is what the venues say was traded."""
        with suppress(GatewayError):
            if await self._unconfirmed():
                return False
            async with GatewayClient(self.platform.url, OPERATOR) as operator:
                rows = await operator.positions()
            booked = sum(round(float(row["qty"]) * 10**8) for row in rows)
            traded = sum(int(report["last_qty"]) for report in self._told("TRADE"))
            return booked == traded
        return False

    def _first(self, op: str, venue: str = "") -> dict[str, int]:
        """When a venue first had a request of this kind, by order."""
        found: dict[str, int] = {}
        for line in self._lines(venue):
            message = line.get("msg") or {}
            if line["kind"] == "in" and message["op"] == op:
                found.setdefault(message["cl_id"], line["ts_ns"])
        return found

    def _told(self, exec_type: str) -> list[dict[str, Any]]:
        reports = [line["report"] for line in self._lines() if line["kind"] == "report"]
        return [report for report in reports if report["exec_type"] == exec_type]

    def _lines(self, venue: str = "") -> list[dict[str, Any]]:
        names = [venue] if venue else list(SYMBOLS)
        files = [self._folder / name / "venue.jsonl" for name in names]
        return [json.loads(line) for file in files for line in file.read_text().splitlines()]


def order(cl_ord_id: str, number: int) -> dict[str, str]:
    """An order that works: nobody sells."""
    return {
        "account": ACCOUNTS[number // len(SYMBOLS) % len(ACCOUNTS)],
        "symbol": list(SYMBOLS.values())[number % len(SYMBOLS)],
        "cl_ord_id": cl_ord_id,
        "side": "BUY",
        "ord_type": "LIMIT",
        "time_in_force": "GTC",
        "order_qty": "1",
        "price": str(90_000 + number % 5_000),
        "strategy": "s1",
    }


@asynccontextmanager
async def open_drill(folder: Path) -> AsyncIterator[Drill]:
    """Everything that a drill is about, running."""
    async with AsyncExitStack() as stack:
        venues = {
            name: await stack.enter_async_context(venue_process(folder / name, symbol=symbol))
            for name, symbol in SYMBOLS.items()
        }
        platform = await stack.enter_async_context(started_platform(folder))
        drill = Drill(platform, venues, folder)
        await drill.open()
        yield drill
