# SPDX-License-Identifier: Apache-2.0
"""The mutator makes the changes it says, and a test that asserts nothing notices none."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tests.mutation import runner
from tests.mutation.__main__ import EQUIVALENT, GOALS, equivalents
from tests.mutation.mutants import mutants_of, mutated

SOURCE = '''\
"""About."""

TABLE = ("a", "b")


def f(a: int = 1) -> int:
    """About f."""
    assert a > 0
    if a < 3 and not a == 4:
        a += 1
        print(a)
    return max(a, 2) if a else g(key=a)
'''


def lines(source: str) -> list[str]:
    return ast.unparse(ast.parse(source)).splitlines()


def test_every_change_is_one_line_and_what_only_people_read_is_left_alone() -> None:
    found = set()
    for mutant in mutants_of(SOURCE):
        new = ast.unparse(mutated(SOURCE, mutant)).splitlines()
        (changed,) = [(old, now) for old, now in zip(lines(SOURCE), new, strict=True) if old != now]
        found.add(changed[1].strip())
    assert found == {
        "TABLE = ('b',)",
        "TABLE = ('a',)",
        "TABLE = ('', 'b')",
        "TABLE = ('a', '')",
        "if not (a < 3 and (not a == 4)):",
        "if a < 3 or not a == 4:",
        "if a <= 3 and (not a == 4):",
        "if a < 4 and (not a == 4):",
        "if a < 3 and a == 4:",
        "if a < 3 and (not a != 4):",
        "if a < 3 and (not a == 5):",
        "a -= 1",
        "a += 2",
        "pass",
        "return None",
        "return g(key=a) if a else max(a, 2)",
        "return min(a, 2) if a else g(key=a)",
        "return max(a, 3) if a else g(key=a)",
        "return max(a, 2) if a else g(key=None)",
    }


CAREFUL = """
from tradewind.core.positions import reserve
from tradewind.core.state import Position
from tradewind.core.types import Side


def test_it():
    position = Position()
    reserve(position, Side.BUY, 2)
    reserve(position, Side.SELL, 3)
    assert (position.buy_working, position.sell_working) == (2, 3)
"""


def test_mutants_of_what_the_tests_look_at_are_noticed_and_others_survive(tmp_path: Path) -> None:
    careful = tmp_path / "test_careful.py"
    careful.write_text(CAREFUL)
    options = ["--module", "positions", "--limit", "10", "--tests", str(careful)]
    done = subprocess.run(
        [sys.executable, "-m", "tests.mutation", *options],
        cwd=runner.ROOT,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    survived = [int(line.split(":")[1]) for line in done.stderr.splitlines()[:-1]]
    source = runner.path_of("tradewind.core.positions").read_text(encoding="utf-8")
    looked_at = source[: source.index("def reserve")].count("\n") + 1
    assert 5 < len(survived) < 10
    assert max(survived) < looked_at


@pytest.mark.parametrize("module", list(GOALS))
def test_every_mutant_that_is_called_equivalent_exists(module: str) -> None:
    source = runner.path_of(f"tradewind.core.{module}").read_text(encoding="utf-8")
    there = {(mutant.code, mutant.change) for mutant in mutants_of(source)}
    assert equivalents(f"{module}.py") <= there, EQUIVALENT
