# SPDX-License-Identifier: Apache-2.0
"""The stack runs, or the tests are skipped with what is missing."""

import shutil
import subprocess

import pytest

EDGE = "tradewind-edge-1"


@pytest.fixture(scope="session", autouse=True)
def running_stack() -> None:
    """Looks at the edge, which is the last to get ready."""
    if shutil.which("docker") is None:
        pytest.skip("docker is not installed: make nightly-containers says what it needs")
    argv = ["docker", "inspect", "--format", "{{.State.Health.Status}}", EDGE]
    looked = subprocess.run(argv, capture_output=True, text=True, check=False)
    if looked.stdout.strip() != "healthy":
        pytest.skip("the stack does not run: make nightly-containers starts it and runs these")
