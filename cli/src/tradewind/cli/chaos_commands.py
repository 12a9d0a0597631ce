# SPDX-License-Identifier: Apache-2.0
"""`tradewind chaos`: faults on a suite of its own, and a verdict from the outside."""

import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from tradewind.cli.chaos.driver import Driver
from tradewind.cli.console_io import (
    EXIT_COULD_NOT_RUN,
    EXIT_DOES_NOT_HOLD,
    EXIT_HOLDS,
    err,
    out,
    print_json,
    run_or_explain,
)
from tradewind.cli.suite.facts import Protocol, Size, SuiteError
from tradewind.cli.suite_of import AsJson

RATE = 50
"""All of it takes half of two cores then; at 100 the wait for a core is what is clocked."""
RATE_CROWD = 100
"""Where many orders have to come first: most planted bugs show where accounts are at their limits,
and `bit-flip` needs blocks that are full."""

PACE = f"Requests per second; if not said {RATE}, with a planted bug {RATE_CROWD}."

app = typer.Typer(no_args_is_help=True, help="Break a suite that is started for it, and judge.")


@app.command()
def run(
    context: typer.Context,
    scenario: Annotated[str, typer.Option(help="What to break; `chaos list` names all.")],
    faults: Annotated[int, typer.Option(min=1, max=10_000, help="How many faults.")] = 5,
    orders: Annotated[int, typer.Option(min=1, help="At least so many orders.")] = 1000,
    seed: Annotated[int | None, typer.Option(help="Chooses victims, moments and orders.")] = None,
    rate: Annotated[
        float | None,
        typer.Option(min=1, max=5_000, help=PACE),
    ] = None,
    sabotage: Annotated[
        str, typer.Option(help="Run with this bug planted; a checker must fire.")
    ] = "",
    driver: Annotated[
        Driver, typer.Option(help="Who runs the suite; containers: see docs/containers.md.")
    ] = Driver.PROCESS,
    protocol: Annotated[
        Protocol, typer.Option(help="What connectors speak with the simulated venue.")
    ] = Protocol.SIM,
    size: Annotated[Size, typer.Option(help="small: one shard, one gateway, one risk.")] = (
        Size.FULL
    ),
    keep: Annotated[
        Path | None, typer.Option(help="Empty folder for histories and logs; kept afterwards.")
    ] = None,
    page: Annotated[
        Path | None, typer.Option("--html", help="Write the report as a page to this file.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Starts a suite, drives orders through it, breaks it, heals it, and judges."""
    from tradewind.cli.chaos import page as html
    from tradewind.cli.chaos.report import Plan
    from tradewind.cli.chaos.run import run_chaos

    plan = Plan(
        scenario=scenario,
        faults=faults,
        orders=orders,
        seed=secrets.randbelow(2**31) if seed is None else seed,
        rate=rate or _rate_of(scenario, sabotage),
        sabotage=sabotage,
        protocol=protocol,
        driver=driver,
        size=size,
    )

    async def work() -> int:
        with _folder(keep) as folder:
            report = await run_chaos(plan, folder, context.obj)
        if page is not None:
            html.write(report, page)
        (print_json if as_json else _show)(report)
        return exit_code(report)

    run_or_explain(work)


def _rate_of(scenario: str, sabotage: str) -> float:
    return RATE_CROWD if sabotage or scenario == "bit-flip" else RATE


@contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    """A new folder, which is taken away unless it was asked for."""
    if keep is None:
        with tempfile.TemporaryDirectory(
            prefix="tradewind-chaos-", ignore_cleanup_errors=True
        ) as made:
            yield Path(made)
    elif keep.exists() and any(keep.iterdir()):
        raise SuiteError(f"{keep} holds something: name a new folder", code="FOLDER_NOT_EMPTY")
    else:
        yield keep


@app.command("list")
def list_scenarios(as_json: AsJson = False) -> None:
    """Names every scenario and every sabotage."""
    from tradewind.cli.chaos.sabotage import SABOTAGES
    from tradewind.cli.chaos.scenarios import SCENARIOS

    found = {
        name: [f"{item.action} {item.victim}" for item in items]
        for name, items in SCENARIOS.items()
    }
    planted = {
        name: {"scenario": each.scenario, "checkers": list(each.checkers)}
        for name, each in SABOTAGES.items()
    }
    if as_json:
        print_json({"scenarios": found, "sabotages": planted})
        return
    for name, items in found.items():
        out.print(f"{name}: {', '.join(items)}")
    out.print("\nbugs to plant with --sabotage, where each shows, and what must fire:")
    for name, each in planted.items():
        out.print(f"{name}: {each['scenario']}, {' or '.join(each['checkers'])}")


def exit_code(report: dict[str, Any]) -> int:
    """0 holds, 1 does not hold, 3 the run shows nothing."""
    if any(report["violations"].values()) or report["unresolved"]:
        return EXIT_DOES_NOT_HOLD
    return EXIT_HOLDS if report["valid"] else EXIT_COULD_NOT_RUN


def _show(report: dict[str, Any]) -> None:
    for name in (
        "scenario",
        "seed",
        "faults",
        "orders",
        "accepted",
        "lost",
        "duplicated",
        "phantom",
        "illegal_transitions",
        "unresolved",
        "position_mismatch",
        "events_exact",
        "digests_equal",
    ):
        out.print(f"{name.replace('_', ' '):20} {report[name]}")
    times = report["recovery_ms"]
    out.print(
        f"{'recovery':20} p50 {times['p50']} ms, p99 {times['p99']} ms, max {times['max']} ms"
    )
    for checker, examples in report["examples"].items():
        err.print(f"[bold red]{checker}[/] {examples}")
    if not report["valid"]:
        err.print(f"[bold red]not valid[/]: {report['coverage']}")
    code = exit_code(report)
    out.print("[bold green]holds[/]" if code == EXIT_HOLDS else "[bold red]does not hold[/]")
