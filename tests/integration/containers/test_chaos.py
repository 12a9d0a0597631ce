# SPDX-License-Identifier: Apache-2.0
"""One short chaos run with containers, as anybody would make it."""

import json
import os
import subprocess

import pytest

from tests.e2e.terminal import TRADEWIND
from tests.integration.containers.conftest import docker
from tradewind.cli.chaos.tools import PREFIX

pytestmark = [
    pytest.mark.usefixtures("free_engine"),
    pytest.mark.chaos,
    pytest.mark.slow,
    pytest.mark.timeout(600),
]


def test_killed_containers_harm_nothing_and_nothing_is_left_of_the_stack() -> None:
    options = ("--faults", "2", "--orders", "200", "--rate", "50", "--seed", "7", "--json")
    done = subprocess.run(
        [TRADEWIND, "chaos", "run", "--driver", "docker", "--scenario", "oms-kill", *options],
        env={**os.environ, "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:] + done.stdout
    report = json.loads(done.stdout)
    assert (report["driver"], report["faults"], report["valid"]) == ("docker", 2, True)
    assert not any(report["violations"].values())
    for kind in ("container", "volume", "network"):
        assert not docker(kind, "ls", "--quiet", "--filter", f"name={PREFIX}")
