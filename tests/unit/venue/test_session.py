# SPDX-License-Identifier: Apache-2.0
"""Who may send what, and when: the connector's rules, with a bus and a venue driven by hand."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.unit.venue.fakes import (
    VENUE,
    FakeBus,
    FakeVenue,
    report,
    request,
    session,
)
from tradewind.common.testing import eventually
from tradewind.core.events import SessionTaken
from tradewind.core.types import ExecType, VenueAction
from tradewind.venue.adapter import SessionLost, VenueGone
from tradewind.venue.inbound import WINDOW
from tradewind.venue.session import ShardSession

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def running(shard: ShardSession) -> AsyncIterator["asyncio.Future[None]"]:
    """The session at work, for as long as the test looks."""
    task = asyncio.ensure_future(shard.run())
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def taken_by(owner: str, epoch: int) -> SessionTaken:
    return SessionTaken(venue=VENUE, epoch=epoch, owner=owner, last_exec_no=0)


async def test_the_session_is_journaled_then_fenced_then_caught_up_then_used() -> None:
    bus, venue = FakeBus(), FakeVenue()
    bus.last_exec_no = 41
    bus.unsettled = [request(1, is_possibly_sent=True)]
    shard = session(bus, venue)
    async with running(shard):
        await eventually(lambda: venue.sent == ["seg-0-1"])
    said = [kind for kind, _what in venue.log if kind != "position"]
    assert said[:5] == ["dial", "fence", "reports", "query", "send"]
    assert venue.log[2] == ("reports", (41, WINDOW))
    assert len(bus.takes) == 1


async def test_who_took_the_session_before_the_fence_is_heard_of_before_anything_is_sent() -> None:
    bus, venue = FakeBus(), FakeVenue()
    bus.is_mute = True
    shard = session(bus, venue)
    async with running(shard) as task:
        await eventually(lambda: len(bus.takes) == 1)
        bus.take(bus.takes[0].owner)
        bus.emit(request(2))
        bus.store(taken_by("there.1", 2))
        await eventually(lambda: bus.tails == 1)
        assert venue.log[-1] == ("fence", None)
        bus.tell()
        with pytest.raises(SessionLost):
            await task
    assert not {"send", "query", "reports"} & {kind for kind, _what in venue.log}


async def test_a_core_that_is_behind_is_not_asked_for_the_session_again() -> None:
    bus, venue = FakeBus(), FakeVenue()
    bus.is_mute = True
    shard = session(bus, venue)
    async with running(shard):
        await eventually(lambda: len(bus.takes) == 1)
        for seq in range(1, 500):
            bus.emit(request(seq))
        await eventually(lambda: shard.position == 499)
        assert len(bus.takes) == 1
        bus.take(bus.takes[0].owner)
        await eventually(lambda: shard.is_open)
    assert len(bus.takes) == 1


async def test_a_session_that_the_core_has_skipped_is_taken_again() -> None:
    bus, venue = FakeBus(), FakeVenue()
    bus.is_mute = True
    shard = session(bus, venue)
    async with running(shard):
        await eventually(lambda: len(bus.takes) == 1)
        bus.is_mute = False
        bus.journal.append(report(1))
        bus.emit(request(1))
        await eventually(lambda: shard.is_open)
    assert [take.owner for take in bus.takes] == ["here.1", "here.2"]


async def test_requests_heard_before_the_own_session_was_taken_are_not_acted_on() -> None:
    bus, venue = FakeBus(), FakeVenue()
    bus.is_mute = True
    shard = session(bus, venue)
    async with running(shard):
        await eventually(lambda: len(bus.takes) == 1)
        bus.emit(request(1))
        bus.take(bus.takes[0].owner)
        bus.emit(request(2))
        await eventually(lambda: venue.sent == ["seg-0-2"])
    assert venue.asked == []


async def test_what_is_given_again_to_an_earlier_life_is_not_acted_on() -> None:
    bus, venue = FakeBus(), FakeVenue()
    shard = session(bus, venue)
    async with running(shard):
        await eventually(lambda: shard.is_open)
        bus.emit(request(1))
        await eventually(lambda: venue.sent == ["seg-0-1"])
        venue.connections[0].say(report(1))
        await eventually(lambda: shard.inbound.journaled == 1)
        bus.unsettled = [request(1, is_possibly_sent=True)]
        bus.take("here.0")
        bus.emit(request(2))
        await eventually(lambda: venue.sent == ["seg-0-1", "seg-0-2"])
    assert venue.asked == []


async def test_unmarked_requests_are_sent_at_once_in_order_and_only_once() -> None:
    bus, venue = FakeBus(), FakeVenue()
    shard = session(bus, venue)
    async with running(shard):
        await eventually(lambda: shard.is_open)
        bus.emit(request(1))
        bus.emit(request(2, VenueAction.REPLACE, order_seq=1))
        bus.emit(request(1, is_possibly_sent=True))
        bus.emit(request(3, VenueAction.CANCEL, order_seq=1))
        await eventually(lambda: len(venue.sent) == 3)
    assert venue.sent == ["seg-0-1", "seg-0-2", "seg-0-3"]
    assert venue.asked == []


async def test_a_marked_request_that_the_venue_knows_is_not_sent_again() -> None:
    bus, venue = FakeBus(), FakeVenue()
    bus.unsettled = [
        request(1, is_possibly_sent=True),
        request(2, is_possibly_sent=True),
        request(3, VenueAction.CANCEL, order_seq=1, is_possibly_sent=True),
    ]
    venue.known = {"seg-0-1"}
    shard = session(bus, venue)
    async with running(shard):
        await eventually(lambda: len(venue.sent) == 2)
    assert venue.asked == ["seg-0-1", "seg-0-2"]
    assert venue.sent == ["seg-0-2", "seg-0-3"]
    assert shard.counters.found == 1


@pytest.mark.parametrize("is_possibly_sent", [False, True])
async def test_a_late_order_that_the_venue_does_not_know_expires_unsent(
    is_possibly_sent: bool,
) -> None:
    bus, venue = FakeBus(), FakeVenue()
    shard = session(bus, venue)
    async with running(shard):
        await eventually(lambda: shard.is_open)
        bus.emit(request(1, is_possibly_sent=is_possibly_sent, send_by_ns=1))
        await eventually(lambda: len(bus.reports) == 1)
    assert venue.sent == []
    assert venue.asked[-1] == "seg-0-1"
    expired = bus.reports[0]
    assert (expired.exec_type, expired.text) == (ExecType.EXPIRED, "NOT_SENT_IN_TIME")
    assert (expired.order_id, expired.exec_no) == ("seg-0-1", 0)


async def test_a_late_order_that_the_venue_knows_does_not_expire() -> None:
    bus, venue = FakeBus(), FakeVenue()
    venue.known = {"seg-0-1"}
    shard = session(bus, venue)
    async with running(shard):
        await eventually(lambda: shard.is_open)
        bus.emit(request(1, send_by_ns=1))
        bus.emit(request(2))
        await eventually(lambda: venue.sent == ["seg-0-2"])
    assert bus.reports == []


async def test_a_late_cancel_is_sent_all_the_same() -> None:
    bus, venue = FakeBus(), FakeVenue()
    shard = session(bus, venue)
    async with running(shard):
        await eventually(lambda: shard.is_open)
        bus.emit(request(2, VenueAction.CANCEL, order_seq=1, send_by_ns=1))
        await eventually(lambda: venue.sent == ["seg-0-2"])


async def test_another_owner_in_the_outputs_ends_the_connector_for_good() -> None:
    bus, venue = FakeBus(), FakeVenue()
    shard = session(bus, venue)
    async with running(shard) as task:
        await eventually(lambda: shard.is_open)
        bus.emit(taken_by("other.1", 2))
        bus.emit(request(1))
        with pytest.raises(SessionLost):
            await asyncio.wait_for(task, 5)
    assert venue.sent == []
    assert len(bus.takes) == 1


async def test_another_owner_before_the_own_session_is_history() -> None:
    bus, venue = FakeBus(), FakeVenue()
    bus.emit(taken_by("other.1", 1))
    shard = session(bus, venue)
    async with running(shard):
        await eventually(lambda: shard.is_open)


async def test_another_logon_at_the_venue_ends_the_connector_for_good() -> None:
    bus, venue = FakeBus(), FakeVenue()
    shard = session(bus, venue)
    async with running(shard) as task:
        await eventually(lambda: shard.is_open)
        venue.connections[0].say(SessionLost("another"))
        with pytest.raises(SessionLost):
            await asyncio.wait_for(task, 5)
    assert len(bus.takes) == 1


async def test_a_broken_connection_is_a_new_session_and_the_queue_is_dropped() -> None:
    bus, venue = FakeBus(), FakeVenue()
    shard = session(bus, venue)
    async with running(shard):
        await eventually(lambda: shard.is_open)
        bus.emit(request(1))
        await eventually(lambda: venue.sent == ["seg-0-1"])
        venue.connections[0].say(report(7))
        await eventually(lambda: len(bus.reports) == 1)
        venue.is_down = True
        venue.connections[0].say(VenueGone("reset"))
        await eventually(lambda: not shard.is_open)
        bus.emit(request(2))
        bus.unsettled = [request(2, is_possibly_sent=True)]
        venue.is_down = False
        await eventually(lambda: len(venue.sent) == 2)
    assert venue.sent == ["seg-0-1", "seg-0-2"]
    assert venue.asked == ["seg-0-2"]
    assert [take.owner for take in bus.takes] == ["here.1", "here.2"]
    assert ("reports", (7, 0)) in venue.log


async def test_a_venue_that_does_not_answer_a_request_gets_a_new_session() -> None:
    bus, venue = FakeBus(), FakeVenue()
    shard = session(bus, venue, answer_timeout_ms=1)
    async with running(shard):
        await eventually(lambda: shard.is_open)
        bus.emit(request(1))
        bus.unsettled = [request(1, is_possibly_sent=True)]
        venue.known = {"seg-0-1"}
        await eventually(lambda: venue.asked == ["seg-0-1"])
    assert venue.sent == ["seg-0-1"]
    assert len(bus.takes) == 2


async def test_nothing_is_sent_while_this_process_may_not_be_the_active_one() -> None:
    bus, venue = FakeBus(), FakeVenue()
    is_active = True
    shard = session(bus, venue, may_send=lambda: is_active)
    async with running(shard):
        await eventually(lambda: shard.is_open)
        bus.emit(request(1))
        await eventually(lambda: venue.sent == ["seg-0-1"])
        is_active = False
        bus.emit(request(2))
        await eventually(lambda: not shard.is_open)
        assert venue.sent == ["seg-0-1"]
        bus.unsettled = [request(2, is_possibly_sent=True)]
        is_active = True
        await eventually(lambda: venue.sent == ["seg-0-1", "seg-0-2"])
