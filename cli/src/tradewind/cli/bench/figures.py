# SPDX-License-Identifier: Apache-2.0
"""Percentiles, as the commands print them."""

from collections.abc import Sequence

NS_PER_US = 1000
MARKS = {"p50": 0.50, "p99": 0.99, "p999": 0.999}


def percentiles_us(samples_ns: Sequence[int]) -> dict[str, float | None]:
    """p50, p99 and p999 in microseconds, nearest rank; null without samples."""
    ordered = sorted(samples_ns)
    if not ordered:
        return dict.fromkeys(MARKS)
    last = len(ordered) - 1
    return {
        name: round(ordered[min(last, int(len(ordered) * mark))] / NS_PER_US, 1)
        for name, mark in MARKS.items()
    }


def ratio(part: float | None, whole: float | None) -> float | None:
    """`part` / `whole`, to three digits; null if either is missing."""
    return round(part / whole, 3) if part is not None and whole else None
