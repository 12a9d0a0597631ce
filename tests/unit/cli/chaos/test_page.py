# SPDX-License-Identifier: Apache-2.0
"""The page of a chaos run: every fault and every checker is on it, and nothing is loaded."""

import re
from pathlib import Path
from typing import Any

import pytest

from tradewind.cli.chaos import page
from tradewind.cli.chaos.report import CHECKERS

REPORT: dict[str, Any] = {
    "scenario": "oms-kill",
    "sabotage": "",
    "seed": 7,
    "commit": "abc<1>",
    "machine": "machine",
    "faults": 2,
    "orders": 300,
    "unresolved": 0,
    "valid": True,
    "violations": dict.fromkeys(CHECKERS, 0),
    "coverage": {"faults_under_load": 2},
    "log": [
        {"at_ms": 500, "action": "kill", "victim": "oms-0-1", "recovery_ms": 70.0},
        {"at_ms": 900, "action": "pause", "victim": "gateway-0", "recovery_ms": None},
    ],
    "timeline": {"step_ms": 250, "accepted": [4, 0, 9, 5]},
}


def test_all_that_was_judged_and_broken_is_on_the_page(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "page.html"
    page.write(REPORT, path)
    text = path.read_text()
    assert all(f"<td>{checker}</td>" in text for checker in CHECKERS)
    assert "kill oms-0-1: 70 ms" in text
    assert "pause gateway-0: never recovered" in text
    assert "abc&lt;1&gt;" in text
    assert not re.search(r"(src|href)=", text)


@pytest.mark.parametrize(
    ("change", "verdict"),
    [
        ({}, "holds"),
        ({"violations": REPORT["violations"] | {"K2": 1}}, "fails"),
        ({"unresolved": 3}, "fails"),
        ({"valid": False}, "invalid: it shows nothing"),
        ({"timeline": {"step_ms": 250, "accepted": []}, "log": []}, "holds"),
    ],
)
def test_the_verdict_is_in_its_second_line(change: dict[str, Any], verdict: str) -> None:
    assert f">{verdict}</p>" in page.render(REPORT | change)
