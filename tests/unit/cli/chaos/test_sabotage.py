# SPDX-License-Identifier: Apache-2.0
"""Each sabotage and each failpoint names what exists, and works in a process of its own."""

import signal
import subprocess
import sys

import pytest

from tradewind.cli.chaos import failpoints
from tradewind.cli.chaos.failpoints import FAILPOINTS
from tradewind.cli.chaos.report import CHECKERS
from tradewind.cli.chaos.sabotage import SABOTAGES, instead_of
from tradewind.cli.chaos.scenarios import SCENARIOS


@pytest.mark.parametrize("name", SABOTAGES)
def test_a_sabotage_names_a_service_a_scenario_and_checkers_that_exist(name: str) -> None:
    sabotage = SABOTAGES[name]
    assert sabotage.scenario in SCENARIOS
    assert set(sabotage.checkers) <= set(CHECKERS)
    if sabotage.service:
        assert instead_of(name, {})[sabotage.service][-1] == f"tradewind.{sabotage.service}"


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


@pytest.mark.parametrize("name", FAILPOINTS)
def test_a_failpoint_has_a_scenario_and_lets_a_service_run_until_it_is_armed(name: str) -> None:
    (scenario,) = SCENARIOS[f"die-{name}"]
    assert scenario.failpoint == name
    done = subprocess.run(
        [sys.executable, "-m", "tradewind.cli.chaos.failpoints", name, "this"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "Namespaces" in done.stdout, done.stderr


DIES = """
import os, signal
from tradewind.cli.chaos import failpoints
from tradewind.gateway.journal import Journal
point = failpoints._Point()
Journal.publish = lambda self: print("published", flush=True)
failpoints.FAILPOINTS["before-journal"].install(point)
signal.signal(signal.SIGUSR1, point.arm)
Journal.publish(None)
os.kill(os.getpid(), signal.SIGUSR1)
Journal.publish(None)
print("it lives", flush=True)
"""


def test_an_armed_process_dies_before_the_next_one_passes() -> None:
    done = subprocess.run(
        [sys.executable, "-c", DIES], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == -signal.SIGKILL
    assert done.stdout == "published\n"


def test_a_service_may_have_a_bug_and_a_point_to_die_at() -> None:
    both = instead_of("resend-on-timeout", failpoints.instead_of("after-send"))
    name, chaos = "resend-on-timeout", "tradewind.cli.chaos"
    assert both == {
        "venue": [f"{chaos}.sabotage", name, f"{chaos}.failpoints", "after-send", "tradewind.venue"]
    }
