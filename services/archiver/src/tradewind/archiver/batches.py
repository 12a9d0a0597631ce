# SPDX-License-Identifier: Apache-2.0
"""Records of several streams -> one block of rows. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tradewind.archiver.rows import Row, decoded_row, record_row
from tradewind.archiver.schema import TABLES
from tradewind.common.errors import CorruptionError
from tradewind.common.jetstream import Record


@dataclass(frozen=True, slots=True)
class Portion:
    """Consecutive records of one stream in one segment."""

    stream: str
    segment: str
    records: Sequence[Record]


@dataclass(frozen=True, slots=True)
class Block:
    """What one round of inserts writes. `token` names this block in retries, and only there."""

    token: str
    rows: dict[str, list[Row]]
    last: dict[str, int]

    @property
    def size(self) -> int:
        """Number of records in it."""
        return len(self.rows["records"])


def build_block(token: str, portions: Iterable[Portion], last: dict[str, int]) -> Block:
    """The block of `portions`, which must follow `last`, the archived position of each stream.

    Raises:
        CorruptionError: if a portion does not begin where its stream left off, or has a hole.
    """
    rows: dict[str, list[Row]] = {table.name: [] for table in TABLES}
    reached: dict[str, int] = {}
    for portion in portions:
        stream, segment = portion.stream, portion.segment
        expected = reached.get(stream, last[stream]) + 1
        for record in portion.records:
            if record.seq != expected:
                raise CorruptionError(
                    f"{stream} sequence {record.seq} was read where {expected} comes next: "
                    "nothing after it is archived"
                )
            expected += 1
            rows["records"].append(record_row(stream, segment, record))
            decoded = decoded_row(stream, segment, record)
            if decoded is not None:
                table, row = decoded
                rows[table].append(row)
        reached[stream] = expected - 1
    return Block(token, rows, reached)
