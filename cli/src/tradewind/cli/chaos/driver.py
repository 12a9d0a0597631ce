# SPDX-License-Identifier: Apache-2.0
"""What runs the suite that is broken. All else of a chaos run knows it through this alone."""

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from tradewind.cli.chaos.scenarios import Scenario
from tradewind.cli.suite.facts import Facts


class Driver(StrEnum):
    """Who runs the suite."""

    PROCESS = "process"
    DOCKER = "docker"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One that runs: "ready", "done", "halted" for good, or on the way to one of these.

    `pid` is its process as this machine sees it; another one in its place has another. `text` says
    why it was halted.
    """

    phase: str
    pid: int
    text: str = ""


class Roster(Protocol):
    """Who is there."""

    @property
    def facts(self) -> Facts:
        """Where everything is now."""

    @property
    def groups(self) -> Mapping[str, frozenset[str]]:
        """Victims of several members, `zone-N` and the like; some members may not be there."""

    async def rows(self) -> dict[str, Row]:
        """The members by name, which is that of their heartbeats; nodes are `nats-` and more."""

    async def venue_log(self) -> Path:
        """The simulated venue's own log, up to now."""


class Harm(Protocol):
    """What can be done to them."""

    @property
    def scenarios(self) -> tuple[Scenario, ...]:
        """What can be played here, of what was asked for."""

    async def until_possible(self, scenario: Scenario, name: str) -> None:
        """Waits until there is what is to be harmed.

        Raises:
            SuiteError: NOTHING_TO_HARM, if there is none in time.
        """

    def harmed(
        self, scenario: Scenario, victim: str, pids: Mapping[str, int]
    ) -> AbstractAsyncContextManager[int]:
        """The members are harmed for the time of a block, or once and for all at its begin.

        Given is the moment of it, monotonic in ns: whatever is asked later meets the harm.
        """

    async def hold(self, scenario: Scenario) -> None:
        """Waits as long as this kind of harm lasts."""

    def moved_aside(self) -> int:
        """How many copies of logs the suite itself has found damaged."""


@dataclass(frozen=True, slots=True)
class Running:
    """A suite that runs, and what can be done to it."""

    roster: Roster
    harm: Harm
