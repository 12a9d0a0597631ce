# SPDX-License-Identifier: Apache-2.0
"""Nothing in the core can make two replicas differ, as far as its source can show it."""

from pathlib import Path

import pytest

from tests.architecture import rules
from tests.architecture.tree import label, python_files

CORE = python_files("libs/core")
FIELDS = sorted({name for path in CORE for name in rules.names_of_sets(path.read_text("utf-8"))})


@pytest.mark.parametrize("path", CORE, ids=label)
def test_the_core_is_deterministic(path: Path) -> None:
    found = rules.impurity(path.read_text("utf-8"), FIELDS)
    assert [f"{label(path)}:{complaint}" for complaint in found] == []


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        ("import time", "imports time"),
        ("import os.path", "imports os.path"),
        ("from datetime import datetime", "imports datetime"),
        ("from . import types", "imports ."),
        ("import tradewind.common.codec", "imports tradewind.common.codec"),
        ("import tradewind.corelike", "imports tradewind.corelike"),
        ("x = 0.5", "no floats"),
        ("x = 1 / 2", "use //"),
        ("x = 4\nx /= 2", "use //"),
        ("x = hash('a')", "hash()"),
        ("x = float('1')", "float()"),
        ("x = open('a')", "open()"),
        ("print('a')", "print()"),
        ("for x in {1, 2}: pass", "order taken from a set"),
        ("x = [y for y in set('ab')]", "order taken from a set"),
        ("x = frozenset('ab')\ny = list(x)", "order taken from a set"),
        ("def f(x: set[str]):\n    return ','.join(x)", "order taken from a set"),
        ("class A:\n    x: set[str]\ndef f(a):\n    return a.x.pop()", "order taken from a set"),
        ("x = set('ab')\nfor y in x - {'a'}: pass", "order taken from a set"),
        ("x = {}\nfor y in x.keys() - {'a'}: pass", "order taken from a set"),
        ("for x in {1, 2}: pass  # det-ok:", "order taken from a set"),
        ("def f(state):\n    return [*state.elsewhere]", "order taken from a set"),
    ],
)
def test_what_is_not_deterministic_is_caught(source: str, complaint: str) -> None:
    found = rules.impurity(source, ["elsewhere"])
    assert [complaint in text for text in found] == [True]


@pytest.mark.parametrize(
    "source",
    [
        "x = frozenset('ab')\ny = sorted(x)",
        "x = frozenset('ab')\ny = any(z == 'a' for z in x)",
        "x = 'a' in {'a', 'b'}",
        "x = 7 // 2",
        "for x in (1, 2): pass",
        "x = {}\nfor y in x.keys(): pass",
        "for x in {1, 2}: pass  # det-ok: nothing depends on it",
        "from collections.abc import Mapping\nfrom tradewind.core.types import Side",
    ],
)
def test_what_is_deterministic_passes(source: str) -> None:
    assert rules.impurity(source) == []
