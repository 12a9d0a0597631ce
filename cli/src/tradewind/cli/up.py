# SPDX-License-Identifier: Apache-2.0
"""`tradewind up` and `down`: the suite in the foreground, from its first line to its last."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tradewind.cli.console_io import EXIT_HOLDS, err
from tradewind.cli.suite.facts import Facts, Options, SuiteError, read_facts
from tradewind.cli.suite.launcher import Launcher, running_orchestrator, survivors
from tradewind.cli.view import live_view
from tradewind.orchestrator.process import Process, identify

STOP_TIMEOUT_S = 60.0
LOOK_AGAIN_S = 0.1
SURVIVOR_GRACE_MS = 10_000


async def up(folder: Path, options: Options, env: Mapping[str, str]) -> int:
    """Starts the suite, shows it until Ctrl-C, stops it."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    launcher = Launcher(folder, options, env)
    progress = Progress()
    starting = asyncio.ensure_future(launcher.start(progress))
    stopping = asyncio.ensure_future(stop.wait())
    await asyncio.wait({starting, stopping}, return_when=asyncio.FIRST_COMPLETED)
    if not starting.done():
        err.print("stopping before all was started ...")
        starting.cancel()
        await asyncio.gather(starting, return_exceptions=True)
        return EXIT_HOLDS
    facts = starting.result()
    _say_ready(facts, options, progress.elapsed_s)
    keeping = asyncio.ensure_future(launcher.keep())
    showing = asyncio.ensure_future(live_view(facts)) if sys.stdout.isatty() else None
    await stopping
    for task in (keeping, showing):
        if task is not None:
            task.cancel()
    await asyncio.gather(*(t for t in (keeping, showing) if t), return_exceptions=True)
    err.print("stopping: strategy, services, replicas, bus ...")
    await launcher.stop()
    err.print(f"stopped; the state stays in {folder}")
    return EXIT_HOLDS


async def down(folder: Path) -> int:
    """Stops a running suite, whoever started it.

    Raises:
        SuiteError: NOT_RUNNING, or it did not end in time.
    """
    orchestrator = running_orchestrator(folder)
    if orchestrator is None and survivors(folder):
        return await _end_survivors(folder)
    if read_facts(folder) is None or orchestrator is None:
        raise SuiteError(f"no suite runs in {folder}: nothing to stop", code="NOT_RUNNING")
    holder = _lock_holder(folder)
    os.kill(holder if holder is not None else orchestrator.pid, signal.SIGTERM)
    deadline_s = time.monotonic() + STOP_TIMEOUT_S
    while running_orchestrator(folder) is not None:
        if time.monotonic() > deadline_s:
            raise SuiteError(
                f"process {orchestrator.pid} still runs after {STOP_TIMEOUT_S:.0f} s: see "
                f"{folder / 'logs' / 'orchestrator.log'}",
                code="STILL_RUNNING",
            )
        await asyncio.sleep(LOOK_AGAIN_S)
    err.print("stopped")
    return EXIT_HOLDS


async def _end_survivors(folder: Path) -> int:
    """Ends what a dead orchestrator has left, the last started first."""
    for identity in survivors(folder):
        process = Process.adopt(identity)
        if process is not None:
            await process.stop(SURVIVOR_GRACE_MS)
    err.print("stopped what an earlier start had left")
    return EXIT_HOLDS


class Progress:
    """Says each process once, when it is ready."""

    def __init__(self) -> None:
        self._began_s = time.monotonic()
        self._said: set[str] = set()

    @property
    def elapsed_s(self) -> float:
        """Since the beginning."""
        return time.monotonic() - self._began_s

    def __call__(self, table: dict[str, Any]) -> None:
        """Prints what is new in the table."""
        for row in table.get("processes", []):
            if row["phase"] in ("ready", "done") and row["name"] not in self._said:
                self._said.add(row["name"])
                err.print(
                    f"{self.elapsed_s:6.1f} s  {row['stage']:<9} {row['name']:<14} "
                    f"{row['phase']} in {row['ready_ms']} ms"
                )


def _say_ready(facts: Facts, options: Options, elapsed_s: float) -> None:
    err.print(f"\n[bold green]ready[/] after {elapsed_s:.1f} s")
    err.print(f"  console   {facts.console_url}")
    err.print(f"  gateway   {facts.gateway_url}  (API: /v1/openapi.json)")
    err.print(f"  venue     {facts.venue_url}/v1/book?depth=5")
    err.print(f"  logs      {facts.folder / 'logs'}")
    if not options.is_demo:
        err.print("  no strategy trades; `tradewind order submit --help` tells how to")
    err.print("Ctrl-C stops everything\n")


def _lock_holder(folder: Path) -> int | None:
    """The launcher that waits in the foreground, if it still lives."""
    try:
        pid = int((folder / "lock").read_text() or "0")
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except (OSError, ValueError):
        return None
    return pid if b"tradewind" in command and identify(pid) is not None else None
