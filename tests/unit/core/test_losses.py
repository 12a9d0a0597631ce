# SPDX-License-Identifier: Apache-2.0
"""Losing trades in a row (C27), against a table, a naive model, and the module with a rule less."""

from dataclasses import replace
from fractions import Fraction
from random import Random
from typing import Any

import pytest

from tests.unit.core.test_limits import ALL_SCOPES, OF_OTHERS, bound, governed
from tradewind.core import commands, losses
from tradewind.core.activity import is_reached
from tradewind.core.events import TradingStateSet
from tradewind.core.invariants import violations
from tradewind.core.snapshot import parts, restore
from tradewind.core.testing import ACCOUNT, LIMITS, MILLISECOND_NS, Desk
from tradewind.core.types import ExecType, Reason, Side, TradingState
from tradewind.risk.book import Holding

Trade = tuple[int, int]
"""Signed lots, ticks."""


def trade(desk: Desk, lots: int, price: int, **terms: Any) -> list[TradingStateSet]:
    """One order, filled at once; what its fill brings about."""
    side = Side.BUY if lots > 0 else Side.SELL
    name = f"t{desk.machine.state.seq}"
    order = desk.submit(name, side=side, order_qty=abs(lots), **terms)
    return fill(desk, order.order_id, abs(lots), price)


def fill(desk: Desk, order_id: str, lots: int, price: int) -> list[TradingStateSet]:
    events = desk.report(order_id, ExecType.TRADE, last_qty=lots, last_px=price)
    return [event for event in events if isinstance(event, TradingStateSet)]


def guarded(scope: str = "firm", **bounds: Any) -> Desk:
    desk = governed()
    bound(desk, scope, **{"max_losses": 2, **bounds})
    return desk


OPENED: Trade = (40, 1_000)
ROWS: list[tuple[str, list[Trade], int]] = [
    ("as many losses as are allowed", [OPENED, (-5, 999), (-5, 998)], -1),
    ("one more", [OPENED, (-5, 999), (-5, 998), (-5, 999)], 3),
    ("of a short position", [(-40, 1_000), (5, 1_001), (5, 1_002), (5, 1_001)], 3),
    ("a gain ends the row", [OPENED, (-5, 999), (-5, 999), (-5, 1_001), (-5, 999), (-5, 999)], -1),
    ("the row after a gain", [OPENED, (-5, 1_001), (-5, 999), (-5, 999), (-5, 999)], 4),
    ("neither gained nor lost", [OPENED, (-5, 999), (-5, 1_000), (-5, 999), (-5, 999)], 4),
    ("what adds to a position", [OPENED, (-5, 999), (-5, 999), (5, 900), (5, 1_100)], -1),
    ("through zero", [(5, 1_000), (-10, 999), (10, 1_000), (-10, 999)], 3),
    ("a profit that rounding makes", [(1, 10), (1, 11), (-1, 10), (-1, 10), (2, 9), (-1, 8)], 5),
    ("flat in between", [(1, 9), (-1, 8), (1, 9), (-1, 8), (1, 9), (-1, 8)], 5),
]


@pytest.mark.parametrize(("trades", "last"), [row[1:] for row in ROWS], ids=[r[0] for r in ROWS])
def test_the_row_of_losses_is_the_one_in_the_table(trades: list[Trade], last: int) -> None:
    """`last` is the trade that reduces the scope."""
    desk = guarded()
    told = [trade(desk, *each) for each in trades]
    assert [place for place, events in enumerate(told) if events] == ([last] if last >= 0 else [])
    assert violations(desk.machine.state) == []


def lost(desk: Desk, times: int, **terms: Any) -> list[list[TradingStateSet]]:
    """A position, and so many losing trades of it."""
    trade(desk, 40, 1_000, **terms)
    return [trade(desk, -1, 999, **terms) for _ in range(times)]


@pytest.mark.parametrize("scope", ALL_SCOPES)
def test_it_reduces_its_scope_and_says_why(scope: str) -> None:
    desk = guarded(scope, max_losses=1, loss_window_ms=50_000)
    told = lost(desk, 2)
    assert told[0] == []
    (reduced,) = told[1]
    assert reduced.scope.partition(":")[0] == scope.partition(":")[0]
    assert "*" not in reduced.scope
    assert (reduced.state, reduced.actor) == (TradingState.REDUCING, "core")
    version = next(v.version for v in desk.machine.state.scope_limits.values() if v.scope == scope)
    assert reduced.reason == f"C27 2 losses in a row of 1 in 50000 ms, version {version}"
    assert desk.submit("more").reason is Reason.REDUCE_ONLY
    assert desk.submit("less", side=Side.SELL, order_qty=1).reason is Reason.NONE


@pytest.mark.parametrize("scope", OF_OTHERS)
def test_a_bound_of_others_does_not_matter(scope: str) -> None:
    assert lost(guarded(scope, max_losses=0), 2) == [[], []]


@pytest.mark.parametrize(("limit", "place"), [(0, 0), (1, 1), (3, 3)])
def test_the_strictest_bound_reduces_a_scope_once(limit: int, place: int) -> None:
    desk = guarded("account:*", max_losses=limit)
    bound(desk, f"account:{ACCOUNT}", max_losses=limit + 1)
    told = lost(desk, 6)
    assert [(n, [each.scope for each in events]) for n, events in enumerate(told) if events] == [
        (place, [f"account:{ACCOUNT}"])
    ]


def test_a_scope_whose_wildcard_and_own_bound_are_both_over_is_reduced_once() -> None:
    desk = guarded("account:*", max_losses=0)
    bound(desk, f"account:{ACCOUNT}", max_losses=0)
    assert [len(events) for events in lost(desk, 1)] == [1]


@pytest.mark.parametrize(("wait_ms", "is_reduced"), [(998, True), (999, False)])
def test_losses_before_the_window_do_not_count(wait_ms: int, is_reduced: bool) -> None:
    desk = guarded(max_losses=1, loss_window_ms=1_000)
    desk.limits(version=2, max_reference_age_ms=60_000)
    trade(desk, 40, 1_000)
    trade(desk, -1, 999)
    order = desk.submit("late", side=Side.SELL, order_qty=1)
    desk.now_ns += (wait_ms - 1) * MILLISECOND_NS
    assert bool(fill(desk, order.order_id, 1, 999)) is is_reduced


def test_an_order_with_many_executions_loses_once() -> None:
    desk = guarded(max_losses=1)
    trade(desk, 40, 1_000)
    order = desk.submit("slow", side=Side.SELL).order_id
    assert [fill(desk, order, 1, 999) for _ in range(5)] == [[]] * 5
    assert len(trade(desk, -1, 999)) == 1


def test_a_bust_and_a_correction_neither_count_nor_take_back() -> None:
    desk = guarded(max_losses=1)
    trade(desk, 40, 1_000)
    order = desk.submit("out", side=Side.SELL).order_id
    desk.report(order, ExecType.TRADE, last_qty=1, last_px=1_000, exec_id="X")
    words = {"exec_ref_id": "X", "last_qty": 1, "last_px": 900}
    desk.report(order, ExecType.TRADE_CORRECT, exec_id="Y", **words)
    assert desk.machine.state.losses == {}
    trade(desk, -1, 999)
    desk.report(order, ExecType.TRADE_CANCEL, exec_ref_id="Y")
    assert len(desk.machine.state.losses["firm"].times) == 1


def test_a_strategy_loses_on_what_it_bought_itself() -> None:
    desk = guarded("strategy:*", max_losses=0)
    bound(desk, f"account:{ACCOUNT}", max_losses=0)
    trade(desk, 5, 1_000, strategy="dear")
    trade(desk, 30, 900, strategy="cheap")
    assert [each.scope for each in trade(desk, -1, 950, strategy="dear")] == ["strategy:dear"]
    assert [each.scope for each in trade(desk, -1, 910, strategy="cheap")] == [f"account:{ACCOUNT}"]


@pytest.mark.parametrize("state", [TradingState.REDUCING, TradingState.HALTED])
def test_who_is_stopped_is_not_told_again_and_who_is_opened_begins_anew(
    state: TradingState,
) -> None:
    desk = guarded(max_losses=1)
    trade(desk, 40, 1_000)
    orders = [desk.submit(f"n{n}", side=Side.SELL, order_qty=1).order_id for n in range(6)]
    desk.trading(state)
    assert [fill(desk, order, 1, 999) for order in orders[:3]] == [[], [], []]
    desk.trading(TradingState.ACTIVE)
    assert [len(fill(desk, order, 1, 999)) for order in orders[3:]] == [0, 1, 0]


def test_the_day_roll_begins_a_row_anew_and_only_so_much_is_kept() -> None:
    desk = guarded(max_losses=3)
    lost(desk, 3)
    desk.step(commands.RollDay(trading_date="2026-01-02", retire_before_ns=0))
    assert desk.machine.state.losses == {}
    for _ in range(3):
        assert trade(desk, -1, 999) == []
    bound(desk, "firm", max_losses=2)
    desk.trading(TradingState.HALTED, "symbol:OTHER")
    trade(desk, -1, 999)
    found = desk.machine.state.losses["firm"]
    assert (len(found.times), len(found.orders)) == (2, 2)


def test_a_restored_state_counts_on_and_nothing_is_kept_without_a_bound() -> None:
    desk = guarded()
    lost(desk, 2)
    machine_state = desk.machine.state
    assert restore(parts(machine_state)).losses == machine_state.losses
    assert set(machine_state.losses) == {"firm"}
    unbound = governed()
    lost(unbound, 2)
    assert unbound.machine.state.losses == {}


class Model:
    """Remembers all losses of a row, and looks at each of them for each trade."""

    def __init__(self, limit: int, window_ms: int) -> None:
        self.limit, self.window_ns = limit, window_ms * MILLISECOND_NS
        self.held = Holding()
        self.row: list[int] = []

    def trade(self, lots: int, price: int, now_ns: int) -> bool:
        """Whether the trade reduces the scope."""
        gain = Fraction(0)
        if self.held.qty * lots < 0:
            average = Fraction(self.held.cost, self.held.qty)
            gain = (price - average) * (1 if self.held.qty > 0 else -1)
        self.held.trade(Side.BUY if lots > 0 else Side.SELL, abs(lots), price)
        if gain > 0:
            self.row.clear()
        if gain >= 0:
            return False
        self.row.append(now_ns)
        return sum(now_ns - each < self.window_ns for each in self.row) > self.limit


def day(seed: int) -> int:
    """Random trades; each scope is opened again at once. How often it was reduced."""
    random = Random(seed)
    limit, window_ms = random.randint(0, 3), random.choice((6, 15, 3_600_000))
    desk = guarded(max_losses=limit, loss_window_ms=window_ms)
    desk.step(replace(LIMITS, version=2, max_reference_age_ms=60_000))
    model, times = Model(limit, window_ms), 0
    for _ in range(40):
        lots = random.choice((-1, 1)) * random.randint(1, 6)
        price = 1_000 + random.choice((-3, -2, -1, 0, 1)) * (1 if model.held.qty > 0 else -1)
        if abs(model.held.qty + lots) > 60:
            continue
        events = trade(desk, lots, price)
        assert bool(events) is model.trade(lots, price, desk.machine.state.ts_ns)
        times += bool(events)
        if events:
            desk.trading(TradingState.ACTIVE)
            model.row.clear()
    assert violations(desk.machine.state) == []
    return times


def test_random_days_are_reduced_when_the_model_says_so() -> None:
    assert _days() > 60


def _days() -> int:
    return sum(day(seed) for seed in range(60))


def _no_window(times: list[int], limit: int, _window_ms: int, now_ns: int) -> bool:
    return is_reached(times, limit, 10**9, now_ns)


@pytest.mark.parametrize(
    ("part", "wrong"),
    [
        ("_gain", lambda _state, _order, _scope, _price: -1),
        ("_gain", lambda _state, _order, _scope, _price: 0),
        ("is_reached", _no_window),
        ("is_reached", lambda times, limit, w, now: is_reached(times, limit + 1, w, now)),
        ("is_reached", lambda times, limit, w, now: is_reached(times, max(0, limit - 1), w, now)),
        ("traded", lambda _state, _order, _price: None),
        ("reduced", lambda _state, _order, _price: ()),
    ],
)
def test_with_any_part_of_it_wrong_a_random_day_differs(
    part: str, wrong: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(losses, part, wrong)
    with pytest.raises(AssertionError):
        _days()
