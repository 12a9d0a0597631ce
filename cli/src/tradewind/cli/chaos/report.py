# SPDX-License-Identifier: Apache-2.0
"""The report of a chaos run, made of what was seen from the outside."""

import hashlib
import platform
import subprocess
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tradewind.cli.chaos import coverage as coverage_of
from tradewind.cli.chaos import judge
from tradewind.cli.chaos.driver import Driver
from tradewind.cli.chaos.history import Line
from tradewind.cli.chaos.nemesis import Fault
from tradewind.cli.chaos.recovery import ANSWERS, Answered, summary
from tradewind.cli.chaos.scenarios import STEPS, Probe, has_deeds, is_at_rates
from tradewind.cli.chaos.venue_side import VenueSide
from tradewind.cli.suite.facts import Protocol, Size
from tradewind.common import subjects
from tradewind.common.init_job.defaults import BENCH_ACCOUNTS

CHECKERS = ("K1", "K2", "K3", "K4", "K5", "K6", "K7", "K8", "K9", "K14", "T3")
TOO_LATE = {"TOO_LATE", "NOT_SENT_IN_TIME"}
ORDER_TTL_NS = 5_000_000_000
"""So long an order may wait (`TRADEWIND_ORDER_TTL_MS`)."""
TIGHT_LOTS = 3_000_000
TIGHT = {account: TIGHT_LOTS for account in BENCH_ACCOUNTS[::4]}
"""Accounts whose position limit is so low that the load reaches it all the time."""
STEP_MS = 250
"""Width of the timeline's bars."""
NS_PER_MS = 1_000_000
GAP_WINDOW_NS = 1_000 * NS_PER_MS
"""At least so long after a fault."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to do."""

    scenario: str
    faults: int
    orders: int
    seed: int
    rate: float
    sabotage: str = ""
    protocol: Protocol = Protocol.SIM
    driver: Driver = Driver.PROCESS
    size: Size = Size.FULL


@dataclass(frozen=True, slots=True)
class Ends:
    """How orders ended as services store it, by order id; `asked_ns` is of the wall's clock."""

    told: Mapping[str, tuple[str, int]] = field(default_factory=dict)
    asked_ns: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """What was seen: faults, own probes, clients' histories, the venue's log, what services say.

    `ends` is what is stored last of each order. `holes` are copies of logs that lack records, and
    logs that end before what a replica has applied; `moved_aside` how many such copies the suite
    has replaced. `stuck` says what never came back.
    """

    faults: list[Fault]
    probed: dict[int, int | None]
    histories: dict[str, list[Line]]
    venue: VenueSide
    positions: dict[str, dict[str, int]]
    ends: Ends
    checked: dict[str, Any]
    holes: list[str]
    moved_aside: int
    stuck: list[str]


def make_report(plan: Plan, shards: int, seen: Observed) -> dict[str, Any]:
    """What `tradewind chaos run --json` prints."""
    orders = judge.orders_of(line for lines in seen.histories.values() for line in lines)
    shard_of = {account: subjects.shard_of(account, shards) for account in BENCH_ACCOUNTS}
    answered = Answered(seen.histories, shard_of)
    samples = _samples(seen, answered)
    verdict = _judged(seen, orders, samples)
    counts, checked = verdict.counts, seen.checked["shards"]
    coverage = _coverage(plan, seen, orders)
    return {
        "scenario": plan.scenario,
        "sabotage": plan.sabotage,
        "seed": plan.seed,
        "driver": plan.driver,
        "protocol": plan.protocol,
        "size": plan.size,
        "commit": commit(),
        "machine": f"{platform.machine()} {platform.system()} {platform.release()}",
        "faults": len(seen.faults),
        "kills": sum(len(fault.pids) for fault in seen.faults if fault.action in coverage_of.KILLS),
        "kills_in_flight": coverage_of.kills_in_flight(seen.faults, seen.histories),
        "failpoint_hits": Counter(fault.failpoint for fault in seen.faults if fault.has_hit),
        "faults_played": seen.venue.played,
        "orders": len(orders),
        "accepted": sum(order.is_accepted for order in orders.values()),
        "lost": counts["K1"],
        "duplicated": counts["K2"],
        "phantom": counts["K3"],
        "illegal_transitions": counts["K4"],
        "unresolved": counts["unresolved"],
        "position_mismatch": counts["K5"],
        "events_exact": bool(checked) and all(shard["events_gap_free"] for shard in checked),
        "digests_equal": bool(checked) and all(shard["replicas_equal"] for shard in checked),
        "violations": {checker: counts[checker] for checker in CHECKERS},
        "stuck": seen.stuck,
        "examples": {name: found for name, found in verdict.examples.items() if found},
        "recovery_ms": summary([sample for sample in samples if sample is not None]),
        "samples_ms": samples,
        "errors_told": _errors_told(seen),
        "gap_elsewhere_ms": summary(_gaps_elsewhere(seen.faults, answered)),
        "coverage": coverage,
        **_over_time(seen, samples),
        "valid": len(orders) > 0 and _shows_something(plan, seen, coverage),
    }


def _coverage(
    plan: Plan, seen: Observed, orders: Mapping[judge.Key, judge.Order]
) -> dict[str, int]:
    damaged = seen.moved_aside + len(seen.holes)
    found = coverage_of.of_any_run(seen.faults, seen.histories, damaged)
    if is_at_rates(plan.scenario):
        rates = coverage_of.of_rates(seen.faults, seen.histories, orders, seen.venue)
        found |= rates if has_deeds(plan.scenario) else {"unknown": rates["unknown"]}
    return found


def _shows_something(plan: Plan, seen: Observed, coverage: dict[str, int]) -> bool:
    """Whether all happened that had to; after what never came back, nothing more could."""
    if seen.stuck:
        return coverage["faults_under_load"] > 0
    return len(seen.faults) >= plan.faults and all(coverage.values())


def _judged(
    seen: Observed, orders: dict[judge.Key, judge.Order], samples: list[float | None]
) -> judge.Verdict:
    verdict = judge.judge(orders, seen.venue)
    judge.compare_positions(verdict, judge.fills_by_account(orders, seen.venue), seen.positions)
    if seen.ends.told:
        judge.compare_ends(verdict, seen.venue, seen.ends.told, seen.ends.asked_ns)
    judge.judge_exposure(verdict, orders, seen.venue, TIGHT)
    for shard in seen.checked["shards"]:
        verdict.counts["K7"] += not shard["replicas_equal"]
        verdict.counts["K9"] += not shard["events_gap_free"]
        verdict.counts["K9"] += shard["archive_equal"] is False
    for text in seen.holes:
        verdict.found("K9", copy=text)
    verdict.counts["K8"] += not seen.checked["holds"]
    if any(fault.action in STEPS for fault in seen.faults):
        for line in _too_late(seen):
            verdict.found("K14", cl_ord_id=line.cl_ord_id, text="called late, by a clock")
    verdict.counts["K14"] += sum(sample is None for sample in samples) + len(seen.stuck)
    return verdict


def _too_late(seen: Observed) -> list[Line]:
    """Orders that were refused for their time, although they had not waited so long.

    By the client's own clock; other faults of the same run make orders wait.
    """
    asked_ns: dict[tuple[str, str], int] = {}
    found = []
    for line in (line for lines in seen.histories.values() for line in lines):
        key = (line.account, line.cl_ord_id)
        if line.kind == "invoke":
            asked_ns.setdefault(key, line.t_ns)
        elif line.kind == "report" and line.report and key in asked_ns:
            is_refused = bool(TOO_LATE & {line.report["reason"], line.report["text"]})
            if is_refused and line.t_ns - asked_ns[key] < ORDER_TTL_NS:
                found.append(line)
    return found


def _samples(seen: Observed, answered: Answered) -> list[float | None]:
    found: list[float | None] = []
    for number, fault in enumerate(seen.faults):
        match fault.probe:
            case Probe.ARCHIVED | Probe.KILLED:
                taken_ns = seen.probed[number]
            case Probe.UNBROKEN:
                taken_ns = answered.longest_gap_ns(fault)
            case _:
                taken_ns = answered.recovery_ns(fault)
        found.append(None if taken_ns is None else round(taken_ns / NS_PER_MS, 1))
    return found


def _gaps_elsewhere(faults: list[Fault], answered: Answered) -> list[float]:
    """Milliseconds without a decision on unharmed shards, until the harmed one recovered."""
    gaps = [
        answered.gap_elsewhere_ns(
            fault, fault.t_ns + max(answered.recovery_ns(fault) or 0, GAP_WINDOW_NS)
        )
        for fault in faults
        if fault.probe in ANSWERS
    ]
    return [round(gap / NS_PER_MS, 1) for gap in gaps if gap is not None]


def _errors_told(seen: Observed) -> dict[str, int]:
    """How often clients were refused while a fault lasted, by code; a repetition may succeed."""
    lines = [line for lines in seen.histories.values() for line in lines if line.kind == "error"]
    spans = [(fault.t_ns, fault.healed_ns) for fault in seen.faults]
    told = [line.code for line in lines if any(a <= line.t_ns <= b for a, b in spans)]
    return {code: told.count(code) for code in sorted(set(told))}


def _over_time(seen: Observed, samples: list[float | None]) -> dict[str, Any]:
    """When what happened, in milliseconds since the first request."""
    lines = [line for of_client in seen.histories.values() for line in of_client]
    first_ns = min((line.t_ns for line in lines if line.kind == "invoke"), default=0)
    steps: dict[int, int] = {}
    for line in lines:
        if line.report is not None and line.report.get("exec_type") == "PENDING_NEW":
            place = (line.t_ns - first_ns) // (STEP_MS * NS_PER_MS)
            steps[place] = steps.get(place, 0) + 1
    log = [
        {
            "at_ms": round((fault.t_ns - first_ns) / NS_PER_MS),
            "action": fault.action,
            "victim": fault.victim,
            "recovery_ms": sample,
        }
        for fault, sample in zip(seen.faults, samples, strict=True)
    ]
    accepted = [steps.get(place, 0) for place in range(max(steps, default=-1) + 1)]
    return {"log": log, "timeline": {"step_ms": STEP_MS, "accepted": accepted}}


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
