# SPDX-License-Identifier: Apache-2.0
"""Each sabotage names what exists, and breaks something in a process of its own."""

import subprocess
import sys

import pytest

from tradewind.cli.chaos.report import CHECKERS
from tradewind.cli.chaos.sabotage import SABOTAGES, instead_of
from tradewind.cli.chaos.scenarios import SCENARIOS


@pytest.mark.parametrize("name", SABOTAGES)
def test_a_sabotage_names_a_service_a_scenario_and_checkers_that_exist(name: str) -> None:
    sabotage = SABOTAGES[name]
    assert sabotage.scenario in SCENARIOS
    assert set(sabotage.checkers) <= set(CHECKERS)
    assert instead_of(name)[sabotage.service][-1] == f"tradewind.{sabotage.service}"


@pytest.mark.parametrize("name", SABOTAGES)
def test_the_module_is_run_with_the_bug_in_it(name: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tradewind.cli.chaos.sabotage", name, "this"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Namespaces" in done.stdout
