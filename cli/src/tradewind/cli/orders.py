# SPDX-License-Identifier: Apache-2.0
"""`tradewind order`, `positions`, `halt`, `resume`: the gateway's API from the terminal."""

import secrets
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from tradewind.cli.client import GatewayClient
from tradewind.cli.console_io import EXIT_DOES_NOT_HOLD, EXIT_HOLDS, out, print_json, run_or_explain
from tradewind.cli.credentials import Credentials, Token
from tradewind.cli.suite.facts import OPERATOR_KEY
from tradewind.cli.suite_of import (
    DEFAULT_HOME,
    DEFAULT_NAME,
    AsJson,
    Home,
    Name,
    environment,
    running_facts,
)
from tradewind.common.settings import require, secret
from tradewind.core.positions import ATTRIBUTES

app = typer.Typer(no_args_is_help=True, help="Submit, cancel, replace and list orders.")

ORD_TYPES = "LIMIT, MARKET, STOP or STOP_LIMIT."
TIMES_IN_FORCE = "DAY, GTC, IOC, FOK, GTD (with --expire), AT_OPEN or AT_CLOSE."
EXPIRE = "End of a GTD order with its zone: 2026-03-02T16:30:00Z."
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Account = Annotated[str, typer.Option(help="Account that trades.")]
ClOrdId = Annotated[str | None, typer.Option("--id", help="Your id; else a new one.")]
Strategy = Annotated[str, typer.Option(help="To whom the order is attributed.")]
HOME = DEFAULT_HOME
POSITION_COLUMNS = ("qty", "avg_px", "realised", "unrealised", "buy_working", "sell_working")
COLUMNS = ("cl_ord_id", "account", "symbol", "side", "order_qty", "price", "cum_qty", "ord_status")


@app.command()
def submit(
    account: Account,
    side: Annotated[str, typer.Option(help="BUY or SELL.")],
    qty: Annotated[str, typer.Option(help="Quantity, an exact decimal.")],
    symbol: Annotated[str, typer.Option(help="Instrument.")] = "BTC-USD",
    ord_type: Annotated[str, typer.Option("--type", help=ORD_TYPES)] = "LIMIT",
    price: Annotated[str | None, typer.Option(help="Limit price, an exact decimal.")] = None,
    stop: Annotated[str | None, typer.Option(help="Stop price, an exact decimal.")] = None,
    display: Annotated[str | None, typer.Option(help="Show only so much at a time.")] = None,
    post_only: Annotated[bool, typer.Option("--post-only", help="Never take.")] = False,
    tif: Annotated[str | None, typer.Option(help=TIMES_IN_FORCE)] = None,
    expire: Annotated[str | None, typer.Option(help=EXPIRE)] = None,
    cl_ord_id: ClOrdId = None,
    strategy: Strategy = "manual",
    algorithm: Annotated[str, typer.Option(help="Algorithm that decided.")] = "NONE",
    build: Annotated[str, typer.Option(help="Build of that algorithm.")] = "NONE",
    parent: Annotated[str | None, typer.Option(help="Id of the order it works for.")] = None,
    is_parent: Annotated[bool, typer.Option("--as-parent", help="Only children trade.")] = False,
    home: Home = HOME,  # type: ignore[assignment]
    name: Name = DEFAULT_NAME,
    as_json: AsJson = False,
) -> None:
    """Submits an order. Exit code 0: accepted; 1: denied."""
    order = {
        "account": account,
        "cl_ord_id": cl_ord_id or new_id(),
        "symbol": symbol,
        "side": side.upper(),
        "ord_type": ord_type.upper(),
        "time_in_force": (tif or ("IOC" if ord_type.upper() == "MARKET" else "GTC")).upper(),
        "order_qty": qty,
        "strategy": strategy,
        "price": price,
        "stop_px": stop,
        "display_qty": display,
        "is_post_only": post_only,
        "expire_ns": None if expire is None else nanoseconds(expire),
        "algorithm": algorithm,
        "build": build,
        "parent_cl_ord_id": parent,
        "is_parent": is_parent,
    }
    _ask(home, name, lambda client: client.submit(order), as_json=as_json)


@app.command()
def cancel(
    account: Account,
    cl_ord_id: Annotated[str, typer.Argument(help="Any id that the order has or had.")],
    home: Home = HOME,  # type: ignore[assignment]
    name: Name = DEFAULT_NAME,
    as_json: AsJson = False,
) -> None:
    """Asks for an order to be canceled. Exit code 0: passed on; 1: refused."""
    _ask(home, name, lambda client: client.cancel(account, cl_ord_id, new_id()), as_json=as_json)


@app.command()
def replace(
    account: Account,
    cl_ord_id: Annotated[str, typer.Argument(help="Any id that the order has or had.")],
    qty: Annotated[str, typer.Option(help="New total quantity.")],
    price: Annotated[str | None, typer.Option(help="New limit price.")] = None,
    stop: Annotated[str | None, typer.Option(help="New stop price.")] = None,
    home: Home = HOME,  # type: ignore[assignment]
    name: Name = DEFAULT_NAME,
    as_json: AsJson = False,
) -> None:
    """Asks for new terms of a working order. Exit code 0: passed on; 1: refused."""
    _ask(
        home,
        name,
        lambda client: client.replace(account, cl_ord_id, new_id(), qty, price, stop),
        as_json=as_json,
    )


@app.command()
def status(
    account: Account,
    cl_ord_id: Annotated[str, typer.Argument(help="Any id that the order has or had.")],
    home: Home = HOME,  # type: ignore[assignment]
    name: Name = DEFAULT_NAME,
    as_json: AsJson = False,
) -> None:
    """Tells an order as it stands; a venue that owes an answer is asked. 1: no such order."""
    _ask(home, name, lambda client: client.ask_status(account, cl_ord_id), as_json=as_json)


@app.command("mass-cancel")
def mass_cancel(
    account: Annotated[str | None, typer.Option(help="Account whose orders end.")] = None,
    is_all: Annotated[bool, typer.Option("--all", help="Orders of every account.")] = False,
    symbol: Annotated[str | None, typer.Option(help="Only in this instrument.")] = None,
    strategy: Annotated[str | None, typer.Option(help="Only of this strategy.")] = None,
    cl_ord_id: ClOrdId = None,
    home: Home = HOME,  # type: ignore[assignment]
    name: Name = DEFAULT_NAME,
    as_json: AsJson = False,
) -> None:
    """Asks for the end of every live order of an account, or of all, or of a part of them."""
    if is_all == (account is not None):
        raise typer.BadParameter("give either --account or --all")
    request = {"cl_ord_id": cl_ord_id or new_id(), "symbol": symbol, "strategy": strategy}
    if is_all:
        operate(home, name, "mass-cancel", request, as_json=as_json)
        return
    of_account = {**request, "account": account}
    _ask(home, name, lambda client: client.mass_cancel(of_account), as_json=as_json)


@app.command()
def flatten(
    account: Account,
    symbol: Annotated[str, typer.Option(help="Instrument.")] = "BTC-USD",
    strategy: Strategy = "manual",
    cl_ord_id: ClOrdId = None,
    home: Home = HOME,  # type: ignore[assignment]
    name: Name = DEFAULT_NAME,
    as_json: AsJson = False,
) -> None:
    """Submits the market order that closes a position. Exit code 0: accepted; 1: denied."""
    request = {
        "account": account,
        "cl_ord_id": cl_ord_id or new_id(),
        "symbol": symbol,
        "strategy": strategy,
    }
    _ask(home, name, lambda client: client.flatten(request), as_json=as_json)


@app.command("list")
def list_orders(
    account: Annotated[str | None, typer.Option(help="Only this account.")] = None,
    open_only: Annotated[bool, typer.Option("--open", help="Only orders that work.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="Not more than this.")] = 500,
    home: Home = HOME,  # type: ignore[assignment]
    name: Name = DEFAULT_NAME,
    as_json: AsJson = False,
) -> None:
    """Lists orders, the newest first."""

    async def work() -> int:
        async with client_of(home, name) as client:
            found = await client.orders(account, is_open_only=open_only, limit=limit)
        if as_json:
            print_json({"orders": found})
        else:
            print_table(found, COLUMNS, "no orders yet: `tradewind order submit` makes one")
        return EXIT_HOLDS

    run_or_explain(work)


def positions(
    account: Annotated[str | None, typer.Option(help="Only this account.")] = None,
    by: Annotated[
        str | None,
        typer.Option(help="Attributes to tell them by: account,client,strategy,algorithm."),
    ] = None,
    home: Home = HOME,  # type: ignore[assignment]
    name: Name = DEFAULT_NAME,
    as_json: AsJson = False,
) -> None:
    """Shows positions: size, average cost, profit, and what is working."""

    async def work() -> int:
        async with client_of(home, name) as client:
            found = await client.positions(account, by)
        if as_json:
            print_json({"positions": found})
        else:
            names = [column for column in ATTRIBUTES if found and column in found[0]]
            print_table(found, (*names, *POSITION_COLUMNS), "no positions yet")
        return EXIT_HOLDS

    run_or_explain(work)


def halt(
    reason: Annotated[str, typer.Option(help="Why; it is journaled.")],
    scope: Annotated[str, typer.Option(help="firm, shard, account:<a> or symbol:<s>.")] = "firm",
    home: Home = HOME,  # type: ignore[assignment]
    name: Name = DEFAULT_NAME,
    as_json: AsJson = False,
) -> None:
    """Denies new orders and replaces in a scope; cancels pass. It outlives every restart."""
    _set_state(home, name, scope, "HALTED", reason, as_json=as_json)


def resume(
    reason: Annotated[str, typer.Option(help="Why; it is journaled.")] = "resumed by operator",
    scope: Annotated[str, typer.Option(help="firm, shard, account:<a> or symbol:<s>.")] = "firm",
    home: Home = HOME,  # type: ignore[assignment]
    name: Name = DEFAULT_NAME,
    as_json: AsJson = False,
) -> None:
    """Opens a halted scope again."""
    _set_state(home, name, scope, "ACTIVE", reason, as_json=as_json)


def _set_state(home: Any, name: str, scope: str, state: str, reason: str, *, as_json: bool) -> None:
    async def work() -> int:
        async with client_of(home, name) as client:
            answer = await client.set_trading_state(scope, state, reason)
        if answer["outcome"] == "denied":
            return tell(answer, as_json=as_json)
        if as_json:
            print_json(answer)
        else:
            out.print(f"{scope} is {state} in every shard")
        return EXIT_HOLDS

    run_or_explain(work)


def operate(
    home: Any, name: str, what: str, request: dict[str, Any], *, as_json: bool, key: str = ""
) -> None:
    """Makes an operator's entry and says what became of it. Exit code 0: in force; 1: denied."""
    _ask(home, name, lambda client: client.operate(what, request), as_json=as_json, key=key)


def new_id() -> str:
    """A request id that was never used."""
    return f"cli-{secrets.token_hex(6)}"


def nanoseconds(text: str) -> int:
    """Nanoseconds since the epoch of a time in ISO 8601 with its zone."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is no time: {EXPIRE}") from error
    if moment.tzinfo is None:
        raise typer.BadParameter(f"{text!r} has no time zone: {EXPIRE}")
    return (moment - EPOCH) // timedelta(microseconds=1) * 1_000


def client_of(home: Any, name: str, key_id: str = "") -> GatewayClient:
    """A client of a running suite, with the operator's key or another one of the suite's.

    If the environment has TRADEWIND_GATEWAY_URL: of that gateway, with TRADEWIND_KEY_ID and the key
    in the file TRADEWIND_KEY_SECRET_FILE. With TRADEWIND_TOKEN_FILE: as the person whose token is
    in that file, whatever key was meant.
    """
    env = environment.get()
    token = Token(Path(env["TRADEWIND_TOKEN_FILE"])) if env.get("TRADEWIND_TOKEN_FILE") else None
    if env.get("TRADEWIND_GATEWAY_URL"):
        proof = token or Credentials(
            require(env, "TRADEWIND_KEY_ID"), secret(env, "TRADEWIND_KEY_SECRET_FILE")
        )
        return GatewayClient(env["TRADEWIND_GATEWAY_URL"], proof)
    facts = running_facts(home, name)
    return GatewayClient(facts.gateway_url, token or facts.credentials(key_id or OPERATOR_KEY))


def _ask(
    home: Any,
    name: str,
    call: Callable[[GatewayClient], Awaitable[dict[str, Any]]],
    *,
    as_json: bool,
    key: str = "",
) -> None:
    async def work() -> int:
        async with client_of(home, name, key) as client:
            return tell(await call(client), as_json=as_json)

    run_or_explain(work)


def tell(answer: dict[str, Any], *, as_json: bool) -> int:
    """Prints what became of a request; the command's exit code."""
    if as_json:
        print_json(answer)
    else:
        for row in answer.get("shards", [answer]):
            out.print(_line(row))
    return EXIT_DOES_NOT_HOLD if answer["outcome"] == "denied" else EXIT_HOLDS


def _line(answer: dict[str, Any]) -> str:
    """What became of one entry."""
    report = answer.get("report") or {}
    words = [answer["outcome"], f"shard {answer['shard']}", answer.get("cl_ord_id", "")]
    if "order_count" in report:
        words.append(f"{report['order_count']} orders are asked to end")
    if "cum_qty" in report and report["cum_qty"] is not None:
        words.append(f"{report['ord_status']} {report['cum_qty']} of {report['order_qty']} done")
    words.append(report.get("reason", ""))
    return "  ".join(word for word in words if word)


def print_table(rows: list[dict[str, Any]], columns: tuple[str, ...], nothing: str) -> None:
    """Rows as a table, or a sentence when there are none.

    The first column names the row for other commands: it stays in one piece. Whatever words people
    and venues have used are shown as they are.
    """
    if not rows:
        out.print(nothing)
        return
    table = Table(box=None, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold", no_wrap=column == columns[0])
    for row in rows:
        table.add_row(*(Text(str(row.get(column) or "")) for column in columns))
    out.print(table)
