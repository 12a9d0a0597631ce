# SPDX-License-Identifier: Apache-2.0
"""`python -m tests.property`: many steps of the models of orders and of bounds, from many seeds.

After each step the machine has to say what the model says. The first difference ends it with 1, and
Hypothesis tells the shortest way there that it finds.
"""

import argparse
import os
import sys
import time

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

from tests.property.bounds_rules import BoundsAgainstJudge
from tests.property.test_machine_against_model import MachineAgainstModel

MODELS: tuple[type[RuleBasedStateMachine], ...] = (MachineAgainstModel, BoundsAgainstJudge)
STEPS_OF_A_WAY = 70
WAYS = 50
"""So many ways are drawn at a time."""
PHASES = (Phase.generate, Phase.shrink)


def main() -> int:
    """Plays every model from every seed and prints how many steps that took."""
    parser = argparse.ArgumentParser(prog="tests.property")
    parser.add_argument("--seeds", default="0:50", help="from:to, the last one not among them")
    parser.add_argument("--steps", type=int, default=20_000, help="of each seed, at least")
    options = parser.parse_args()
    os.nice(10)
    first, _colon, end = options.seeds.partition(":")
    began = time.monotonic()
    for model in MODELS:
        total = 0
        for number in range(int(first), int(end)):
            print(f"{model.__name__} seed {number}", file=sys.stderr, flush=True)
            total += play(model, number, options.steps)
        count = int(end) - int(first)
        print(f"{model.__name__}: {count} seeds, {total} steps, no difference", flush=True)
    print(f"{time.monotonic() - began:.0f} s", file=sys.stderr)
    return 0


def play(
    model: type[RuleBasedStateMachine],
    number: int,
    steps: int,
    phases: tuple[Phase, ...] = PHASES,
) -> int:
    """At least so many steps of a model, all of them drawn from one seed; how many there were.

    Raises:
        AssertionError: if the machine and the model differ.
    """
    made = batch = 0

    class Counted(model):  # type: ignore[misc, valid-type]
        def check_invariants(self, *arguments: object, **words: object) -> None:
            """Hypothesis asks for it once at the beginning, and after each step."""
            nonlocal made
            made += 1
            super().check_invariants(*arguments, **words)

        def teardown(self) -> None:
            nonlocal made
            made -= 1
            super().teardown()

    wanted = settings(
        stateful_step_count=STEPS_OF_A_WAY,
        phases=phases,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    while made < steps:
        ways = min(WAYS, 1 + (steps - made) // STEPS_OF_A_WAY)
        run_state_machine_as_test(
            seed(number * 10**6 + batch)(Counted), settings=settings(wanted, max_examples=ways)
        )
        batch += 1
    return made


if __name__ == "__main__":
    sys.exit(main())
