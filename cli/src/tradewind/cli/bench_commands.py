# SPDX-License-Identifier: Apache-2.0
"""`tradewind bench`: measurements on a suite of its own, started and stopped here."""

import tempfile
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from tradewind.cli.console_io import EXIT_HOLDS, err, out, print_json, run_or_explain
from tradewind.cli.suite.facts import Facts, Options
from tradewind.cli.suite_of import AsJson

app = typer.Typer(no_args_is_help=True, help="Measure a suite that is started for it.")

Seconds = Annotated[float, typer.Option(min=1, max=600, help="How long to measure.")]


@app.command("order-path")
def order_path(
    context: typer.Context,
    rate: Annotated[float, typer.Option(min=1, max=20_000, help="Orders per second.")] = 200,
    seconds: Seconds = 20,
    as_json: AsJson = False,
) -> None:
    """Latencies: durable, accepted, at the venue; beside raw replicated publishes."""
    from tradewind.cli.bench import measure_order_path

    _measure(
        context.obj,
        lambda facts: measure_order_path(_target(facts), rate=rate, seconds=seconds),
        as_json,
    )


@app.command()
def throughput(context: typer.Context, seconds: Seconds = 10, as_json: AsJson = False) -> None:
    """Orders per second: published as a gateway does, through one gateway, and filled."""
    from tradewind.cli.bench import measure_throughput

    _measure(
        context.obj, lambda facts: measure_throughput(_target(facts), seconds=seconds), as_json
    )


@app.command()
def telemetry(
    context: typer.Context,
    pairs: Annotated[int, typer.Option(min=1, max=100, help="How often to measure both.")] = 5,
    seconds: Seconds = 5,
    as_json: AsJson = False,
) -> None:
    """Orders per second with and without telemetry, by turns."""
    from tradewind.cli.bench import measure_telemetry
    from tradewind.cli.suite.processes import service_env

    async def work(facts: Facts) -> dict[str, Any]:
        env = {**context.obj, **service_env(facts, "telemetry", "telemetry-0")}
        return await measure_telemetry(_target(facts), env, pairs=pairs, seconds=seconds)

    _measure(context.obj, work, as_json)


@app.command()
def replay(
    context: typer.Context,
    entries: Annotated[int, typer.Option(min=20_000, help="Entries in the journal.")] = 200_000,
    live_orders: Annotated[
        int | None, typer.Option(min=0, help="Orders that stay live; else a tenth of the entries.")
    ] = None,
    instruments: Annotated[
        int, typer.Option(min=1, max=1_000, help="Instruments that are traded in turn.")
    ] = 1,
    as_json: AsJson = False,
) -> None:
    """Entries per second of a replay, seconds of a restart, bytes of a live order. No suite."""
    from tradewind.cli.bench.replay import measure_replay

    async def work() -> int:
        live = entries // 10 if live_orders is None else live_orders
        figures = measure_replay(entries, live, instruments, context.obj, _show_progress)
        if as_json:
            print_json(figures)
        else:
            out.print_json(data=figures)
        return EXIT_HOLDS

    run_or_explain(work)


def _show_progress(done: int, entries: int) -> None:
    if done % 100_000 == 0 or done == entries:
        err.print(f"{done} of {entries} entries replayed")


def _measure(
    env: Mapping[str, str], measure: Callable[[Facts], Awaitable[dict[str, Any]]], as_json: bool
) -> None:
    from tradewind.cli.suite.launcher import running_suite
    from tradewind.cli.up import Progress

    async def work() -> int:
        with tempfile.TemporaryDirectory(prefix="tradewind-bench-") as folder:
            options = Options(flow="synthetic")
            async with running_suite(Path(folder), options, env, Progress()) as facts:
                err.print("measuring ...")
                figures = await measure(facts)
        if as_json:
            print_json(figures)
        else:
            out.print_json(data=figures)
        return EXIT_HOLDS

    run_or_explain(work)


def _target(facts: Facts) -> Any:
    from tradewind.cli.bench import Target

    return Target(
        urls=facts.urls,
        password_dir=facts.secrets_dir,
        shards=facts.shards,
        venue_log=facts.venue_log,
        gateway_url=facts.gateway_url,
        credentials=facts.credentials(),
    )
