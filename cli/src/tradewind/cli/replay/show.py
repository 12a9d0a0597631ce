# SPDX-License-Identifier: Apache-2.0
"""The opened state, as JSON and for people."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Group, RenderableType
from rich.table import Table

from tradewind.cli.replay.travel import Opened
from tradewind.common.grid import Grid
from tradewind.core.positions import unrealised
from tradewind.core.snapshot import dump
from tradewind.core.state import State

ROWS_MAX = 40


def as_json(opened: Opened, account: str | None) -> dict[str, Any]:
    """Where it stands, with live orders, positions, limits and trading states."""
    replay = opened.replay
    plain = dump(replay.state)
    live = replay.state.live_orders
    return {
        "shard": replay.state.shard,
        "segment": replay.segment,
        "seq": replay.seq,
        "ordinal": replay.ordinal,
        "ts_ns": replay.state.ts_ns,
        "trading_date": replay.state.trading_date,
        "digest": replay.digest(),
        "chain": replay.chain,
        "from_snapshot": opened.from_seq,
        "snapshots_refused": opened.refused,
        "order_count": len(replay.state.orders),
        "orders": [
            order
            for order_id, order in plain["orders"].items()
            if order_id in live and account in (None, order["account"])
        ],
        "positions": _positions(replay.state, account),
        "limits": [
            limits for limits in plain["limits"].values() if account in (None, limits["account"])
        ],
        "references": list(plain["references"].values()),
        "trading_states": list(plain["trading_states"].values()),
        "instruments": list(plain["instruments"].values()),
        "sessions": plain["sessions"],
        "logic": sorted(plain["logic"]),
        "builds": sorted(plain["builds"]),
    }


def write_whole(opened: Opened, path: Path) -> None:
    """Everything that the state holds, as one JSON object in a file."""
    replay = opened.replay
    whole = dump(replay.state) | {"digest": replay.digest(), "chain": replay.chain}
    path.write_bytes(msgspec.json.encode(whole))


def render(opened: Opened, account: str | None) -> RenderableType:
    """The same for people, in the instruments' own decimals."""
    plain = as_json(opened, account)
    grids = {row["symbol"]: _grid(row) for row in plain["instruments"]}
    orders = _table("live orders", "order", "account", "symbol", "side", "qty", "left", "price")
    for order in plain["orders"][:ROWS_MAX]:
        grid = grids[order["symbol"]]
        orders.add_row(
            order["cl_ord_id"],
            order["account"],
            order["symbol"],
            f"{order['side']} {order['ord_status']}",
            grid.lots_to_text(order["order_qty"]),
            grid.lots_to_text(order["leaves_qty"]),
            grid.ticks_to_text(order["price"]) if order["price"] else "",
        )
    positions = _table("positions", "account", "symbol", "qty", "realised", "unrealised")
    held = [row for row in plain["positions"] if row["symbol"] in grids]
    for row in held:
        grid, gain = grids[row["symbol"]], row["unrealised"]
        positions.add_row(
            row["account"],
            row["symbol"],
            grid.lots_to_text(row["qty"]),
            grid.notional_to_text(row["realised"]),
            "" if gain is None else grid.notional_to_text(gain),
        )
    limits = _table("limits", "account", "symbol", "order qty", "notional", "position")
    for row in plain["limits"][:ROWS_MAX]:
        grid = grids[row["symbol"]]
        limits.add_row(
            row["account"],
            row["symbol"],
            grid.lots_to_text(row["max_order_qty"]),
            grid.notional_to_text(row["max_notional"]),
            grid.lots_to_text(row["max_position"]),
        )
    states = _table("trading states", "scope", "state", "by", "reason")
    for row in plain["trading_states"]:
        states.add_row(row["scope"], row["state"], row["actor"], row["reason"])
    head = (
        f"shard {plain['shard']} after entry {plain['seq']}: {plain['order_count']} orders, "
        f"{len(opened.replay.state.live_orders)} live; digest {plain['digest'][:16]}, "
        f"{'from zero' if not opened.from_seq else f'from snapshot {opened.from_seq}'}"
    )
    more = len(plain["orders"]) - ROWS_MAX
    rest = f"... and {more} more" if more > 0 else ""
    parts: list[RenderableType] = [head]
    if orders.rows:
        parts += [orders, rest]
    parts += [table for table in (positions, limits, states) if table.rows]
    return Group(*parts)


def _positions(state: State, account: str | None) -> list[dict[str, Any]]:
    found = []
    for owner, symbol in sorted(state.positions):
        if account not in (None, owner):
            continue
        position = state.positions[owner, symbol]
        mark = state.references.get(symbol)
        found.append(
            {
                "account": owner,
                "symbol": symbol,
                "qty": position.qty,
                "cost": position.cost,
                "realised": position.realised,
                "unrealised": None if mark is None else unrealised(position, mark.price),
                "buy_working": position.buy_working,
                "sell_working": position.sell_working,
            }
        )
    return found


def _grid(instrument: dict[str, Any]) -> Grid:
    return Grid(Decimal(instrument["tick_size"]), Decimal(instrument["lot_size"]))


def _table(title: str, *columns: str) -> Table:
    table = Table(title=f"\n{title}", title_justify="left", box=None, pad_edge=False)
    for column in columns:
        table.add_column(column)
    return table
