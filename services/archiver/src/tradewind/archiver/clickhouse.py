# SPDX-License-Identifier: Apache-2.0
"""The only user of clickhouse-connect. A ClickHouse server and the warehouse speak the same HTTP.

Calls block; callers on the event loop go through `asyncio.to_thread`. Writing and reading have a
client each, and each client serves one call at a time.
"""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import clickhouse_connect
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError, DatabaseError, OperationalError

from tradewind.archiver.batches import Block
from tradewind.archiver.schema import FILLS, TABLES
from tradewind.common.errors import TradewindError

QUERY_SECONDS_MAX = 10
QUERY_BYTES_MAX = 512 * 1024 * 1024
_READ_ONLY = {
    "readonly": 1,
    "max_execution_time": QUERY_SECONDS_MAX,
    "max_memory_usage": QUERY_BYTES_MAX,
}
_AT_ONCE = {"async_insert": 0}
"""A server that batches on its own would answer before the rows are stored."""


class WarehouseError(TradewindError):
    """ClickHouse did not do what was asked."""

    code = "WAREHOUSE_ERROR"


class WarehouseUnavailable(WarehouseError):
    """ClickHouse cannot be reached now; later may be different."""

    code = "WAREHOUSE_UNAVAILABLE"


@dataclass(frozen=True, slots=True)
class Held:
    """What the archive holds of one stream in one segment."""

    stream: str
    segment: str
    first: int
    last: int
    count: int

    @property
    def is_contiguous(self) -> bool:
        """Nothing is missing from sequence 1 to the last."""
        return self.first == 1 and self.count == self.last


class Warehouse:
    """The archive's tables."""

    def __init__(self, dsn: str, password: str = "") -> None:
        """Connects and makes the tables where they are missing.

        Raises:
            WarehouseUnavailable: if the server does not answer.
            WarehouseError: if it answers with an error.
        """
        self._writer = _open(dsn, password)
        self._reader = _open(dsn, password)
        self._writing = threading.Lock()
        self._reading = threading.Lock()
        try:
            for table in TABLES:
                self._writer.command(table.ddl)
                self._writer.command(table.additions)
            self._writer.command(FILLS)
        except ClickHouseError as error:
            raise _translated(error) from error

    def held(self, stream: str, segment: str) -> Held:
        """The archive's own position in a stream: there is no other."""
        rows = self.query(
            "SELECT min(seq), max(seq), count() FROM records FINAL "
            "WHERE stream = {stream:String} AND segment = {segment:String}",
            {"stream": stream, "segment": segment},
        )[1]
        first, last, count = rows[0]
        return Held(stream, segment, int(first), int(last), int(count))

    def write(self, block: Block) -> None:
        """Stores a block; `records`, which holds the position, comes last.

        May be called again with the same block when it is not known how it ended.

        Raises:
            WarehouseError: if it is not certain that all of it is stored.
        """
        with self._writing:
            try:
                for table in TABLES:
                    rows = block.rows[table.name]
                    if not rows:
                        continue
                    self._writer.insert(
                        table.name,
                        rows,
                        column_names=table.column_names,
                        column_type_names=table.column_types,
                        settings={
                            **_AT_ONCE,
                            "insert_deduplication_token": f"{block.token}:{table.name}",
                        },
                    )
            except (ClickHouseError, OSError) as error:
                raise _translated(error) from error

    def query(
        self, sql: str, parameters: Mapping[str, Any] | None = None
    ) -> tuple[tuple[str, ...], list[tuple[Any, ...]]]:
        """Column names and rows of a read-only query.

        Raises:
            WarehouseError: if it fails, takes too long or needs too much memory.
        """
        with self._reading:
            try:
                result = self._reader.query(
                    sql, parameters=dict(parameters or {}), settings=_READ_ONLY
                )
            except (ClickHouseError, OSError) as error:
                raise _translated(error) from error
        return tuple(result.column_names), [tuple(row) for row in result.result_rows]

    def close(self) -> None:
        """Disconnects once running calls have ended."""
        with self._writing, self._reading:
            self._writer.close()
            self._reader.close()


def _open(dsn: str, password: str) -> Client:
    try:
        # Blocks are small and the server is near: compression costs more than it saves.
        return clickhouse_connect.get_client(dsn=dsn, password=password, compress=False)
    except (ClickHouseError, OSError) as error:
        raise _translated(error) from error


def _translated(error: Exception) -> WarehouseError:
    text = str(error).split("\n", 1)[0][:500]
    if isinstance(error, OperationalError | OSError):
        return WarehouseUnavailable(f"ClickHouse cannot be reached: {text}")
    if isinstance(error, DatabaseError):
        return WarehouseError(f"ClickHouse refused: {text}")
    return WarehouseError(f"ClickHouse failed: {text}")
