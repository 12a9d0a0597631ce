# SPDX-License-Identifier: Apache-2.0
"""Who runs a suite is known by locks and start times, never by a process id alone."""

import asyncio
import fcntl
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from tradewind.cli.console_io import run_or_explain
from tradewind.cli.suite.facts import Options, SuiteError
from tradewind.cli.suite.launcher import (
    Launcher,
    end_survivors,
    is_running,
    running_launcher,
    running_orchestrator,
)
from tradewind.orchestrator.plan import ProcessSpec
from tradewind.orchestrator.process import Identity, Process, identify


@pytest.fixture
def process() -> Iterator["subprocess.Popen[bytes]"]:
    child = subprocess.Popen(["/bin/sleep", "60"])
    yield child
    child.kill()
    child.wait()


def living(process: "subprocess.Popen[bytes]") -> Identity:
    found = identify(process.pid)
    assert found is not None
    return found


def write_table(folder: Path, **table: Any) -> None:
    path = folder / "run" / "processes.json"
    path.parent.mkdir()
    path.write_text(json.dumps({"processes": [], **table}))


def test_a_lock_file_that_nobody_locks_names_no_launcher(
    tmp_path: Path, process: "subprocess.Popen[bytes]"
) -> None:
    (tmp_path / "lock").write_text(str(process.pid))
    assert running_launcher(tmp_path) is None


def test_whoever_holds_the_lock_is_the_launcher(tmp_path: Path) -> None:
    with (tmp_path / "lock").open("w") as lock:
        lock.write(str(os.getpid()))
        lock.flush()
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert running_launcher(tmp_path) == identify(os.getpid())
    assert running_launcher(tmp_path) is None


def test_a_folder_without_a_suite_runs_nothing(tmp_path: Path) -> None:
    assert running_launcher(tmp_path) is None
    assert running_orchestrator(tmp_path) is None
    assert not is_running(tmp_path)


def test_an_orchestrators_process_id_that_was_given_again_is_not_taken_for_it(
    tmp_path: Path, process: "subprocess.Popen[bytes]"
) -> None:
    one = living(process)
    write_table(tmp_path, orchestrator_pid=one.pid, orchestrator_started=one.started - 1)
    assert running_orchestrator(tmp_path) is None
    assert not is_running(tmp_path)


def test_services_without_their_orchestrator_still_run_and_can_be_ended(
    tmp_path: Path, process: "subprocess.Popen[bytes]"
) -> None:
    one = living(process)
    row = {"name": "it", "pid": one.pid, "started": one.started}
    write_table(tmp_path, orchestrator_pid=one.pid, orchestrator_started=0, processes=[row])
    assert running_orchestrator(tmp_path) is None
    assert is_running(tmp_path)
    assert asyncio.run(end_survivors(tmp_path)) == 1
    assert process.wait(5) != 0
    assert not is_running(tmp_path)


def test_an_orchestrator_that_ends_again_and_again_is_given_up(tmp_path: Path) -> None:
    async def keep() -> None:
        launcher = Launcher(tmp_path, Options(), {})
        launcher._spec = ProcessSpec(name="orchestrator", argv=[sys.executable, "-c", "exit(70)"])
        launcher._orchestrator = Process.start(launcher._spec, {}, tmp_path / "logs")
        await launcher.keep()

    with pytest.raises(SuiteError, match="last with code 70") as lost:
        asyncio.run(keep())
    assert lost.value.code == "ORCHESTRATOR_LOST"


def test_a_text_with_brackets_is_printed_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    text = "its log, [logs/x.log], ends: [ERR] bad [bold]"

    async def fail() -> int:
        raise SuiteError(text)

    with pytest.raises(typer.Exit) as end:
        run_or_explain(fail)
    assert end.value.exit_code == 3
    assert text in capsys.readouterr().err
