# SPDX-License-Identifier: Apache-2.0
"""What the flag `revised-controls` changes, and that a journal without it means what it meant."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.unit.core.test_limits import bound, governed
from tradewind.core import commands, logic
from tradewind.core.events import ControlRefused, InstrumentRemoved, OrderAdopted
from tradewind.core.invariants import violations
from tradewind.core.testing import (
    ACCOUNT,
    LIMITS,
    MILLISECOND_NS,
    SUBMIT,
    SYMBOL,
    VENUE,
    Desk,
    one,
)
from tradewind.core.types import ExecType, OrdStatus, Reason, Side

OK = Reason.NONE
ETH = "ETH-USD"
SECOND_NS = 1_000 * MILLISECOND_NS
BOTH = pytest.mark.parametrize("is_revised", [False, True])


def desk_of(is_revised: bool, **bounds: Any) -> Desk:
    """All controls in force."""
    desk = governed(**bounds)
    if is_revised:
        desk.step(commands.SetLogic(flag=logic.REVISED_CONTROLS, actor="op"))
    return desk


@BOTH
def test_the_same_order_counts_whoever_sent_it_in_between(is_revised: bool) -> None:
    desk = desk_of(is_revised, max_duplicates=1, duplicate_window_ms=1)
    bound(desk, "client:kim", max_duplicates=5, duplicate_window_ms=60_000)
    refused = []
    for number in range(8):
        report = desk.submit(f"{number}", client=("kim", "lee")[number % 2])
        if report.reason is Reason.DUPLICATE_CONTENT:
            refused.append(number)
        assert desk.submit(f"other-{number}", price=900 + number).reason is OK
    assert refused == ([6] if is_revised else [])


@BOTH
def test_what_nobody_looks_at_is_not_remembered(is_revised: bool) -> None:
    desk = Desk.opened()
    if is_revised:
        desk.step(commands.SetLogic(flag=logic.REVISED_CONTROLS, actor="op"))
    assert desk.submit().reason is OK
    assert desk.machine.state.contents == {}


def test_how_far_back_is_looked_follows_the_limits() -> None:
    desk = desk_of(True, max_duplicates=1, duplicate_window_ms=1)
    assert [desk.submit(f"{n}").reason for n in range(3)] == [OK] * 3
    bound(desk, "firm", max_duplicates=2, duplicate_window_ms=60_000)
    assert [desk.submit(f"m{n}").reason for n in range(2)] == [OK, Reason.DUPLICATE_CONTENT]


@BOTH
def test_a_jump_over_a_time_without_prices_is_seen(is_revised: bool) -> None:
    desk = desk_of(is_revised, max_jump_bps=400)
    desk.now_ns += 21 * SECOND_NS
    desk.reference(2_000)
    jumped = desk.submit("n", price=2_000).reason
    assert jumped is (Reason.MARKET_UNSTABLE if is_revised else OK)
    desk.now_ns += 10 * SECOND_NS
    desk.reference(2_000)
    assert desk.submit("m", price=2_000).reason is OK, "it has stayed there"


@BOTH
@pytest.mark.parametrize(
    ("bounds", "price", "reason"),
    [
        ({"max_jump_bps": 3}, 3_000, Reason.MARKET_UNSTABLE),
        ({"max_move_bps": 3}, 3_001, Reason.PRICE_MOVED),
    ],
)
def test_a_third_of_a_basis_point_too_much_is_too_much(
    is_revised: bool, bounds: dict[str, int], price: int, reason: Reason
) -> None:
    desk = desk_of(is_revised)
    for _ in range(3):
        desk.reference(3_000)
        desk.now_ns += 10 * SECOND_NS
    desk.reference(3_001)
    bound(desk, "firm", **bounds)
    assert desk.submit("n", price=price).reason is (reason if is_revised else OK)


def eth_in(desk: Desk, credit_e8: int = 10**15) -> None:
    """The account has so much credit, and another instrument to trade."""
    bound(desk, f"account:{ACCOUNT}", max_credit_e8=credit_e8)
    desk.step(
        commands.DefineInstrument(
            symbol=ETH, venue=VENUE, tick_size="0.01", lot_size="0.001", currency="USD"
        )
    )
    desk.step(replace(LIMITS, symbol=ETH, version=1))
    desk.step(commands.SetReferencePrice(symbol=ETH, price=1_000))


def trade(desk: Desk, side: Side, price: int = 1_000) -> None:
    """In that instrument."""
    report = desk.submit(f"{side}", symbol=ETH, side=side, price=price)
    assert report.reason is OK
    desk.fill(report.order_id, SUBMIT.order_qty, price)


@BOTH
def test_an_instrument_that_is_gone_keeps_nobody_from_trading(is_revised: bool) -> None:
    desk = desk_of(is_revised)
    eth_in(desk)
    trade(desk, Side.BUY)
    trade(desk, Side.SELL)
    assert one(desk.step(commands.RemoveInstrument(symbol=ETH)), InstrumentRemoved)
    assert desk.submit("n").reason is (OK if is_revised else Reason.NO_FX_RATE)
    assert violations(desk.machine.state) == []


def bought_and_sold(desk: Desk, sold_at: int) -> None:
    trade(desk, Side.BUY)
    trade(desk, Side.SELL, sold_at)


@pytest.mark.parametrize(
    ("do", "reason"),
    [
        (lambda desk: None, OK),
        (lambda desk: bought_and_sold(desk, 1_000), OK),
        (lambda desk: bought_and_sold(desk, 999), Reason.CREDIT_EXCEEDED),
        (lambda desk: trade(desk, Side.BUY), Reason.CREDIT_EXCEEDED),
        (lambda desk: trade(desk, Side.SELL), Reason.CREDIT_EXCEEDED),
        (lambda desk: desk.submit("w", symbol=ETH, order_qty=1), Reason.CREDIT_EXCEEDED),
    ],
)
def test_all_that_an_account_has_elsewhere_counts_against_its_credit(
    do: Callable[[Desk], object], reason: Reason
) -> None:
    desk = desk_of(True)
    eth_in(desk)
    do(desk)
    bound(desk, f"account:{ACCOUNT}", max_credit_e8=10**7)  # just what the next order needs
    assert desk.submit("n").reason is reason


def test_an_instrument_stays_while_somebody_has_a_profit_in_it() -> None:
    desk = desk_of(True)
    eth_in(desk)
    trade(desk, Side.BUY)
    trade(desk, Side.SELL, 1_001)
    remove = commands.RemoveInstrument(symbol=ETH)
    assert one(desk.step(remove), ControlRefused).reason is Reason.INSTRUMENT_IN_USE
    desk.step(
        commands.ResetPosition(account=ACCOUNT, cl_ord_id="z", symbol=ETH, actor="op", reason="")
    )
    assert one(desk.step(remove), InstrumentRemoved)
    assert desk.submit("n").reason is OK


@BOTH
def test_a_child_without_its_parent_does_not_grow(is_revised: bool) -> None:
    desk = desk_of(is_revised)
    parent = desk.submit("p", is_parent=True)
    child = desk.submit("c", parent_cl_ord_id="p")
    desk.ack(child.order_id)
    desk.report(child.order_id, ExecType.RESTATED, order_qty=15, price=1_000)
    desk.fill(child.order_id, 10)
    assert desk.order(parent.order_id).ord_status is OrdStatus.FILLED
    desk.step(commands.RollDay(trading_date="2026-01-02", retire_before_ns=desk.now_ns + 1))
    assert parent.order_id not in desk.machine.state.orders
    larger = desk.replace("r", "c", qty=16).reason
    assert larger is (Reason.PARENT_EXCEEDED if is_revised else OK)
    if is_revised:
        assert desk.replace("r2", "c", qty=15, price=999).reason is OK


@BOTH
def test_an_adopted_order_takes_nobodys_id(is_revised: bool) -> None:
    desk = desk_of(is_revised)
    taken = f"{VENUE}-{desk.machine.state.seq + 3}"
    mine = [desk.submit(name) for name in (taken, f"{taken}-2")]
    terms = {"account": ACCOUNT, "symbol": SYMBOL, "side": Side.BUY, "order_qty": 5, "price": 990}
    adopted = one(desk.report("theirs", ExecType.NEW, **terms)[:1], OrderAdopted)
    assert adopted.cl_ord_id == (f"{taken}-3" if is_revised else taken)
    meant = desk.machine.state.order_of(ACCOUNT, taken)
    assert meant is not None
    assert meant.order_id == (mine[0].order_id if is_revised else "theirs")
