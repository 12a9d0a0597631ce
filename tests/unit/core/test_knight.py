# SPDX-License-Identifier: Apache-2.0
"""The Knight replay (T7): a router that does not count its fills, every order of it harmless.

SEC order 34-70694: 212 parent orders became four million executions in 45 minutes, because a
router's fill counter no longer worked and nothing compared what left it with what had entered.
"""

from dataclasses import replace

from tests.unit.core.test_limits import bound, governed
from tradewind.core import commands, logic
from tradewind.core.events import TradingStateSet
from tradewind.core.testing import BOUNDS, LIMITS, Desk
from tradewind.core.types import ExecType, Reason, TradingState

PARENT_QTY = 100
CLIP = 5
ROUTER = {"algorithm": "POWER-PEG", "build": "old"}
STRATEGY = "strategy:strategy"
REPEATS = 12


def market() -> Desk:
    """Limits per order that every child keeps; the strategy may trade so often without people."""
    desk = governed()
    desk.step(replace(LIMITS, max_position=10_000, version=2))
    bound(desk, STRATEGY, max_repeats=REPEATS, repeat_window_ms=60_000)
    return desk


def route(desk: Desk, orders: int, **terms: str) -> tuple[int, list[Reason]]:
    """Sends clip after clip, each filled at once, whatever was filled before."""
    filled, reasons = 0, []
    for number in range(orders):
        report = desk.submit(f"child-{number}", order_qty=CLIP, **ROUTER, **terms)
        reasons.append(report.reason)
        if report.exec_type is ExecType.PENDING_NEW:
            desk.fill(report.order_id, CLIP)
            filled += CLIP
    return filled, reasons


def test_children_never_trade_more_than_their_parent_asked_for() -> None:
    desk = market()
    bound(desk, STRATEGY, max_repeats=10_000)
    desk.submit("parent", order_qty=PARENT_QTY, is_parent=True)
    filled, reasons = route(desk, 200, parent_cl_ord_id="parent")
    assert filled == PARENT_QTY
    assert set(reasons[PARENT_QTY // CLIP :]) == {Reason.PARENT_NOT_WORKING}


def test_a_router_without_a_parent_is_halted_after_so_many_executions_and_says_so() -> None:
    desk = market()
    filled, reasons = route(desk, 200)
    assert filled == REPEATS * CLIP
    assert reasons[REPEATS] is Reason.REPEATED_EXECUTION
    assert set(reasons[REPEATS + 1 :]) == {Reason.TRADING_HALTED}
    halts = [event for event in desk.outputs if isinstance(event, TradingStateSet)]
    assert [(halt.scope, halt.state) for halt in halts] == [(STRATEGY, TradingState.HALTED)]


def test_the_halt_outlives_its_window_and_a_restart() -> None:
    desk = market()
    route(desk, REPEATS + 1)
    desk.now_ns += 3_600 * 10**9
    desk.reference(1_000)
    again = Desk()
    for entry in desk.entries:
        again.step(entry.command, ts_ns=entry.ts_ns)
    again.now_ns = desk.now_ns
    assert again.machine.digest() == desk.machine.digest()
    assert again.submit("late", **ROUTER).reason is Reason.TRADING_HALTED


def test_the_exposure_of_the_firm_is_bounded_where_the_router_has_another_name_each_time() -> None:
    desk = market()
    lots = 60
    desk.step(replace(BOUNDS, version=99, max_gross_e8=lots * 10**6))
    filled = 0
    for number in range(200):
        report = desk.submit(f"n{number}", order_qty=CLIP, strategy=f"s{number}", **ROUTER)
        if report.exec_type is ExecType.PENDING_NEW:
            desk.fill(report.order_id, CLIP)
            filled += CLIP
    assert filled == lots


def test_a_build_that_was_not_approved_trades_nothing() -> None:
    desk = market()
    bound(desk, STRATEGY, approved_build="new")
    filled, reasons = route(desk, 20)
    assert filled == 0
    assert set(reasons) == {Reason.BUILD_NOT_APPROVED}


def test_without_the_controls_the_router_goes_on_for_ever() -> None:
    """The negative control: the same router on a desk with limits per order only."""
    desk = Desk.opened()
    desk.step(replace(LIMITS, max_position=10_000))
    filled, _reasons = route(desk, 200)
    assert filled == 200 * CLIP
    assert not logic.is_on(desk.machine.state, logic.RISK_CONTROLS)
    assert not any(isinstance(entry.command, commands.SetScopeLimits) for entry in desk.entries)
