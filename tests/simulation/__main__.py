# SPDX-License-Identifier: Apache-2.0
"""`python -m tests.simulation`: many seeds, one seed with its story, or planted bugs.

--seeds 0:10000                   every seed; exit code 1 if any finds something
--seeds 0:2000 --bug no-fence     the first seed that finds a planted bug; 1 if none does
--seeds 0:2000 --bug all          the same for every planted bug, as a table
--seed 42                         one seed: what it finds, shrunk, and how it came about
"""

import argparse
import os
import sys
import time
from subprocess import run

from tests.simulation.batch import Batch, run_batch
from tests.simulation.bugs import BUGS
from tests.simulation.run import shrink, simulate
from tests.simulation.world import Plan

PROGRESS_EVERY_S = 10.0
FAILURES_SHOWN = 5


def main() -> int:
    """The exit code says whether everything is as it should be."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--seeds", type=_range, default=range(200), metavar="FROM:TO")
    parser.add_argument("--seed", type=int, help="runs only this one and tells its story")
    parser.add_argument("--bug", default="", choices=["all", *BUGS], metavar="NAME|all")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes to run")
    args = parser.parse_args()
    if args.seed is not None:
        return tell(args.seed, args.bug)
    if args.bug:
        names = list(BUGS) if args.bug == "all" else [args.bug]
        return hunt(names, args.seeds, args.jobs)
    return search(args.seeds, args.jobs)


def search(seeds: range, jobs: int) -> int:
    """Runs seeds that must find nothing."""
    started_s = time.monotonic()
    batch = run_batch(seeds, jobs=jobs, said=Progress(len(seeds)))
    took_s = time.monotonic() - started_s
    for seed in batch.failed[:FAILURES_SHOWN]:
        print(failure(seed))
    for event in batch.unseen:
        print(f"never seen in {batch.seeds} seeds: {event}")
    print(f"{took_s:.0f} s, {took_s * jobs / batch.seeds:.3f} s per seed on each of {jobs}")
    print(f"{batch.seeds} seeds at {commit()}: {len(batch.failed)} failed; trace {batch.trace}")
    return 1 if batch.failed or batch.unseen else 0


def hunt(names: list[str], seeds: range, jobs: int) -> int:
    """Runs seeds that must find planted bugs."""
    missed = 0
    for name in names:
        batch = run_batch(seeds, name, jobs)
        found = f"seed {batch.failed[0]}" if batch.failed else f"NOT FOUND in {batch.seeds} seeds"
        missed += not batch.failed
        print(f"{name:26} {found:12} {BUGS[name].what}", flush=True)
    print(f"{len(names) - missed} of {len(names)} planted bugs found at {commit()}")
    return 1 if missed else 0


def tell(seed: int, bug: str) -> int:
    """One seed, with the story of the smallest plan that still fails."""
    result = simulate(Plan.draw(seed), bug)
    if not result.problems:
        print(f"seed {seed} at {commit()}: nothing found; trace {result.trace}")
        return 0
    small = shrink(result, bug)
    for at_s, text in small.story:
        print(f"{at_s:10.4f} {text}")
    print(failure(seed, bug))
    return 1


def failure(seed: int, bug: str = "") -> str:
    """What a seed finds, in full and shrunk, and the command that shows it again."""
    result = simulate(Plan.draw(seed), bug)
    small = shrink(result, bug)
    again = f"python -m tests.simulation --seed {seed}" + (f" --bug {bug}" if bug else "")
    lines = [f"seed {seed} at {commit()} finds:", *(f"    {text}" for text in result.problems)]
    lines += [f"  shrunk to {small.plan}:", *(f"    {text}" for text in small.problems)]
    return "\n".join([*lines, f"  {again}"])


def commit() -> str:
    """The commit of this checkout, and whether it was changed since."""
    found = run(
        ["git", "describe", "--always", "--dirty", "--abbrev=12"],
        capture_output=True,
        text=True,
        check=False,
    )
    return found.stdout.strip() or "an unknown commit"


class Progress:
    """Says now and then how far a long batch is."""

    def __init__(self, seeds: int) -> None:
        self._seeds = seeds
        self._next_s = time.monotonic() + PROGRESS_EVERY_S

    def __call__(self, batch: Batch) -> None:
        """Hears what there is so far."""
        if time.monotonic() >= self._next_s:
            self._next_s += PROGRESS_EVERY_S
            failed = len(batch.failed)
            print(f"{batch.seeds} of {self._seeds} seeds, {failed} failed", file=sys.stderr)


def _range(text: str) -> range:
    first, _, last = text.partition(":")
    return range(int(first), int(last))


if __name__ == "__main__":
    sys.exit(main())
