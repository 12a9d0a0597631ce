# SPDX-License-Identifier: Apache-2.0
"""The plan: which processes there are, in which order they start, and when each is ready."""

from enum import StrEnum
from pathlib import Path

import msgspec

from tradewind.common.errors import SettingsError


class Ready(StrEnum):
    """What shows that a process is ready."""

    ALIVE = "alive"
    """It runs."""
    EXIT = "exit"
    """It ended with code 0: a job, not a service."""
    HTTP = "http"
    """Its `ready_url` answers 200."""
    STATUS = "status"
    """Its heartbeat `ready_key` carries its process id, and one of `ready_roles` if given."""


class ProcessSpec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One process. `env` is added to the orchestrator's own environment.

    Others have `takeover_ms` to take over its work before it is started again: a start takes much
    of what a small machine can do. `niceness` is that of the operating system: who gives way to the
    others when there is too much to do.
    """

    name: str
    argv: list[str]
    env: dict[str, str] = {}
    ready: Ready = Ready.ALIVE
    ready_url: str = ""
    ready_key: str = ""
    ready_roles: list[str] = []
    ready_timeout_ms: int = 30_000
    grace_ms: int = 5_000
    takeover_ms: int = 0
    niceness: int = 0


class Stage(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Processes that start together, once all earlier stages are ready."""

    name: str
    processes: list[ProcessSpec]


class Plan(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All stages, in starting order; they stop in reverse."""

    stages: list[Stage]

    def processes(self) -> list[ProcessSpec]:
        """All processes, in starting order."""
        return [process for stage in self.stages for process in stage.processes]


def read_plan(path: Path) -> Plan:
    """The plan in a file.

    Raises:
        SettingsError: if it cannot be read, is no plan, or names a process twice.
    """
    try:
        plan = msgspec.json.decode(path.read_bytes(), type=Plan)
    except (OSError, msgspec.MsgspecError) as error:
        raise SettingsError(f"{path} is no plan: {error}") from error
    names = [process.name for process in plan.processes()]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise SettingsError(f"{path} names {', '.join(twice)} twice")
    return plan
