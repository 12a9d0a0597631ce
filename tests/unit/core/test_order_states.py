# SPDX-License-Identifier: Apache-2.0
"""The page about the states of an order says what the table says."""

from tests.unit.core import order_states
from tradewind.core.transitions import TRANSITIONS, Next, next_status

ADVICE = "docs/order-states.md is not what the table says: python -m tests.unit.core.order_states"


def test_the_page_is_drawn_from_the_table() -> None:
    assert order_states.DOCUMENT.read_text(encoding="utf-8") == order_states.document(), ADVICE


def test_every_row_of_the_table_is_in_the_matrix() -> None:
    rows = [row.strip("| ").split(" | ") for row in order_states.matrix().splitlines()[2:]]
    assert sum(cell != "" for row in rows for cell in row[1:] if cell.strip()) == len(TRANSITIONS)


def test_every_row_that_is_computed_has_facts_to_compute_from() -> None:
    for (status, news), target in TRANSITIONS.items():
        possible = list(order_states.facts_after(status, news))
        if isinstance(target, Next) and target is not Next.SAME:
            assert possible, (status, news)
        assert all(next_status(status, news, facts) for facts in possible), (status, news)
