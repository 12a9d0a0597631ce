# SPDX-License-Identifier: Apache-2.0
"""What is asked of a chaos run, before anything is started."""

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tradewind.cli.chaos import run as chaos_run
from tradewind.cli.chaos.report import Plan
from tradewind.cli.console_io import EXIT_COULD_NOT_RUN
from tradewind.cli.main import app
from tradewind.cli.suite.facts import SuiteError


@pytest.fixture
def planned(monkeypatch: pytest.MonkeyPatch) -> list[Plan]:
    """The plans of runs that were asked for; none is run."""
    plans: list[Plan] = []

    async def refuse(plan: Plan, *_told: Any) -> dict[str, Any]:
        plans.append(plan)
        raise SuiteError("not here", code="NOT_HERE")

    monkeypatch.setattr(chaos_run, "run_chaos", refuse)
    return plans


def chaos(*words: str) -> int:
    return CliRunner().invoke(app, ["chaos", "run", *words]).exit_code


@pytest.mark.parametrize(
    ("words", "rate"),
    [
        ("--scenario oms-kill", 50),
        ("--scenario oms-kill --rate 12.5", 12.5),
        ("--scenario bit-flip", 100),
        ("--scenario controls --sabotage ack-before-quorum", 100),
        ("--scenario controls --sabotage ack-before-quorum --rate 7", 7),
    ],
)
def test_a_planted_bug_and_full_blocks_need_a_crowd(
    planned: list[Plan], words: str, rate: float
) -> None:
    assert chaos(*words.split()) == EXIT_COULD_NOT_RUN
    assert [plan.rate for plan in planned] == [rate]


def test_histories_of_two_runs_are_never_mixed(planned: list[Plan], tmp_path: Path) -> None:
    words = ("--scenario", "oms-kill", "--keep", str(tmp_path))
    chaos(*words)
    assert len(planned) == 1
    (tmp_path / "client-0.jsonl").touch()
    assert chaos(*words) == EXIT_COULD_NOT_RUN
    assert len(planned) == 1
