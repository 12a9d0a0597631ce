# SPDX-License-Identifier: Apache-2.0
"""`tradewind shard`: what shards run on, as journal entries: behaviour, builds, skipped entries."""

from typing import Annotated

import typer

from tradewind.cli.orders import HOME, operate
from tradewind.cli.suite.facts import OPERATOR_KEY
from tradewind.cli.suite_of import DEFAULT_NAME, AsJson, Home, Name

app = typer.Typer(
    no_args_is_help=True, help="Switch behaviour, approve builds, skip a poison entry."
)

Build = Annotated[str, typer.Argument(help="Build, as `tradewind status` names it.")]


@app.command()
def logic(
    flag: Annotated[str, typer.Argument(help="Name of the change of behaviour.")],
    home: Home = HOME,  # type: ignore[assignment]
    name: Name = DEFAULT_NAME,
    as_json: AsJson = False,
) -> None:
    """Switches a change of behaviour on, for good, from the next entry of every shard."""
    operate(home, name, "logic", {"flag": flag}, as_json=as_json)


@app.command("approve-build")
def approve_build(
    build: Build,
    home: Home = HOME,  # type: ignore[assignment]
    name: Name = DEFAULT_NAME,
    as_json: AsJson = False,
) -> None:
    """Lets replicas of a build append. The first approval excludes all other builds."""
    operate(home, name, "builds", {"build": build, "is_approved": True}, as_json=as_json)


@app.command("revoke-build")
def revoke_build(
    build: Build,
    home: Home = HOME,  # type: ignore[assignment]
    name: Name = DEFAULT_NAME,
    as_json: AsJson = False,
) -> None:
    """Makes replicas of a build only follow."""
    operate(home, name, "builds", {"build": build, "is_approved": False}, as_json=as_json)


@app.command()
def skip(
    seq: Annotated[int, typer.Argument(min=1, help="The entry that stops every replica.")],
    reason: Annotated[str, typer.Option(help="Why; it is journaled.")],
    shard: Annotated[int, typer.Option(min=0, help="Which shard's journal.")] = 0,
    by: Annotated[str, typer.Option(help="Key of the person who says it.")] = OPERATOR_KEY,
    home: Home = HOME,  # type: ignore[assignment]
    name: Name = DEFAULT_NAME,
    as_json: AsJson = False,
) -> None:
    """One of the two words that an entry which no replica can apply counts as a no-op."""
    request = {"shard": shard, "seq": seq, "reason": reason}
    operate(home, name, "skip-entry", request, as_json=as_json, key=by)
