# SPDX-License-Identifier: Apache-2.0
"""`tradewind instruments`, `venue`, `position`: entries that operators make, in their name."""

import time
from datetime import UTC, datetime
from typing import Annotated

import typer

from tradewind.cli.console_io import EXIT_HOLDS, print_json, run_or_explain
from tradewind.cli.orders import client_of, new_id, operate, print_table, tell
from tradewind.cli.suite_of import DEFAULT_HOME, DEFAULT_NAME, AsJson, Home, Name

instruments_app = typer.Typer(no_args_is_help=True, help="List, add and remove instruments.")
venue_app = typer.Typer(no_args_is_help=True, help="A venue's trading sessions and days.")
position_app = typer.Typer(no_args_is_help=True, help="Book what no order traded.")

HOME = DEFAULT_HOME
INSTRUMENT_COLUMNS = ("symbol", "venue", "tick_size", "lot_size", "currency")
DAY_S = 86_400

Account = Annotated[str, typer.Option(help="Account.")]
Symbol = Annotated[str, typer.Option(help="Instrument.")]
Reason = Annotated[str, typer.Option(help="Why; it is journaled.")]
ClOrdId = Annotated[str | None, typer.Option("--id", help="Your id; else a new one.")]


@instruments_app.command("list")
def list_instruments(
    home: Home = HOME,  # type: ignore[assignment]
    name: Name = DEFAULT_NAME,
    as_json: AsJson = False,
) -> None:
    """Lists the instruments and the grids of their prices and quantities."""

    async def work() -> int:
        async with client_of(home, name) as client:
            found = await client.instruments()
        if as_json:
            print_json({"instruments": found})
        else:
            print_table(found, INSTRUMENT_COLUMNS, "no instruments")
        return EXIT_HOLDS

    run_or_explain(work)


@instruments_app.command("add")
def add_instrument(
    symbol: Annotated[str, typer.Argument(help="Name of the instrument.")],
    tick_size: Annotated[str, typer.Option(help="Step of prices, an exact decimal.")],
    lot_size: Annotated[str, typer.Option(help="Step of quantities, an exact decimal.")],
    currency: Annotated[str, typer.Option(help="What prices are in.")] = "USD",
    venue: Annotated[str, typer.Option(help="Where it trades.")] = "SIM",
    home: Home = HOME,  # type: ignore[assignment]
    name: Name = DEFAULT_NAME,
    as_json: AsJson = False,
) -> None:
    """Adds an instrument, or changes one that is not in use. Limits are set apart."""
    request = {
        "symbol": symbol,
        "venue": venue,
        "tick_size": tick_size,
        "lot_size": lot_size,
        "currency": currency,
    }
    operate(home, name, "instruments", request, as_json=as_json)


@instruments_app.command("remove")
def remove_instrument(
    symbol: Annotated[str, typer.Argument(help="Name of the instrument.")],
    home: Home = HOME,  # type: ignore[assignment]
    name: Name = DEFAULT_NAME,
    as_json: AsJson = False,
) -> None:
    """Removes an instrument in which nobody has orders or a position."""

    async def work() -> int:
        async with client_of(home, name) as client:
            return tell(await client.remove_instrument(symbol), as_json=as_json)

    run_or_explain(work)


@venue_app.command()
def session(
    status: Annotated[str, typer.Argument(help="PRE_OPEN, OPEN, PRE_CLOSE, CLOSED or HALTED.")],
    day: Annotated[
        str | None, typer.Option("--date", help="Trading date; else today, UTC.")
    ] = None,
    venue: Annotated[str, typer.Option(help="Venue.")] = "SIM",
    home: Home = HOME,  # type: ignore[assignment]
    name: Name = DEFAULT_NAME,
    as_json: AsJson = False,
) -> None:
    """Says what a venue's session takes from now on. What the venue itself says comes after."""
    request = {
        "venue": venue,
        "status": status.upper(),
        "trading_date": day or today(),
    }
    operate(home, name, "trading-session", request, as_json=as_json)


@venue_app.command("roll-day")
def roll_day(
    day: Annotated[str | None, typer.Option("--date", help="New date; else today, UTC.")] = None,
    keep_days: Annotated[float, typer.Option(help="Ended orders that stay in memory.")] = 1.0,
    home: Home = HOME,  # type: ignore[assignment]
    name: Name = DEFAULT_NAME,
    as_json: AsJson = False,
) -> None:
    """Begins a new trading date; venues are asked about orders that should have ended."""
    if keep_days < 0:
        raise typer.BadParameter("--keep-days cannot be negative")
    request = {
        "trading_date": day or today(),
        "retire_before_ns": time.time_ns() - int(keep_days * DAY_S) * 1_000_000_000,
    }
    operate(home, name, "roll-day", request, as_json=as_json)


@position_app.command()
def adjust(
    account: Account,
    qty: Annotated[str, typer.Option(help="Quantity to add; negative to take away.")],
    reason: Reason,
    price: Annotated[str | None, typer.Option(help="At this price; else at none.")] = None,
    symbol: Symbol = "BTC-USD",
    cl_ord_id: ClOrdId = None,
    home: Home = HOME,  # type: ignore[assignment]
    name: Name = DEFAULT_NAME,
    as_json: AsJson = False,
) -> None:
    """Books a quantity that no order traded. Exit code 0: booked; 1: denied."""
    request = {
        "account": account,
        "cl_ord_id": cl_ord_id or new_id(),
        "symbol": symbol,
        "qty": qty,
        "price": price,
        "reason": reason,
    }
    operate(home, name, "positions/adjust", request, as_json=as_json)


@position_app.command()
def reset(
    account: Account,
    reason: Reason,
    symbol: Symbol = "BTC-USD",
    cl_ord_id: ClOrdId = None,
    home: Home = HOME,  # type: ignore[assignment]
    name: Name = DEFAULT_NAME,
    as_json: AsJson = False,
) -> None:
    """Makes a position flat and its profit zero without an order."""
    request = {
        "account": account,
        "cl_ord_id": cl_ord_id or new_id(),
        "symbol": symbol,
        "reason": reason,
    }
    operate(home, name, "positions/reset", request, as_json=as_json)


def today() -> str:
    """The date now."""
    return datetime.now(UTC).date().isoformat()
