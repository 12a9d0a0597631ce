# SPDX-License-Identifier: Apache-2.0
"""Who is active, of several processes that could be: a record that its holder renews.

A holder may act for `HOLD_S` after it began the last renewal that was confirmed. A contender takes
over when its own clock has seen no renewal for `EXPIRES_S`, at once when a supervisor has seen the
holder end or the holder gave the lease up. Clocks are monotonic and never compared with each other.

The lease only keeps two from trying at once. That an earlier holder can do no harm is proved
elsewhere: by the journal's order and by the venue, which cuts off earlier sessions.
"""

import asyncio
import logging
import time
from collections.abc import Callable

import msgspec

from tradewind.common import subjects
from tradewind.common.errors import BusError, Refused, TradewindError
from tradewind.common.jetstream import Bus, KeyValue, KvEntry

log = logging.getLogger(__name__)

BUCKET = "LEASES"
RENEW_S = 0.2
HOLD_S = 0.7
EXPIRES_S = 1.0
LOOK_S = 0.05


class LeaseLost(TradewindError):
    """Another process holds the lease now: this one stops acting for good."""

    code = "LEASE_LOST"


class Holder(msgspec.Struct, frozen=True):
    """Who holds it. `owner` is unique to one life of a process; nobody's is empty."""

    instance: str = ""
    pid: int = 0
    owner: str = ""


class Lease:
    """One lease, seen from one process."""

    def __init__(
        self,
        values: KeyValue,
        key: str,
        me: Holder,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._values = values
        self._key = key
        self._me = me
        self._clock = clock
        self._seen = KvEntry(key, b"", 0)
        self._renewals = 0
        self._seen_s = clock()
        self._wake = asyncio.Event()
        self._is_free = False
        self._revision = 0
        self._confirmed_s = float("-inf")

    @property
    def is_held(self) -> bool:
        """Whether this process may act at this very moment."""
        return self._clock() - self._confirmed_s < HOLD_S

    @property
    def has_other(self) -> bool:
        """Another process was seen to renew it, and not too long ago."""
        return self._renewals > 1 and self._clock() - self._seen_s < EXPIRES_S

    async def follow(self) -> None:
        """Sees the renewals of others; runs until cancelled."""
        while True:
            try:
                async for entry in self._values.watch(self._key):
                    self._see(entry)
            except BusError:
                await asyncio.sleep(LOOK_S)

    def hear_end(self, body: bytes) -> None:
        """A supervisor saw a process end: if it held the lease, nobody does."""
        ended = msgspec.json.decode(body, type=Holder)
        holder = _holder(self._seen)
        if holder.owner and (holder.instance, holder.pid) == (ended.instance, ended.pid):
            self._is_free = True
            self._wake.set()

    async def acquire(self) -> None:
        """Waits until it is this process's."""
        while not await self._try():
            self._wake.clear()
            left_s = self._seen_s + EXPIRES_S - self._clock()
            try:
                async with asyncio.timeout(max(left_s, LOOK_S)):
                    await self._wake.wait()
            except TimeoutError:
                continue
        log.info("%s is active", self._me.owner)

    async def keep(self) -> None:
        """Renews it.

        Raises:
            LeaseLost: another process has it.
        """
        while True:
            await asyncio.sleep(RENEW_S)
            began_s = self._clock()
            try:
                self._revision = await self._write(self._me)
            except Refused:
                await self._require_mine()
            except BusError:
                continue  # not confirmed: `is_held` runs out by itself
            else:
                self._confirmed_s = began_s

    async def release(self) -> None:
        """Gives it up, so that another one need not wait."""
        if self._revision and self.is_held:
            self._confirmed_s = float("-inf")
            try:
                await self._write(Holder())
            except BusError as error:
                log.info("the lease was not given up: %s", error)

    async def _try(self) -> bool:
        is_silent = self._clock() - self._seen_s >= EXPIRES_S
        if _holder(self._seen).owner and not is_silent and not self._is_free:
            return False
        self._revision, self._is_free = self._seen.revision, False
        began_s = self._clock()
        try:
            self._revision = await self._write(self._me)
        except BusError:
            self._revision = 0
            self._seen_s = self._clock()
            return False
        self._confirmed_s = began_s
        return True

    async def _write(self, holder: Holder) -> int:
        return await self._values.update(self._key, msgspec.json.encode(holder), self._revision)

    async def _require_mine(self) -> None:
        """Somebody wrote: another process, or this one without hearing that it was stored."""
        try:
            found = await self._values.get(self._key)
        except BusError:
            return
        if found is not None and found.revision < self._revision:
            return  # that server lags: it does not know yet who wrote
        if found is not None and _holder(found).owner == self._me.owner:
            self._revision = found.revision
            return
        self._confirmed_s = float("-inf")
        raise LeaseLost(f"{_holder(found).owner if found else 'nobody'} holds {self._key} now")

    def _see(self, entry: KvEntry) -> None:
        if entry.revision <= self._seen.revision:
            return
        is_other = _holder(entry).owner not in ("", self._me.owner)
        self._renewals = self._renewals + 1 if is_other else 0
        self._seen, self._seen_s, self._is_free = entry, self._clock(), False
        if not is_other:
            self._wake.set()


def _holder(entry: KvEntry | None) -> Holder:
    if entry is None or not entry.value:
        return Holder()
    return msgspec.json.decode(entry.value, type=Holder)


async def hear_ends(bus: Bus, lease: Lease) -> None:
    """Listens for what supervisors see."""
    await bus.subscribe(subjects.process_ended(), lambda message: lease.hear_end(message.body))
