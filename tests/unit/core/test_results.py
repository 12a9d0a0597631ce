# SPDX-License-Identifier: Apache-2.0
"""A scope that loses too much may only reduce, at the price that shows it; no order is needed."""

from dataclasses import replace
from typing import Any

import pytest

from tests.unit.core.limits_cases import LOT
from tests.unit.core.test_limits import bound, governed
from tradewind.core import commands
from tradewind.core.events import TradingStateSet
from tradewind.core.invariants import violations
from tradewind.core.snapshot import parts, restore
from tradewind.core.testing import ACCOUNT, BOUNDS, MILLISECOND_NS, SYMBOL, Desk
from tradewind.core.types import Reason, Side, TradingState

SCOPES = (
    "firm",
    f"account:{ACCOUNT}",
    "account:*",
    "strategy:*",
    "client:client",
    f"account:*/symbol:{SYMBOL}",
)
TICK = LOT // 1_000
"""What ten lots gain or lose by one tick, divided by ten."""


def held(desk: Desk, lots: int = 10) -> None:
    side = Side.BUY if lots > 0 else Side.SELL
    desk.fill(desk.submit("held", side=side, order_qty=abs(lots)).order_id, abs(lots))


def priced(desk: Desk, price: int) -> list[TradingStateSet]:
    """What follows from a reference price beside it."""
    events = desk.step(commands.SetReferencePrice(symbol=SYMBOL, price=price))
    return [event for event in events if isinstance(event, TradingStateSet)]


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize(("off", "is_reduced"), [(-1, False), (0, False), (1, True)])
@pytest.mark.parametrize("lots", [10, -10])
def test_a_loss_beyond_its_limit_reduces_its_scope_in_each_kind_of_scope(
    scope: str, off: int, is_reduced: bool, lots: int
) -> None:
    desk = governed()
    bound(desk, scope, max_loss_e8=100 * TICK - off)
    held(desk, lots)
    assert priced(desk, 1_000) == []
    halted = priced(desk, 990 if lots > 0 else 1_010)
    assert bool(halted) is is_reduced
    if is_reduced:
        assert (halted[0].state, halted[0].actor) == (TradingState.REDUCING, "core")
        assert halted[0].reason.startswith(f"C25 loss {100 * TICK} of {100 * TICK - 1}, version")
        side = Side.BUY if lots > 0 else Side.SELL
        assert desk.submit("n", side=side, price=1_000).reason is Reason.REDUCE_ONLY
        assert desk.submit("m", side=side.opposite, price=1_000).reason is Reason.NONE
    assert violations(desk.machine.state) == []


@pytest.mark.parametrize(("off", "is_reduced"), [(0, False), (1, True)])
def test_a_fall_from_the_best_result_counts_from_there(off: int, is_reduced: bool) -> None:
    desk = governed()
    bound(desk, "firm", max_drawdown_e8=300 * TICK - off, max_loss_e8=10**12)
    held(desk)
    for price in (1_000, 1_020, 1_010):
        assert priced(desk, price) == []
    found = priced(desk, 990)
    assert [each.reason[:12] for each in found] == (["C26 drawdown"] if is_reduced else [])


def test_what_was_realised_counts_and_what_came_before_the_day_does_not() -> None:
    desk = governed()
    bound(desk, "firm", max_loss_e8=99 * TICK)
    priced(desk, 1_000)
    held(desk)
    desk.fill(desk.submit("out", side=Side.SELL, price=990).order_id, 10, 990)
    assert len(priced(desk, 1_000)) == 1
    desk.step(commands.RollDay(trading_date="2026-01-02", retire_before_ns=0))
    desk.trading(TradingState.ACTIVE)
    assert priced(desk, 1_000) == []
    assert priced(desk, 900) == []


def test_what_was_lost_before_there_was_a_bound_does_not_count() -> None:
    desk = governed()
    held(desk)
    desk.reference(950)
    bound(desk, "account:*", max_loss_e8=99 * TICK)
    assert priced(desk, 941) == []
    assert len(priced(desk, 940)) == 1


def test_it_is_said_once_and_again_by_who_was_opened_too_early() -> None:
    desk = governed()
    bound(desk, "firm", max_loss_e8=0)
    held(desk)
    priced(desk, 1_000)
    assert len(priced(desk, 990)) == 1
    assert priced(desk, 980) == []
    desk.trading(TradingState.ACTIVE)
    assert len(priced(desk, 980)) == 1


def test_a_restored_state_goes_on_with_the_same_results() -> None:
    desk = governed()
    bound(desk, "account:*", max_drawdown_e8=100 * TICK)
    held(desk)
    for price in (1_000, 1_015):
        priced(desk, price)
    restored = restore(parts(desk.machine.state))
    assert restored.results == desk.machine.state.results
    assert restored.results[f"account:{ACCOUNT}"].peak_e8 == 150 * TICK
    assert restored.results[f"account:{ACCOUNT}"].base_e8 == 0


def test_what_cannot_be_valued_is_no_loss_and_nothing_is_kept_without_a_bound() -> None:
    desk = governed()
    held(desk)
    priced(desk, 900)
    assert desk.machine.state.results == {}
    words: dict[str, Any] = {"account": ACCOUNT, "actor": "op", "reason": "x"}
    desk.step(
        commands.DefineInstrument(
            symbol="X-EUR", venue="SIM", tick_size="0.01", lot_size="1", currency="EUR"
        )
    )
    desk.step(commands.AdjustPosition(cl_ord_id="a", symbol="X-EUR", qty=1, price=1, **words))
    bound(desk, f"account:{ACCOUNT}", max_loss_e8=0)
    assert priced(desk, 1_000) == []
    assert priced(desk, 900) == []
    assert f"account:{ACCOUNT}" not in desk.machine.state.results


@pytest.mark.parametrize("name", ["max_loss_e8", "max_drawdown_e8"])
@pytest.mark.parametrize("is_seen_before", [True, False])
def test_a_scope_that_is_new_begins_with_nothing(name: str, is_seen_before: bool) -> None:
    desk = governed()
    bound(desk, "account:*", **{name: 100 * TICK})
    held(desk)
    if is_seen_before:
        assert priced(desk, 1_000) == []
    assert priced(desk, 990) == []
    assert len(priced(desk, 989)) == 1


def test_a_bound_that_has_run_out_reduces_nobody() -> None:
    for wait_ms, count in ((0, 1), (20_000, 0)):
        desk = governed()
        expires_ns = desk.now_ns + 10_000 * MILLISECOND_NS
        version = desk.machine.state.seq + 1
        desk.step(replace(BOUNDS, version=version, expires_ns=expires_ns, max_loss_e8=0))
        held(desk)
        assert priced(desk, 1_000) == []
        desk.now_ns += wait_ms * MILLISECOND_NS
        assert len(priced(desk, 990)) == count
