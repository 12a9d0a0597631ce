# SPDX-License-Identifier: Apache-2.0
"""Runs the tests of the core against mutants, each in a forked child that stops at a failure.

The parent imports pytest and nothing of the core, so a child imports the core anew with the one
module mutated; what is computed when a module is read (tables) is mutated like everything else.
"""

import ast
import importlib.abc
import importlib.machinery
import importlib.util
import os
import resource
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import ModuleType

import hypothesis  # noqa: F401  # imported once for all children
import pytest

from tests.mutation.mutants import Mutant, mutated

ROOT = Path(__file__).resolve().parents[2]
CORE = ROOT / "libs/core/src/tradewind/core"
TESTS = "tests/unit/core"
CPU_SECONDS = 30
"""What a child may use; a mutant that runs longer has been noticed too."""
Verdict = tuple[Mutant, bool]
"""A mutant, and whether it survived."""


class _Loader(importlib.abc.Loader, importlib.abc.MetaPathFinder):
    """Finds one module of the core, as its mutant."""

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


def passes(module: str, tree: ast.Module, tests: str) -> bool:
    """Whether the tests pass with this module of the core. Asks a child."""
    return _is_well(_begin(module, tree, tests))


def verdicts(
    module: str, source: str, mutants: Iterable[Mutant], *, tests: str, processes: int
) -> Iterator[Verdict]:
    """Each mutant's verdict, in their order; `processes` of them are tried at a time."""
    running: deque[tuple[Mutant, int]] = deque()
    for mutant in mutants:
        running.append((mutant, _begin(module, mutated(source, mutant), tests)))
        if len(running) == processes:
            yield _next(running)
    while running:
        yield _next(running)


def _next(running: deque[tuple[Mutant, int]]) -> Verdict:
    mutant, pid = running.popleft()
    return mutant, _is_well(pid)


def _begin(module: str, tree: ast.Module, tests: str) -> int:
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        status = _run(module, tree, tests)
    finally:
        os._exit(status)


def _run(module: str, tree: ast.Module, tests: str) -> int:
    """In the child: the tests, without a word."""
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    os.dup2(silence, 2)
    os.chdir(ROOT)
    sys.meta_path.insert(0, _Loader(f"tradewind.core.{module}", tree))
    options = ["-x", "-q", "--assert=plain", "-p", "no:cacheprovider", "--hypothesis-seed=0"]
    return int(pytest.main([*options, tests]))


def _is_well(pid: int) -> bool:
    return os.waitpid(pid, 0)[1] == 0
