# SPDX-License-Identifier: Apache-2.0
"""Runs tests against mutants, each in a forked child that stops at a failure.

The parent imports pytest and nothing that is mutated, so a child imports that anew with the one
module mutated; what is computed when a module is read (tables) is mutated like everything else.
"""

import ast
import contextlib
import importlib.abc
import importlib.machinery
import importlib.util
import io
import os
import resource
import sys
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from types import ModuleType

import pytest

from tests.mutation.mutants import Mutant, mutated

ROOT = Path(__file__).resolve().parents[2]
TESTS = "tests/unit/core"
CLOSEST = {
    "bounds": "test_decide_limits",
    "controls_of_orders": "test_controls",
    "covers": "test_limits",
    "decide_kill": "test_kill",
    "decide_shares": "test_shares",
    "evolve_limits": "test_decide_limits",
    "evolve_shares": "test_shares",
    "parts": "test_shares",
    "scopes": "test_limits",
    "stakes": "test_limits",
    "tallies": "test_limits",
    "terms": "test_risk",
}
"""The tests that look at a module most closely, if it has none of its own name: asked first."""
CPU_SECONDS = 30
"""What a child may use; a mutant that runs longer has been noticed too."""
OPTIONS = ("-x", "-q", "--assert=plain", "-p", "no:cacheprovider", "--hypothesis-seed=0")
Verdict = tuple[Mutant, bool]
"""A mutant, and whether it survived."""


class _Loader(importlib.abc.Loader, importlib.abc.MetaPathFinder):
    """Finds one module, as its mutant."""

    def __init__(self, name: str, tree: ast.Module) -> None:
        self._name = name
        self._tree = tree

    def find_spec(
        self, fullname: str, _path: object, _target: object = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != self._name:
            return None
        return importlib.util.spec_from_loader(fullname, self)

    def exec_module(self, module: ModuleType) -> None:
        exec(compile(self._tree, f"mutant of {self._name}", "exec"), module.__dict__)


def warm_up() -> None:
    """Has pytest import its plugins once for all children: half of what a short run takes."""
    with contextlib.redirect_stdout(io.StringIO()):
        pytest.main([*OPTIONS, "--collect-only", str(ROOT / "docs")])


def path_of(name: str) -> Path:
    """The source of one of our modules."""
    return next(ROOT.glob(f"*/*/src/{name.replace('.', '/')}.py"))


def tests_of(module: str, tests: str) -> tuple[str, ...]:
    """The tests of the core that should notice, those first that look most closely."""
    closest = Path(tests, f"{CLOSEST.get(module, f'test_{module}')}.py")
    return (str(closest), tests) if closest.is_file() else (tests,)


def passes(name: str, tree: ast.Module, tests: Sequence[str]) -> bool:
    """Whether the tests pass with this module instead of the one of that name. Asks a child."""
    return _is_well(_begin(name, tree, tests))


def verdicts(
    name: str, source: str, mutants: Iterable[Mutant], *, tests: Sequence[str], processes: int
) -> Iterator[Verdict]:
    """Each mutant's verdict, in their order; `processes` of them are tried at a time."""
    running: deque[tuple[Mutant, int]] = deque()
    for mutant in mutants:
        running.append((mutant, _begin(name, mutated(source, mutant), tests)))
        if len(running) == processes:
            yield _next(running)
    while running:
        yield _next(running)


def _next(running: deque[tuple[Mutant, int]]) -> Verdict:
    mutant, pid = running.popleft()
    return mutant, _is_well(pid)


def _begin(name: str, tree: ast.Module, tests: Sequence[str]) -> int:
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        status = _run(name, tree, tests)
    finally:
        os._exit(status)


def _run(name: str, tree: ast.Module, tests: Sequence[str]) -> int:
    """In the child: the tests, without a word."""
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    os.dup2(silence, 2)
    os.chdir(ROOT)
    sys.meta_path.insert(0, _Loader(name, tree))
    return int(any(pytest.main([*OPTIONS, test]) for test in tests))


def _is_well(pid: int) -> bool:
    return os.waitpid(pid, 0)[1] == 0
