# SPDX-License-Identifier: Apache-2.0
"""What a shard uses of each bound that spans shards, added up by hand."""

from dataclasses import replace

import pytest

from tests.unit.core.test_limits import governed
from tradewind.core import commands, shares, tallies, uses
from tradewind.core.testing import LIMITS, VENUE, Desk
from tradewind.core.types import Side

LOT = 10**6
ETHER = "ETH-USD"


def busy() -> Desk:
    """5 lots long in one instrument, 3 being bought, 4 sold; 2 short in another, 6 being sold."""
    desk = governed()
    desk.step(
        commands.DefineInstrument(
            symbol=ETHER, venue=VENUE, tick_size="0.01", lot_size="0.001", currency="USD"
        )
    )
    desk.step(replace(LIMITS, symbol=ETHER))
    desk.step(commands.SetReferencePrice(symbol=ETHER, price=1_000))
    desk.fill(desk.submit("held", order_qty=5).order_id, 5)
    desk.fill(desk.submit("short", symbol=ETHER, side=Side.SELL, order_qty=2).order_id, 2)
    desk.submit("buys", order_qty=3)
    desk.submit("sells", side=Side.SELL, order_qty=4)
    desk.submit("more", symbol=ETHER, side=Side.SELL, order_qty=6)
    return desk


USED = {
    "max_open_orders": 3,
    "max_open_value_e8": 13 * LOT,
    "max_gross_e8": 16 * LOT,
    "max_net_e8": 7 * LOT,
    "max_turnover_e8": 20 * LOT,
    "max_long": 8,
    "max_short": 8,
}


@pytest.mark.parametrize("bound", shares.DIVISIBLE)
def test_of_each_bound_is_used_what_its_rule_counts(bound: str) -> None:
    assert uses.used(busy().machine.state, "firm", bound) == USED[bound]


@pytest.mark.parametrize("bound", shares.DIVISIBLE)
def test_where_nothing_was_done_nothing_is_used(bound: str) -> None:
    assert uses.used(governed().machine.state, "symbol:*", bound) == 0


def test_a_net_use_is_unknown_if_one_direction_is() -> None:
    for side in Side:
        desk = governed()
        desk.submit(side=side)
        desk.machine.state.fx_rates.clear()
        tallies.rebuild(desk.machine.state)
        assert uses.used(desk.machine.state, "firm", "max_net_e8") is None
