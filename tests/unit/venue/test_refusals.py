# SPDX-License-Identifier: Apache-2.0
"""What a venue refuses for now is sent again; what it may have done is asked about, never sent."""

from functools import partial

import pytest

from tests.unit.venue.fakes import FakeBus, FakeVenue, report, request, session
from tests.unit.venue.test_session import running
from tradewind.common.testing import eventually
from tradewind.core.types import ExecType
from tradewind.venue.adapter import InDoubt, NotDone

pytestmark = pytest.mark.anyio


def is_sent(venue: FakeVenue, times: int) -> bool:
    return venue.sent == ["seg-0-1"] * times


async def test_a_request_that_was_not_done_goes_again_before_others_until_it_is_taken() -> None:
    bus, venue = FakeBus(), FakeVenue()
    shard = session(bus, venue)
    async with running(shard):
        await eventually(lambda: shard.is_open)
        bus.emit(request(1))
        await eventually(lambda: venue.sent == ["seg-0-1"])
        for times in (2, 3):
            venue.connections[-1].say(NotDone("seg-0-1", 0.01))
            await eventually(partial(is_sent, venue, times))
        venue.connections[-1].say(report(1))
        await eventually(lambda: len(shard.doubts) == 0)
        venue.connections[-1].say(NotDone("seg-0-1", 0.01))
        bus.emit(request(2))
        await eventually(lambda: "seg-0-2" in venue.sent)
    assert venue.sent == ["seg-0-1"] * 3 + ["seg-0-2"]
    assert shard.counters.throttled == 2
    assert bus.reports == [report(1)]


async def test_a_request_that_may_have_been_done_is_unknown_at_once_and_asked_about() -> None:
    bus, venue = FakeBus(), FakeVenue()
    shard = session(bus, venue, unknown_after_ms=60_000)
    async with running(shard):
        await eventually(lambda: shard.is_open)
        bus.emit(request(1))
        await eventually(lambda: venue.sent == ["seg-0-1"])
        venue.connections[-1].say(InDoubt("seg-0-1"))
        await eventually(lambda: venue.asked_again == ["seg-0-1"])
    assert [item.exec_type for item in bus.reports] == [ExecType.UNKNOWN]
    assert venue.sent == ["seg-0-1"]
