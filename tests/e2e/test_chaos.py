# SPDX-License-Identifier: Apache-2.0
"""A short chaos run as anybody would make one."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.e2e.terminal import TRADEWIND

pytestmark = [pytest.mark.cluster, pytest.mark.slow]


def chaos(*arguments: str) -> "subprocess.CompletedProcess[str]":
    """Runs it with a fixed seed."""
    return subprocess.run(
        [TRADEWIND, "chaos", "run", "--seed", "7", "--json", *arguments],
        env={**os.environ, "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=115,
        check=False,
    )


def test_two_killed_leaders_harm_nothing_and_the_report_says_so(tmp_path: Path) -> None:
    keep, page = tmp_path / "run", tmp_path / "page.html"
    done = chaos(
        *("--scenario", "oms-kill", "--faults", "2", "--orders", "300"),
        *("--keep", str(keep), "--html", str(page)),
    )
    assert done.returncode == 0, done.stderr[-3000:] + done.stdout
    report = json.loads(done.stdout)
    assert report["valid"]
    assert report["faults"] == 2
    assert report["orders"] >= 300
    assert not any(report["violations"].values())
    assert (report["lost"], report["duplicated"], report["unresolved"]) == (0, 0, 0)
    assert report["events_exact"]
    assert report["digests_equal"]
    assert len(report["samples_ms"]) == 2
    assert "oms-kill" in page.read_text()


def test_a_connector_that_sends_without_asking_is_found_out() -> None:
    done = chaos(
        *("--scenario", "die-after-send", "--faults", "2", "--orders", "300"),
        *("--sabotage", "resend-on-timeout"),
    )
    assert done.returncode == 1, done.stderr[-3000:] + done.stdout
    report = json.loads(done.stdout)
    assert report["valid"]
    assert report["violations"]["K2"] > 0
