# SPDX-License-Identifier: Apache-2.0
"""What the second look makes of outputs, and of random days."""

from collections.abc import Iterator

from tests.unit.risk.random_days import day
from tradewind.core.events import Event
from tradewind.risk.second_look import SecondLook


def looked(outputs: list[Event]) -> SecondLook:
    look = SecondLook()
    for event in outputs:
        look.take(event)
    return look


def said(outputs: list[Event]) -> Iterator[str]:
    """Every objection, one by one."""
    for breach in looked(outputs).breaches:
        yield from breach.text.split("; ")


def said_of_days(count: int = 200) -> Iterator[str]:
    for seed in range(count):
        yield from said(day(seed).outputs)
