# SPDX-License-Identifier: Apache-2.0
"""Positions by any attributes: sums of the ledgers that the replicas keep."""

from collections.abc import Iterable, Mapping
from typing import Any

from tradewind.core.positions import ATTRIBUTES

Row = Mapping[str, Any]


def attributes_of(text: str) -> tuple[str, ...] | None:
    """The attributes in a comma-separated list, the symbol always among them; None if one is not.

    Quantities and money of different instruments do not add up.
    """
    names = {name.strip() for name in text.split(",")}
    if not names <= set(ATTRIBUTES):
        return None
    return tuple(name for name in ATTRIBUTES if name in names or name == "symbol")


def projected(rows: Iterable[Row], by: tuple[str, ...]) -> list[dict[str, Any]]:
    """One row for each combination of the attributes `by`, in their order."""
    sums: dict[tuple[str, ...], dict[str, Any]] = {}
    for row in rows:
        key = tuple(row[name] for name in by)
        total = sums.setdefault(key, {**dict(zip(by, key, strict=True)), "mark": row["mark"]})
        for name, value in row.items():
            if name not in ATTRIBUTES and name != "mark":
                total[name] = total.get(name, 0) + value
    return [sums[key] for key in sorted(sums)]
