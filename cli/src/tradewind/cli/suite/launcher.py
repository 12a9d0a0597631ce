# SPDX-License-Identifier: Apache-2.0
"""Starts a suite and stops it: the one launcher of `up`, `bench` and the tests."""

import asyncio
import fcntl
import json
import os
import sys
import time
import urllib.request
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import IO, Any

import msgspec

from tradewind.cli.suite.facts import Facts, Options, SuiteError
from tradewind.cli.suite.prepare import node_name, prepare
from tradewind.cli.suite.processes import plan_of, service_env
from tradewind.common import permissions
from tradewind.orchestrator.plan import ProcessSpec
from tradewind.orchestrator.policy import RestartPolicy
from tradewind.orchestrator.process import Identity, Process, identify
from tradewind.orchestrator.table import read_living
from tradewind.orchestrator.table import read_table as orchestrators_table

LOOK_AGAIN_S = 0.1
STOP_GRACE_MS = 60_000
SURVIVOR_GRACE_MS = 10_000
MONITOR_TIMEOUT_S = 2.0
ORCHESTRATOR = ("tradewind.orchestrator",)

Progress = Callable[[dict[str, Any]], None]
"""Called with the orchestrator's table whenever it was read."""


class Launcher:
    """One suite, from its lock to its last process."""

    def __init__(self, folder: Path, options: Options, env: Mapping[str, str]) -> None:
        self.folder = folder
        self._options = options
        self._env = env
        self._lock: IO[str] | None = None
        self._orchestrator: Process | None = None
        self._spec: ProcessSpec | None = None
        self.facts: Facts | None = None

    async def start(self, progress: Progress) -> Facts:
        """Starts everything and returns once all is ready.

        Raises:
            SuiteError: ALREADY_RUNNING, PORT_TAKEN, START_FAILED or FOREIGN_SERVER.
        """
        self._take_lock()
        running = running_orchestrator(self.folder)
        if running is not None:
            raise SuiteError(
                f"processes of an earlier start still run (orchestrator {running.pid}): "
                "`tradewind down` stops them",
                code="ALREADY_RUNNING",
            )
        left = survivors(self.folder)
        facts = self.facts = prepare(self.folder, self._options, is_alive=bool(left))
        self._spec = self._orchestrator_spec(facts)
        self._orchestrator = Process.start(self._spec, self._env, self.folder / "logs")
        try:
            await self._until_up(progress)
            self._require_own_servers(facts)
        except BaseException:
            await self.stop()
            raise
        return facts

    async def keep(self) -> None:
        """Starts the orchestrator again if it dies; what it started goes on meanwhile.

        Raises:
            SuiteError: ORCHESTRATOR_LOST, if it ends again and again.
        """
        assert self._spec is not None
        policy = RestartPolicy()
        while self._orchestrator is not None:
            code = await self._orchestrator.ended()
            delay_ms = policy.delay_ms(time.monotonic_ns() // 1_000_000, code)
            if delay_ms is None:
                raise SuiteError(
                    f"the orchestrator ended again and again, last with code {code}: see "
                    f"{self.folder / 'logs' / 'orchestrator.log'}",
                    code="ORCHESTRATOR_LOST",
                )
            await asyncio.sleep(delay_ms / 1000)
            self._orchestrator = Process.start(self._spec, self._env, self.folder / "logs")

    async def stop(self) -> None:
        """Stops everything, in reverse order, and lets go of the lock."""
        orchestrator, self._orchestrator = self._orchestrator, None
        if orchestrator is not None:
            await orchestrator.stop(STOP_GRACE_MS)
            await end_survivors(self.folder)
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def _take_lock(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = _lock_path(self.folder).open("a+")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            lock.seek(0)
            holder = lock.read().strip() or "unknown"
            lock.close()
            raise SuiteError(
                f"this suite runs already (process {holder}): `tradewind status` shows it, "
                "`tradewind down` stops it, `--name` starts another one beside it",
                code="ALREADY_RUNNING",
            ) from error
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        self._lock = lock

    def _orchestrator_spec(self, facts: Facts) -> ProcessSpec:
        plan_path = self.folder / "run" / "plan.json"
        plan_path.parent.mkdir(parents=True, exist_ok=True)
        plan_path.write_bytes(msgspec.json.encode(plan_of(facts, self._options)))
        _forget_outcome(facts)
        env = service_env(facts, "orchestrator", "orchestrator-0")
        return ProcessSpec(
            name="orchestrator",
            argv=[sys.executable, "-m", *self._options.instead.get("orchestrator", ORCHESTRATOR)],
            env=env
            | {
                "TRADEWIND_STATE_DIR": str(self.folder),
                "TRADEWIND_PLAN_FILE": str(plan_path),
                permissions.SYSTEM_PASSWORD_FILE: str(facts.secrets_dir / permissions.SYSTEM_USER),
            },
        )

    async def _until_up(self, progress: Progress) -> None:
        assert self._orchestrator is not None
        assert self.facts is not None
        while True:
            table = read_table(self.facts)
            progress(table)
            if table.get("is_up"):
                return
            if table.get("failure"):
                raise SuiteError(table["failure"], code="START_FAILED")
            if not self._orchestrator.is_alive:
                log = self.folder / "logs" / "orchestrator.log"
                raise SuiteError(f"the orchestrator ended: see {log}", code="START_FAILED")
            await asyncio.sleep(LOOK_AGAIN_S)

    def _require_own_servers(self, facts: Facts) -> None:
        """The servers on our ports must be the ones that were started here."""
        nodes = zip(facts.node_hosts, facts.nodes, strict=True)
        for number, (host, ports) in enumerate(nodes, start=1):
            url = f"http://{host}:{ports['monitor']}/varz"
            with urllib.request.urlopen(url, timeout=MONITOR_TIMEOUT_S) as answer:
                name = json.load(answer)["server_name"]
            if name != node_name(facts, number):
                raise SuiteError(
                    f"port {ports['monitor']} is answered by {name}, which is not of this suite: "
                    "start again",
                    code="FOREIGN_SERVER",
                )


def read_table(facts: Facts) -> dict[str, Any]:
    """The orchestrator's table as last written; empty before the first time."""
    return orchestrators_table(facts.table_path)


def _forget_outcome(facts: Facts) -> None:
    """Whether an earlier start was up says nothing of this one; who still runs is kept."""
    table = read_table(facts)
    if table:
        facts.table_path.write_bytes(
            msgspec.json.encode(table | {"is_up": False, "failure": "", "orchestrator_pid": 0})
        )


def running_orchestrator(folder: Path) -> Identity | None:
    """The living orchestrator of a suite."""
    table = orchestrators_table(_table_path(folder))
    found = Identity(table.get("orchestrator_pid", 0), table.get("orchestrator_started", 0))
    return found if found.pid and identify(found.pid) == found else None


def running_launcher(folder: Path) -> Identity | None:
    """The launcher that holds the suite: who else could not have its lock."""
    try:
        with _lock_path(folder).open("r+") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                return identify(int(lock.read() or "0"))
    except (OSError, ValueError):
        return None
    return None


def survivors(folder: Path) -> list[Identity]:
    """Processes of the suite that run, the last started first."""
    return list(reversed(read_living(_table_path(folder)).values()))


async def end_survivors(folder: Path) -> int:
    """Ends what runs without an orchestrator, the last started first; returns how many."""
    ended = 0
    for identity in survivors(folder):
        process = Process.adopt(identity)
        if process is not None:
            await process.stop(SURVIVOR_GRACE_MS)
            ended += 1
    return ended


def is_running(folder: Path) -> bool:
    """Whether the suite runs: trading goes on while its orchestrator is being replaced."""
    return running_orchestrator(folder) is not None or bool(survivors(folder))


def _lock_path(folder: Path) -> Path:
    return folder / "lock"


def _table_path(folder: Path) -> Path:
    return folder / "run" / "processes.json"


@asynccontextmanager
async def running_suite(
    folder: Path, options: Options, env: Mapping[str, str], progress: Progress | None = None
) -> AsyncIterator[Facts]:
    """A suite for the time of a block."""
    launcher = Launcher(folder, options, env)
    facts = await launcher.start(progress or (lambda _table: None))
    try:
        yield facts
    finally:
        await launcher.stop()
