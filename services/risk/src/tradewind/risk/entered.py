# SPDX-License-Identifier: Apache-2.0
"""An order that was accepted, what it is judged by, and what may speak against it."""

from collections.abc import Callable
from dataclasses import dataclass

from tradewind.core.events import OrderReport
from tradewind.core.types import Side
from tradewind.risk.families import Family
from tradewind.risk.in_force import InForce
from tradewind.risk.ledger import Ledger
from tradewind.risk.lines import Line, Part
from tradewind.risk.orders import PRICED
from tradewind.risk.recent import Recent
from tradewind.risk.scope_limits import Bounded

BPS = 10_000


@dataclass(frozen=True, slots=True)
class Objection:
    """A control that an accepted order does not meet."""

    control: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Entered:
    """An accepted order, or the terms of an accepted replace.

    `more` lots may trade than before it, `working` is what the account had working on the same
    side then; `grew` says whether the largest position that can be reached is larger with it: the
    account's, and that of its client's, strategy's and algorithm's part. Its id `is_used` if it was
    another request's before; `same` says when its like was accepted, it among them; `family` is its
    parent's, or its own.
    """

    report: OrderReport
    qty: int
    price: int
    stop_px: int
    open_qty: int
    more: int
    working: int
    grew: tuple[bool, bool]
    is_replace: bool
    is_used: bool
    same: Recent
    family: Family | None
    scopes: tuple[str, ...]
    bounds: list[Bounded]

    @property
    def sign(self) -> int:
        """+1 for a buy, -1 for a sell."""
        return 1 if self.report.side is Side.BUY else -1

    @property
    def now_ns(self) -> int:
        """When it was accepted."""
        return self.report.transact_time_ns


@dataclass(frozen=True, slots=True)
class World:
    """What an order is judged by."""

    force: InForce
    ledger: Ledger

    def part(self, entered: Entered) -> Part:
        """What the account has in the instrument."""
        return (
            self.ledger.lines.parts.get((entered.report.account, entered.report.symbol)) or Part()
        )

    def extremes(self, entered: Entered) -> tuple[int, int] | None:
        """The lowest and the highest that the reference has been lately; nobody may know."""
        found = self.force.extremes.get(entered.report.symbol)
        return None if found is None else found.at(entered.now_ns)

    def worst_price(self, entered: Entered) -> int:
        """Its limit, or the worst that the collar of its account allows."""
        report = entered.report
        if report.ord_type in PRICED:
            return entered.price
        around = max(self.force.price(report.symbol) or 0, entered.stop_px)
        limits = self.force.limits.get((report.account, report.symbol))
        return around + -(-around * (limits.collar_bps if limits else 0) // BPS)

    def total(self, scope: str, lots_of: Callable[[Line], int], more: dict[str, int]) -> int | None:
        """A scope's lots of one kind at reference prices, with `more` ticks x lots; or unknown."""
        value = 0
        for symbol, line in self.ledger.lines.scopes.get(scope, {}).items():
            lots, price = lots_of(line), self.force.price(symbol)
            worth = self.force.worth_e8(symbol, lots * (price or 0) + more.get(symbol, 0))
            if lots and (price is None or worth is None):
                return None
            value += worth or 0
        return value
