# SPDX-License-Identifier: Apache-2.0
"""Sessions' pages in the stream FIX, a subject for each session."""

from tradewind.common import subjects
from tradewind.common.jetstream import Bus
from tradewind.common.jetstream.direct import read_last, read_subject

READ_AT_ONCE = 250


class Pages:
    """See `history.Log`."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    async def pages(self, name: str) -> list[tuple[int, bytes]]:
        """All that one replica has."""
        found: list[tuple[int, bytes]] = []
        subject = subjects.fix_session(name)
        while True:
            first = found[-1][0] + 1 if found else 1
            records = await read_subject(
                self._bus, subjects.FIX_STREAM, subject, first, READ_AT_ONCE
            )
            if not records:
                return found
            found += [(record.seq, record.body) for record in records]

    async def last(self, name: str) -> tuple[int, bytes] | None:
        """The last one that the stream's leader has."""
        record = await read_last(self._bus, subjects.FIX_STREAM, subjects.fix_session(name))
        return None if record is None else (record.seq, record.body)

    async def append(self, name: str, body: bytes, after: int) -> int:
        """Stores a page if the session's last one has that revision."""
        condition = {"Nats-Expected-Last-Subject-Sequence": str(after)}
        return (await self._bus.publish(subjects.fix_session(name), body, condition)).seq
