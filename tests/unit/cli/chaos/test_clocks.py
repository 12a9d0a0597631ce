# SPDX-License-Identifier: Apache-2.0
"""The clock of a service can be set from outside, and everything in it believes that."""

import subprocess
import sys
import time
from pathlib import Path

from tradewind.cli.chaos.clocks import SERVICES, STEP_S, Clock, instead_of

LOOKS = """
import os, signal, time
before = time.time()
os.kill(os.getpid(), signal.SIGUSR1)
print(round(time.time() - before), round((time.time_ns() / 1e9) - before))
os.kill(os.getpid(), signal.SIGUSR2)
os.kill(os.getpid(), signal.SIGUSR2)
print(round(time.time() - before))
"""


def test_steps_add_up() -> None:
    clock = Clock()
    clock.set_ahead()
    clock.set_ahead()
    clock.set_back()
    assert abs(clock.time() - time.time() - STEP_S) < 60


def test_a_service_is_run_with_a_clock_that_signals_set(tmp_path: Path) -> None:
    (tmp_path / "looks.py").write_text(LOOKS)
    done = subprocess.run(
        [sys.executable, "-m", "tradewind.cli.chaos.clocks", "looks"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout.split() == ["3600", "3600", "-3600"], done.stderr


def test_every_service_that_decides_anything_has_one() -> None:
    assert instead_of().keys() == set(SERVICES)
