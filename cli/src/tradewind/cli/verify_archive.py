# SPDX-License-Identifier: Apache-2.0
"""The archive compared with the streams: sums of fingerprints over ranges, then record by record.

The archive computes its sums anew from what it holds, so a changed row shows wherever it was
changed.
"""

import asyncio
import json
import time
from collections import deque
from collections.abc import Sequence
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode
from urllib.request import ProxyHandler, build_opener

from tradewind.common import subjects
from tradewind.common.errors import TradewindError
from tradewind.common.fingerprint import MODULUS, fingerprint
from tradewind.common.jetstream import Bus, Record, StreamReader

RANGE_RECORDS = 4096
RANGES_PER_QUESTION = 1000
CATCH_UP_S = 10.0
LOOK_AGAIN_S = 0.1
HTTP_TIMEOUT_S = 30.0

Difference = tuple[int, str]


class ArchiveUnreachable(TradewindError):
    """No archiver answers."""

    code = "ARCHIVE_UNREACHABLE"


class RangeSums:
    """Sums of fingerprints of consecutive records from sequence `first` on, per range."""

    def __init__(self, first: int = 1) -> None:
        self.first = first
        self.sums: list[int] = []
        self.last = 0

    def add(self, record: Record) -> None:
        """Adds the next record."""
        place = (record.seq - self.first) // RANGE_RECORDS
        if place == len(self.sums):
            self.sums.append(0)
        self.sums[place] = (self.sums[place] + fingerprint(record)) % MODULUS
        self.last = record.seq

    def expected(self, place: int) -> tuple[int, int]:
        """Count and sum of a range."""
        return min(RANGE_RECORDS, self.last - self.start(place) + 1), self.sums[place]

    def start(self, place: int) -> int:
        """The first sequence of a range."""
        return self.first + place * RANGE_RECORDS


class Archive:
    """The archivers' read endpoints: any of them answers."""

    def __init__(self, urls: Sequence[str]) -> None:
        self._urls = deque(url.rstrip("/") for url in urls)
        # The archiver is on this machine or beside it: a proxy for the internet is not asked.
        self._opener = build_opener(ProxyHandler({}))

    async def last(self, stream: str, segment: str) -> int:
        """The last archived sequence of a stream; 0 while it is not followed."""
        for held in (await self._get("/v1/positions", {}))["streams"]:
            if (held["stream"], held["segment"]) == (stream, segment):
                return int(held["last"])
        return 0

    async def sums(
        self, stream: str, segment: str, first: int, last: int, size: int
    ) -> dict[int, tuple[int, int]]:
        """Count and sum of every range of `size` sequences, by the range's first sequence."""
        asked = {"stream": stream, "segment": segment, "first": first, "last": last, "block": size}
        answer = await self._get("/v1/sums", asked)
        return {
            int(found["first"]): (int(found["count"]), int(found["fingerprint_sum"], 16))
            for found in answer["blocks"]
        }

    async def _get(self, path: str, parameters: dict[str, Any]) -> dict[str, Any]:
        deadline_s = time.monotonic() + CATCH_UP_S
        while True:
            try:
                return await asyncio.to_thread(self._get_now, path, parameters)
            except (URLError, OSError, ValueError) as error:
                detail = _detail(error)
                if time.monotonic() > deadline_s:
                    raise ArchiveUnreachable(
                        f"no archiver of {', '.join(self._urls)} answers ({detail}): "
                        "see `tradewind status`"
                    ) from error
            self._urls.rotate()
            await asyncio.sleep(LOOK_AGAIN_S)

    def _get_now(self, path: str, parameters: dict[str, Any]) -> dict[str, Any]:
        url = f"{self._urls[0]}{path}?{urlencode(parameters)}"
        with self._opener.open(url, timeout=HTTP_TIMEOUT_S) as answer:
            found: dict[str, Any] = json.loads(answer.read())
            return found


async def first_difference(
    bus: Bus, archive: Archive, stream: str, segment: str, sums: RangeSums
) -> Difference | None:
    """The first sequence at which archive and stream differ, and how; None if they are equal.

    Waits a while for the archive to catch up.
    """
    held = await _caught_up(archive, stream, segment, sums.last)
    for start in range(0, len(sums.sums), RANGES_PER_QUESTION):
        places = range(start, min(start + RANGES_PER_QUESTION, len(sums.sums)))
        last = min(sums.start(places[-1] + 1) - 1, sums.last)
        found = await archive.sums(stream, segment, sums.start(places[0]), last, RANGE_RECORDS)
        for place in places:
            first = sums.start(place)
            if found.get(first, (0, 0)) != sums.expected(place):
                last = first + sums.expected(place)[0] - 1
                return await _within(bus, archive, stream, segment, first, last, held)
    return None


async def _caught_up(archive: Archive, stream: str, segment: str, wanted: int) -> int:
    deadline_s = time.monotonic() + CATCH_UP_S
    while True:
        held = await archive.last(stream, segment)
        if held >= wanted or time.monotonic() > deadline_s:
            return held
        await asyncio.sleep(LOOK_AGAIN_S)


async def _within(
    bus: Bus, archive: Archive, stream: str, segment: str, first: int, last: int, held: int
) -> Difference:
    """The first difference within a range that differs."""
    found = await archive.sums(stream, segment, first, last, 1)
    reader = StreamReader(bus, stream, subjects.live(_subject_of(stream)), first)
    await reader.open()
    try:
        while reader.next_seq <= last:
            for record in await reader.next_batch(last - reader.next_seq + 1):
                if record.seq > held:
                    return record.seq, f"is not archived within {CATCH_UP_S:.0f} s"
                if record.seq not in found:
                    return record.seq, "is missing in the archive, though later ones are there"
                if found[record.seq] != (1, fingerprint(record)):
                    return record.seq, "is another record in the archive"
    finally:
        await reader.close()
    return first, f"or a sequence up to {last} differed a moment ago, but does not any more"


def _subject_of(stream: str) -> str:
    kind, _underscore, shard = stream.partition("_")
    build = subjects.journal_all if kind == "JOURNAL" else subjects.events_all
    return build(int(shard))


def _detail(error: Exception) -> str:
    if isinstance(error, HTTPError):
        return f"HTTP {error.code} {error.read().decode('utf-8', 'replace')[:200]}"
    return str(getattr(error, "reason", error))
