# SPDX-License-Identifier: Apache-2.0
"""Racing clients never get past a limit, nor are they stopped before it: overrun 0 units.

The judge keeps a list of orders of its own and adds everything up anew for each decision.
"""

from dataclasses import dataclass, replace
from random import Random
from typing import Any

import pytest

from tradewind.core import commands, stakes
from tradewind.core.invariants import violations
from tradewind.core.logic import RISK_CONTROLS
from tradewind.core.testing import BOUNDS, LIMITS, Desk
from tradewind.core.types import ExecType, Reason, Side

LOT = 10**6
CLIENTS = 64
ACCOUNTS = ("A", "B", "C")
STRATEGIES = ("x", "y")
STEPS = 120
OPEN, GROSS, LONG, TURNOVER = 7, 90 * LOT, 40, 160 * LOT
LIMITED = (
    Reason.MAX_OPEN_ORDERS,
    Reason.MAX_EXPOSURE,
    Reason.MAX_POSITION,
    Reason.MAX_TURNOVER,
)


def governed(**bounds: Any) -> Desk:
    """A firm with these bounds, of accounts that each have wide limits."""
    desk = Desk.opened()
    desk.step(commands.SetFxRate(currency="USD", rate_e9=10**9))
    for account in (*ACCOUNTS, *(f"R{number}" for number in range(CLIENTS))):
        desk.step(replace(LIMITS, account=account, max_position=10_000))
    desk.step(replace(BOUNDS, **bounds))
    for kind in ("account", "strategy", "client"):
        desk.step(commands.SetScopeLimits(scope=f"{kind}:*", version=1, actor="op"))
    desk.step(commands.SetLogic(flag=RISK_CONTROLS, actor="op"))
    desk.reference(1_000)
    return desk


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(
    ("bound", "limit", "passes"),
    [
        ("max_open_orders", 17, 17),
        ("max_gross_e8", 100 * LOT, 14),
        ("max_net_e8", 98 * LOT, 14),
        ("max_open_value_e8", 97 * LOT, 13),
        ("max_turnover_e8", 10 * LOT, 64),
        ("max_messages", 21, 21),
        ("max_long", 70, 10),
    ],
)
def test_so_many_of_racing_clients_pass_as_the_limit_has_room_for(
    bound: str, limit: int, passes: int, seed: int
) -> None:
    """Each of 64 clients enters an order of 7 lots; in what order they arrive does not matter."""
    desk = governed(**{bound: limit})
    clients = list(range(CLIENTS))
    Random(seed).shuffle(clients)
    reasons = [desk.submit("n", account=f"R{number}", order_qty=7).reason for number in clients]
    assert reasons.count(Reason.NONE) == passes


@dataclass
class Told:
    """An order as the judge knows it."""

    account: str
    strategy: str
    side: Side
    qty: int
    filled: int = 0
    is_live: bool = True

    @property
    def left(self) -> int:
        return self.qty - self.filled if self.is_live else 0


class Judge:
    """Adds up what every scope has."""

    def __init__(self) -> None:
        self.orders: dict[str, Told] = {}

    def open_orders(self) -> int:
        return sum(told.is_live for told in self.orders.values())

    def gross(self, more: Told | None = None) -> int:
        """What accounts can reach at worst, all of them together."""
        return sum(max(map(abs, self.reach(account, more))) for account in ACCOUNTS) * LOT

    def reach(self, account: str, more: Told | None = None) -> tuple[int, int]:
        mine = [told for told in [*self.orders.values(), more] if told and told.account == account]
        held = sum(told.side.sign * told.filled for told in mine)
        buys, sells = (
            sum(told.left for told in mine if told.side is side) for side in (Side.BUY, Side.SELL)
        )
        return held + buys, held - sells

    def long(self, strategy: str) -> int:
        mine = [told for told in self.orders.values() if told.strategy == strategy]
        held = sum(told.side.sign * told.filled for told in mine)
        return held + sum(told.left for told in mine if told.side is Side.BUY)

    def traded(self) -> int:
        return sum(told.filled for told in self.orders.values()) * LOT

    def excess(self, more: Told) -> set[Reason]:
        """The limits that one more order would exceed."""
        found = set()
        grown = max(map(abs, self.reach(more.account, more)))
        if self.open_orders() + 1 > OPEN:
            found.add(Reason.MAX_OPEN_ORDERS)
        if grown > max(map(abs, self.reach(more.account))) and self.gross(more) > GROSS:
            found.add(Reason.MAX_EXPOSURE)
        if more.side is Side.BUY and self.long(more.strategy) + more.qty > LONG:
            found.add(Reason.MAX_POSITION)
        if self.traded() + more.qty * LOT > TURNOVER:
            found.add(Reason.MAX_TURNOVER)
        return found


def day(seed: int) -> tuple[int, int]:
    """One random day; how many orders passed, and how many a limit stopped."""
    random, judge = Random(seed), Judge()
    desk = governed(max_open_orders=OPEN, max_gross_e8=GROSS, max_turnover_e8=TURNOVER)
    strategies = commands.SetScopeLimits(scope="strategy:*", version=2, actor="op", max_long=LONG)
    desk.step(strategies)
    passed = stopped = 0
    for number in range(STEPS):
        live = [order_id for order_id, told in judge.orders.items() if told.is_live]
        if live and random.random() < 0.45:
            _venue_acts(desk, judge, random.choice(live), random)
        else:
            more = Told(
                random.choice(ACCOUNTS),
                random.choice(STRATEGIES),
                random.choice(list(Side)),
                random.choice((1, 5, 9, 20)),
            )
            excess = judge.excess(more)
            report = desk.submit(
                f"n{number}",
                account=more.account,
                strategy=more.strategy,
                side=more.side,
                order_qty=more.qty,
            )
            assert (report.reason in excess) if excess else report.reason is Reason.NONE
            if not excess:
                judge.orders[report.order_id] = more
            passed, stopped = passed + (not excess), stopped + bool(excess)
        assert judge.open_orders() <= OPEN
        assert all(judge.long(strategy) <= LONG for strategy in STRATEGIES)
    assert violations(desk.machine.state) == []
    return passed, stopped


def _venue_acts(desk: Desk, judge: Judge, order_id: str, random: Random) -> None:
    told = judge.orders[order_id]
    if random.random() < 0.3:
        desk.report(order_id, ExecType.CANCELED)
        told.is_live = False
        return
    qty = random.randint(1, told.left)
    desk.fill(order_id, qty)
    told.filled += qty
    told.is_live = told.left > 0


def test_limits_are_met_to_the_unit_on_random_days() -> None:
    days = [day(seed) for seed in range(100)]
    assert all(passed for passed, _stopped in days)
    assert sum(stopped for _passed, stopped in days) > 1_000


@pytest.mark.parametrize(
    "rule", ["orders_within", "exposure_in_scopes", "position_in_scopes", "turnover_within"]
)
def test_a_limit_that_lets_one_unit_too_much_pass_is_noticed(
    rule: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = stakes.first_over

    def lenient(intent: Any, bound: str, reason: Reason, seen: Any) -> Any:
        mine = {
            "orders_within": ("max_open_orders",),
            "exposure_in_scopes": ("max_gross_e8",),
            "position_in_scopes": ("max_long",),
            "turnover_within": ("max_turnover_e8",),
        }[rule]
        slack = LOT if bound.endswith("_e8") else 1
        if bound not in mine:
            return real(intent, bound, reason, seen)
        return real(intent, bound, reason, lambda scope: seen(scope) - slack)

    monkeypatch.setattr(stakes, "first_over", lenient)
    with pytest.raises(AssertionError):
        _days(20)


def _days(count: int) -> None:
    for seed in range(count):
        day(seed)
