# SPDX-License-Identifier: Apache-2.0
"""One process: started or adopted, watched by a process file descriptor, stopped.

A descriptor names one process for ever, unlike its id, and becomes readable when it ends: the
end is seen at once, also of a process that an earlier life of this orchestrator has started.
"""

import asyncio
import os
import signal
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tradewind.orchestrator.plan import ProcessSpec

LOG_BYTES_MAX = 32 * 1024 * 1024
_START_TIME_FIELD = 19
"""Of /proc/PID/stat, counted after the command's closing parenthesis."""


@dataclass(frozen=True, slots=True)
class Identity:
    """A process for good: its id may be given again, but not with the same start time."""

    pid: int
    started: int


def identify(pid: int) -> Identity | None:
    """The process that has this id now, unless it has ended."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] in "ZX" else Identity(pid, int(fields[_START_TIME_FIELD]))


class Process:
    """A living or ended process."""

    def __init__(self, identity: Identity, child: "subprocess.Popen[bytes] | None") -> None:
        self.identity = identity
        self._child = child
        self._fd = os.pidfd_open(identity.pid)
        self._ended = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().add_reader(self._fd, self._on_end)

    @classmethod
    def start(cls, spec: ProcessSpec, env: Mapping[str, str], log_dir: Path) -> "Process":
        """Starts it in a session of its own, so that a terminal's Ctrl-C does not reach it.

        Raises:
            OSError: if it cannot be started.
        """
        with _log(log_dir / f"{spec.name}.log").open("ab") as log:
            child = subprocess.Popen(
                spec.argv,
                env={**env, **spec.env},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        give_way(child.pid, spec.niceness)
        return cls(identify(child.pid) or Identity(child.pid, 0), child)

    @classmethod
    def adopt(cls, identity: Identity) -> "Process | None":
        """Takes over a process that still runs; None if it does not."""
        if identify(identity.pid) != identity:
            return None
        try:
            return cls(identity, None)
        except OSError:
            return None

    async def ended(self) -> int | None:
        """Waits for the end: the exit code (negative: the signal), None if it was adopted."""
        return await asyncio.shield(self._ended)

    @property
    def is_alive(self) -> bool:
        """It has not ended yet."""
        return not self._ended.done()

    async def stop(self, grace_ms: int) -> bool:
        """Asks it to end, then makes it; true if it ended by itself."""
        self.signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(grace_ms / 1000):
                await self.ended()
                return True
        except TimeoutError:
            self.signal(signal.SIGKILL)
            await self.ended()
            return False

    def signal(self, number: signal.Signals) -> None:
        """Sends a signal, to this very process or to nobody."""
        if self.is_alive:
            try:
                signal.pidfd_send_signal(self._fd, number)
            except ProcessLookupError:
                return

    def _on_end(self) -> None:
        asyncio.get_running_loop().remove_reader(self._fd)
        os.close(self._fd)
        self._ended.set_result(None if self._child is None else self._child.wait())


def give_way(pid: int, niceness: int) -> None:
    """Lets others run first; where the system groups processes by session, the whole group does.

    Only groups give way to each other there: sched(7), autogroup.
    """
    os.setpriority(os.PRIO_PROCESS, pid, niceness)
    with suppress(OSError):
        Path(f"/proc/{pid}/autogroup").write_text(str(niceness))


def _log(path: Path) -> Path:
    """The log to append to; one that grew too large is set aside first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and path.stat().st_size > LOG_BYTES_MAX:
        path.replace(path.with_suffix(".log.1"))
    return path
