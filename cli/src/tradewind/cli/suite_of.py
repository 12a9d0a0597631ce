# SPDX-License-Identifier: Apache-2.0
"""Which suite a command means: a folder named by --home and --name."""

from collections.abc import Mapping
from contextvars import ContextVar
from pathlib import Path
from types import MappingProxyType
from typing import Annotated

import typer

from tradewind.cli.suite.facts import Facts, SuiteError, read_facts, suite_folder
from tradewind.cli.suite.launcher import is_running

DEFAULT_HOME = ".tradewind"
DEFAULT_NAME = "main"

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
        SuiteError: NOT_RUNNING, with what to do.
    """
    folder = suite_folder(home, name)
    facts = read_facts(folder)
    if facts is None or not is_running(folder):
        raise SuiteError(
            f"no suite runs in {folder}: `tradewind up --demo` starts one",
            code="NOT_RUNNING",
        )
    return facts
