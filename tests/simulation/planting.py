# SPDX-License-Identifier: Apache-2.0
"""Plants a bug: a few words of the real code are other words, for as long as a run takes.

The words must be there exactly once, so a bug that the code has outgrown is noticed at once.
"""

import inspect
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib import import_module
from textwrap import dedent
from typing import Any
from unittest.mock import patch


@dataclass(frozen=True, slots=True)
class Edit:
    """Other words in one function, named as `module:function` or `module:Class.method`."""

    target: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Bug:
    """What is wrong, the first seed from 0 that shows it, and what makes it so."""

    what: str
    seed: int
    edits: tuple[Edit, ...]


@contextmanager
def planted(bug: Bug) -> Iterator[None]:
    """The code with the bug in it."""
    with ExitStack() as stack:
        for edit in bug.edits:
            module, _, path = edit.target.partition(":")
            *classes, name = path.split(".")
            owner: Any = import_module(module)
            for each in classes:
                owner = getattr(owner, each)
            stack.enter_context(patch.object(owner, name, _edited(vars(owner)[name], edit)))
        yield


def _edited(original: Any, edit: Edit) -> Any:
    function: Any = original.fget if isinstance(original, property) else original
    source = dedent(inspect.getsource(function))
    if source.count(edit.before) != 1:
        raise LookupError(f"{edit.target} does not say {edit.before!r} once: plant it anew")
    made: dict[str, Any] = {}
    exec(source.replace(edit.before, edit.after), function.__globals__, made)
    return made[function.__name__]
