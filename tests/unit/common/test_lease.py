# SPDX-License-Identifier: Apache-2.0
"""A lease: one holder at a time, judged by each process on its own clock."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

import msgspec
import pytest

from tradewind.common import lease as lease_module
from tradewind.common.errors import Refused, Unknown
from tradewind.common.jetstream import KeyValue, KvEntry
from tradewind.common.lease import EXPIRES_S, HOLD_S, Holder, Lease, LeaseLost
from tradewind.common.testing import eventually

pytestmark = pytest.mark.anyio

FIRST, SECOND = Holder("venue-0", 10, "venue-0.a"), Holder("venue-1", 11, "venue-1.b")


class Values:
    """A bucket with one key, and everybody who watches it."""

    def __init__(self) -> None:
        self.entry = KvEntry("k", b"", 0)
        self.failure: Exception | None = None
        self._watchers: list[asyncio.Queue[KvEntry]] = []

    async def update(self, key: str, value: bytes, revision: int) -> int:
        """Stores on condition; an Unknown failure stores all the same."""
        if revision != self.entry.revision:
            raise Refused("it has changed")
        if isinstance(self.failure, Refused):
            raise self.failure
        self.entry = KvEntry(key, value, revision + 1)
        for watcher in self._watchers:
            watcher.put_nowait(self.entry)
        if self.failure is not None:
            raise self.failure
        return self.entry.revision

    async def get(self, _key: str) -> KvEntry:
        """What is stored."""
        return self.entry

    async def watch(self, _key: str) -> AsyncIterator[KvEntry]:
        """What is stored, then changes."""
        watcher: asyncio.Queue[KvEntry] = asyncio.Queue()
        self._watchers.append(watcher)
        if self.entry.revision:
            yield self.entry
        while True:
            yield await watcher.get()


class Clock:
    """A monotonic clock that a test moves."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def seen_from(values: Values, holder: Holder, clock: Clock) -> Lease:
    return Lease(cast(KeyValue, values), "k", holder, clock=clock)


@asynccontextmanager
async def at_work(*leases: Lease) -> AsyncIterator[None]:
    """The leases follow what happens."""
    tasks = [asyncio.ensure_future(lease.follow()) for lease in leases]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Renewals and looks as fast as a test wants them; judgements stay with the clock."""
    monkeypatch.setattr(lease_module, "RENEW_S", 0.001)
    monkeypatch.setattr(lease_module, "LOOK_S", 0.001)


async def still_waits(waiting: "asyncio.Future[None]") -> None:
    """It is given time to see what there is, and does not take the lease."""
    done, _ = await asyncio.wait({waiting}, timeout=0.05)
    assert not done


async def renewed(values: Values) -> None:
    """Waits for two renewals, so that one began after this."""
    wanted = values.entry.revision + 2
    await eventually(lambda: values.entry.revision >= wanted)


async def held_by_first(values: Values, clock: Clock) -> tuple[Lease, Lease]:
    """The first one's, as the second one sees it too."""
    first, second = seen_from(values, FIRST, clock), seen_from(values, SECOND, Clock())
    await first.acquire()
    return first, second


async def test_a_free_lease_is_taken_at_once_and_only_by_one() -> None:
    values, clock = Values(), Clock()
    first, second = await held_by_first(values, clock)
    assert first.is_held
    async with at_work(second):
        waiting = asyncio.ensure_future(second.acquire())
        await still_waits(waiting)
        assert not second.is_held
        waiting.cancel()


async def test_a_holder_without_confirmation_may_not_act_before_anybody_may_take_over() -> None:
    values, clock = Values(), Clock()
    first, _second = await held_by_first(values, clock)
    clock.now_s += HOLD_S
    assert not first.is_held
    assert HOLD_S < EXPIRES_S


async def test_a_silent_holder_loses_it_and_is_told() -> None:
    values = Values()
    first = seen_from(values, FIRST, Clock())
    await first.acquire()
    clock = Clock()
    second = seen_from(values, SECOND, clock)
    async with at_work(second):
        waiting = asyncio.ensure_future(second.acquire())
        await still_waits(waiting)
        clock.now_s += EXPIRES_S
        await asyncio.wait_for(waiting, 5)
        assert second.is_held
        with pytest.raises(LeaseLost):
            await first.keep()
        assert not first.is_held


async def test_a_renewed_lease_stays_where_it_is() -> None:
    values, clock = Values(), Clock()
    first, _ = await held_by_first(values, clock)
    second = seen_from(values, SECOND, clock)
    async with at_work(second):
        keeping = asyncio.ensure_future(first.keep())
        waiting = asyncio.ensure_future(second.acquire())
        for _ in range(5):
            clock.now_s += EXPIRES_S / 2
            await renewed(values)
        assert first.is_held
        assert second.has_other
        assert not waiting.done()
        for task in (keeping, waiting):
            task.cancel()


async def test_the_end_of_the_holder_frees_it_and_the_end_of_another_process_does_not() -> None:
    values = Values()
    _first, second = await held_by_first(values, Clock())
    async with at_work(second):
        waiting = asyncio.ensure_future(second.acquire())
        await still_waits(waiting)
        second.hear_end(msgspec.json.encode(Holder("venue-0", 99)))
        await still_waits(waiting)
        second.hear_end(msgspec.json.encode(Holder("venue-0", 10)))
        await asyncio.wait_for(waiting, 5)
        assert second.is_held


async def test_a_lease_that_is_given_up_is_free() -> None:
    values = Values()
    first, second = await held_by_first(values, Clock())
    async with at_work(second):
        waiting = asyncio.ensure_future(second.acquire())
        await still_waits(waiting)
        await first.release()
        assert not first.is_held
        await asyncio.wait_for(waiting, 5)


async def test_an_unconfirmed_renewal_that_was_stored_is_not_taken_for_anothers() -> None:
    values, clock = Values(), Clock()
    first, _second = await held_by_first(values, clock)
    values.failure = Unknown("no answer")
    keeping = asyncio.ensure_future(first.keep())
    await eventually(lambda: values.entry.revision > 1)
    clock.now_s += HOLD_S
    assert not first.is_held
    values.failure = None
    await eventually(lambda: first.is_held)
    assert not keeping.done()
    keeping.cancel()
