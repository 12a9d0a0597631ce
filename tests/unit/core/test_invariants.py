# SPDX-License-Identifier: Apache-2.0
"""Every law notices when it is broken."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.golden.life import Life
from tradewind.core import commands
from tradewind.core.invariants import ADDITIVE, violations
from tradewind.core.state import IdUse, Order, Position, State
from tradewind.core.testing import ACCOUNT, SYMBOL
from tradewind.core.types import ExecType, OrdStatus, Reason, Side

KEY = (ACCOUNT, SYMBOL)


def whole() -> Life:
    """A parent whose child traded and waits for a replace, an order that ended, an adjustment."""
    desk = Life.opened()
    desk.make("parent", order_qty=30, is_parent=True)
    child = desk.make("child", parent_cl_ord_id="parent", strategy="carry")
    desk.fill(child, 4, exec_id="F1")
    desk.replace("child-r", "child", qty=15)
    ended = desk.make("ended")
    desk.fill(ended, 3, 990)
    desk.report(ended, ExecType.CANCELED)
    desk.step(
        commands.AdjustPosition(
            account=ACCOUNT, cl_ord_id="a", symbol=SYMBOL, qty=2, price=1_000, actor="op", reason=""
        )
    )
    assert violations(desk.machine.state) == []
    return desk


def order(state: State, cl_ord_id: str) -> Order:
    found = state.order_of(ACCOUNT, cl_ord_id)
    assert found is not None
    return found


def changed(cl_ord_id: str, **values: Any) -> Callable[[State], None]:
    def change(state: State) -> None:
        for name, value in values.items():
            setattr(order(state, cl_ord_id), name, value)

    return change


def lost_id(state: State) -> None:
    state.id_uses.pop((ACCOUNT, "child"))


def dangling_id(state: State) -> None:
    state.id_uses[ACCOUNT, "?"] = IdUse(fingerprint="", order_id="never", reason=Reason.NONE)


def dead_and_live(state: State) -> None:
    state.live_orders[order(state, "ended").order_id] = order(state, "ended")


def profit(state: State) -> None:
    state.positions[KEY].realised += 1


def profit_everywhere(state: State) -> None:
    profit(state)
    next(iter(state.ledgers.values())).realised += 1


def flat_with_cost(state: State) -> None:
    state.positions["NOBODY", SYMBOL] = Position(cost=1)


def miscounted(state: State) -> None:
    state.tallies.sums["firm"].orders += 1


@pytest.mark.parametrize(
    ("tamper", "law"),
    [
        (changed("child", leaves_qty=5), "has 5 left, not 6"),
        (changed("ended", leaves_qty=1), "has 1 left, not 0"),
        (changed("parent", order_qty=4, leaves_qty=0), "lives with nothing left"),
        (dead_and_live, "final and live at once"),
        (changed("ended", ended_ns=0), "does not know when it ended"),
        (changed("child", ended_ns=1), "ended before its end"),
        (changed("parent", ord_status=OrdStatus.NEW), "is NEW with 4 filled"),
        (changed("child", ord_status=OrdStatus.PENDING_CANCEL), "waits for 1 requests"),
        (changed("child", ord_status=OrdStatus.PARTIALLY_FILLED), "waits for 1 requests"),
        (changed("parent", ord_status=OrdStatus.PENDING_CANCEL), "waits for 0 requests"),
        (changed("ended", venue_exec_ids=["F", "F"]), "counts an execution twice"),
        (changed("child", fills=()), "its fills 0 for 0"),
        (changed("ended", cum_notional=1), "filled 3 for 1"),
        (changed("parent", child_working=1), "1 works, its children have 11"),
        (changed("parent", cum_qty=5, leaves_qty=25), "filled 5, its children 4"),
        (changed("parent", cum_notional=5), "filled 4, its children 4"),
        (lost_id, "is not found by child"),
        (dangling_id, "names never, which never was"),
        (profit, "not that of its ledgers"),
        (profit_everywhere, "that moved"),
        (flat_with_cost, "flat with cost 1"),
        (changed("child", side=Side.SELL), "traded"),
        (miscounted, "tallies of orders are"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_broken_law_is_named(tamper: Callable[[State], None], law: str) -> None:
    desk = whole()
    tamper(desk.machine.state)
    assert any(law in text for text in violations(desk.machine.state)), violations(
        desk.machine.state
    )


@pytest.mark.parametrize("name", ADDITIVE)
def test_every_sum_of_a_position_and_of_each_ledger_is_counted(name: str) -> None:
    for table in ("positions", "ledgers"):
        for key in getattr(whole().machine.state, table):
            state = whole().machine.state
            record = getattr(state, table)[key]
            setattr(record, name, getattr(record, name) + 1)
            assert violations(state) != [], (table, key)


def test_what_left_memory_can_only_be_missing() -> None:
    desk = whole()
    desk.step(commands.RollDay(trading_date="2026-01-02", retire_before_ns=2**62))
    state = desk.machine.state
    assert len(state.retired) == 1
    assert violations(state) == []
    state.positions[KEY].bought_qty = 3
    assert violations(state) != []
