# SPDX-License-Identifier: Apache-2.0
"""Short chaos runs as anybody would make them, and planted bugs that they have to find.

Bugs that share a scenario share their twin: the same run without any of them, which must be clean.
"""

import json
import os
import subprocess
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.terminal import TRADEWIND
from tradewind.cli.chaos.sabotage import SABOTAGES

pytestmark = [pytest.mark.cluster, pytest.mark.slow, pytest.mark.timeout(900)]

KILLS, ORDERS = 20, 3_000
PLANTED = (
    "append-without-condition",
    "broker-window-dedup-only",
    "ack-before-quorum",
    "resend-on-timeout",
    "free-exposure-on-timeout",
    "lazy-fsync",
    "skip-hash-check",
)
"""Bugs that every change is tried with; the others have no scenario that is as short."""
OCCASIONS = {
    "controls": ("--faults", "3", "--orders", "600", "--rate", "100"),
    "die-after-send": ("--faults", "2", "--orders", "600", "--rate", "100"),
    "power-loss": ("--faults", "1", "--orders", "600", "--rate", "100"),
    "bit-flip": ("--faults", "1", "--orders", "300", "--rate", "100"),
}
"""By scenario, enough for its bugs to show: each of its faults once."""
RUNS = {
    "kills": (0, ("service-kill", "--faults", str(KILLS), "--orders", str(ORDERS), "--rate", "60")),
    **{name: (0, (name, *rest, "--size", "small")) for name, rest in OCCASIONS.items()},
    **{
        bug: (1, (scenario, *OCCASIONS[scenario], "--size", "small", "--sabotage", bug))
        for bug, scenario in ((bug, SABOTAGES[bug].scenario) for bug in PLANTED)
    },
}
"""What each run has to end with, its scenario and what else it is told."""
RUN_TIMEOUT_S = 400

Report = dict[str, Any]
Run = Callable[[str], Report]


def chaos(folder: Path, name: str) -> Report:
    """The report of a run with a fixed seed; its page is in the folder."""
    expected, arguments = RUNS[name]
    page = ("--html", str(folder / f"{name}.html"))
    done = subprocess.run(
        [TRADEWIND, "chaos", "run", "--seed", "7", "--json", *page, "--scenario", *arguments],
        env={**os.environ, "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=RUN_TIMEOUT_S,
        check=False,
    )
    if "MACHINE_LACKS" in done.stderr:
        pytest.skip(done.stderr.strip().splitlines()[-1])
    assert done.returncode == expected, done.stderr[-3000:] + done.stdout
    report: Report = json.loads(done.stdout)
    assert report["valid"]
    return report


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("chaos")


@pytest.fixture(scope="module")
def run(folder: Path) -> Run:
    """The report of a run by its name; each is made once."""
    return cache(partial(chaos, folder))


@pytest.mark.parametrize("bug", PLANTED)
def test_a_planted_bug_is_found_out_and_nothing_is_without_it(run: Run, bug: str) -> None:
    twin = run(SABOTAGES[bug].scenario)
    assert not any(twin["violations"].values())
    broken = run(bug)
    assert any(broken["violations"][checker] for checker in SABOTAGES[bug].checkers)


def test_twenty_kills_harm_nothing_and_the_report_says_so(run: Run, folder: Path) -> None:
    report = run("kills")
    assert report["faults"] == report["kills"] == len(report["samples_ms"]) == KILLS
    assert report["orders"] >= ORDERS
    assert report["kills_in_flight"] > 0
    assert not any(report["violations"].values())
    assert (report["lost"], report["duplicated"], report["unresolved"]) == (0, 0, 0)
    assert report["events_exact"]
    assert report["digests_equal"]
    assert "service-kill" in (folder / "kills.html").read_text()
