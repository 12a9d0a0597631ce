# SPDX-License-Identifier: Apache-2.0
"""The form of every file, and that the checks of it still catch something."""

from pathlib import Path

import pytest

from tests.architecture import rules
from tests.architecture.tree import ENVIRONMENT_READERS, ROOT, label, python_files

SOURCES = python_files("libs", "services", "cli")
GOOD = f'{rules.SPDX}\n"""What it guarantees."""\n'


def complaints(check: list[str], path: Path) -> list[str]:
    """The complaints with the file they are about."""
    return [f"{label(path)}:{complaint}" for complaint in check]


@pytest.mark.parametrize("path", [*SOURCES, *python_files("tests")], ids=label)
def test_every_file_is_tidy(path: Path) -> None:
    assert complaints(rules.tidy(path.read_text("utf-8")), path) == []


@pytest.mark.parametrize("path", SOURCES, ids=label)
def test_only_main_modules_read_the_environment(path: Path) -> None:
    if not label(path).endswith(ENVIRONMENT_READERS):
        assert complaints(rules.ambient_environment(path.read_text("utf-8")), path) == []


def test_the_namespace_has_no_init_file() -> None:
    found = [label(path) for path in ROOT.glob("*/**/tradewind/__init__.py")]
    assert found == [], "delete it: tradewind is a namespace shared by every member"


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        (GOOD.replace("SPDX", "X"), "SPDX"),
        (f"{rules.SPDX}\nx = 1\n", "docstring"),
        (GOOD + "x = 1\n" * rules.FILE_LINES_MAX, "split it"),
        (GOOD + "def long():\n" + "    x = 1\n" * rules.FUNCTION_LINES_MAX, "long has 61 lines"),
        (GOOD + "async def long():\n" + "    x = 1\n" * rules.FUNCTION_LINES_MAX, "61 lines"),
        (GOOD + "x = 1  # " + "TO" + "DO: more\n", "finish it"),
    ],
)
def test_an_untidy_file_is_caught(source: str, complaint: str) -> None:
    found = rules.tidy(source)
    assert [complaint in text for text in found] == [True]


def test_a_tidy_file_is_not_complained_about() -> None:
    body = "def f():\n" + "    x = 1\n" * (rules.FUNCTION_LINES_MAX - 1)
    assert rules.tidy(GOOD + body) == []


@pytest.mark.parametrize(
    "source",
    ["import os\nx = os.environ['A']", "import os\nx = os.getenv('A')", "from os import environ"],
)
def test_reading_the_environment_is_caught(source: str) -> None:
    assert len(rules.ambient_environment(source)) == 1
