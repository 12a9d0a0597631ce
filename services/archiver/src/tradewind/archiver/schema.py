# SPDX-License-Identifier: Apache-2.0
"""The tables, written once: the columns here are the rows of `rows.py`, in the same order.

Every table has the key (stream, segment, seq): a row that is written twice is one row when read
with FINAL. There is no partition key, because ClickHouse makes an insert atomic only within one
partition, and the position of the archiver is the highest `seq` it finds in `records`.
Deduplication by token is off by default in a table that is not replicated; the window turns it on.
Each insert is fsynced: what counts as archived survives a loss of power.
"""

from dataclasses import dataclass, fields

from tradewind.core.events import InstrumentDefined, OrderReport

_KEY = (
    ("stream", "LowCardinality(String)"),
    ("segment", "LowCardinality(String)"),
    ("seq", "UInt64"),
)
_STORAGE = (
    "ENGINE = ReplacingMergeTree ORDER BY (stream, segment, seq) SETTINGS "
    "non_replicated_deduplication_window = 1000, "
    "fsync_after_insert = 1, fsync_part_directory = 1"
)
_INTEGERS = {"cum_notional": "Int128"}
_REPEATED = frozenset(
    {
        "account",
        "algorithm",
        "build",
        "client",
        "currency",
        "exec_type",
        "fee_currency",
        "lot_size",
        "ord_status",
        "ord_type",
        "reason",
        "side",
        "strategy",
        "symbol",
        "tick_size",
        "time_in_force",
        "venue",
    }
)
"""Columns of few different values."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table: its name, its columns in the order of the rows, and columns computed from them."""

    name: str
    columns: tuple[tuple[str, str], ...]
    aliases: tuple[str, ...] = ()

    @property
    def column_names(self) -> tuple[str, ...]:
        """The columns that a row fills."""
        return tuple(name for name, _type in self.columns)

    @property
    def column_types(self) -> tuple[str, ...]:
        """Their types."""
        return tuple(kind for _name, kind in self.columns)

    @property
    def ddl(self) -> str:
        """The statement that makes the table where it is not there yet."""
        lines = [f"`{name}` {kind}" for name, kind in self.columns]
        return (
            f"CREATE TABLE IF NOT EXISTS {self.name} ("
            + ", ".join((*lines, *self.aliases))
            + f") {_STORAGE}"
        )

    @property
    def additions(self) -> str:
        """The statement that adds the columns which a table of an earlier release lacks."""
        added = (f"ADD COLUMN IF NOT EXISTS `{name}` {kind}" for name, kind in self.columns)
        return f"ALTER TABLE {self.name} " + ", ".join(added)


def _columns_of(cls: type[OrderReport] | type[InstrumentDefined]) -> tuple[tuple[str, str], ...]:
    """A core event's own fields as columns: money stays in integer ticks and lots."""
    columns = []
    for field in fields(cls):
        if field.type is int:
            columns.append((field.name, _INTEGERS.get(field.name, "Int64")))
        elif field.type is bool:
            columns.append((field.name, "Bool"))
        else:
            repeated = field.name in _REPEATED
            columns.append((field.name, "LowCardinality(String)" if repeated else "String"))
    return tuple(columns)


RECORDS = Table(
    "records",
    (
        *_KEY,
        ("ts_ns", "Int64"),
        ("subject", "LowCardinality(String)"),
        ("type", "LowCardinality(String)"),
        ("body", "String"),
        ("fingerprint", "UInt64"),
        ("entry_seq", "UInt64"),
        ("idx", "UInt32"),
        ("chain", "String"),
        ("traceparent", "String"),
        ("headers", "String"),
    ),
    ("ts DateTime64(9, 'UTC') ALIAS fromUnixTimestamp64Nano(ts_ns, 'UTC')",),
)
"""Every record of every stream as it is; `headers` holds those without a column, as JSON."""

ORDER_REPORTS = Table(
    "order_reports",
    (*_KEY, *_columns_of(OrderReport)),
    ("transact_time DateTime64(9, 'UTC') ALIAS fromUnixTimestamp64Nano(transact_time_ns, 'UTC')",),
)
"""Every OrderReport, decoded."""

INSTRUMENTS = Table("instruments", (*_KEY, *_columns_of(InstrumentDefined)))
"""Every InstrumentDefined, decoded: the grids that ticks and lots are counted in."""

TABLES = (INSTRUMENTS, ORDER_REPORTS, RECORDS)
"""In the order of writing: the table that holds the position comes last."""

STANDING_FILLS = (
    "exec_type IN ('TRADE', 'TRADE_CORRECT') AND NOT is_parent "
    "AND (order_id, venue_exec_id) NOT IN (SELECT order_id, venue_exec_ref_id "
    "FROM order_reports FINAL WHERE exec_type IN ('TRADE_CANCEL', 'TRADE_CORRECT'))"
)
"""Trades that were neither busted nor corrected, and corrections; a parent's are its children's."""

FILLS = f"""CREATE OR REPLACE VIEW fills AS
SELECT r.*, i.tick_size AS tick_size, i.lot_size AS lot_size
FROM (SELECT * FROM order_reports FINAL WHERE {STANDING_FILLS}) AS r
LEFT JOIN (
    SELECT symbol, argMax(tick_size, seq) AS tick_size, argMax(lot_size, seq) AS lot_size
    FROM instruments GROUP BY symbol
) AS i ON i.symbol = r.symbol"""
"""Every fill that stands beside the grid that its integers count in."""

FINGERPRINT_SQL = (
    "reinterpretAsUInt64(reverse(substring(SHA256(concat("
    "toString(seq), '|', toString(ts_ns), '|', subject, '|', toString(entry_seq), '|', "
    "toString(idx), '|', chain, '|', body)), 1, 8)))"
)
"""`tradewind.common.fingerprint` computed anew from what the archive holds."""
