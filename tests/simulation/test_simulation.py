# SPDX-License-Identifier: Apache-2.0
"""The simulation in CI: few seeds, every planted bug, and that a seed always gives the same run."""

import os
import subprocess
import sys
from itertools import chain

import pytest

from tests.simulation.__main__ import failure
from tests.simulation.batch import REPRESENTATIVE, run_batch
from tests.simulation.bugs import BUGS
from tests.simulation.planting import Bug, Edit, planted
from tests.simulation.run import shrink, simulate
from tests.simulation.world import Plan

SEEDS_PER_BUG = 2_000
SEEDS_SAID_AGAIN = range(12)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def test_seeds_find_nothing_and_see_everything_that_may_happen() -> None:
    batch = run_batch(range(REPRESENTATIVE))
    assert batch.failed == [], "\n".join(map(failure, batch.failed[:2]))
    assert batch.unseen == []


@pytest.mark.parametrize("name", BUGS)
def test_a_planted_bug_is_found(name: str) -> None:
    seeds = chain([BUGS[name].seed], range(SEEDS_PER_BUG))
    assert any(simulate(Plan.draw(seed), name).problems for seed in seeds)


def test_seeds_give_the_same_traces_again_whatever_the_process_and_its_hash_seed() -> None:
    first = run_batch(SEEDS_SAID_AGAIN).trace
    assert run_batch(SEEDS_SAID_AGAIN).trace == first
    assert run_batch(SEEDS_SAID_AGAIN[1:]).trace != first
    for hash_seed in ("0", "1"):
        told = subprocess.run(
            [sys.executable, "-m", "tests.simulation", "--seeds", f"0:{len(SEEDS_SAID_AGAIN)}"],
            env=os.environ | {"PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            check=True,
        )
        assert told.stdout.endswith(f"trace {first}\n")


def test_a_failure_tells_its_seed_its_smallest_plan_and_the_command_that_repeats_it() -> None:
    seed, bug = BUGS["own-clock"].seed, "own-clock"
    small = shrink(simulate(Plan.draw(seed), bug), bug)
    assert small.problems
    assert (small.plan.kinds, small.plan.faults, small.plan.orders) == ((), 0, 1)
    text = failure(seed, bug)
    assert f"shrunk to {small.plan}" in text
    assert f"python -m tests.simulation --seed {seed} --bug {bug}" in text


def test_a_bug_that_the_code_has_outgrown_is_noticed() -> None:
    edit = Edit("tradewind.core.identity:fingerprint", "words that are not there", "")
    with pytest.raises(LookupError, match="plant it anew"), planted(Bug("", 0, (edit,))):
        pass
