# SPDX-License-Identifier: Apache-2.0
"""Records: immutable by type, cheap at run time.

A frozen dataclass sets each field through `object.__setattr__`, which makes building a report of
some forty fields three times as dear as the decision it reports. Nothing assigns to a record's
fields because the type checker refuses it, so the run-time lock is left off.
"""

from dataclasses import dataclass
from typing import TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True, kw_only_default=True)
def record(cls: type[T]) -> type[T]:
    """A dataclass with slots and keyword arguments only; frozen for the type checker."""
    return dataclass(slots=True, kw_only=True)(cls)
