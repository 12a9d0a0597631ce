# SPDX-License-Identifier: Apache-2.0
"""Records: immutable by type, cheap at run time.

A frozen dataclass sets each field through `object.__setattr__`, which makes building a report of
some forty fields three times as dear as the decision it reports. Nothing assigns to a record's
fields because the type checker refuses it, so the run-time lock is left off.
"""

from dataclasses import Field, dataclass, field
from typing import Any, TypeVar, dataclass_transform

T = TypeVar("T")

_LATER = "later"


def later(*, default: T) -> T:
    """A field that a record got later: it is written, and counts in a digest, only where it is set.

    So what follows from an older journal stays the same to the byte, for builds of before too.
    """
    return field(default=default, metadata={_LATER: True})


def is_later(of: Field[Any]) -> bool:
    """The field was added `later`."""
    return _LATER in of.metadata


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(later,))
def record(cls: type[T]) -> type[T]:
    """A dataclass with slots and keyword arguments only; frozen for the type checker."""
    return dataclass(slots=True, kw_only=True)(cls)
