# SPDX-License-Identifier: Apache-2.0
"""A short chaos run as anybody would make one."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.e2e.terminal import TRADEWIND

pytestmark = [pytest.mark.cluster, pytest.mark.slow]


def test_two_killed_leaders_harm_nothing_and_the_report_says_so(tmp_path: Path) -> None:
    done = subprocess.run(
        [
            *(TRADEWIND, "chaos", "run", "--scenario", "oms-kill", "--faults", "2"),
            *("--orders", "300", "--seed", "7", "--keep", str(tmp_path / "run"), "--json"),
        ],
        env={**os.environ, "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=115,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:] + done.stdout
    report = json.loads(done.stdout)
    assert report["valid"]
    assert report["faults"] == 2
    assert report["orders"] >= 300
    assert report["violations"] == {}
    assert (report["lost"], report["duplicated"], report["unresolved"]) == (0, 0, 0)
    assert report["events_exact"]
    assert report["digests_equal"]
    assert len(report["samples_ms"]) == 2
