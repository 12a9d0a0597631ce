# SPDX-License-Identifier: Apache-2.0
"""The venue's memory: one append-only file of everything received and everything reported.

A line is written before the answer leaves, so outside judges read here what truly happened, and
a killed venue is the same again after a restart. The lines that one request causes are written
at once; `more` says how many of them follow, so that a torn tail is cut back to whole requests.
"""

import os
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from tradewind.common.errors import CorruptionError
from tradewind.simvenue.orders import Report

LINE_BYTES_MAX = 16 * 1024
FOR_EVER_NS = 2**63


class Line(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line.

    `kind` is `logon`, `in`, `refused` (asked for, not done), `admin`, `fault` (one is played) or
    `report`.
    """

    kind: str
    ts_ns: int
    session: str = ""
    epoch: int = 0
    msg: dict[str, Any] | None = None
    report: Report | None = None
    more: int = 0


_decoder = msgspec.json.Decoder(Line)
_encoder = msgspec.json.Encoder()


class Ledger:
    """The file, and where in it each report is."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        self._size = 0
        self._offsets = array("Q", [0])
        self._numbers_by_session: dict[str, array[int]] = {}
        self._numbers_by_order: dict[tuple[str, str], array[int]] = {}
        self.repaired_bytes = 0

    def close(self) -> None:
        """Closes the file."""
        os.close(self._fd)

    def load(self) -> Iterator[Line]:
        """Reads what an earlier life wrote; cuts off what it did not finish writing.

        Raises:
            CorruptionError: if the file is damaged anywhere but at its end.
        """
        batch: list[tuple[int, Line]] = []
        offset = 0
        with self._path.open("rb") as file:
            for number, raw in enumerate(file, 1):
                line = self._parse(raw, number, is_last=offset + len(raw) >= self._file_size())
                if line is None:
                    break
                batch.append((offset, line))
                offset += len(raw)
                if line.more:
                    continue
                for start, whole in batch:
                    self._index(whole, start)
                    yield whole
                batch.clear()
                self._size = offset
        self.repaired_bytes = self._file_size() - self._size
        os.ftruncate(self._fd, self._size)

    def write(self, lines: Sequence[dict[str, Any]]) -> None:
        """Appends the lines of one request; they are in the file when this returns."""
        parts = []
        offset = self._size
        for left, line in zip(range(len(lines) - 1, -1, -1), lines, strict=True):
            part = _encoder.encode({**line, "more": left}) + b"\n"
            report = line.get("report")
            if isinstance(report, Report):
                self._index_report(report, offset)
            parts.append(part)
            offset += len(part)
        data = b"".join(parts)
        written = os.write(self._fd, data)
        if written != len(data):
            raise CorruptionError(f"{self._path} took {written} of {len(data)} bytes: disk full?")
        self._size = offset

    def report(self, exec_no: int) -> Report:
        """The report of this number."""
        return self.dated(exec_no)[1]

    def reports(self, session: str, after: int, back: int) -> Iterator[Report]:
        """A session's reports after `after`, and `back` before them."""
        numbers = self._numbers_by_session.get(session, array("Q"))
        first = max(0, bisect_right(numbers, after) - back)
        for index in range(first, len(numbers)):
            yield self.report(numbers[index])

    def reports_of(self, session: str, cl_id: str, until_ns: int = FOR_EVER_NS) -> list[Report]:
        """All reports about an order, or those up to a time."""
        numbers = self._numbers_by_order.get((session, cl_id), ())
        return [report for ts_ns, report in map(self.dated, numbers) if ts_ns <= until_ns]

    def dated(self, exec_no: int) -> tuple[int, Report]:
        """The report of this number, and when it was made."""
        raw = os.pread(self._fd, LINE_BYTES_MAX, self._offsets[exec_no])
        line = _decoder.decode(raw[: raw.index(b"\n")])
        assert line.report is not None
        return line.ts_ns, line.report

    def first_since(self, ts_ns: int) -> int:
        """The number of the first report that was not made before a time."""
        return 1 + bisect_left(
            range(1, len(self._offsets)), ts_ns, key=lambda number: self.dated(number)[0]
        )

    def _parse(self, raw: bytes, number: int, *, is_last: bool) -> Line | None:
        try:
            if raw.endswith(b"\n"):
                return _decoder.decode(raw)
        except msgspec.MsgspecError as error:
            if not is_last:
                raise CorruptionError(f"{self._path} line {number} is damaged: {error}") from error
        return None

    def _file_size(self) -> int:
        return os.fstat(self._fd).st_size

    def _index(self, line: Line, offset: int) -> None:
        if line.report is not None:
            self._index_report(line.report, offset)

    def _index_report(self, report: Report, offset: int) -> None:
        session, exec_no = report.session, report.exec_no
        if exec_no != len(self._offsets):
            raise CorruptionError(
                f"{self._path} has execution {exec_no} where {len(self._offsets)} is due"
            )
        self._offsets.append(offset)
        self._numbers_by_session.setdefault(session, array("Q")).append(exec_no)
        of_order = self._numbers_by_order.setdefault((session, report.cl_id), array("Q"))
        of_order.append(exec_no)
