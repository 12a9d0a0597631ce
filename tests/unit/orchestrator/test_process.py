# SPDX-License-Identifier: Apache-2.0
"""One process: its end is seen at once, and nobody else is ever signalled in its place."""

import asyncio
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tradewind.common.testing import eventually
from tradewind.orchestrator.plan import ProcessSpec
from tradewind.orchestrator.process import Identity, Process, identify

pytestmark = pytest.mark.anyio
SEEN_WITHIN_S = 1.0


@pytest.fixture
def stranger() -> Iterator["subprocess.Popen[bytes]"]:
    """A process that no orchestrator of this life has started."""
    child = subprocess.Popen(["/bin/sleep", "60"])
    yield child
    child.kill()
    child.wait()


def start(tmp_path: Path, script: str) -> Process:
    spec = ProcessSpec(name="it", argv=["/bin/sh", "-c", script], env={"FROM_SPEC": "yes"})
    return Process.start(spec, {"PATH": os.environ["PATH"]}, tmp_path / "logs")


async def test_the_end_is_seen_at_once_with_its_code(tmp_path: Path) -> None:
    process = start(tmp_path, "exec sleep 60")
    began_s = time.monotonic()
    os.kill(process.identity.pid, signal.SIGKILL)
    assert await process.ended() == -signal.SIGKILL
    assert time.monotonic() - began_s < SEEN_WITHIN_S
    assert not process.is_alive


async def test_it_writes_to_its_own_log_and_sees_its_own_environment(tmp_path: Path) -> None:
    process = start(tmp_path, "echo said $FROM_SPEC; echo also >&2; exit 3")
    assert await process.ended() == 3
    assert (tmp_path / "logs" / "it.log").read_text() == "said yes\nalso\n"


async def test_it_runs_in_a_session_of_its_own(tmp_path: Path) -> None:
    process = start(tmp_path, "exec sleep 60")
    assert os.getsid(process.identity.pid) == process.identity.pid != os.getsid(0)
    await process.stop(5_000)


async def test_asked_to_stop_it_ends_by_itself(tmp_path: Path) -> None:
    process = start(tmp_path, "exec sleep 60")
    assert await process.stop(5_000)
    assert identify(process.identity.pid) is None


async def test_one_that_ignores_the_request_is_killed_after_its_grace(tmp_path: Path) -> None:
    process = start(tmp_path, "trap '' TERM; echo ready; while :; do sleep 0.05; done")
    log = tmp_path / "logs" / "it.log"
    await eventually(lambda: log.read_text() == "ready\n")
    assert not await process.stop(100)
    assert await process.ended() == -signal.SIGKILL


async def test_a_process_of_an_earlier_life_is_adopted_and_its_end_seen(
    stranger: "subprocess.Popen[bytes]",
) -> None:
    identity = identify(stranger.pid)
    assert identity is not None
    adopted = Process.adopt(identity)
    assert adopted is not None
    assert adopted.is_alive
    stranger.kill()
    async with asyncio.timeout(SEEN_WITHIN_S):
        assert await adopted.ended() is None


async def test_another_process_with_the_same_id_is_not_adopted(
    stranger: "subprocess.Popen[bytes]",
) -> None:
    identity = identify(stranger.pid)
    assert identity is not None
    assert Process.adopt(Identity(identity.pid, identity.started + 1)) is None
    stranger.kill()
    stranger.wait()
    assert Process.adopt(identity) is None


def test_what_has_ended_but_was_not_waited_for_counts_as_ended() -> None:
    child = subprocess.Popen(["/bin/true"])
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert identify(child.pid) is None
    child.wait()


async def test_it_gives_way_to_others_as_far_as_its_plan_says(tmp_path: Path) -> None:
    spec = ProcessSpec(name="it", argv=["/bin/sleep", "60"], niceness=10)
    process = Process.start(spec, {}, tmp_path / "logs")
    assert os.getpriority(os.PRIO_PROCESS, process.identity.pid) == 10
    await process.stop(5_000)
