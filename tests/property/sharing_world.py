# SPDX-License-Identifier: Apache-2.0
"""Several shards' cores, an operator whose entries reach them when they do, and a careless risk.

Risk looks at old answers, its steps are lost, late, twice and out of order. A judge of its own
counts what is at stake in all shards together after every entry.
"""

from dataclasses import dataclass, replace
from typing import Any

from tradewind.core import commands, scopes, shares
from tradewind.core.bounds import UNSET
from tradewind.core.commands import Command
from tradewind.core.events import ShareWanted
from tradewind.core.logic import RISK_CONTROLS
from tradewind.core.testing import BOUNDS, LIMITS, MILLISECOND_NS, VENUE, Desk
from tradewind.core.types import ExecType, Reason, Side
from tradewind.oms.share_answers import shares_of
from tradewind.risk import sharing
from tradewind.risk.balance import told_by

LOT = 10**6
FIRM = "firm"
UNIT = {
    "max_open_orders": 1,
    "max_open_value_e8": LOT,
    "max_gross_e8": LOT,
    "max_net_e8": LOT,
    "max_turnover_e8": LOT,
}
"""What one order of one lot takes of each bound."""


@dataclass(slots=True)
class Told:
    """An order as the judge knows it."""

    side: Side
    qty: int
    filled: int = 0
    is_live: bool = True

    @property
    def left(self) -> int:
        return self.qty - self.filled if self.is_live else 0


class Row:
    """Gives the fields of a plain row as attributes."""

    def __init__(self, **plain: Any) -> None:
        self.__dict__.update(plain)


class Shard:
    """One core, and the judge's own list of its orders."""

    def __init__(self, number: int, count: int, bound: str, limit: int) -> None:
        self.desk = Desk()
        self.orders: dict[str, Told] = {}
        self.operator_read = 0
        self.sent = 0
        desk = self.desk
        desk.step(commands.OpenSegment(segment="seg", shard=number))
        desk.step(
            commands.DefineInstrument(
                symbol="BTC-USD", venue=VENUE, tick_size="0.01", lot_size="0.001", currency="USD"
            )
        )
        desk.step(commands.SetFxRate(currency="USD", rate_e9=10**9))
        desk.step(replace(LIMITS, max_position=10**6, max_reference_age_ms=10**9))
        desk.step(firm_bounds(bound, limit, 1))
        for kind in ("account", "strategy", "client"):
            desk.step(commands.SetScopeLimits(scope=f"{kind}:*", version=1, actor="op"))
        desk.step(commands.SetLogic(flag=RISK_CONTROLS, actor="op"))
        desk.step(commands.DivideBounds(shards=count, is_new=True, actor="op"))
        desk.reference(1_000)

    def used(self, bound: str) -> int:
        """What is at stake, added up anew."""
        live = [told for told in self.orders.values() if told.is_live]
        held = sum(told.side.sign * told.filled for told in self.orders.values())
        buys, sells = (
            sum(told.left for told in live if told.side is side) for side in (Side.BUY, Side.SELL)
        )
        traded = sum(told.filled for told in self.orders.values())
        return (
            UNIT[bound]
            * {
                "max_open_orders": len(live),
                "max_open_value_e8": buys + sells,
                "max_gross_e8": max(abs(held + buys), abs(held - sells)),
                "max_net_e8": max(0, held + buys, sells - held),
                "max_turnover_e8": traded + buys + sells,
            }[bound]
        )

    def limit(self, bound: str) -> int:
        """The limit in force here, now."""
        limits = scopes.in_force(self.desk.machine.state, FIRM)
        assert limits is not None
        value: int = getattr(limits, bound)
        return value

    def part(self, bound: str) -> int:
        """What this shard thinks it may use."""
        state = self.desk.machine.state
        limits = scopes.in_force(state, FIRM)
        assert limits is not None
        return shares.part(state, limits, bound)

    def told(self) -> sharing.Told:
        """What it answers to risk."""
        plain = shares_of(self.desk.machine.state)
        rows = {kind: [Row(**row) for row in rows] for kind, rows in plain.items()}
        return told_by(Row(**rows))


def firm_bounds(bound: str, limit: int, version: int, expires_ns: int = 0) -> Command:
    """The firm's bounds: wide ones, and the one that matters."""
    changed: dict[str, Any] = {bound: limit}
    return replace(BOUNDS, version=version, expires_ns=expires_ns, max_messages=10_000, **changed)


class World:
    """All of it. `act` takes any numbers, so that whatever is drawn is a possible course."""

    def __init__(self, count: int, bound: str, limit: int) -> None:
        self.bound = bound
        self.limits = [limit * UNIT[bound]]
        self.shards = [Shard(number, count, bound, self.limits[0]) for number in range(count)]
        self.operator: list[Command] = []
        self.old = [[shard.told()] for shard in self.shards]
        self.pool: list[sharing.Step] = []
        self.wants: dict[tuple[sharing.Key, int], int] = {}
        self.denied = self.accepted = self.moved = 0

    def act(self, what: int, who: int, number: int) -> None:
        """One thing happens; the judge looks."""
        shard = who % len(self.shards)
        acts = (
            self._submit,
            self._submit,
            self._venue,
            self._glance,
            self._deliver,
            self._deliver,
            self._operate,
            self._hear,
        )
        acts[what % len(acts)](shard, number)
        self.judge()

    def _submit(self, shard: int, number: int) -> None:
        self.submit(shard, 1 + number % 3, Side.SELL if number % 5 == 0 else Side.BUY)

    def submit(self, shard: int, qty: int, side: Side) -> bool:
        """An order; whether it passed."""
        at = self.shards[shard]
        before = at.used(self.bound)
        at.sent += 1
        report = at.desk.submit(f"n{at.sent}", order_qty=qty, side=side)
        if report.reason is not Reason.NONE:
            assert report.exec_type is ExecType.DENIED
            self.denied += 1
            for event in at.desk.outputs[-2:]:
                if isinstance(event, ShareWanted):
                    self.wants[(event.scope, event.bound), shard] = event.amount
            return False
        at.orders[report.order_id] = Told(side, qty)
        self.accepted += 1
        if at.used(self.bound) > before:
            assert self._stake() <= self._allowed(), (
                "an order passed that the bound has no room for"
            )
        return True

    def _venue(self, shard: int, number: int) -> None:
        at = self.shards[shard]
        live = [order_id for order_id, told in at.orders.items() if told.is_live]
        if not live:
            return
        order_id = live[number % len(live)]
        told = at.orders[order_id]
        if number % 3:
            at.desk.report(order_id, ExecType.CANCELED)
            told.is_live = False
            return
        at.desk.fill(order_id, told.left)
        told.filled, told.is_live = told.qty, False

    def _glance(self, _shard: int, number: int) -> None:
        """Some answers are old ones."""
        told = {}
        for place, shard in enumerate(self.shards):
            self.old[place].append(shard.told())
            back = number >> place & 3
            told[place] = self.old[place][-1 if back else -1 - number % len(self.old[place])]
            if number % 11 == place:
                del told[place]
        self.pool += sharing.steps(told, self.wants, len(self.shards))

    def _deliver(self, _shard: int, number: int) -> None:
        """Some step of some process is journaled at last; it may be journaled again later."""
        if not self.pool:
            return
        place = number % len(self.pool)
        self._journal(*self.pool[place])
        if number % 3:
            del self.pool[place]

    def _operate(self, _shard: int, number: int) -> None:
        """The limit is set, or set for a while."""
        limit = number % 25 * UNIT[self.bound]
        expires = self.shards[0].desk.now_ns + 20 * MILLISECOND_NS if number % 3 == 0 else 0
        self.limits.append(limit)
        self.operator.append(firm_bounds(self.bound, limit, len(self.limits), expires))

    def operate(self, limit: int) -> None:
        """The limit is set, and every shard has it."""
        self.limits.append(limit * UNIT[self.bound])
        self.operator.append(firm_bounds(self.bound, self.limits[-1], len(self.limits)))
        for place in range(len(self.shards)):
            self._hear(place, 0)

    def end(self, shard: int, count: int) -> None:
        """So many orders are cancelled."""
        for _order in range(count):
            self._venue(shard, 1)

    def _hear(self, shard: int, _number: int) -> None:
        at = self.shards[shard]
        if at.operator_read < len(self.operator):
            at.desk.step(self.operator[at.operator_read])
            at.operator_read += 1

    def _journal(self, shard: int, command: Command) -> None:
        self.moved += isinstance(command, commands.TakeShare)
        self.shards[shard].desk.step(command)

    def judge(self) -> None:
        """No unit is made or lost, and the parts of the limit are the limit at most."""
        count = len(self.shards)
        key = (FIRM, self.bound)
        held = sum(shard.told().holdings[key].units for shard in self.shards)
        assert held + self._under_way() == shares.WHOLE // count * count
        assert sum(shard.part(self.bound) for shard in self.shards) <= self._allowed()

    def _under_way(self) -> int:
        told = [shard.told() for shard in self.shards]
        key = (FIRM, self.bound)
        total = 0
        for giver, answer in enumerate(told):
            for (_key, taker), sent in answer.sent.items():
                there = told[taker].sent.get((key, giver))
                taken = 0 if there is None else there.taken
                assert 0 <= sent.given - taken <= 1
                total += sent.units if sent.given > taken else 0
        return total

    def _stake(self) -> int:
        return sum(shard.used(self.bound) for shard in self.shards)

    def _allowed(self) -> int:
        """The highest limit that some shard holds, or that one has heard of and others have not."""
        read = [shard.operator_read for shard in self.shards]
        in_force = [shard.limit(self.bound) for shard in self.shards]
        if min(read) < max(read):
            in_force += self.limits[min(read) : max(read) + 1]
        assert UNSET not in in_force
        return max(in_force)

    def quiet(self) -> None:
        """Everything arrives, and risk looks until there is nothing to do."""
        for place, shard in enumerate(self.shards):
            while shard.operator_read < len(self.operator):
                self._hear(place, 0)
            shard.desk.now_ns += 10**9
            shard.desk.reference(1_000)
        self.pool.clear()
        self.settle()

    def settle(self) -> None:
        """One process of risk that nothing happens to."""
        for _round in range(20):
            told = {place: shard.told() for place, shard in enumerate(self.shards)}
            todo = sharing.steps(told, self.wants, len(self.shards))
            if not todo:
                return
            for shard, command in todo:
                self._journal(shard, command)
                self.judge()
        raise AssertionError("risk finds no end")

    def nothing_is_lost(self) -> None:
        """One shard alone can use what is left of the limit, to the last unit."""
        self.quiet()
        self.wants.clear()
        assert self._under_way() == 0
        for _order in range(500):
            if self.submit(0, 1, Side.BUY):
                continue
            self.settle()
            if not self.submit(0, 1, Side.BUY):
                break
        assert self._stake() >= self._allowed(), "an order was refused that there is room for"
