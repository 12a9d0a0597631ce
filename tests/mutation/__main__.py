# SPDX-License-Identifier: Apache-2.0
"""`python -m tests.mutation`: how many wrong changes of the core its tests notice.

Survivors are printed as file:line and the change. Those in `equivalent.toml` change nothing that
can be seen, each with its reason, and are not counted. Ends with 1 if a module is below its
goal.
"""

import argparse
import ast
import os
import sys
import time
import tomllib
from pathlib import Path

from tests.mutation import runner
from tests.mutation.mutants import mutants_of

MACHINE = (
    "decide",
    "decide_account",
    "decide_client",
    "decide_control",
    "decide_position",
    "decide_venue",
    "evolve",
    "evolve_orders",
    "external",
    "parents",
    "positions",
    "reports",
    "requests",
    "transitions",
)
"""What becomes of orders."""
RISK = (
    "activity",
    "bounds",
    "controls",
    "controls_of_orders",
    "covers",
    "decide_kill",
    "decide_limits",
    "decide_shares",
    "evolve_limits",
    "evolve_shares",
    "exposure",
    "limits",
    "losses",
    "parts",
    "results",
    "risk",
    "scopes",
    "shares",
    "stakes",
    "sums",
    "tallies",
    "terms",
    "uses",
)
"""What the controls are made of."""
GOALS = {**dict.fromkeys(MACHINE, 90), **dict.fromkeys(RISK, 95)}
"""How many percent of a module's mutants must be killed at least."""
EQUIVALENT = Path(__file__).with_name("equivalent.toml")


def main() -> int:
    """Runs the mutants and prints a table."""
    parser = argparse.ArgumentParser(prog="tests.mutation")
    parser.add_argument("--module", action="append", choices=GOALS)
    parser.add_argument("--limit", type=int, help="of each module only so many, evenly chosen")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--tests", default=runner.TESTS, help="the tests that should notice")
    options = parser.parse_args()
    os.nice(10)
    runner.warm_up()
    is_reached = True
    for module in options.module or GOALS:
        killed, counted = judge(module, options)
        percent = 100 * killed // max(1, counted)
        goal = GOALS[module]
        print(f"| `{module}` | {counted} | {killed} | {percent} % | {goal} % |", flush=True)
        is_reached = is_reached and percent >= goal
    return 0 if is_reached else 1


def judge(module: str, options: argparse.Namespace) -> tuple[int, int]:
    """Mutants killed and counted of one module; its survivors are printed."""
    name = f"tradewind.core.{module}"
    path = runner.path_of(name)
    source = path.read_text(encoding="utf-8")
    tests = runner.tests_of(module, options.tests)
    if not runner.passes(name, ast.parse(source), tests):
        sys.exit(f"{module}: the tests fail without any mutant")
    known = equivalents(path.name)
    mutants = [mutant for mutant in mutants_of(source) if (mutant.code, mutant.change) not in known]
    count = min(options.limit or len(mutants), len(mutants))
    chosen = [mutants[place * len(mutants) // count - 1] for place in range(1, count + 1)]
    began = time.monotonic()
    tried = runner.verdicts(name, source, chosen, tests=tests, processes=options.processes)
    alive = [mutant for mutant, is_alive in tried if is_alive]
    for mutant in alive:
        print(f"{path.name}:{mutant.line}: {mutant.change}: {mutant.code}", file=sys.stderr)
    print(f"{module}: {time.monotonic() - began:.0f} s", file=sys.stderr)
    return len(chosen) - len(alive), len(chosen)


def equivalents(file: str) -> set[tuple[str, str]]:
    """Line and change of the mutants that nothing could tell from the original."""
    listed = tomllib.loads(EQUIVALENT.read_text(encoding="utf-8"))["mutant"]
    return {(item["code"], item["change"]) for item in listed if item["file"] == file}


if __name__ == "__main__":
    sys.exit(main())
