# SPDX-License-Identifier: Apache-2.0
"""The only user of chDB: the database in this process, and a few handles to it.

Calls block; callers on the event loop go through `asyncio.to_thread`. A handle serves one call at
a time. What a server takes as parameters of a request is written into the statement here.
"""

import re
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import chdb

from tradewind.common.errors import TradewindError

HANDLES = 4
_INSERT = re.compile(rb"\s*(INSERT\s+INTO\s[^\n]+?)\s+FORMAT\s+(\w+)[ \t]*\n", re.IGNORECASE)
_READS = re.compile(rb"\s*(SELECT|WITH|SHOW|DESCRIBE|EXISTS|EXPLAIN)\b", re.IGNORECASE)
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_CODE = re.compile(r"Code: (\d+)\.")
_UNKNOWN_CODE = 1001


class DatabaseInUse(TradewindError):
    """Another process has the database open."""

    code = "WAREHOUSE_IN_USE"


class Failed(TradewindError):
    """The database did not do it. `number` is ClickHouse's error code."""

    code = "WAREHOUSE_ERROR"

    def __init__(self, text: str) -> None:
        super().__init__(text)
        found = _CODE.search(text)
        self.number = int(found[1]) if found else _UNKNOWN_CODE


class Engine:
    """The database in one folder."""

    def __init__(self, folder: Path) -> None:
        """Opens it, or makes it.

        Raises:
            DatabaseInUse: if another process has it open.
        """
        folder.mkdir(parents=True, exist_ok=True)
        self._free: SimpleQueue[Any] = SimpleQueue()
        try:
            for _ in range(HANDLES):
                self._free.put(chdb.connect(str(folder)))
        except RuntimeError as error:
            raise DatabaseInUse(
                f"the archive in {folder} cannot be opened: another process has it open, and only "
                "one may. Stop that one, or use another folder"
            ) from error

    def run(
        self, statement: bytes, parameters: Mapping[str, str], settings: Mapping[str, str]
    ) -> bytes:
        """The answer to a statement, in the format that it names; rows to insert follow it.

        Raises:
            Failed: if the database refuses it.
        """
        insert = _INSERT.match(statement)
        if insert is not None:
            return self._insert(insert[1], insert[2], statement[insert.end() :], settings)
        if settings and _READS.match(statement):
            statement += b"\nSETTINGS " + _clause(settings)
        elif settings.get("readonly", "0") != "0":
            raise Failed("Code: 164. DB::Exception: Cannot execute query in readonly mode")
        return self._ask(statement, parameters)

    def close(self) -> None:
        """Closes the database once running calls have ended."""
        for _ in range(HANDLES):
            self._free.get().close()

    def _insert(self, into: bytes, form: bytes, rows: bytes, settings: Mapping[str, str]) -> bytes:
        """Rows reach the embedded engine through a file only."""
        with tempfile.NamedTemporaryFile() as file:
            file.write(rows)
            file.flush()
            clause = b" SETTINGS " + _clause(settings) if settings else b""
            source = b" FROM INFILE " + _quoted(file.name) + clause
            return self._ask(into + source + b" FORMAT " + form, {})

    def _ask(self, statement: bytes, parameters: Mapping[str, str]) -> bytes:
        with self._handle() as handle:
            try:
                answer = handle.query(statement.decode(), "TabSeparated", params=dict(parameters))
            except (RuntimeError, UnicodeDecodeError) as error:
                raise Failed(str(error)) from error
            return bytes(answer.bytes() or b"")

    @contextmanager
    def _handle(self) -> Iterator[Any]:
        handle = self._free.get()
        try:
            yield handle
        finally:
            self._free.put(handle)


def _clause(settings: Mapping[str, str]) -> bytes:
    for name in settings:
        if not _NAME.fullmatch(name):
            raise Failed(f"Code: 115. DB::Exception: {name!r} is no name of a setting")
    return b", ".join(name.encode() + b" = " + _quoted(text) for name, text in settings.items())


def _quoted(text: str) -> bytes:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'".encode()
