# SPDX-License-Identifier: Apache-2.0
"""Silence is no answer: orders become UNKNOWN, the venue is asked, and nothing is sent for it."""

import pytest

from tests.unit.venue.fakes import FakeBus, FakeVenue, report, request, session
from tests.unit.venue.test_session import running
from tradewind.common.testing import eventually
from tradewind.core.commands import SetTradingSession
from tradewind.core.types import ExecType, TradSesStatus, VenueAction
from tradewind.venue.adapter import VenueGone

pytestmark = pytest.mark.anyio


async def test_a_request_without_an_answer_makes_its_order_unknown_once_and_is_asked_about() -> (
    None
):
    bus, venue = FakeBus(), FakeVenue()
    shard = session(bus, venue, unknown_after_ms=1)
    async with running(shard):
        await eventually(lambda: shard.is_open)
        bus.emit(request(1))
        await eventually(lambda: len(venue.asked_again) >= 2)
    (unknown,) = bus.reports
    assert (unknown.exec_type, unknown.exec_id) == (ExecType.UNKNOWN, "UNKNOWN-seg-0-1")
    assert (unknown.order_id, unknown.exec_no) == ("seg-0-1", 0)
    assert venue.sent == ["seg-0-1"]


async def test_an_answered_request_is_never_called_unknown() -> None:
    bus, venue = FakeBus(), FakeVenue()
    shard = session(bus, venue, unknown_after_ms=300)
    async with running(shard):
        await eventually(lambda: shard.is_open)
        bus.emit(request(1))
        await eventually(lambda: venue.sent == ["seg-0-1"])
        venue.connections[0].say(report(1))
        bus.emit(request(2))
        await eventually(lambda: venue.asked_again == ["seg-0-2"])
    kinds = [(item.order_id, item.exec_type) for item in bus.reports]
    assert kinds == [("seg-0-1", ExecType.NEW), ("seg-0-2", ExecType.UNKNOWN)]


async def test_an_order_is_unknown_although_its_session_is_over() -> None:
    bus, venue = FakeBus(), FakeVenue()
    shard = session(bus, venue, unknown_after_ms=300)
    async with running(shard):
        await eventually(lambda: shard.is_open)
        bus.emit(request(1))
        await eventually(lambda: venue.sent == ["seg-0-1"])
        venue.is_down = True
        venue.connections[0].say(VenueGone("reset"))
        await eventually(lambda: len(bus.reports) == 1)
        assert not shard.is_open
    assert bus.reports[0].exec_type is ExecType.UNKNOWN


async def test_a_possibly_sent_order_is_unknown_if_the_venue_does_not_say() -> None:
    bus, venue = FakeBus(), FakeVenue()
    venue.is_silent = True
    bus.unsettled = [request(1, is_possibly_sent=True)]
    shard = session(bus, venue, answer_timeout_ms=1)
    async with running(shard):
        await eventually(lambda: len(bus.reports) >= 1 and len(bus.takes) >= 2)
        venue.is_silent = False
        await eventually(lambda: venue.sent == ["seg-0-1"])
    assert {item.exec_id for item in bus.reports} == {"UNKNOWN-seg-0-1"}


async def test_a_possibly_sent_order_that_the_venue_has_is_asked_about_until_it_is_reported() -> (
    None
):
    bus, venue = FakeBus(), FakeVenue()
    bus.unsettled = [request(1, is_possibly_sent=True)]
    venue.known = {"seg-0-1"}
    shard = session(bus, venue, unknown_after_ms=1)
    async with running(shard):
        await eventually(lambda: venue.asked_again != [])
        venue.connections[0].say(report(1))
        await eventually(lambda: len(shard.doubts) == 0)
    assert venue.sent == []


async def test_a_status_request_is_a_question_and_sends_nothing() -> None:
    bus, venue = FakeBus(), FakeVenue()
    shard = session(bus, venue)
    async with running(shard):
        await eventually(lambda: shard.is_open)
        asking = request(2, VenueAction.STATUS, order_seq=1, is_possibly_sent=True)
        bus.emit(asking)
        bus.emit(request(3))
        await eventually(lambda: venue.sent == ["seg-0-3"])
    assert venue.asked_again == ["seg-0-2"]
    assert venue.asked == []


async def test_several_requests_of_one_order_go_out_in_the_journals_order() -> None:
    bus, venue = FakeBus(), FakeVenue()
    shard = session(bus, venue)
    async with running(shard):
        await eventually(lambda: shard.is_open)
        bus.emit(request(1))
        for seq in (2, 3, 4):
            bus.emit(request(seq, VenueAction.REPLACE, order_seq=1))
        bus.emit(request(5, VenueAction.CANCEL, order_seq=1))
        await eventually(lambda: len(venue.sent) == 5)
    assert venue.sent == [f"seg-0-{seq}" for seq in range(1, 6)]


async def test_what_the_venue_says_of_its_session_is_journaled() -> None:
    bus, venue = FakeBus(), FakeVenue()
    shard = session(bus, venue)
    said = SetTradingSession(venue="SIM", status=TradSesStatus.CLOSED, trading_date="2026-03-02")
    async with running(shard):
        await eventually(lambda: shard.is_open)
        venue.connections[0].say(said)
        await eventually(lambda: said in bus.journal)
