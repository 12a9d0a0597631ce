# SPDX-License-Identifier: Apache-2.0
"""Positions by any attributes are sums of the ledgers, and nothing is added across instruments."""

from typing import Any

import pytest

from tradewind.gateway.projection import attributes_of, projected


def row(account: str, symbol: str, strategy: str, qty: int) -> dict[str, Any]:
    names = {"account": account, "symbol": symbol, "client": "c", "strategy": strategy}
    return {**names, "algorithm": "NONE", "qty": qty, "cost": qty * 10, "mark": 11}


ROWS = [
    row("A", "X", "s1", 5),
    row("A", "X", "s2", -2),
    row("B", "X", "s1", 1),
    row("B", "Y", "s1", 7),
]


@pytest.mark.parametrize(
    ("text", "sums"),
    [
        ("account", {("A", "X"): 3, ("B", "X"): 1, ("B", "Y"): 7}),
        ("strategy", {("X", "s1"): 6, ("X", "s2"): -2, ("Y", "s1"): 7}),
        ("client, algorithm", {("X", "c", "NONE"): 4, ("Y", "c", "NONE"): 7}),
        ("symbol", {("X",): 4, ("Y",): 7}),
    ],
)
def test_rows_are_summed_by_the_attributes_and_the_symbol(
    text: str, sums: dict[tuple[str, ...], int]
) -> None:
    by = attributes_of(text)
    assert by is not None
    found = projected(ROWS, by)
    assert {tuple(r[name] for name in by): r["qty"] for r in found} == sums
    assert all(r["cost"] == r["qty"] * 10 and r["mark"] == 11 for r in found)


@pytest.mark.parametrize("text", ["", "colour", "account,colour"])
def test_an_attribute_that_there_is_not_is_refused(text: str) -> None:
    assert attributes_of(text) is None
