# SPDX-License-Identifier: Apache-2.0
"""`tradewind order`, `positions`, `halt`, `resume`: the gateway's API from the terminal."""

import secrets
from typing import Annotated, Any

import typer
from rich.table import Table

from tradewind.cli.client import GatewayClient
from tradewind.cli.console_io import EXIT_DOES_NOT_HOLD, EXIT_HOLDS, out, print_json, run_or_explain
from tradewind.cli.suite_of import DEFAULT_HOME, DEFAULT_NAME, AsJson, Home, Name, running_facts

app = typer.Typer(no_args_is_help=True, help="Submit, cancel, replace and list orders.")

Account = Annotated[str, typer.Option(help="Account that trades.")]
HOME = DEFAULT_HOME
COLUMNS = ("cl_ord_id", "account", "symbol", "side", "order_qty", "price", "cum_qty", "ord_status")


@app.command()
def submit(
    account: Account,
    side: Annotated[str, typer.Option(help="BUY or SELL.")],
    qty: Annotated[str, typer.Option(help="Quantity, an exact decimal.")],
    symbol: Annotated[str, typer.Option(help="Instrument.")] = "BTC-USD",
    ord_type: Annotated[str, typer.Option("--type", help="LIMIT or MARKET.")] = "LIMIT",
    price: Annotated[str | None, typer.Option(help="Limit price, an exact decimal.")] = None,
    tif: Annotated[str | None, typer.Option(help="DAY, GTC, IOC or FOK.")] = None,
    cl_ord_id: Annotated[str | None, typer.Option("--id", help="Your id; else a new one.")] = None,
    strategy: Annotated[str, typer.Option(help="To whom the order is attributed.")] = "manual",
    home: Home = HOME,  # type: ignore[assignment]
    name: Name = DEFAULT_NAME,
    as_json: AsJson = False,
) -> None:
    """Submits an order. Exit code 0: accepted; 1: denied."""
    order = {
        "account": account,
        "cl_ord_id": cl_ord_id or f"cli-{secrets.token_hex(6)}",
        "symbol": symbol,
        "side": side.upper(),
        "ord_type": ord_type.upper(),
        "time_in_force": (tif or ("IOC" if ord_type.upper() == "MARKET" else "GTC")).upper(),
        "order_qty": qty,
        "strategy": strategy,
    }
    if price is not None:
        order["price"] = price

    async def work() -> int:
        async with _client(home, name) as client:
            return _say(await client.submit(order), as_json=as_json)

    run_or_explain(work)


@app.command()
def cancel(
    account: Account,
    cl_ord_id: Annotated[str, typer.Argument(help="Any id that the order has or had.")],
    home: Home = HOME,  # type: ignore[assignment]
    name: Name = DEFAULT_NAME,
    as_json: AsJson = False,
) -> None:
    """Asks for an order to be canceled. Exit code 0: passed on; 1: refused."""

    async def work() -> int:
        async with _client(home, name) as client:
            answer = await client.cancel(account, cl_ord_id, f"cli-{secrets.token_hex(6)}")
            return _say(answer, as_json=as_json)

    run_or_explain(work)


@app.command()
def replace(
    account: Account,
    cl_ord_id: Annotated[str, typer.Argument(help="Any id that the order has or had.")],
    qty: Annotated[str, typer.Option(help="New total quantity.")],
    price: Annotated[str, typer.Option(help="New limit price.")],
    home: Home = HOME,  # type: ignore[assignment]
    name: Name = DEFAULT_NAME,
    as_json: AsJson = False,
) -> None:
    """Asks for new terms of a working order. Exit code 0: passed on; 1: refused."""

    async def work() -> int:
        async with _client(home, name) as client:
            new_id = f"cli-{secrets.token_hex(6)}"
            answer = await client.replace(account, cl_ord_id, new_id, qty, price)
            return _say(answer, as_json=as_json)

    run_or_explain(work)


@app.command("list")
def list_orders(
    account: Annotated[str | None, typer.Option(help="Only this account.")] = None,
    open_only: Annotated[bool, typer.Option("--open", help="Only orders that work.")] = False,
    home: Home = HOME,  # type: ignore[assignment]
    name: Name = DEFAULT_NAME,
    as_json: AsJson = False,
) -> None:
    """Lists orders, the newest first."""

    async def work() -> int:
        async with _client(home, name) as client:
            found = await client.orders(account, is_open_only=open_only)
        if as_json:
            print_json({"orders": found})
        else:
            _print_table(found, COLUMNS, "no orders yet: `tradewind order submit` makes one")
        return EXIT_HOLDS

    run_or_explain(work)


def positions(
    account: Annotated[str | None, typer.Option(help="Only this account.")] = None,
    home: Home = HOME,  # type: ignore[assignment]
    name: Name = DEFAULT_NAME,
    as_json: AsJson = False,
) -> None:
    """Shows positions."""

    async def work() -> int:
        async with _client(home, name) as client:
            found = await client.positions(account)
        if as_json:
            print_json({"positions": found})
        else:
            columns = ("account", "symbol", "qty", "avg_px", "realised", "buy_working")
            _print_table(found, (*columns, "sell_working"), "no positions yet")
        return EXIT_HOLDS

    run_or_explain(work)


def halt(
    reason: Annotated[str, typer.Option(help="Why; it is journaled.")],
    scope: Annotated[str, typer.Option(help="firm, account:<a> or symbol:<s>.")] = "firm",
    home: Home = HOME,  # type: ignore[assignment]
    name: Name = DEFAULT_NAME,
    as_json: AsJson = False,
) -> None:
    """Denies new orders and replaces in a scope; cancels pass. It outlives every restart."""
    _set_state(home, name, scope, "HALTED", reason, as_json=as_json)


def resume(
    reason: Annotated[str, typer.Option(help="Why; it is journaled.")] = "resumed by operator",
    scope: Annotated[str, typer.Option(help="firm, account:<a> or symbol:<s>.")] = "firm",
    home: Home = HOME,  # type: ignore[assignment]
    name: Name = DEFAULT_NAME,
    as_json: AsJson = False,
) -> None:
    """Opens a halted scope again."""
    _set_state(home, name, scope, "ACTIVE", reason, as_json=as_json)


def _set_state(home: Any, name: str, scope: str, state: str, reason: str, *, as_json: bool) -> None:
    async def work() -> int:
        async with _client(home, name) as client:
            answer = await client.set_trading_state(scope, state, reason)
        if as_json:
            print_json(answer)
        else:
            out.print(f"{scope} is {state} in every shard")
        return EXIT_HOLDS

    run_or_explain(work)


def _client(home: Any, name: str) -> GatewayClient:
    facts = running_facts(home, name)
    return GatewayClient(facts.gateway_url, facts.credentials())


def _say(answer: dict[str, Any], *, as_json: bool) -> int:
    if as_json:
        print_json(answer)
    else:
        report = answer.get("report") or {}
        out.print(
            f"{answer['outcome']}  {answer.get('cl_ord_id', '')}  "
            f"{report.get('ord_status', '')} {report.get('reason', '')}".rstrip()
        )
    return EXIT_DOES_NOT_HOLD if answer["outcome"] == "denied" else EXIT_HOLDS


def _print_table(rows: list[dict[str, Any]], columns: tuple[str, ...], nothing: str) -> None:
    if not rows:
        out.print(nothing)
        return
    table = Table(box=None, pad_edge=False)
    for column in columns:
        table.add_column(column)
    for row in rows:
        table.add_row(*(str(row.get(column) or "") for column in columns))
    out.print(table)
