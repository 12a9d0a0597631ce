# SPDX-License-Identifier: Apache-2.0
"""The questions that the archive answers, as SQL. Every read is FINAL: a row counts once."""

import re
from typing import Any

from tradewind.archiver.clickhouse import Warehouse, WarehouseError, WarehouseUnavailable
from tradewind.archiver.schema import FINGERPRINT_SQL, STANDING_FILLS
from tradewind.common.errors import TradewindError

LIMIT_DEFAULT = 100
LIMIT_MAX = 10_000
BLOCKS_MAX = 10_000

_SELECT = re.compile(r"\s*(select|with)\b", re.IGNORECASE)
_FORBIDDEN = re.compile(r";|\b(outfile|infile|python|format|settings)\b", re.IGNORECASE)


class BadQuestion(TradewindError):
    """A question that is not answered, whatever the archive holds."""

    code = "BAD_QUESTION"


def summary(warehouse: Warehouse) -> dict[str, Any]:
    """What is held of every stream; `rows` is above `count` only until ClickHouse has merged."""
    _names, physical = warehouse.query(
        "SELECT stream, segment, count() FROM records GROUP BY stream, segment"
    )
    rows = {(stream, segment): count for stream, segment, count in physical}
    _names, held = warehouse.query(
        "SELECT stream, segment, count(), min(seq), max(seq), max(ts_ns), sum(fingerprint) "
        "FROM records FINAL GROUP BY stream, segment ORDER BY stream, segment"
    )
    return {
        "streams": [
            {
                "stream": stream,
                "segment": segment,
                "rows": rows.get((stream, segment), count),
                "count": count,
                "first": first,
                "last": last,
                "last_ts_ns": last_ts_ns,
                "fingerprint_sum": f"{fingerprint_sum:016x}",
            }
            for stream, segment, count, first, last, last_ts_ns, fingerprint_sum in held
        ]
    }


def sums(
    warehouse: Warehouse, stream: str, segment: str, first: int, last: int, block: int
) -> dict[str, Any]:
    """Counts and sums of fingerprints per `block` sequences, computed anew from the columns."""
    if block < 1 or first < 1 or last < first or (last - first) // block >= BLOCKS_MAX:
        raise BadQuestion(f"first..last must be at least 1 and at most {BLOCKS_MAX} blocks long")
    _names, rows = warehouse.query(
        "SELECT intDiv(seq - {first:UInt64}, {block:UInt64}) AS n, count(), "
        f"sum({FINGERPRINT_SQL}) FROM records FINAL "
        "WHERE stream = {stream:String} AND segment = {segment:String} "
        "AND seq BETWEEN {first:UInt64} AND {last:UInt64} GROUP BY n ORDER BY n",
        {"stream": stream, "segment": segment, "first": first, "last": last, "block": block},
    )
    return {
        "blocks": [
            {"first": first + n * block, "count": count, "fingerprint_sum": f"{value:016x}"}
            for n, count, value in rows
        ]
    }


def orders(warehouse: Warehouse, account: str, limit: int) -> dict[str, Any]:
    """The latest report of each order, newest first."""
    return _reports(warehouse, account, limit, "order_id != ''", " LIMIT 1 BY order_id")


def fills(warehouse: Warehouse, account: str, limit: int) -> dict[str, Any]:
    """Fills that stand, newest first."""
    return _reports(warehouse, account, limit, STANDING_FILLS, "")


def select(warehouse: Warehouse, sql: str, limit: int) -> dict[str, Any]:
    """Rows of any one SELECT.

    ClickHouse itself refuses to change anything or to reach outside in a read-only query, with
    exceptions that are refused here by name.
    """
    if not _SELECT.match(sql):
        raise BadQuestion("only a query that begins with SELECT or WITH is answered")
    found = _FORBIDDEN.search(sql)
    if found:
        raise BadQuestion(f"{found[0]!r} is not allowed in a query, nor in its texts")
    try:
        names, rows = warehouse.query(f"SELECT * FROM (\n{sql}\n) LIMIT {limit}")
    except WarehouseUnavailable:
        raise
    except WarehouseError as error:
        raise BadQuestion(error.text) from error
    return {"columns": names, "rows": rows}


def _reports(
    warehouse: Warehouse, account: str, limit: int, condition: str, once: str
) -> dict[str, Any]:
    which = " AND account = {account:String}" if account else ""
    names, rows = warehouse.query(
        f"SELECT * FROM order_reports FINAL WHERE {condition}{which} "
        f"ORDER BY transact_time_ns DESC, stream, seq DESC{once} LIMIT {limit}",
        {"account": account},
    )
    _grid_names, grids = warehouse.query(
        "SELECT symbol, argMax(tick_size, seq), argMax(lot_size, seq) FROM instruments "
        "GROUP BY symbol ORDER BY symbol"
    )
    return {
        "reports": [dict(zip(names, row, strict=True)) for row in rows],
        "instruments": {
            symbol: {"tick_size": tick_size, "lot_size": lot_size}
            for symbol, tick_size, lot_size in grids
        },
    }
