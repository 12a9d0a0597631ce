# SPDX-License-Identifier: Apache-2.0
"""One chaos run: a suite, a load, faults, healing, and the verdict from the outside."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import aiohttp

from tradewind.cli.chaos import judge, probes, stores, warehouse
from tradewind.cli.chaos.containers import running_containers
from tradewind.cli.chaos.driver import Driver, Running
from tradewind.cli.chaos.history import read
from tradewind.cli.chaos.load import Load
from tradewind.cli.chaos.nemesis import Fault, Nemesis
from tradewind.cli.chaos.processes import running_processes
from tradewind.cli.chaos.report import TIGHT, Ends, Observed, Plan, make_report
from tradewind.cli.chaos.sabotage import SABOTAGES
from tradewind.cli.chaos.scenarios import SCENARIOS, Probe, has_deeds, is_at_rates
from tradewind.cli.chaos.venue_faults import until_settled
from tradewind.cli.chaos.venue_rates import VenueRates
from tradewind.cli.chaos.venue_side import read_venue
from tradewind.cli.chaos.view import View
from tradewind.cli.client import GatewayClient, GatewayError
from tradewind.cli.console_io import err
from tradewind.cli.suite.facts import Facts, SuiteError
from tradewind.cli.verify import JOURNAL_TOO_SHORT, verify
from tradewind.common.errors import TradewindError
from tradewind.common.init_job.defaults import BENCH_ACCOUNTS, INSTRUMENTS
from tradewind.common.jetstream import Bus

DRIVERS = {Driver.PROCESS: running_processes, Driver.DOCKER: running_containers}
SETTLE_S = 30.0
"""So long after the last answer nothing may be open any more."""
STUCK_S = 5.0
BEHIND_NS = 2_000_000_000
"""So far behind the venue the warehouse may be, at rest."""


async def run_chaos(plan: Plan, folder: Path, env: Mapping[str, str]) -> dict[str, Any]:
    """The report of one run, as `tradewind chaos run --json` prints it.

    Raises:
        SuiteError: if the machine or the suite could not be made ready.
    """
    if plan.scenario not in SCENARIOS:
        raise SuiteError(
            f"there is no scenario {plan.scenario!r}: {', '.join(SCENARIOS)}",
            code="UNKNOWN_SCENARIO",
        )
    if plan.sabotage and plan.sabotage not in SABOTAGES:
        raise SuiteError(
            f"there is no sabotage {plan.sabotage!r}: {', '.join(SABOTAGES)}",
            code="UNKNOWN_SABOTAGE",
        )
    async with DRIVERS[plan.driver](plan, folder, env) as running:
        return await _Run(plan, folder, running).report()


class _Run:
    def __init__(self, plan: Plan, folder: Path, running: Running) -> None:
        self._plan = plan
        self._folder = folder
        self._roster = running.roster
        self._harm = running.harm
        self._load = Load(self._facts, folder, rate=plan.rate, orders=plan.orders, seed=plan.seed)
        self._probes: dict[int, asyncio.Task[int | None]] = {}
        self._stuck: list[str] = []
        self._lost: list[str] = []

    @property
    def _facts(self) -> Facts:
        return self._roster.facts

    async def report(self) -> dict[str, Any]:
        """Breaks things under load, heals, and judges."""
        faults = await self._break_things()
        err.print("everything is healed; clients send what is left, and wait for all answers ...")
        await self._load.end(is_stuck=bool(self._stuck))
        probed = {number: await task for number, task in self._probes.items()}
        positions = await self._positions_at_rest()
        ends = await self._ends()
        checked = await self._verified()
        observed = Observed(
            faults=faults,
            probed=probed,
            histories={name: list(read(path)) for name, path in self._load.histories.items()},
            venue=read_venue(await self._roster.venue_log()),
            positions=positions,
            ends=ends,
            checked=checked,
            holes=stores.holes(self._facts) + self._lost,
            moved_aside=self._harm.moved_aside(),
            stuck=self._stuck,
        )
        return make_report(self._plan, self._facts.shards, observed)

    async def _break_things(self) -> list[Fault]:
        bus = await Bus.connect(self._facts.bus("auditor"), name="nemesis")
        try:
            view = View(self._roster, bus)
            await view.until_in_step()
            await self._set_limits()
            await self._load.start()
            await asyncio.sleep(random.Random(self._plan.seed).uniform(1.0, 2.0))
            return await self._faults_of(view)
        except BaseException:
            self._load.kill()
            raise
        finally:
            await bus.close()

    async def _faults_of(self, view: View) -> list[Fault]:
        """All faults of the run; with a venue that misbehaves all is settled after them."""
        plan, log = self._plan, self._folder / "faults.jsonl"
        async with self._venue() as venue:
            nemesis = Nemesis(view, self._harm, plan.scenario, plan.seed, log, venue)
            try:
                await nemesis.run(plan.faults, self._on_fault)
            except SuiteError as error:
                self._is_stuck(error.text)
        if venue is not None and not self._stuck:
            try:
                await until_settled(view.bus, self._facts.shards)
            except SuiteError as error:
                self._is_stuck(error.text)
        return nemesis.faults

    @asynccontextmanager
    async def _venue(self) -> AsyncIterator[VenueRates | None]:
        """The venue's people, if it misbehaves all through the run."""
        plan = self._plan
        if not is_at_rates(plan.scenario):
            yield None
            return
        async with VenueRates.misbehaving(
            self._facts, plan.seed, has_deeds=has_deeds(plan.scenario)
        ) as venue:
            yield venue

    def _on_fault(self, fault: Fault) -> None:
        number = len(self._probes)
        err.print(f"fault {number + 1} of {self._plan.faults}: {fault.action} {fault.victim}")
        match fault.probe:
            case Probe.ARCHIVED:
                probe = probes.until_archived(self._facts, fault)
            case Probe.KILLED:
                probe = probes.until_killed(self._facts, fault)
            case _:
                self._load.look_out()
                probe = _nothing()
        self._probes[number] = asyncio.ensure_future(probe)

    def _is_stuck(self, text: str) -> None:
        """The suite does not come back: that is a verdict too, not a reason to give none."""
        err.print(f"[bold red]stuck[/]: {text}")
        self._stuck.append(text)

    async def _set_limits(self) -> None:
        instrument = INSTRUMENTS[0]
        lot = Decimal(instrument.lot_size)
        async with GatewayClient(self._facts.gateway_url, self._facts.credentials()) as gateway:
            for account, lots in TIGHT.items():
                found = (await gateway.limits(account))["limits"][0]
                limits = found | {"max_position": f"{lots * lot:f}", "version": 2}
                await gateway.operate("limits", limits)

    async def _verified(self) -> dict[str, Any]:
        """What `tradewind verify` says, without what cannot be asked any more."""
        facts = self._facts
        for archive_urls in (facts.archive_urls, ()):
            try:
                return await verify(
                    facts.bus("auditor"), facts.shards, archive_urls, replicas=facts.replicas
                )
            except TradewindError as error:
                self._is_stuck(error.text)
                if error.code == JOURNAL_TOO_SHORT:
                    self._lost.append(error.text)
        return {"holds": False, "shards": []}

    async def _positions_at_rest(self) -> dict[str, dict[str, int]]:
        """Positions as services have them, once they agree and are what the venue has traded.

        A fill that was lost is found by the venue's next statement: until the time is up it is no
        verdict that nobody has heard of it.
        """
        seen: dict[str, dict[str, int]] = {}
        agreed: dict[str, dict[str, int]] = {}
        deadline_s = time.monotonic() + (STUCK_S if self._stuck else SETTLE_S)
        while time.monotonic() < deadline_s:
            try:
                found = {"oms": await self._from_oms(), "archive": await self._from_archive()}
            except (GatewayError, aiohttp.ClientError, LookupError, OSError):
                found = {}
            if found and found == seen and found["oms"] == found["archive"]:
                if await self._are_the_venues(found):
                    return found
                agreed = found
            seen = found
            await asyncio.sleep(0.5)
        if not agreed:
            self._is_stuck("services do not agree on positions, or do not tell them")
        return agreed or seen

    async def _are_the_venues(self, positions: dict[str, dict[str, int]]) -> bool:
        lines = (line for path in self._load.histories.values() for line in read(path))
        fills = judge.fills_by_account(
            judge.orders_of(lines), read_venue(await self._roster.venue_log())
        )
        verdict = judge.Verdict()
        judge.compare_positions(verdict, fills, positions)
        return not verdict.counts["K5"]

    async def _from_oms(self) -> dict[str, int]:
        instrument = INSTRUMENTS[0]
        async with GatewayClient(self._facts.gateway_url, self._facts.credentials()) as gateway:
            rows = await gateway.positions()
        lot = Decimal(instrument.lot_size)
        lots = {row["account"]: int(Decimal(row["qty"]) / lot) for row in rows}
        return {account: lots.get(account, 0) for account in BENCH_ACCOUNTS}

    async def _ends(self) -> Ends:
        """What the warehouse has last of each order; nothing, if it does not answer."""
        asked_ns = time.time_ns() - BEHIND_NS
        sql = (
            "SELECT order_id, argMax(ord_status, seq), toInt64(argMax(cum_qty, seq)) "
            "FROM order_reports FINAL WHERE exec_type != 'DENIED' GROUP BY order_id"
        )
        try:
            async with warehouse.connect(self._facts) as session:
                rows = await warehouse.select(session, sql)
        except (aiohttp.ClientError, LookupError, OSError, TimeoutError):
            return Ends()
        return Ends(
            {order_id: (status, int(cum_qty)) for order_id, status, cum_qty in rows}, asked_ns
        )

    async def _from_archive(self) -> dict[str, int]:
        sql = (
            "SELECT account, sum(if(side = 'BUY', last_qty, -last_qty)) FROM order_reports FINAL "
            "WHERE exec_type = 'TRADE' GROUP BY account"
        )
        async with warehouse.connect(self._facts) as session:
            rows = await warehouse.select(session, sql)
        lots = {account: int(qty) for account, qty in rows}
        return {account: lots.get(account, 0) for account in BENCH_ACCOUNTS}


async def _nothing() -> int | None:
    return None
