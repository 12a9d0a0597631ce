# SPDX-License-Identifier: Apache-2.0
"""The stack runs, or the tests are skipped with what is missing."""

import shutil
import subprocess

import pytest

EDGE = "tradewind-edge-1"
NO_DOCKER = "docker is not installed: make nightly-containers says what it needs"


def docker(*arguments: str) -> str:
    """What the engine answers; nothing, if it refuses or is not there."""
    done = subprocess.run(["docker", *arguments], capture_output=True, text=True, check=False)
    return "" if done.returncode else done.stdout.strip()


@pytest.fixture(scope="session")
def running_stack() -> None:
    """Looks at the edge, which is the last to get ready."""
    if shutil.which("docker") is None:
        pytest.skip(NO_DOCKER)
    if docker("inspect", "--format", "{{.State.Health.Status}}", EDGE) != "healthy":
        pytest.skip("the stack does not run: make nightly-containers starts it and runs these")


@pytest.fixture(scope="session")
def free_engine() -> None:
    """Looks for an engine that has built the images, and is not busy with a stack."""
    if shutil.which("docker") is None:
        pytest.skip(NO_DOCKER)
    if not docker("image", "inspect", "tradewind"):
        pytest.skip("no engine has built the images: make nightly-containers does and runs this")
    if docker("inspect", EDGE):
        pytest.skip("a stack runs, and this starts one of its own: first docker compose down")
