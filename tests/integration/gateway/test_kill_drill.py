# SPDX-License-Identifier: Apache-2.0
"""The kill switch drill, small; `python -m tests.drills` has the long one."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.drills.kill_switch import Figures, open_drill

ORDERS = 60
GOOD = Figures(
    orders=ORDERS,
    last_new_ms=-3,
    last_cancel_ms=200,
    never_canceled=0,
    journaled_ms=5_000,
    unconfirmed=20,
    late_fills=3,
)


@pytest.mark.anyio
@pytest.mark.cluster
async def test_a_kill_ends_what_works_with_a_venue_hung_and_a_leader_dead(tmp_path: Path) -> None:
    async with open_drill(tmp_path) as drill:
        figures = await drill.run(ORDERS)
        print(figures)  # how soon is for `make nightly-risk`: this machine may be busy
        assert figures.never_canceled == 0
        assert figures.unconfirmed > 0
        assert await drill.outlives_everything()
        assert await drill.takes_two()


def test_a_drill_that_was_as_promised_has_no_fault() -> None:
    assert GOOD.faults() == []


@pytest.mark.parametrize(
    "changes",
    [
        {"last_new_ms": 101},
        {"last_cancel_ms": 1_001},
        {"never_canceled": 1},
        {"unconfirmed": 0},
        {"late_fills": 0},
    ],
    ids=str,
)
def test_each_broken_promise_is_found(changes: dict[str, int]) -> None:
    assert len(replace(GOOD, **changes).faults()) == 1
