# SPDX-License-Identifier: Apache-2.0
"""What a scope has at stake where nothing is added, where one side has no value, and per scope."""

from dataclasses import replace
from typing import Any

import pytest

from tests.unit.core.limits_cases import LOT, MARKET, SELL, working
from tests.unit.core.test_limits import EMPTY, OK, bound, governed
from tests.unit.core.test_limits_answers import denied_from
from tests.unit.core.test_shares import divided
from tradewind.core import commands
from tradewind.core.events import ShareWanted
from tradewind.core.machine import StateMachine
from tradewind.core.snapshot import parts, restore
from tradewind.core.testing import ACCOUNT, LIMITS, VENUE, Desk
from tradewind.core.types import Reason

OTHER = "X-EUR"
ACCOUNT_SCOPE = f"account:{ACCOUNT}"


def with_other(currency: str = "EUR") -> Desk:
    """A desk on which another instrument is traded too; nothing is bounded yet."""
    desk = Desk.opened()
    desk.step(commands.SetFxRate(currency="USD", rate_e9=10**9))
    desk.step(
        commands.DefineInstrument(
            symbol=OTHER, venue=VENUE, tick_size="0.01", lot_size="0.001", currency=currency
        )
    )
    desk.step(replace(LIMITS, symbol=OTHER))
    desk.step(commands.SetReferencePrice(symbol=OTHER, price=1_000))
    return desk


def bounded(desk: Desk, **bounds: Any) -> Desk:
    """The same with these bounds of the firm's alone."""
    desk.step(replace(EMPTY, scope="firm", **bounds))
    return desk


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("max_open_value_e8", Reason.MAX_OPEN_VALUE),
        ("max_gross_e8", Reason.MAX_EXPOSURE),
        ("max_net_e8", Reason.MAX_EXPOSURE),
        ("max_long", Reason.MAX_POSITION),
        ("max_credit_e8", Reason.CREDIT_EXCEEDED),
    ],
)
def test_a_replace_meets_a_bound_on_size_only_if_it_adds_a_lot(name: str, reason: Reason) -> None:
    desk = with_other()
    desk.submit("c1")
    scope = ACCOUNT_SCOPE if name == "max_credit_e8" else "firm"
    nothing: dict[str, Any] = {name: 0}
    desk.step(replace(EMPTY, scope=scope, **nothing))
    assert desk.replace("r", "c1", qty=11).reason is reason
    assert desk.replace("s", "c1", qty=10, price=999).reason is OK


def test_a_replace_is_no_further_order() -> None:
    desk = with_other()
    desk.submit("c1")
    bounded(desk, max_open_orders=0)
    assert desk.replace("r", "c1", qty=11).reason is OK
    assert desk.submit("n").reason is Reason.MAX_OPEN_ORDERS


def rate_gone(desk: Desk) -> Desk:
    """Something of the firm's works in a currency that has no rate any more."""
    desk.step(commands.SetFxRate(currency="EUR", rate_e9=10**9))
    assert desk.submit("x", symbol=OTHER).reason is OK
    del desk.machine.state.fx_rates["EUR"]
    desk.machine.state.tallies.sums.clear()
    return Desk(StateMachine(restore(parts(desk.machine.state))))


@pytest.mark.parametrize("name", ["max_open_value_e8", "max_gross_e8", "max_net_e8"])
def test_what_can_be_valued_in_part_only_is_denied(name: str) -> None:
    others = bounded(rate_gone(with_other()), **{name: 10**12})
    assert others.submit("n").reason is Reason.NO_FX_RATE
    itself = bounded(with_other(), **{name: 10**12})
    assert itself.submit("n", symbol=OTHER).reason is Reason.NO_FX_RATE


def test_a_part_of_a_turnover_is_not_used_while_something_has_no_value() -> None:
    desk = bounded(rate_gone(with_other()), max_turnover_e8=10**12)
    desk.step(commands.DivideBounds(shards=2, is_new=True, actor="op"))
    assert desk.submit("n").reason is Reason.NO_FX_RATE


def test_what_works_is_no_turnover_where_the_bound_is_not_divided() -> None:
    desk = governed()
    bound(desk, ACCOUNT_SCOPE)
    working(30)(desk)
    assert denied_from(desk, "max_turnover_e8", ACCOUNT_SCOPE) == 10 * LOT


def test_room_for_the_whole_of_a_bound_is_asked_for() -> None:
    desk = divided(max_gross_e8=10 * LOT)
    desk.submit("n", order_qty=10)
    wanted = ShareWanted(scope="firm", bound="max_gross_e8", amount=10 * LOT)
    assert desk.outputs[-1] == wanted


@pytest.mark.parametrize(
    ("scope", "others"),
    [("strategy:strategy", {"strategy": "other"}), ("client:client", {"client": "other"})],
)
def test_a_strategy_and_a_client_stand_for_what_they_have_done_themselves(
    scope: str, others: dict[str, str]
) -> None:
    desk = governed()
    desk.fill(desk.submit("theirs", **others).order_id, 10)
    bound(desk, ACCOUNT_SCOPE, max_gross_e8=10 * LOT)
    assert desk.submit("a", **SELL).reason is OK
    bound(desk, scope, max_gross_e8=0)
    assert desk.submit("b", **SELL).reason is Reason.MAX_EXPOSURE


@pytest.mark.parametrize(("credit", "reason"), [(40, OK), (39, Reason.CREDIT_EXCEEDED)])
def test_credit_is_used_in_all_instruments_of_an_account(credit: int, reason: Reason) -> None:
    desk = with_other("USD")
    desk.ack(desk.submit("x", symbol=OTHER, order_qty=30).order_id)
    desk.step(replace(EMPTY, scope=ACCOUNT_SCOPE, max_credit_e8=credit * LOT))
    assert desk.submit("n").reason is reason


def test_a_market_order_is_worth_what_the_collar_lets_it_cost_to_the_tick() -> None:
    desk = with_other()
    desk.limits(max_notional=10**12, version=2)
    desk.reference(200_000)
    worst = 220_000 // 1_000 * LOT
    bounded(desk, max_order_value_e8=worst - 1)
    assert desk.submit("a", **MARKET, order_qty=1).reason is Reason.MAX_NOTIONAL
    desk.step(replace(EMPTY, scope="firm", version=2, max_order_value_e8=worst))
    assert desk.submit("b", **MARKET, order_qty=1).reason is OK


def test_a_market_order_of_an_account_without_a_collar_is_worth_the_reference_price() -> None:
    desk = bounded(with_other(), max_parent_value_e8=10 * LOT)
    assert desk.submit("a", account="NOBODY", is_parent=True, **MARKET).reason is OK
    more = {"is_parent": True, "order_qty": 11, **MARKET}
    assert desk.submit("b", account="NOBODY", **more).reason is Reason.PARENT_VALUE


def test_what_has_no_rate_any_more_has_no_turnover() -> None:
    desk = rate_gone(with_other())
    bounded(desk, max_repeats=10)
    (order_id,) = desk.machine.state.orders
    desk.fill(order_id, 10)
    assert desk.machine.state.activity["firm"].turnover_e8 == 0
