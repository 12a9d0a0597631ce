# SPDX-License-Identifier: Apache-2.0
"""One chaos run: a suite, a load, faults, healing, and the verdict from the outside."""

import asyncio
import hashlib
import platform
import random
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import aiohttp

from tradewind.cli.chaos import judge, probes
from tradewind.cli.chaos.history import Line, read
from tradewind.cli.chaos.load import Load
from tradewind.cli.chaos.nemesis import Fault, Nemesis
from tradewind.cli.chaos.recovery import Answered, summary
from tradewind.cli.chaos.scenarios import SCENARIOS, Probe
from tradewind.cli.chaos.view import View
from tradewind.cli.client import GatewayClient
from tradewind.cli.console_io import err
from tradewind.cli.suite.facts import Facts, Options, SuiteError
from tradewind.cli.suite.launcher import running_suite
from tradewind.cli.up import Progress
from tradewind.cli.verify import verify
from tradewind.common import subjects
from tradewind.common.init_job.defaults import BENCH_ACCOUNTS, INSTRUMENTS
from tradewind.common.jetstream import Bus

REPLICAS = 3
GATEWAYS = 2
SETTLE_S = 60.0
CHECKERS = ("K1", "K2", "K3", "K4", "K5", "K7", "K8", "K9", "K12", "K14")
NS_PER_MS = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to do."""

    scenario: str
    faults: int
    orders: int
    seed: int
    rate: float


async def run_chaos(plan: Plan, folder: Path, env: Mapping[str, str]) -> dict[str, Any]:
    """The report of one run, as `tradewind chaos run --json` prints it.

    Raises:
        SuiteError: if the suite could not be started, or never came back.
    """
    if plan.scenario not in SCENARIOS:
        raise SuiteError(
            f"there is no scenario {plan.scenario!r}: {', '.join(SCENARIOS)}",
            code="UNKNOWN_SCENARIO",
        )
    options = Options(flow="synthetic", replicas=REPLICAS, gateways=GATEWAYS)
    async with running_suite(folder / "suite", options, env, Progress()) as facts:
        return await _Run(plan, folder, facts).report()


class _Run:
    def __init__(self, plan: Plan, folder: Path, facts: Facts) -> None:
        self._plan = plan
        self._folder = folder
        self._facts = facts
        self._load = Load(facts, folder, rate=plan.rate, orders=plan.orders, seed=plan.seed)
        self._probes: dict[int, asyncio.Task[int | None]] = {}

    async def report(self) -> dict[str, Any]:
        """Breaks things under load, heals, and judges."""
        faults = await self._break_things()
        err.print("everything is healed; clients ask for their last answers ...")
        await self._load.end()
        probed = {number: await task for number, task in self._probes.items()}
        positions = await self._positions_at_rest()
        checked = await verify(
            self._facts.bus("auditor"),
            self._facts.shards,
            self._facts.archive_url,
            replicas=self._facts.replicas,
        )
        histories = {name: list(read(path)) for name, path in self._load.histories.items()}
        return self._verdict(faults, probed, histories, positions, checked)

    async def _break_things(self) -> list[Fault]:
        bus = await Bus.connect(self._facts.bus("auditor"), name="nemesis")
        try:
            view = View(self._facts, bus)
            await view.until_in_step()
            await self._load.start()
            await asyncio.sleep(random.Random(self._plan.seed).uniform(1.0, 2.0))
            log = self._folder / "faults.jsonl"
            nemesis = Nemesis(view, self._plan.scenario, self._plan.seed, log)
            await nemesis.run(self._plan.faults, self._on_fault)
            return nemesis.faults
        except BaseException:
            self._load.kill()
            raise
        finally:
            await bus.close()

    def _on_fault(self, fault: Fault) -> None:
        number = len(self._probes)
        err.print(f"fault {number + 1} of {self._plan.faults}: {fault.action} {fault.victim}")
        match fault.probe:
            case Probe.ARCHIVED:
                probe = probes.until_archived(self._facts, fault)
            case Probe.KILLED:
                probe = probes.until_killed(self._facts, fault)
            case _:
                probe = _nothing()
        self._probes[number] = asyncio.ensure_future(probe)

    async def _positions_at_rest(self) -> dict[str, dict[str, int]]:
        """Positions as services have them, once they agree and no longer change."""
        seen: dict[str, dict[str, int]] = {}
        async with asyncio.timeout(SETTLE_S):
            while True:
                found = {"oms": await self._from_oms(), "archive": await self._from_archive()}
                if found == seen and found["oms"] == found["archive"]:
                    return found
                seen = found
                await asyncio.sleep(0.5)

    async def _from_oms(self) -> dict[str, int]:
        instrument = INSTRUMENTS[0]
        async with GatewayClient(self._facts.gateway_url, self._facts.credentials()) as gateway:
            rows = await gateway.positions()
        lot = Decimal(instrument.lot_size)
        lots = {row["account"]: int(Decimal(row["qty"]) / lot) for row in rows}
        return {account: lots.get(account, 0) for account in BENCH_ACCOUNTS}

    async def _from_archive(self) -> dict[str, int]:
        sql = (
            "SELECT account, sum(if(side = 'BUY', last_qty, -last_qty)) FROM order_reports FINAL "
            "WHERE exec_type = 'TRADE' GROUP BY account"
        )
        async with (
            aiohttp.ClientSession() as session,
            session.post(f"{self._facts.archive_url}/v1/query", json={"sql": sql}) as answer,
        ):
            lots = {account: int(qty) for account, qty in (await answer.json())["rows"]}
        return {account: lots.get(account, 0) for account in BENCH_ACCOUNTS}

    def _verdict(
        self,
        faults: list[Fault],
        probed: dict[int, int | None],
        histories: dict[str, list[Line]],
        positions: dict[str, dict[str, int]],
        checked: dict[str, Any],
    ) -> dict[str, Any]:
        orders = judge.orders_of(line for lines in histories.values() for line in lines)
        venue = judge.venue_side(self._facts.venue_log)
        verdict = judge.judge(orders, venue)
        fills = judge.fills_by_account(orders, venue)
        judge.compare_positions(verdict, fills, positions)
        shards = checked["shards"]
        for checker, key in (("K7", "replicas_equal"), ("K9", "events_gap_free")):
            verdict.counts[checker] += sum(not shard[key] for shard in shards)
        verdict.counts["K9"] += sum(not shard["archive_equal"] for shard in shards)
        verdict.counts["K8"] += not checked["holds"]
        samples = _samples(faults, probed, histories, self._facts.shards)
        verdict.counts["K14"] += sum(sample is None for sample in samples)
        return self._plain(faults, orders, verdict, samples, histories, shards)

    def _plain(
        self,
        faults: list[Fault],
        orders: dict[judge.Key, judge.Order],
        verdict: judge.Verdict,
        samples: list[float | None],
        histories: dict[str, list[Line]],
        shards: list[dict[str, Any]],
    ) -> dict[str, Any]:
        counts = verdict.counts
        times = [sample for sample in samples if sample is not None]
        coverage = _coverage(faults, histories)
        is_valid = len(faults) >= self._plan.faults and len(orders) > 0 and all(coverage.values())
        return {
            "scenario": self._plan.scenario,
            "seed": self._plan.seed,
            "commit": commit(),
            "machine": f"{platform.machine()} {platform.system()} {platform.release()}",
            "faults": len(faults),
            "orders": len(orders),
            "accepted": sum(order.is_accepted for order in orders.values()),
            "lost": counts["K1"],
            "duplicated": counts["K2"],
            "phantom": counts["K3"],
            "illegal_transitions": counts["K4"],
            "unresolved": counts["unresolved"],
            "position_mismatch": counts["K5"],
            "events_exact": all(shard["events_gap_free"] for shard in shards),
            "digests_equal": all(shard["replicas_equal"] for shard in shards),
            "violations": {checker: counts[checker] for checker in CHECKERS if counts[checker]},
            "examples": {name: found for name, found in verdict.examples.items() if found},
            "recovery_ms": summary(times),
            "samples_ms": samples,
            "coverage": coverage,
            "valid": is_valid,
        }


def _samples(
    faults: list[Fault],
    probed: dict[int, int | None],
    histories: dict[str, list[Line]],
    shards: int,
) -> list[float | None]:
    shard_of = {account: subjects.shard_of(account, shards) for account in BENCH_ACCOUNTS}
    answered = Answered(histories, shard_of)
    found: list[float | None] = []
    for number, fault in enumerate(faults):
        has_own_probe = fault.probe in (Probe.ARCHIVED, Probe.KILLED)
        taken_ns = probed[number] if has_own_probe else answered.recovery_ns(fault)
        found.append(None if taken_ns is None else round(taken_ns / NS_PER_MS, 1))
    return found


def _coverage(faults: list[Fault], histories: dict[str, list[Line]]) -> dict[str, int]:
    """Events without which a run shows nothing: each must have happened."""
    lines = [line for of_client in histories.values() for line in of_client]
    asked = sorted(line.t_ns for line in lines if line.kind == "invoke")
    answered = sorted(line.t_ns for line in lines if line.kind == "report")
    under_load = sum(
        any(fault.t_ns - NS_PER_MS * 500 < t_ns < fault.t_ns for t_ns in asked) for fault in faults
    )
    kinds = {line.report["exec_type"] for line in lines if line.kind == "report" and line.report}
    return {
        "faults_under_load": under_load,
        "reports": len(answered),
        "fills": int("TRADE" in kinds),
        "cancels": int("CANCELED" in kinds),
        "replaces": int("REPLACED" in kinds),
    }


async def _nothing() -> int | None:
    return None


def commit() -> str:
    """The commit of the checkout that runs, or a hash of what is installed."""
    here = Path(__file__).resolve()
    found = subprocess.run(
        ["git", "-C", str(here.parent), "rev-parse", "--short", "HEAD"],
        capture_output=True,
        text=True,
        check=False,
    )
    if found.returncode == 0:
        return found.stdout.strip()
    return hashlib.sha256(here.read_bytes()).hexdigest()[:12]
