# SPDX-License-Identifier: Apache-2.0
"""Whole lives of orders between a real bus, a real core, a real connector and a real venue."""

import pytest

from tests.integration.simvenue.venue_process import VenueProcess
from tests.integration.venue.desk import DEADLINE_S, FAR_NS, Desk, buy, sell
from tradewind.common.testing import eventually
from tradewind.core.commands import MassCancel, ReplaceOrder, RollDay
from tradewind.core.events import MassCancelReport, SessionTaken
from tradewind.core.types import ExecType, OrdStatus, OrdType, TimeInForce

pytestmark = [pytest.mark.cluster, pytest.mark.anyio]


async def test_stops_icebergs_chains_and_families_live_their_lives(
    shard: tuple[Desk, VenueProcess],
) -> None:
    desk, _venue = shard
    await a_stop_waits_for_its_price_and_trades(desk)
    await an_iceberg_is_filled_in_slices(desk)
    await a_chain_of_three_replaces_is_confirmed_in_order(desk)
    await a_parent_is_filled_by_its_children(desk)
    await a_mass_cancel_ends_all_that_is_left(desk)


async def a_stop_waits_for_its_price_and_trades(desk: Desk) -> None:
    await desk.put(sell("stop-far", 101, order_qty=10))
    stop = buy("stop", 0, ord_type=OrdType.STOP, stop_px=101, order_qty=5)
    await desk.put(stop)
    await desk.until_told("stop", ExecType.NEW)
    await desk.put(buy("stop-near", 101, order_qty=5))
    triggered = await desk.until_told("stop", ExecType.TRIGGERED)
    filled = await desk.until_told("stop", ExecType.TRADE)
    assert (triggered.ord_status, triggered.stop_px) == (OrdStatus.NEW, 101)
    assert (filled.ord_status, filled.last_qty, filled.last_px) == (OrdStatus.FILLED, 5, 101)


async def an_iceberg_is_filled_in_slices(desk: Desk) -> None:
    await desk.put(sell("ice", 102, order_qty=10, display_qty=4))
    await desk.until_told("ice", ExecType.NEW)
    await desk.put(buy("ice-taker", 102, order_qty=9))
    last = await desk.until_told("ice", ExecType.TRADE, 3)
    fills = [r.last_qty for r in desk.reports(ExecType.TRADE) if r.cl_ord_id == "ice"]
    assert fills == [4, 4, 1]
    assert (last.display_qty, last.leaves_qty, last.ord_status) == (
        4,
        1,
        OrdStatus.PARTIALLY_FILLED,
    )


async def a_chain_of_three_replaces_is_confirmed_in_order(desk: Desk) -> None:
    chain = [
        ReplaceOrder(
            account="A",
            cl_ord_id=f"chain-{number}",
            orig_cl_ord_id=f"chain-{number - 1}" if number > 1 else "chain",
            order_qty=10 + number,
            price=80,
            client="test",
            void_after_ns=FAR_NS,
        )
        for number in (1, 2, 3)
    ]
    await desk.put_many([buy("chain", 80), *chain])
    last = await desk.until_told("chain-3", ExecType.REPLACED)
    confirmed = [r.cl_ord_id for r in desk.reports(ExecType.REPLACED)]
    assert confirmed == ["chain-1", "chain-2", "chain-3"]
    assert (last.order_qty, last.leaves_qty, last.ord_status) == (13, 13, OrdStatus.NEW)


async def a_parent_is_filled_by_its_children(desk: Desk) -> None:
    await desk.put(buy("parent", 101, order_qty=10, is_parent=True))
    await desk.until_told("parent", ExecType.NEW)
    for child, qty in (("child-1", 4), ("child-2", 6)):
        await desk.put(buy(child, 101, order_qty=qty, parent_cl_ord_id="parent"))
        await desk.until_told(child, ExecType.NEW)
    await desk.put(sell("child-taker", 101, order_qty=10))
    last = await desk.until_told("parent", ExecType.TRADE, 2)
    assert (last.cum_qty, last.ord_status, last.is_parent) == (10, OrdStatus.FILLED, True)
    of_child = await desk.until_told("child-2", ExecType.TRADE)
    assert of_child.parent_order_id == last.order_id


async def a_mass_cancel_ends_all_that_is_left(desk: Desk) -> None:
    await desk.put_many(buy(f"mass-{number}", 70) for number in range(5))
    for number in range(5):
        await desk.until_told(f"mass-{number}", ExecType.NEW)
    await desk.put(MassCancel(account="A", cl_ord_id="mass", client="test"))
    await eventually(
        lambda: any(isinstance(event, MassCancelReport) for event in desk.events), DEADLINE_S
    )
    (report,) = [event for event in desk.events if isinstance(event, MassCancelReport)]
    for number in range(5):
        await desk.until_told(f"mass-{number}", ExecType.CANCELED)
    await desk.until_told("ice", ExecType.CANCELED)
    await desk.until_told("chain-3", ExecType.CANCELED)
    assert report.order_count == 7


async def test_what_the_venue_loses_takes_back_or_forgets_to_say_is_found_out(
    shard: tuple[Desk, VenueProcess],
) -> None:
    desk, venue = shard
    await a_lost_answer_makes_an_order_unknown_until_it_is_proved(desk, venue)
    await a_fill_is_corrected_then_busted(desk, venue)
    await a_day_order_that_ended_unheard_is_found_at_the_day_roll(desk, venue)


async def a_lost_answer_makes_an_order_unknown_until_it_is_proved(
    desk: Desk, venue: VenueProcess
) -> None:
    await venue.administer(op="fault", kind="drop_report")
    await desk.put(buy("lost", 90))
    unknown = await desk.until_told("lost", ExecType.UNKNOWN)
    assert (unknown.ord_status, unknown.leaves_qty) == (OrdStatus.UNKNOWN, 10)
    proved = await desk.until_told("lost", ExecType.NEW)
    assert proved.ord_status is OrdStatus.NEW
    taken = [event.epoch for event in desk.events if isinstance(event, SessionTaken)]
    assert taken == [1]


async def a_fill_is_corrected_then_busted(desk: Desk, venue: VenueProcess) -> None:
    await desk.put_many([buy("bust", 95, order_qty=10), sell("bust-taker", 95, order_qty=4)])
    fill = await desk.until_told("bust", ExecType.TRADE)
    await venue.administer(op="correct", exec_no=int(fill.venue_exec_id[1:]), qty=3, px=94)
    corrected = await desk.until_told("bust", ExecType.TRADE_CORRECT)
    assert (corrected.cum_qty, corrected.last_px) == (3, 94)
    assert corrected.venue_exec_ref_id == fill.venue_exec_id
    await venue.administer(op="bust", exec_no=int(corrected.venue_exec_id[1:]))
    busted = await desk.until_told("bust", ExecType.TRADE_CANCEL)
    assert (busted.cum_qty, busted.leaves_qty, busted.ord_status) == (0, 10, OrdStatus.NEW)
    assert fill.fee_currency == "USD"
    assert fill.fee_e8 + corrected.fee_e8 + busted.fee_e8 == 0


async def a_day_order_that_ended_unheard_is_found_at_the_day_roll(
    desk: Desk, venue: VenueProcess
) -> None:
    await desk.put(buy("day", 85, time_in_force=TimeInForce.DAY))
    await desk.until_told("day", ExecType.NEW)
    await venue.administer(op="fault", kind="drop_report")
    await venue.administer(op="end_day")
    await desk.put(RollDay(trading_date="2026-03-03", retire_before_ns=0))
    expired = await desk.until_told("day", ExecType.EXPIRED)
    assert (expired.ord_status, expired.text) == (OrdStatus.EXPIRED, "END_OF_DAY")
