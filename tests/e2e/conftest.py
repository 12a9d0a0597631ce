# SPDX-License-Identifier: Apache-2.0
"""Suites for the time of a test, gone afterwards whatever happened."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.terminal import Terminal


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    """A terminal with no suite yet."""
    home = tmp_path / "home"
    home.mkdir()
    opened = Terminal(home)
    yield opened
    opened.kill_everything()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terminal]:
    """A terminal in which a suite with the demo strategy runs, shared by the tests of a file."""
    opened = Terminal(tmp_path_factory.mktemp("running"))
    try:
        opened.up("--demo")
        yield opened
    finally:
        opened.kill_everything()
