# SPDX-License-Identifier: Apache-2.0
"""Tables of records as columns: small when packed, and quick to make records of again.

A column is decoded with the type of its field, so that nothing else can get into a record, and
values that many records have are written once; the records then share one copy.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import fields
from itertools import repeat
from operator import attrgetter
from typing import Any, get_args, get_type_hints

import msgspec

WORTH_SHARING = 4
"""A text is written once if it occurs so many times on average."""

Column = tuple[list[Any], list[int]]
"""Distinct values and a place among them for each record; without places, the values themselves."""


class Table:
    """How the records of one kind of table are packed; `wire` is the type of what they become."""

    def __init__(self, name: str, key: Any, record: type[Any]) -> None:
        hints = get_type_hints(record)
        self._names = [field.name for field in fields(record)]
        self._record = record
        self._keys = get_args(key)
        types = [*(self._keys or (key,)), *(hints[name] for name in self._names)]
        columns = [
            (f"c{place}", tuple[list[each], list[int]])  # type: ignore[valid-type]
            for place, each in enumerate(types)
        ]
        self.wire = msgspec.defstruct(name, columns, array_like=True)

    def pack(self, table: dict[Any, Any]) -> list[Column]:
        """The columns of a table: those of its key, then those of its records."""
        keys = list(zip(*table, strict=True)) if self._keys and table else [list(table)]
        columns = [_packed(list(column)) for column in keys]
        columns += [([], []) for _ in range(len(self._keys) - len(columns))]
        records = table.values()
        return columns + [_packed(list(map(attrgetter(name), records))) for name in self._names]

    def unpack(self, wire: Any) -> dict[Any, Any]:
        """The table.

        Raises:
            ValueError: if its columns do not fit together.
        """
        columns = [_unpacked(*column) for column in msgspec.structs.astuple(wire)]
        count = len(columns[0])
        if any(len(column) != count for column in columns):
            raise ValueError(f"columns of {self._record.__name__} differ in length")
        width = len(self._keys) or 1
        keys = zip(*columns[:width], strict=True) if self._keys else columns[0]
        records = list(map(object.__new__, repeat(self._record, count)))
        for name, column in zip(self._names, columns[width:], strict=True):
            # The slot itself is set: a loop in C, and frozen records can be filled like others.
            deque(map(getattr(self._record, name).__set__, records, column), maxlen=0)
        return dict(zip(keys, records, strict=True))


def _packed(column: list[Any]) -> Column:
    if not column or not isinstance(column[0], str):
        return column, []
    places: dict[str, int] = {}
    indexes = [places.setdefault(value, len(places)) for value in column]
    if len(places) * WORTH_SHARING > len(column):
        return column, []
    return list(places), indexes


def _unpacked(values: list[Any], indexes: list[int]) -> Sequence[Any]:
    if not indexes:
        return values
    if min(indexes) < 0 or max(indexes) >= len(values):
        raise ValueError("a column refers to a value that it does not have")
    return list(map(values.__getitem__, indexes))
