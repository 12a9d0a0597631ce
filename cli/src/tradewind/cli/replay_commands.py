# SPDX-License-Identifier: Apache-2.0
"""`tradewind replay`: the exact state at any sequence number, and two builds compared."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from tradewind.cli.console_io import (
    EXIT_DOES_NOT_HOLD,
    EXIT_HOLDS,
    err,
    out,
    print_json,
    run_or_explain,
)
from tradewind.cli.replay.journal import BusJournal, CouldNotReplay, FileJournal, Journal, export
from tradewind.cli.suite_of import DEFAULT_HOME, DEFAULT_NAME, AsJson, Home, Name, running_facts
from tradewind.common.snapshots import SnapshotStore

SHOW_EVERY = 50_000


def replay(
    context: typer.Context,
    shard: Annotated[int, typer.Option(min=0, help="Which shard's journal.")] = 0,
    at: Annotated[int | None, typer.Option(min=1, help="After this entry; else the last.")] = None,
    diff: Annotated[
        tuple[str, str] | None,
        typer.Option(help="Two builds, each a commit or a folder of sources ('.' is this one)."),
    ] = None,
    journal: Annotated[
        Path | None, typer.Option(help="An exported journal; no suite is needed.")
    ] = None,
    export_to: Annotated[
        Path | None, typer.Option("--export", help="Write the journal to this file.")
    ] = None,
    out_file: Annotated[
        Path | None, typer.Option("--out", help="Write the whole state to this file, as JSON.")
    ] = None,
    account: Annotated[str | None, typer.Option(help="Show this account only.")] = None,
    from_zero: Annotated[bool, typer.Option(help="Use no snapshot.")] = False,
    home: Home = DEFAULT_HOME,  # type: ignore[assignment]
    name: Name = DEFAULT_NAME,
    as_json: AsJson = False,
) -> None:
    """Opens a shard's state at any entry, or replays its journal through two builds."""

    async def work() -> int:
        async with _opened(journal, shard, home, name) as (source, store):
            if export_to is not None:
                return await _export(source, export_to, at, as_json)
            if diff is not None:
                return await _diff(source, diff, at, context.obj, as_json)
            return await _state(
                source, shard, at, None if from_zero else store, account, out_file, as_json
            )

    run_or_explain(work)


@asynccontextmanager
async def _opened(
    path: Path | None, shard: int, home: Path, name: str
) -> AsyncIterator[tuple[Journal, SnapshotStore | None]]:
    from tradewind.common.jetstream import Bus

    if path is not None:
        yield FileJournal(path), None
        return
    facts = running_facts(home, name)
    if shard >= facts.shards:
        raise CouldNotReplay(f"this suite has shards 0 to {facts.shards - 1}", code="UNKNOWN_SHARD")
    bus = await Bus.connect(facts.bus("auditor"), name="replay")
    try:
        yield BusJournal(bus, shard), SnapshotStore(bus, shard)
    finally:
        await bus.close()


async def _state(
    source: Journal,
    shard: int,
    at: int | None,
    store: SnapshotStore | None,
    account: str | None,
    out_file: Path | None,
    as_json: bool,
) -> int:
    from tradewind.cli.replay import show
    from tradewind.cli.replay.travel import open_at

    opened = await open_at(source, shard, at, store, _progress())
    for text in opened.refused:
        err.print(f"[yellow]not used[/]: {text}")
    if out_file is not None:
        show.write_whole(opened, out_file)
        err.print(f"the whole state is in {out_file}")
    if as_json:
        print_json(show.as_json(opened, account))
    else:
        out.print(show.render(opened, account))
    return EXIT_HOLDS


async def _diff(
    source: Journal, names: tuple[str, str], at: int | None, env: Mapping[str, str], as_json: bool
) -> int:
    from tradewind.cli.replay.diff import compare

    report = await compare(source, names, at, _progress(), env)
    if as_json:
        print_json(report)
    else:
        _show_diff(report)
    return EXIT_HOLDS if report["equal"] else EXIT_DOES_NOT_HOLD


async def _export(source: Journal, path: Path, at: int | None, as_json: bool) -> int:
    _first, last = await source.bounds()
    count = await export(source, path, last if at is None else min(at, last))
    if as_json:
        print_json({"entries": count, "file": str(path)})
    else:
        out.print(f"{count} entries in {path}")
    return EXIT_HOLDS


def _show_diff(report: dict[str, Any]) -> None:
    a, b = report["builds"]
    found = report["first_difference"]
    if found is None:
        out.print(f"{a} and {b} decide all {report['entries']} entries alike")
        return
    out.print(f"entry {found['seq']} is decided differently, or by neither")
    out.print_json(data=found["command"])
    for row in found["fields"]:
        left, right = row["values"]
        out.print(f"  output {row['output']} {row['field']}: {a} {left!r}, {b} {right!r}")
    if not found["fields"]:
        out.print(f"  {a}: {found['outputs'][0]}\n  {b}: {found['outputs'][1]}")


def _progress() -> Callable[[int, int], None]:
    shown = 0

    def progress(seq: int, last: int) -> None:
        nonlocal shown
        if seq - shown >= SHOW_EVERY:
            shown = seq
            err.print(f"entry {seq} of {last}")

    return progress
