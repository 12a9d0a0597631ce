# SPDX-License-Identifier: Apache-2.0
"""Programs of the machine that faults are made with, and what a machine lacks for a scenario."""

import os
import shutil
import subprocess

from tradewind.cli.suite.facts import SuiteError

PREFIX = "twc"
"""All that a run makes in the machine is named so, with the run's process id behind it."""


def missing(*programs: str) -> list[str]:
    """What this process lacks to run these programs as root."""
    lacking = [name for name in programs if shutil.which(name) is None]
    return lacking if os.geteuid() == 0 else ["root", *lacking]


def run(*command: str, is_required: bool = True) -> None:
    """Runs a program to its end.

    Raises:
        SuiteError: MACHINE_REFUSED, with what the program said, if it failed and is required.
    """
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode and is_required:
        raise SuiteError(
            f"`{' '.join(command)}` failed: {done.stderr.strip() or done.returncode}",
            code="MACHINE_REFUSED",
        )


def is_left_over(run_id: int) -> bool:
    """Whether the run that made something under this id is over."""
    try:
        os.kill(run_id, 0)
    except ProcessLookupError:
        return True
    return False
