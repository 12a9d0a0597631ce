# SPDX-License-Identifier: Apache-2.0
"""Starts in order, watches, restarts, stops in reverse."""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from tradewind.common.errors import TradewindError
from tradewind.orchestrator.plan import Plan, ProcessSpec, Ready, Stage
from tradewind.orchestrator.policy import RestartPolicy
from tradewind.orchestrator.process import Identity, Process
from tradewind.orchestrator.readiness import Readiness
from tradewind.orchestrator.table import Phase, Row, Table

log = logging.getLogger(__name__)

LOOK_AGAIN_S = 0.05
LOG_LINES_QUOTED = 8
UNWANTED_GRACE_MS = 5_000


class StartFailed(TradewindError):
    """A process did not get ready."""

    code = "START_FAILED"


class Supervisor:
    """All processes of one plan."""

    def __init__(
        self,
        plan: Plan,
        readiness: Readiness,
        *,
        env: Mapping[str, str],
        log_dir: Path,
        table_path: Path,
        earlier: Mapping[str, Identity],
    ) -> None:
        self._plan = plan
        self._readiness = readiness
        self._env = env
        self._log_dir = log_dir
        rows = [Row(spec.name, stage.name) for stage in plan.stages for spec in stage.processes]
        self.table = Table(table_path, rows)
        self.started = asyncio.Event()
        self.ended: asyncio.Queue[tuple[str, int]] = asyncio.Queue()
        """Name and process id of each that was seen to end."""
        self._processes: dict[str, Process] = {}
        self._before: dict[str, Callable[[], None]] = {}
        self._unwanted: list[Process] = []
        self._adopt(earlier)
        self._watching: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Starts stage after stage; each must be ready before the next begins.

        Raises:
            StartFailed: if one does not get ready; it says which, and what its log says.
        """
        self.table.save()
        await self._stop_unwanted()
        for stage in self._plan.stages:
            await self._start_stage(stage)
        self.table.is_up = True
        self.table.save()
        self.started.set()

    async def watch(self) -> None:
        """Restarts what ends, until cancelled."""
        self._watching = [
            asyncio.create_task(self._keep(spec))
            for spec in self._plan.processes()
            if spec.ready is not Ready.EXIT
        ]
        await asyncio.gather(*self._watching)

    async def stop(self) -> None:
        """Stops stage after stage, the last first; nothing is left."""
        for task in self._watching:
            task.cancel()
        await asyncio.gather(*self._watching, return_exceptions=True)
        await self._readiness.close()
        self.table.is_up = False
        await self._stop_unwanted()
        for stage in reversed(self._plan.stages):
            await asyncio.gather(*(self._stop_one(spec) for spec in stage.processes))

    def nodes(self) -> dict[str, str]:
        """The bus's own processes, with the address where each tells its health."""
        return {spec.name: spec.ready_url for spec in self._plan.stages[0].processes}

    def is_ready(self, name: str) -> bool:
        """Whether a process has started and runs."""
        return self.table.rows[name].phase is Phase.READY

    async def restart(self, name: str, before: Callable[[], None] | None = None) -> None:
        """Ends a process, which is then started again like any that ends.

        `before` is done between its two lives.
        """
        spec = next(spec for spec in self._plan.processes() if spec.name == name)
        if before is not None:
            self._before[name] = before
        self.table.rows[name].phase = Phase.RESTARTING
        await self._processes[name].stop(spec.grace_ms)

    async def _start_stage(self, stage: Stage) -> None:
        results = await asyncio.gather(
            *(self._start_one(spec) for spec in stage.processes), return_exceptions=True
        )
        for result in results:
            if isinstance(result, BaseException):
                self.table.failure = str(result)
                self.table.save()
                raise result

    async def _start_one(self, spec: ProcessSpec) -> None:
        row = self.table.rows[spec.name]
        if spec.name in self._processes:
            row.phase = Phase.STARTING
            await self._until_ready_again(spec)
            return
        began_s = time.monotonic()
        self._processes[spec.name] = Process.start(spec, self._env, self._log_dir)
        self._note(row, self._processes[spec.name], Phase.STARTING)
        await self._until_ready(spec, self._processes[spec.name])
        row.ready_ms = int((time.monotonic() - began_s) * 1000)
        row.phase = Phase.DONE if spec.ready is Ready.EXIT else Phase.READY
        if row.phase is Phase.DONE:
            row.pid = 0
        self.table.save()

    def _adopt(self, earlier: Mapping[str, Identity]) -> None:
        """Takes over all that still runs, before anything else: a stop must reach it too."""
        services = {spec.name for spec in self._plan.processes() if spec.ready is not Ready.EXIT}
        for name, identity in earlier.items():
            process = Process.adopt(identity)
            if process is None:
                continue
            log.info("%s still runs as process %d", name, identity.pid)
            if name in services:
                self._processes[name] = process
                row = self.table.rows[name]
                row.pid, row.started = identity.pid, identity.started
            else:
                self._unwanted.append(process)

    async def _stop_unwanted(self) -> None:
        """Ends jobs of an earlier life, and services that the plan no longer has."""
        await asyncio.gather(*(process.stop(UNWANTED_GRACE_MS) for process in self._unwanted))
        self._unwanted.clear()

    async def _until_ready(self, spec: ProcessSpec, process: Process) -> None:
        deadline_s = time.monotonic() + spec.ready_timeout_ms / 1000
        while not await self._readiness.holds(spec, process):
            if not process.is_alive:
                code = await process.ended()
                if spec.ready is Ready.EXIT and code == 0:
                    return
                raise StartFailed(self._failure(spec, f"ended with code {code} while starting"))
            if time.monotonic() > deadline_s:
                waited_s = spec.ready_timeout_ms // 1000
                raise StartFailed(self._failure(spec, f"was not ready after {waited_s} s"))
            await asyncio.sleep(LOOK_AGAIN_S)

    async def _keep(self, spec: ProcessSpec) -> None:
        """Restarts one process whenever it ends, until the policy gives up on it."""
        policy = RestartPolicy()
        row = self.table.rows[spec.name]
        while True:
            row.exit_code = await self._processes[spec.name].ended()
            self.ended.put_nowait((spec.name, self._processes[spec.name].identity.pid))
            delay_ms = policy.delay_ms(time.monotonic_ns() // 1_000_000, row.exit_code)
            if delay_ms is None:
                row.phase, row.pid = Phase.HALTED, 0
                row.text = self._failure(spec, f"ended with code {row.exit_code}: not restarted")
                self.table.save()
                log.error(row.text)
                return
            log.warning("%s ended with code %s: restarted", spec.name, row.exit_code)
            await asyncio.sleep(max(delay_ms, spec.takeover_ms) / 1000)
            self._before.pop(spec.name, _nothing)()
            row.restarts += 1
            began_s = time.monotonic()
            self._processes[spec.name] = Process.start(spec, self._env, self._log_dir)
            self._note(row, self._processes[spec.name], Phase.RESTARTING)
            await self._until_ready_again(spec)
            row.ready_ms = int((time.monotonic() - began_s) * 1000)

    async def _until_ready_again(self, spec: ProcessSpec) -> None:
        row = self.table.rows[spec.name]
        try:
            await self._until_ready(spec, self._processes[spec.name])
        except StartFailed as error:
            row.text = error.text
        else:
            row.phase, row.text = Phase.READY, ""
        self.table.save()

    async def _stop_one(self, spec: ProcessSpec) -> None:
        process = self._processes.get(spec.name)
        if process is None:
            return
        if not await process.stop(spec.grace_ms):
            log.warning("%s did not end within %d ms and was killed", spec.name, spec.grace_ms)
        row = self.table.rows[spec.name]
        row.phase, row.pid = Phase.STOPPED, 0
        self.table.save()

    def _note(self, row: Row, process: Process, phase: Phase) -> None:
        row.phase, row.pid, row.started = phase, process.identity.pid, process.identity.started
        self.table.save()

    def _failure(self, spec: ProcessSpec, what: str) -> str:
        path = self._log_dir / f"{spec.name}.log"
        try:
            lines = path.read_text(errors="replace").splitlines()[-LOG_LINES_QUOTED:]
        except OSError:
            lines = []
        quoted = "\n".join(f"    {line}" for line in lines)
        return f"{spec.name} {what}; its log, {path}, ends:\n{quoted}"


def _nothing() -> None:
    """There is nothing to be done."""
