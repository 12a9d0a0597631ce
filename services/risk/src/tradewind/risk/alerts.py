# SPDX-License-Identifier: Apache-2.0
"""Raises alerts, and passes on to the next person those that nobody takes (C36).

Every process of risk raises all of them under the same ids, so each is there once, and none is
missed while one process lives. What happened while none did is raised when one starts.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from tradewind.common import alerts
from tradewind.common.alerts import Alert
from tradewind.common.errors import BusError
from tradewind.common.jetstream import KeyValue, KvEntry, Record
from tradewind.core.events import Event
from tradewind.risk.trips import alert_of

log = logging.getLogger(__name__)

ESCALATES_AFTER_S = 5.0
"""RTS 6, article 16(5): alerts are generated within five seconds; so much is left to take one."""
LOOK_S = 0.25
REMEMBER_S = 1.0
RETRY_S = 0.1


@dataclass(frozen=True, slots=True)
class Seen:
    """An alert as the bucket had it: at which revision, by the broker's stamp, and since when."""

    alert: Alert
    revision: int
    ts_ns: int
    since_s: float

    def covers(self, other: Alert) -> bool:
        """Whether nothing new has happened: it is open, or was taken when that had happened."""
        return self.alert.is_open or other.raised_ns <= self.ts_ns


class Alerts:
    """The alerts of all shards, as one process sees them."""

    def __init__(
        self,
        bucket: KeyValue,
        *,
        owner: str,
        escalates_to: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`owner` is whose an alert is at first, `escalates_to` whose it is then."""
        self._bucket = bucket
        self._owner = owner
        self._escalates_to = escalates_to
        self._clock = clock
        self._queue: asyncio.Queue[Alert | tuple[int, int]] = asyncio.Queue()
        self._seen: dict[str, Seen] = {}
        self._raising: set[str] = set()
        self._from: dict[int, int] = {}
        self._last: dict[int, int] = {}

    @property
    def open_count(self) -> int:
        """How many nobody has taken."""
        return sum(seen.alert.is_open for seen in self._seen.values())

    async def begin(self, tails: dict[int, int]) -> None:
        """Finds what has been raised; at the first start what is past, up to `tails`, is not.

        Raises:
            BusError: if the bucket cannot be read, or written.
        """
        for shard, tail in tails.items():
            found = await self._bucket.get(alerts.heard_key(shard))
            if found is None:
                await self._bucket.put(alerts.heard_key(shard), msgspec.json.encode(tail))
            self._from[shard] = msgspec.json.decode(found.value, type=int) if found else tail
        for entry in await self._bucket.entries(alerts.ALL):
            self._see(entry)

    def take(self, shard: int, record: Record, event: Event) -> None:
        """An output, in its order; only what is an alert, and new, is more than looked at."""
        self._last[shard] = record.seq
        if record.seq <= self._from[shard]:
            return
        alert = alert_of(shard, record.seq, record.ts_ns, event, self._owner)
        if alert is not None:
            self.put(alert)

    def put(self, alert: Alert) -> None:
        """One that is no output's: it is raised, unless it is open."""
        if not self._is_known(alert):
            self._raising.add(alert.alert_id)
            self._queue.put_nowait(alert)

    async def run(self) -> None:
        """Raises what was taken, however often it has to be tried, for ever."""
        while True:
            item = await self._queue.get()
            while True:
                if await self._is_stored(item):
                    break
                await asyncio.sleep(RETRY_S)

    async def follow(self) -> None:
        """Sees what becomes of them, whoever says it, for ever."""
        while True:
            try:
                async for entry in self._bucket.watch(alerts.ALL):
                    self._see(entry)
            except BusError:
                await asyncio.sleep(RETRY_S)

    async def escalate(self) -> None:
        """Hands on what nobody takes, and says now and then how far outputs are judged."""
        remembered_s = self._clock()
        while True:
            await asyncio.sleep(LOOK_S)
            for seen in list(self._seen.values()):
                is_waiting = seen.alert.is_open and not seen.alert.is_escalated
                if is_waiting and self._clock() - seen.since_s >= ESCALATES_AFTER_S:
                    await self._hand_on(seen.alert, seen.revision)
            if self._clock() - remembered_s >= REMEMBER_S:
                remembered_s = self._clock()
                for shard, ordinal in self._last.items():
                    if ordinal > self._from[shard]:
                        self._from[shard] = ordinal
                        self._queue.put_nowait((shard, ordinal))

    def _is_known(self, alert: Alert) -> bool:
        """Whether it is open, or about to be, or was told of and taken."""
        seen = self._seen.get(alert.alert_id)
        return alert.alert_id in self._raising or (seen is not None and seen.covers(alert))

    def _see(self, entry: KvEntry) -> Seen:
        """What is known of the entry's alert: it, or what came after it."""
        alert = alerts.decode(entry)
        before = self._seen.get(alert.alert_id)
        if before is None or entry.revision > before.revision:
            since_s = before.since_s if before and before.alert.is_open else self._clock()
            self._seen[alert.alert_id] = Seen(alert, entry.revision, entry.ts_ns, since_s)
        return self._seen[alert.alert_id]

    async def _is_stored(self, item: Alert | tuple[int, int]) -> bool:
        try:
            if isinstance(item, Alert):
                await self._raise(item)
            else:
                shard, ordinal = item
                await self._bucket.put(alerts.heard_key(shard), msgspec.json.encode(ordinal))
        except BusError as error:
            log.warning("alerts are not stored: %s", error)
            return False
        return True

    async def _raise(self, alert: Alert) -> None:
        """Under its id, unless another process was quicker.

        One that was taken opens anew for what has happened since, and not because this process is
        slower than the other one, or judges again what it did before it was started.
        """
        found = await self._bucket.get(alerts.key_of(alert.alert_id))
        seen = self._see(found) if found is not None else None
        if seen is None or not seen.covers(alert):
            revision = await self._write(alert, seen.revision if seen else 0)
            self._see(KvEntry(alerts.key_of(alert.alert_id), alerts.encode(alert), revision))
            log.error("alert %s of %s: %s", alert.alert_id, alert.owner, alert.text)
        self._raising.discard(alert.alert_id)

    async def _hand_on(self, alert: Alert, revision: int) -> None:
        escalated = msgspec.structs.replace(alert, owner=self._escalates_to, is_escalated=True)
        try:
            await self._write(escalated, revision)
        except BusError as error:
            log.info("alert %s is not handed on: %s", alert.alert_id, error)
        else:
            log.critical("nobody took alert %s: %s", alert.alert_id, alert.text)

    async def _write(self, alert: Alert, revision: int) -> int:
        key = alerts.key_of(alert.alert_id)
        return await self._bucket.update(key, alerts.encode(alert), revision)
