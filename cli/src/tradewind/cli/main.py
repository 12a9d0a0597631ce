# SPDX-License-Identifier: Apache-2.0
"""`tradewind`: the command line. Commands import what they need when they run."""

import os
from typing import Annotated

import typer

from tradewind.cli import limits, operators, orders
from tradewind.cli.bench_commands import app as bench_app
from tradewind.cli.chaos_commands import app as chaos_app
from tradewind.cli.console_io import EXIT_HOLDS, err, out, print_json, run_or_explain
from tradewind.cli.replay_commands import replay
from tradewind.cli.risk_commands import app as risk_app
from tradewind.cli.shard import app as shard_app
from tradewind.cli.suite.facts import Options, Protocol, suite_folder
from tradewind.cli.suite_of import (
    DEFAULT_HOME,
    DEFAULT_NAME,
    AsJson,
    Home,
    Name,
    environment,
    running_facts,
    running_table,
)

GATEWAY_PORT = 8080
CONSOLE_PORT = 8088

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="Tradewind: a highly available execution suite for automated trading.",
)
app.add_typer(orders.app, name="order")
app.add_typer(operators.position_app, name="position")
app.add_typer(operators.instruments_app, name="instruments")
app.add_typer(operators.venue_app, name="venue")
app.add_typer(limits.app, name="limits")
app.add_typer(risk_app, name="risk")
app.add_typer(shard_app, name="shard")
app.add_typer(bench_app, name="bench")
app.add_typer(chaos_app, name="chaos")
app.command()(orders.positions)
app.command()(orders.halt)
app.command()(orders.resume)
app.command()(replay)


@app.callback()
def hand_over(context: typer.Context) -> None:
    """Hands the environment to the commands that need it."""
    context.obj = dict(os.environ)
    environment.set(context.obj)


@app.command()
def up(
    context: typer.Context,
    demo: Annotated[bool, typer.Option("--demo", help="Also run a small strategy.")] = False,
    speed: Annotated[float, typer.Option(help="Speed of the recorded order flow.")] = 1.0,
    flow: Annotated[str, typer.Option(help="recorded, synthetic or none.")] = "recorded",
    protocol: Annotated[
        Protocol, typer.Option(help="What connectors speak with the simulated venue.")
    ] = Protocol.SIM,
    gateway_port: Annotated[int, typer.Option(help="Port of the gateway.")] = GATEWAY_PORT,
    console_port: Annotated[int, typer.Option(help="Port of the console.")] = CONSOLE_PORT,
    home: Home = DEFAULT_HOME,  # type: ignore[assignment]
    name: Name = DEFAULT_NAME,
) -> None:
    """Starts the suite and shows it until Ctrl-C."""
    from tradewind.cli.suite import edge
    from tradewind.cli.up import up as work

    options = Options(
        is_demo=demo,
        gateways=2 if edge.binary() else 1,
        flow=flow,
        flow_speed=speed,
        protocol=protocol,
        gateway_port=gateway_port,
        console_port=console_port,
        otlp_endpoint=context.obj.get("OTEL_EXPORTER_OTLP_ENDPOINT", ""),
        webhook_url=context.obj.get("TRADEWIND_WEBHOOK_URL", ""),
    )
    run_or_explain(lambda: work(suite_folder(home, name), options, context.obj))


@app.command()
def down(
    home: Home = DEFAULT_HOME,  # type: ignore[assignment]
    name: Name = DEFAULT_NAME,
) -> None:
    """Stops a running suite."""
    from tradewind.cli.up import down as work

    run_or_explain(lambda: work(suite_folder(home, name)))


@app.command()
def status(
    home: Home = DEFAULT_HOME,  # type: ignore[assignment]
    name: Name = DEFAULT_NAME,
    as_json: AsJson = False,
) -> None:
    """Shows every process, its role, and who leads the streams."""
    from tradewind.cli.status import read_status, render
    from tradewind.common.jetstream import Bus

    async def work() -> int:
        facts = running_facts(home, name)
        bus = await Bus.connect(facts.bus("auditor"), name="status")
        try:
            found = await read_status(facts, running_table(facts), bus)
        finally:
            await bus.close()
        if as_json:
            print_json(found)
        else:
            out.print(render(found))
        return EXIT_HOLDS

    run_or_explain(work)


@app.command()
def verify(
    from_snapshot: Annotated[
        bool, typer.Option("--from-snapshot", help="Begin at the newest snapshot, not at zero.")
    ] = False,
    home: Home = DEFAULT_HOME,  # type: ignore[assignment]
    name: Name = DEFAULT_NAME,
    as_json: AsJson = False,
) -> None:
    """Replays every journal; compares replicas, outputs, snapshots, archive, parts of bounds."""
    from tradewind.cli.verify import exit_code
    from tradewind.cli.verify import verify as check

    async def work() -> int:
        facts = running_facts(home, name)
        report = await check(
            facts.bus("auditor"),
            facts.shards,
            facts.archive_urls,
            replicas=facts.replicas,
            from_snapshot=from_snapshot,
        )
        if as_json:
            print_json(report)
            return exit_code(report)
        for shard in report["shards"]:
            out.print(
                f"shard {shard['shard']}: {shard['entries']} entries, digest "
                f"{shard['digest'][:16]}; replicas equal: {shard['replicas_equal']}; events gap "
                f"free: {shard['events_gap_free']}; archive equal: {shard['archive_equal']}; "
                f"{shard['snapshots']} snapshots equal: {shard['snapshots_equal']}"
            )
            for problem in shard["problems"]:
                out.print(f"  {problem['check']} at {problem['seq']}: {problem['text']}")
        shares = report["shares"]
        out.print(
            f"bounds over all shards: {shares['bounds']}, {shares['transfers']} transfers of their "
            f"parts, {shares['on_their_way']} on their way; equal: {shares['equal']}"
        )
        for problem in shares["problems"]:
            where = f"{problem['scope']} {problem['bound']}".strip()
            out.print(f"  {problem['code']} {where}: {problem['text']}")
        out.print("[bold green]holds[/]" if report["holds"] else "[bold red]does not hold[/]")
        return exit_code(report)

    run_or_explain(work)


@app.command("restart-node")
def restart_node(
    nodes: Annotated[list[str], typer.Argument(help="Nodes, as `tradewind status` names them.")],
    home: Home = DEFAULT_HOME,  # type: ignore[assignment]
    name: Name = DEFAULT_NAME,
    as_json: AsJson = False,
) -> None:
    """Restarts nodes of the bus one after the other, each without a gap in trading."""
    from tradewind.cli.nodes import restart

    async def work() -> int:
        facts = running_facts(home, name)
        for node in nodes:
            err.print(f"{node}: its leaders leave it, then it is restarted ...")
            await restart(facts, node)
        if as_json:
            print_json({"restarted": nodes})
        else:
            out.print(f"restarted: {', '.join(nodes)}")
        return EXIT_HOLDS

    run_or_explain(work)


def main() -> None:
    """Entry point of the installed command."""
    app()
