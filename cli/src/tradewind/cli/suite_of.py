# SPDX-License-Identifier: Apache-2.0
"""Which suite a command means: a folder named by --home and --name, or a stack of containers.

A stack is meant where TRADEWIND_STACK has its name, that of the Compose project; its secrets lie in
the checkout's deploy folder.
"""

from collections.abc import Mapping
from contextvars import ContextVar
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any

import typer

from tradewind.cli.suite.facts import PRESENT, Facts, SuiteError, read_facts, suite_folder
from tradewind.cli.suite.launcher import is_running, read_table

DEFAULT_HOME = ".tradewind"
DEFAULT_NAME = "main"
STACK = "TRADEWIND_STACK"

Home = Annotated[
    Path,
    typer.Option(envvar="TRADEWIND_HOME", help="Folder that holds the state of all suites."),
]
Name = Annotated[str, typer.Option(help="Name of the suite; several may run side by side.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")]


environment: ContextVar[Mapping[str, str]] = ContextVar("environment", default=MappingProxyType({}))
"""The command line's own environment, for commands that may be about no suite of this machine."""


def running_facts(home: Path, name: str) -> Facts:
    """The facts of a running suite.

    Raises:
        SuiteError: NOT_RUNNING, with what to do; of a stack also NO_ENGINE.
    """
    if environment.get().get(STACK):
        from tradewind.cli.suite.containers import facts_of
        from tradewind.cli.suite.stack import DEPLOY, look

        return facts_of(look(environment.get()[STACK], environment.get()), DEPLOY)
    folder = suite_folder(home, name)
    facts = read_facts(folder)
    if facts is None or not is_running(folder):
        raise SuiteError(
            f"no suite runs in {folder}: `tradewind up --demo` starts one",
            code="NOT_RUNNING",
        )
    return facts


def running_table(facts: Facts) -> dict[str, Any]:
    """Who runs: the orchestrator's table, or what the engine says of a stack's containers."""
    if not environment.get().get(STACK):
        return read_table(facts)
    from tradewind.cli.suite.stack import look

    containers = look(facts.nonce, environment.get())
    return {
        "is_up": all(each.phase in PRESENT for each in containers.values()),
        "processes": [
            {"name": name, "phase": each.phase, "pid": each.state.pid, "restarts": each.restarts}
            for name, each in containers.items()
        ],
    }
