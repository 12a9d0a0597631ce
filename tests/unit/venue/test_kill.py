# SPDX-License-Identifier: Apache-2.0
"""What the kill switch covers is not sent, also if it waited already; cancels are."""

import pytest

from tests.unit.venue.fakes import FakeBus, FakeVenue, report, request, session
from tests.unit.venue.test_session import running
from tradewind.common.kills import Kill, Kills
from tradewind.common.testing import eventually
from tradewind.core.types import ExecType, VenueAction
from tradewind.venue.app import scopes_of

pytestmark = pytest.mark.anyio

CASES = ("firm", "account:DEMO", "symbol:BTC-USD", "account:DEMO/symbol:BTC-USD")


def killed(scope: str) -> Kills:
    kills = Kills()
    kills.take(Kill(scope=scope, kill_id="k", actor="ann", reason="drill"))
    return kills


@pytest.mark.parametrize("scope", [*CASES, "account:OTHER"])
async def test_only_cancels_leave_in_a_scope_that_is_stopped(scope: str) -> None:
    bus, venue = FakeBus(), FakeVenue()
    kills = killed(scope)
    shard = session(bus, venue, is_stopped=lambda item: kills.stop(scopes_of(item)))
    async with running(shard):
        await eventually(lambda: shard.is_open)
        bus.emit(request(1))
        bus.emit(request(2, VenueAction.REPLACE, order_seq=9))
        bus.emit(request(3, VenueAction.CANCEL, order_seq=9))
        await eventually(lambda: "seg-0-3" in venue.sent)
    if scope == "account:OTHER":
        assert venue.sent == ["seg-0-1", "seg-0-2", "seg-0-3"]
        assert bus.reports == []
        return
    assert venue.sent == ["seg-0-3"]
    assert [(item.exec_type, item.order_id, item.request_id) for item in bus.reports] == [
        (ExecType.EXPIRED, "seg-0-1", ""),
        (ExecType.REPLACE_REJECTED, "seg-0-9", "seg-0-2"),
    ]


async def test_nobody_says_of_what_an_earlier_session_may_have_sent_that_it_was_not() -> None:
    bus, venue = FakeBus(), FakeVenue()
    venue.known = {"seg-0-1"}
    kills = killed("firm")
    shard = session(bus, venue, is_stopped=lambda item: kills.stop(scopes_of(item)))
    async with running(shard):
        await eventually(lambda: shard.is_open)
        bus.emit(request(1, is_possibly_sent=True))
        bus.emit(request(2, VenueAction.REPLACE, order_seq=1, is_possibly_sent=True))
        bus.emit(request(3, VenueAction.CANCEL, order_seq=1))
        await eventually(lambda: venue.sent == ["seg-0-3"])
    assert bus.reports == []


async def test_cancels_that_cannot_wait_go_before_others_and_nobody_waits_for_answers() -> None:
    bus, venue = FakeBus(), FakeVenue()
    shard = session(bus, venue, answer_timeout_ms=100)
    shard.hurry([request(8, VenueAction.CANCEL, order_seq=1)])
    async with running(shard):
        await eventually(lambda: shard.is_open)
        bus.emit(request(1))
        await eventually(lambda: venue.sent == ["seg-0-1"])
        venue.connections[-1].say(report(1))
        shard.hurry(request(n, VenueAction.CANCEL, order_seq=1) for n in (2, 3))
        await eventually(lambda: venue.sent == ["seg-0-1", "seg-0-2", "seg-0-3"])
        await eventually(lambda: not shard.doubts)
    assert len(venue.connections) == 1
