# SPDX-License-Identifier: Apache-2.0
"""The command line as a person at a terminal uses it, and a look at what it leaves behind."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

TRADEWIND = Path(sys.executable).with_name("tradewind")
UP_TIMEOUT_S = 90.0
STOP_TIMEOUT_S = 110.0
LOOK_AGAIN_S = 0.05
QUICK = ("--flow", "synthetic", "--gateway-port", "0", "--console-port", "0")


class Terminal:
    """Commands for one suite, whose state lies in `home`."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.folder = home / "main"
        self._env = {**os.environ, "TRADEWIND_HOME": str(home), "COLUMNS": "200"}
        self._up: subprocess.Popen[bytes] | None = None

    def run(self, *arguments: str, timeout_s: float = 110.0) -> "subprocess.CompletedProcess[str]":
        """A command to its end."""
        return subprocess.run(
            [TRADEWIND, *arguments],
            env=self._env,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )

    def json(self, *arguments: str) -> dict[str, Any]:
        """What a command with --json prints, which must be one object and nothing else."""
        result = self.run(*arguments, "--json")
        assert result.returncode == 0, result.stderr
        answer: dict[str, Any] = json.loads(result.stdout)
        return answer

    def up(self, *arguments: str) -> None:
        """`tradewind up` in the foreground, until everything is ready."""
        self.start_up(*arguments)
        wait_for(self._is_up, UP_TIMEOUT_S, self.said)

    def start_up(self, *arguments: str) -> None:
        """`tradewind up` in the foreground."""
        with (self.home / "up.log").open("ab") as log:
            self._up = subprocess.Popen(
                [TRADEWIND, "up", *QUICK, *arguments],
                env=self._env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def said(self) -> str:
        """What `up` has printed."""
        return (self.home / "up.log").read_text()

    def ctrl_c(self) -> int:
        """Ctrl-C, which reaches the whole foreground group; the exit code of `up`."""
        assert self._up is not None
        os.killpg(self._up.pid, signal.SIGINT)
        return self._up.wait(STOP_TIMEOUT_S)

    def kill_up(self) -> None:
        """Kill -9 of the foreground command alone."""
        assert self._up is not None
        self._up.kill()
        self._up.wait()

    def exit_code(self) -> int:
        """How `up` ended."""
        assert self._up is not None
        return self._up.wait(STOP_TIMEOUT_S)

    def table(self) -> dict[str, Any]:
        """The orchestrator's table of processes."""
        with contextlib.suppress(OSError, ValueError):
            table: dict[str, Any] = json.loads((self.folder / "run/processes.json").read_text())
            return table
        return {}

    def row(self, name: str) -> dict[str, Any]:
        """One process of the table."""
        return next((row for row in self.table()["processes"] if row["name"] == name), {})

    def pids(self) -> dict[str, int]:
        """The processes that should run, by name."""
        return {row["name"]: row["pid"] for row in self.table()["processes"] if row["pid"]}

    def ports(self) -> list[int]:
        """Every port that the suite listens on; 0 stands for what it goes without."""
        facts = json.loads((self.folder / "suite.json").read_text())
        found = [port for node in facts["nodes"] for port in node.values()]
        for name, value in facts.items():
            found += [value] if name.endswith("_port") else value if name.endswith("_ports") else []
        return [port for port in found if port]

    def left(self) -> dict[int, str]:
        """Living processes that were started for this suite, with their command lines."""
        found = {}
        for folder in Path("/proc").iterdir():
            if not folder.name.isdigit() or int(folder.name) == os.getpid():
                continue
            with contextlib.suppress(OSError):
                command = (folder / "cmdline").read_bytes()
                if str(self.home).encode() in command + (folder / "environ").read_bytes():
                    found[int(folder.name)] = command.replace(b"\0", b" ").decode()
        return found

    def kill_everything(self) -> None:
        """Kill -9 of every process of the suite, the foreground command first."""
        while self.left():
            for pid in self.left():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        if self._up is not None:
            self._up.wait(STOP_TIMEOUT_S)

    def _is_up(self) -> bool:
        assert self._up is not None
        assert self._up.poll() is None, self.said()
        table = self.table()
        is_own = table.get("orchestrator_pid") in self.left()
        return bool(table.get("is_up")) and is_own


def wait_for(
    condition: Callable[[], Any], timeout_s: float, told: Callable[[], object] = str
) -> None:
    """Waits until a condition holds; fails with what `told` says."""
    deadline_s = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline_s, f"not within {timeout_s} s: {told()}"
        time.sleep(LOOK_AGAIN_S)


def can_listen(port: int) -> bool:
    """Whether somebody could listen on a port now."""
    with socket.socket() as item:
        item.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            item.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
