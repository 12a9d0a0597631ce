# SPDX-License-Identifier: Apache-2.0
"""Short chaos runs as anybody would make them, and planted bugs that they have to find."""

import json
import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.terminal import TRADEWIND
from tradewind.cli.chaos.sabotage import SABOTAGES

pytestmark = [pytest.mark.cluster, pytest.mark.slow, pytest.mark.timeout(360)]

KILLS, ORDERS = 20, 3_000
PLANTED = (
    "ack-before-quorum",
    "broker-window-dedup-only",
    "free-exposure-on-timeout",
    "resend-on-timeout",
)
"""Bugs that every change is tried with; all others take longer: `make nightly-chaos`."""
OCCASION = ("--faults", "2", "--orders", "300", "--rate", "50")
"""Enough for these to show, and little enough for two suites beside each other."""


def chaos(expected: int, *arguments: str) -> dict[str, Any]:
    """The report of a run with a fixed seed that has to end with this exit code."""
    done = subprocess.run(
        [TRADEWIND, "chaos", "run", "--seed", "7", "--json", *arguments],
        env={**os.environ, "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=350,
        check=False,
    )
    if "MACHINE_LACKS" in done.stderr:
        pytest.skip(done.stderr.strip().splitlines()[-1])
    assert done.returncode == expected, done.stderr[-3000:] + done.stdout
    report: dict[str, Any] = json.loads(done.stdout)
    assert report["valid"]
    return report


def test_twenty_kills_harm_nothing_and_the_report_says_so(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    report = chaos(
        0,
        *("--scenario", "service-kill", "--faults", str(KILLS), "--orders", str(ORDERS)),
        *("--html", str(page)),
    )
    assert report["faults"] == len(report["samples_ms"]) == KILLS
    assert report["orders"] >= ORDERS
    assert not any(report["violations"].values())
    assert (report["lost"], report["duplicated"], report["unresolved"]) == (0, 0, 0)
    assert report["events_exact"]
    assert report["digests_equal"]
    assert "service-kill" in page.read_text()


@pytest.mark.parametrize("bug", PLANTED)
def test_a_planted_bug_is_found_out_and_nothing_is_without_it(bug: str) -> None:
    scenario = ("--scenario", SABOTAGES[bug].scenario, *OCCASION)
    with ThreadPoolExecutor() as both:
        broken = both.submit(chaos, 1, *scenario, "--sabotage", bug)
        whole = both.submit(chaos, 0, *scenario)
    assert any(broken.result()["violations"][checker] for checker in SABOTAGES[bug].checkers)
    assert not any(whole.result()["violations"].values())
