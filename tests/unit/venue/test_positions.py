# SPDX-License-Identifier: Apache-2.0
"""Positions are asked for; where one does not add up, all is told again before it is asked anew."""

from dataclasses import replace

import pytest

from tests.unit.venue.fakes import VENUE, FakeBus, FakeVenue, request, session
from tests.unit.venue.test_session import running
from tradewind.common.testing import eventually
from tradewind.core.commands import StatePosition
from tradewind.core.events import OrderAdopted, PositionStated
from tradewind.core.testing import STATEMENT
from tradewind.core.types import Side

pytestmark = pytest.mark.anyio

STATED = PositionStated(
    venue=VENUE,
    symbol="BTC-USD",
    exec_no=9,
    qty=5,
    open_buy_qty=0,
    open_sell_qty=0,
    booked_qty=4,
    working_buy_qty=0,
    working_sell_qty=0,
    is_complete=False,
    is_settled=False,
    settled_exec_no=7,
)


async def test_a_difference_has_everything_since_the_last_settlement_told_again() -> None:
    bus, venue = FakeBus(), FakeVenue()
    shard = session(bus, venue)
    async with running(shard):
        await eventually(lambda: ("position", False) in venue.log)
        bus.emit(replace(STATED, is_settled=True))
        bus.emit(STATED)
        await eventually(lambda: ("position", True) in venue.log)
        assert venue.log[-2:] == [("reports", (7, 0)), ("position", True)]
        assert shard.positions.unsettled == 1


async def test_what_has_no_answer_is_asked_about_before_the_position_is_stated_anew() -> None:
    bus, venue = FakeBus(), FakeVenue()
    shard = session(bus, venue)
    async with running(shard):
        await eventually(lambda: ("position", False) in venue.log)
        bus.emit(request(1))
        await eventually(lambda: venue.sent == ["seg-0-1"])
        bus.emit(STATED)
        await eventually(lambda: ("position", True) in venue.log)
    assert venue.log[-4:-1] == [("reports", (7, 0)), ("ask", "seg-0-1"), ("position", True)]


async def test_a_statement_is_journaled_as_one_of_this_session() -> None:
    bus, venue = FakeBus(), FakeVenue()
    shard = session(bus, venue)
    async with running(shard):
        await eventually(lambda: shard.is_open)
        venue.connections[-1].say(STATEMENT)
        await eventually(lambda: any(isinstance(c, StatePosition) for c in bus.journal))
    assert bus.journal[-1] == replace(STATEMENT, epoch=shard.epoch)
    assert shard.epoch == 1


async def test_a_session_has_the_newest_number_that_an_earlier_life_of_it_was_given() -> None:
    bus, venue = FakeBus(), FakeVenue()
    shard = session(bus, venue)
    async with running(shard):
        await eventually(lambda: shard.is_open)
        bus.take("here.0")
        await eventually(lambda: shard.epoch == 2)
        venue.connections[-1].say(STATEMENT)
        await eventually(lambda: bus.journal[-1] == replace(STATEMENT, epoch=2))
    assert shard.sessions == 1


async def test_an_adoption_is_counted_and_told() -> None:
    bus, venue = FakeBus(), FakeVenue()
    shard = session(bus, venue)
    adopted = OrderAdopted(
        venue=VENUE,
        account="EXTERNAL",
        order_id="theirs",
        cl_ord_id="SIM-9",
        venue_order_id="V1",
        symbol="BTC-USD",
        side=Side.BUY,
        order_qty=1,
        price=1,
    )
    async with running(shard):
        bus.emit(adopted)
        await eventually(lambda: shard.external == 1)
