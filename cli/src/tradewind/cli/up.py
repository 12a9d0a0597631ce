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
from tradewind.cli.suite.facts import Facts, Options, SuiteError
from tradewind.cli.suite.launcher import (
    Launcher,
    end_survivors,
    running_launcher,
    running_orchestrator,
    survivors,
)
from tradewind.cli.view import live_view
from tradewind.orchestrator.process import Identity, identify

STOP_TIMEOUT_S = 60.0
LOOK_AGAIN_S = 0.1


async def up(folder: Path, options: Options, env: Mapping[str, str]) -> int:
    """Starts the suite, shows it until Ctrl-C, stops it."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
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
    lost = await _show_until(stopping, launcher, facts)
    err.print("stopping: strategy, services, replicas, bus ...")
    await launcher.stop()
    err.print(f"stopped; the state stays in {folder}")
    if lost is not None:
        raise lost
    return EXIT_HOLDS


async def _show_until(
    stopping: "asyncio.Future[Any]", launcher: Launcher, facts: Facts
) -> BaseException | None:
    """Keeps the orchestrator running and shows the suite, until somebody wants it stopped.

    Returns:
        Why the orchestrator cannot be kept running, if that is what ends it.
    """
    keeping = asyncio.ensure_future(launcher.keep())
    showing = asyncio.ensure_future(live_view(facts)) if sys.stdout.isatty() else None
    await asyncio.wait({stopping, keeping}, return_when=asyncio.FIRST_COMPLETED)
    lost = keeping.exception() if keeping.done() else None
    for task in (keeping, showing):
        if task is not None:
            task.cancel()
    await asyncio.gather(*(t for t in (keeping, showing) if t), return_exceptions=True)
    return lost


async def down(folder: Path) -> int:
    """Stops a running suite, whoever started it.

    Raises:
        SuiteError: NOT_RUNNING, or it did not end in time.
    """
    running = running_launcher(folder) or running_orchestrator(folder)
    if running is None and not survivors(folder):
        raise SuiteError(f"no suite runs in {folder}: nothing to stop", code="NOT_RUNNING")
    if running is not None:
        await _end(running, folder)
    if await end_survivors(folder):
        err.print("stopped what an earlier start had left")
    err.print("stopped")
    return EXIT_HOLDS


async def _end(running: Identity, folder: Path) -> None:
    """Asks the launcher, or the orchestrator if there is none, to stop all, and waits for it."""
    os.kill(running.pid, signal.SIGTERM)
    deadline_s = time.monotonic() + STOP_TIMEOUT_S
    while identify(running.pid) == running:
        if time.monotonic() > deadline_s:
            raise SuiteError(
                f"process {running.pid} still runs after {STOP_TIMEOUT_S:.0f} s: see "
                f"{folder / 'logs' / 'orchestrator.log'}",
                code="STILL_RUNNING",
            )
        await asyncio.sleep(LOOK_AGAIN_S)


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
    err.print(f"  FIX 4.4   {' '.join(facts.gateway_fix_addresses)}")
    err.print(f"  venue     {facts.venue_url}/v1/book?depth=5")
    err.print(f"  logs      {facts.folder / 'logs'}")
    if not options.is_demo:
        err.print("  no strategy trades; `tradewind order submit --help` tells how to")
    err.print("Ctrl-C stops everything\n")
