# SPDX-License-Identifier: Apache-2.0
"""`tradewind risk`: kill switch, alerts, reconciliation, the dated report on all controls."""

from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from tradewind.cli.console_io import (
    EXIT_DOES_NOT_HOLD,
    EXIT_HOLDS,
    out,
    print_json,
    run_or_explain,
)
from tradewind.cli.orders import HOME, client_of, new_id, operate, print_table
from tradewind.cli.suite.facts import OPERATOR_KEY
from tradewind.cli.suite_of import DEFAULT_NAME, AsJson, Home, Name, running_facts
from tradewind.common import subjects
from tradewind.common.jetstream import Bus

app = typer.Typer(
    no_args_is_help=True, help="Kill switch, alerts, reconciliation, self-assessment."
)

KILLS = ("shard", "scope", "kill_id", "actor", "reason", "order_count")
ALERTS = ("alert_id", "control", "scope", "owner", "acknowledged_by", "text")
ORDERS = ("account", "cl_ord_id", "symbol", "side", "order_qty", "cum_qty", "ord_status")
POSITIONS = ("symbol", "venue_qty", "settled_qty", "booked_qty")
DIFFERENCES = ("kind", "name", "scope", "venue", "booked", "age_ms", "grade", "is_judged")
RECONCILE_TIMEOUT_MS = 2_000

Scope = Annotated[str, typer.Argument(help="firm, account:A, symbol:S, strategy:X, venue:V ...")]
By = Annotated[str, typer.Option(help="Key of the person who says it.")]


@app.command()
def kill(
    scope: Scope,
    reason: Annotated[str, typer.Option(help="Why; it is journaled.")],
    kill_id: Annotated[str | None, typer.Option("--id", help="Its id; else a new one.")] = None,
    by: By = OPERATOR_KEY,
    home: Home = HOME,  # type: ignore[assignment]
    name: Name = DEFAULT_NAME,
    as_json: AsJson = False,
) -> None:
    """Stops new risk in a scope at once and cancels what works there."""
    request = {"scope": scope, "kill_id": kill_id or new_id(), "reason": reason}
    operate(home, name, "kill", request, as_json=as_json, key=by)


@app.command()
def clear(
    scope: Scope,
    kill_id: Annotated[str, typer.Option("--id", help="The kill, as `risk kills` names it.")],
    root_cause: Annotated[str, typer.Option(help="Reference of the cause that was found.")],
    by: By = OPERATOR_KEY,
    home: Home = HOME,  # type: ignore[assignment]
    name: Name = DEFAULT_NAME,
    as_json: AsJson = False,
) -> None:
    """One of the two words that clear a kill. The scope stays HALTED until it is resumed."""
    request = {"scope": scope, "kill_id": kill_id, "root_cause": root_cause}
    operate(home, name, "clear-kill", request, as_json=as_json, key=by)


@app.command()
def kills(
    home: Home = HOME,  # type: ignore[assignment]
    name: Name = DEFAULT_NAME,
    as_json: AsJson = False,
) -> None:
    """Shows what is stopped, and the orders there whose end no venue has confirmed."""

    async def work() -> int:
        async with client_of(home, name) as client:
            found = await client.call("GET", "/v1/admin/kills")
        if as_json:
            print_json(found)
            return EXIT_HOLDS
        print_table(found["kills"], KILLS, "nothing is stopped")
        if found["unconfirmed"]:
            out.print("\nunconfirmed, may still trade:")
            print_table(found["unconfirmed"], ORDERS, "")
        return EXIT_HOLDS

    run_or_explain(work)


@app.command("alerts")
def list_alerts(
    is_open_only: Annotated[bool, typer.Option("--open", help="Only what nobody took.")] = False,
    home: Home = HOME,  # type: ignore[assignment]
    name: Name = DEFAULT_NAME,
    as_json: AsJson = False,
) -> None:
    """Shows what tripped, whose it is, and who has taken it."""

    async def work() -> int:
        query = {"open_only": "true" if is_open_only else None}
        async with client_of(home, name) as client:
            found = await client.call("GET", "/v1/admin/alerts", query=query)
        if as_json:
            print_json(found)
        else:
            print_table(found["alerts"], ALERTS, "there are none")
        return EXIT_HOLDS

    run_or_explain(work)


@app.command()
def acknowledge(
    alert_id: Annotated[str, typer.Argument(help="The alert, as `risk alerts` names it.")],
    note: Annotated[str, typer.Option(help="What is done about it.")],
    by: By = OPERATOR_KEY,
    home: Home = HOME,  # type: ignore[assignment]
    name: Name = DEFAULT_NAME,
    as_json: AsJson = False,
) -> None:
    """Takes an alert. One that nobody takes within five seconds is handed on."""

    async def work() -> int:
        async with client_of(home, name, by) as client:
            request = {"alert_id": alert_id, "note": note}
            found = await client.call("POST", "/v1/admin/alerts/acknowledge", body=request)
        if as_json:
            print_json(found)
        else:
            print_table([found["alert"]], ALERTS, "")
        return EXIT_HOLDS

    run_or_explain(work)


@app.command()
def reconcile(
    home: Home = HOME,  # type: ignore[assignment]
    name: Name = DEFAULT_NAME,
    as_json: AsJson = False,
) -> None:
    """Shows what the venue's drop copy says beside what is booked, and what differs.

    Quantities are lots. Exit code 0: nothing differs for longer than it may; 1: something does, or
    there is no drop copy.
    """

    async def work() -> int:
        bus = await Bus.connect(running_facts(home, name).bus("auditor"), name="reconcile")
        try:
            raw = await bus.request(subjects.query_risk("reconcile"), b"{}", RECONCILE_TIMEOUT_MS)
        finally:
            await bus.close()
        answer = msgspec.json.decode(raw, type=dict[str, Any])
        found = answer["reconciliation"]
        if as_json:
            print_json({"instance": answer["instance"], "reconciliation": found})
        elif found is None:
            out.print("the venue's drop copy is not asked for (TRADEWIND_DROP_COPY_URL)")
        else:
            out.print(f"drop copy of {found['venue']}: {found['drop_copy']}")
            print_table(found["positions"], POSITIONS, "no position is stated yet")
            out.print(f"\n{found['order_count']} orders work; what differs:")
            print_table(found["differences"], DIFFERENCES, "nothing")
        is_well = found is not None and found["drop_copy"] == "up"
        differs = found is not None and any(d["grade"] != "NONE" for d in found["differences"])
        return EXIT_HOLDS if is_well and not differs else EXIT_DOES_NOT_HOLD

    run_or_explain(work)


@app.command("self-assessment")
def self_assessment(
    results: Annotated[Path, typer.Option(help="JUnit XML of a test run.", exists=True)],
    folder: Annotated[Path, typer.Option(help="Where the report goes.")] = Path("."),
    with_limits: Annotated[
        bool, typer.Option("--with-limits", help="Also the limits in force, of a running suite.")
    ] = False,
    home: Home = HOME,  # type: ignore[assignment]
    name: Name = DEFAULT_NAME,
    as_json: AsJson = False,
) -> None:
    """Writes the dated report on all controls, as Markdown and as HTML ready to print.

    Exit code 0: every control that is in force has tests, and all passed; 1: not so.
    """
    from tradewind.cli.assessment import assess, write

    async def work() -> int:
        limits = None
        if with_limits:
            async with client_of(home, name) as client:
                limits = await client.limits()
        report = assess(results, limits)
        paths = write(report, folder)
        if as_json:
            print_json(report.plain() | {"files": [str(path) for path in paths]})
        else:
            out.print(f"{report.summary()}: {', '.join(str(path) for path in paths)}")
        return EXIT_HOLDS if report.holds else EXIT_DOES_NOT_HOLD

    run_or_explain(work)
