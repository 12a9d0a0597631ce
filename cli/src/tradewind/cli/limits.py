# SPDX-License-Identifier: Apache-2.0
"""`tradewind limits`: the pre-trade limits in force, and how operators change them."""

from typing import Annotated, Any

import typer

from tradewind.cli.console_io import EXIT_HOLDS, out, print_json, run_or_explain
from tradewind.cli.orders import HOME, client_of, nanoseconds, operate, print_table
from tradewind.cli.suite.facts import SUPERVISOR_KEY
from tradewind.cli.suite_of import DEFAULT_NAME, AsJson, Home, Name

app = typer.Typer(help="Show and set the pre-trade limits.", invoke_without_command=True)

COLUMNS = ("account", "symbol", "max_order_qty", "max_notional", "max_position", "collar_bps")
ACCOUNT_COLUMNS = ("account", "max_gross", "gross", "max_rate_age_ms")

SCOPE_COLUMNS = ("scope", "version", "shards", "bounds")
PART_COLUMNS = ("scope", "bound", "shard", "limit", "part", "used", "is_agreed")
DECIMALS = (
    "_qty",
    "_long",
    "_short",
    "_value",
    "_gross",
    "_net",
    "_credit",
    "_turnover",
    "_loss",
    "_drawdown",
)

Account = Annotated[str, typer.Argument(help="Account.")]
Version = Annotated[int, typer.Option(min=1, help="Number of this set of limits.")]
Amount = Annotated[str, typer.Option(help="An exact decimal.")]


@app.callback()
def limits(
    context: typer.Context,
    account: Annotated[str | None, typer.Option(help="Only this account.")] = None,
    home: Home = HOME,  # type: ignore[assignment]
    name: Name = DEFAULT_NAME,
    as_json: AsJson = False,
) -> None:
    """Shows the limits in force. `set`, `set-account`, `set-scope` and `rate` change them."""
    if context.invoked_subcommand is not None:
        return

    async def work() -> int:
        async with client_of(home, name) as client:
            found = await client.limits(account)
        if as_json:
            print_json(found)
        else:
            _show(found)
        return EXIT_HOLDS

    run_or_explain(work)


@app.command("set")
def set_limits(
    account: Account,
    max_order_qty: Amount,
    max_notional: Amount,
    max_position: Amount,
    version: Version,
    collar_bps: Annotated[int, typer.Option(min=0, max=10_000)] = 500,
    max_reference_age_ms: Annotated[int, typer.Option(min=1)] = 10_000,
    symbol: Annotated[str, typer.Option(help="Instrument.")] = "BTC-USD",
    home: Home = HOME,  # type: ignore[assignment]
    name: Name = DEFAULT_NAME,
    as_json: AsJson = False,
) -> None:
    """Sets all limits of an account in one instrument, from the next entry on."""
    request = {
        "account": account,
        "symbol": symbol,
        "max_order_qty": max_order_qty,
        "max_notional": max_notional,
        "max_position": max_position,
        "collar_bps": collar_bps,
        "max_reference_age_ms": max_reference_age_ms,
        "version": version,
    }
    operate(home, name, "limits", request, as_json=as_json)


@app.command("set-account")
def set_account_limits(
    account: Account,
    max_gross: Amount,
    version: Version,
    max_rate_age_ms: Annotated[int, typer.Option(min=1)] = 86_400_000,
    home: Home = HOME,  # type: ignore[assignment]
    name: Name = DEFAULT_NAME,
    as_json: AsJson = False,
) -> None:
    """Bounds an account's gross exposure over all instruments, in the base currency."""
    request = {
        "account": account,
        "max_gross": max_gross,
        "max_rate_age_ms": max_rate_age_ms,
        "version": version,
    }
    operate(home, name, "account-limits", request, as_json=as_json)


@app.command("set-scope")
def set_scope_limits(
    scope: Annotated[str, typer.Argument(help="firm, account:A, strategy:*, account:*/symbol:S")],
    bounds: Annotated[list[str], typer.Argument(help="Bounds: max_gross=1000000 max_messages=100")],
    version: Version,
    expires: Annotated[str | None, typer.Option(help="Until then, with its zone.")] = None,
    home: Home = HOME,  # type: ignore[assignment]
    name: Name = DEFAULT_NAME,
    as_json: AsJson = False,
) -> None:
    """Sets, or proposes, all limits of a scope: what it names alone is bounded there."""
    request: dict[str, Any] = {"scope": scope, "version": version}
    if expires is not None:
        request["expires_ns"] = nanoseconds(expires)
    for bound in bounds:
        what, equals, value = bound.partition("=")
        if not equals:
            raise typer.BadParameter(f"{bound!r} is no bound: give name=value")
        request[what] = _value(what, value)
    operate(home, name, "scope-limits", request, as_json=as_json)


@app.command()
def approve(
    subject: Annotated[str, typer.Argument(help="As proposed: 'SetScopeLimits firm'.")],
    version: Version,
    by: Annotated[str, typer.Option(help="Key of the second person.")] = SUPERVISOR_KEY,
    home: Home = HOME,  # type: ignore[assignment]
    name: Name = DEFAULT_NAME,
    as_json: AsJson = False,
) -> None:
    """Agrees to what another person has proposed; it is in force from the next entry."""
    request = {"subject": subject, "version": version}
    operate(home, name, "approve-limits", request, as_json=as_json, key=by)


@app.command()
def divide(
    home: Home = HOME,  # type: ignore[assignment]
    name: Name = DEFAULT_NAME,
    as_json: AsJson = False,
) -> None:
    """Makes bounds that span shards hold over all of them together, for good."""
    operate(home, name, "divide-bounds", {}, as_json=as_json)


@app.command()
def rate(
    currency: Annotated[str, typer.Argument(help="Currency, such as EUR.")],
    value: Annotated[str, typer.Argument(help="What one unit is worth in the base currency.")],
    home: Home = HOME,  # type: ignore[assignment]
    name: Name = DEFAULT_NAME,
    as_json: AsJson = False,
) -> None:
    """Says what a currency is worth. The base currency needs a rate too: 1."""
    operate(home, name, "fx-rates", {"currency": currency, "rate": value}, as_json=as_json)


def _value(bound: str, text: str) -> str | int | bool:
    """As the request has it: yes or no, a count, or an exact decimal."""
    if bound.startswith("allows_"):
        return text in ("1", "true", "yes")
    is_decimal = bound.startswith("max_") and bound.endswith(DECIMALS)
    return text if is_decimal or not text.isdigit() else int(text)


def _show(found: dict[str, Any]) -> None:
    print_table(found["limits"], COLUMNS, "no limits: every order is denied")
    if found["account_limits"]:
        out.print("\nover all instruments, in the base currency:")
        print_table(found["account_limits"], ACCOUNT_COLUMNS, "")
    for kind, title in (("scope_limits", "of scopes"), ("proposed", "proposed, not in force")):
        if found[kind]:
            out.print(f"\n{title}:")
            print_table([_of_scope(row) for row in found[kind]], SCOPE_COLUMNS, "")
    if found["parts"]:
        out.print("\nparts of what spans shards:")
        print_table(found["parts"], PART_COLUMNS, "")


def _of_scope(row: dict[str, Any]) -> dict[str, Any]:
    named = ("scope", "subject", "version", "shards")
    bounds = " ".join(f"{what}={value}" for what, value in row.items() if what not in named)
    scope = row.get("scope") or row["subject"]
    return {"scope": scope, "version": row["version"], "shards": row["shards"], "bounds": bounds}
