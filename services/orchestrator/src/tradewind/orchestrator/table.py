# SPDX-License-Identifier: Apache-2.0
"""The table of processes, kept in a file: for people, the launcher, and its own next life."""

import os
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import msgspec

from tradewind.orchestrator.process import Identity, identify


class Phase(StrEnum):
    """Where a process is in its life."""

    WAITING = "waiting"
    STARTING = "starting"
    READY = "ready"
    DONE = "done"
    RESTARTING = "restarting"
    HALTED = "halted"
    STOPPED = "stopped"


@dataclass(slots=True)
class Row:
    """One process as it is now. `ready_ms` is how long it took to get ready."""

    name: str
    stage: str
    phase: Phase = Phase.WAITING
    pid: int = 0
    started: int = 0
    restarts: int = 0
    ready_ms: int = 0
    exit_code: int | None = None
    text: str = ""


class Table:
    """All rows; every change is in the file before anything else is done."""

    def __init__(self, path: Path, rows: list[Row]) -> None:
        self._path = path
        self.rows = {row.name: row for row in rows}
        self.is_up = False
        self.failure = ""

    def plain(self) -> dict[str, Any]:
        """The table as plain data."""
        own = identify(os.getpid())
        return {
            "orchestrator_pid": os.getpid(),
            "orchestrator_started": own.started if own else 0,
            "is_up": self.is_up,
            "failure": self.failure,
            "processes": [asdict(row) for row in self.rows.values()],
        }

    def save(self) -> None:
        """Replaces the file as a whole."""
        beside = self._path.with_suffix(".new")
        beside.parent.mkdir(parents=True, exist_ok=True)
        beside.write_bytes(msgspec.json.encode(self.plain()))
        beside.replace(self._path)


def read_table(path: Path) -> dict[str, Any]:
    """The table as last written; empty before the first time."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, Any])
    except (OSError, msgspec.MsgspecError):
        return {}


def read_living(path: Path) -> dict[str, Identity]:
    """The processes in the table that still run, by name."""
    rows = read_table(path).get("processes", [])
    found = {row["name"]: Identity(row["pid"], row["started"]) for row in rows if row["pid"]}
    return {name: it for name, it in found.items() if identify(it.pid) == it}
