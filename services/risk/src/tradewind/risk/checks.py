# SPDX-License-Identifier: Apache-2.0
"""What the second look asks of an order that was accepted: table by table, none of the core's code.

The order counts already: what is asked is whether, with it, everything that it made larger is still
within its bounds. So an order that makes nothing larger is asked nothing of that kind.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tradewind.core.events import OrderReport
from tradewind.core.types import OrdType, Side, TimeInForce
from tradewind.risk.in_force import (
    MILLISECOND_NS,
    RATE,
    REDUCING_REPLACES,
    RISK_CONTROLS,
    Bounded,
    InForce,
)
from tradewind.risk.lines import Line, Lines, Part

BPS = 10_000
BY_HAND = "NONE"
PRICED = (OrdType.LIMIT, OrdType.STOP_LIMIT)
STOPS = (OrdType.STOP, OrdType.STOP_LIMIT)
AT_ONCE = (TimeInForce.IOC, TimeInForce.FOK)
NO_REST = (*AT_ONCE, TimeInForce.AT_OPEN, TimeInForce.AT_CLOSE)
REQUIRED = [
    "max_order_value_e8",
    "max_move_bps",
    "max_jump_bps",
    "max_duplicates",
    "max_messages",
    "max_repeats",
    "max_open_orders",
    "max_open_value_e8",
    "max_gross_e8",
    "max_net_e8",
    "max_children",
    "max_turnover_e8",
    "max_orders_per_trade",
    "allows_self_match",
    "allows_gtc",
]

NOT_KNOWN = {
    "C04": "price windows are not kept",
    "C06": "request ids are not kept",
    "C07": "contents are not kept",
    "C08": "what was denied is not counted",
    "C09": "executions of algorithms are not counted",
    "C14": "families are not followed",
    "C16": "what was denied is not counted",
    "C18": "prices of resting orders are not kept",
    "C22": "price windows are not kept",
    "C24": "sessions of venues are not followed",
    "C32": "outputs do not say what a client's deadline was",
}
"""Controls of orders that the second look says nothing about, and why."""


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
    account's, and that of its client's, strategy's and algorithm's part.
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
    scopes: tuple[str, ...]
    bounds: list[Bounded]

    @property
    def sign(self) -> int:
        """+1 for a buy, -1 for a sell."""
        return 1 if self.report.side is Side.BUY else -1


@dataclass(frozen=True, slots=True)
class World:
    """What an order is judged by."""

    force: InForce
    lines: Lines
    fees: dict[tuple[str, str], int]

    def part(self, entered: Entered) -> Part:
        """What the account has in the instrument."""
        return self.lines.parts.get((entered.report.account, entered.report.symbol)) or Part()

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
        for symbol, line in self.lines.scopes.get(scope, {}).items():
            lots, price = lots_of(line), self.force.price(symbol)
            worth = self.force.worth_e8(symbol, lots * (price or 0) + more.get(symbol, 0))
            if lots and (price is None or worth is None):
                return None
            value += worth or 0
        return value


def objections(entered: Entered, world: World) -> Iterator[Objection]:
    """Everything that speaks against an order that was accepted."""
    yield from _terms(entered)
    yield from _permissions(entered, world)
    yield from _states(entered, world)
    if entered.report.is_parent:
        return
    report = entered.report
    limits = world.force.limits.get((report.account, report.symbol))
    reference = world.force.references.get(report.symbol)
    if limits is None:
        yield Objection("C19", "accepted without limits of its account in the instrument")
    elif reference is None or reference.price <= 0:
        yield Objection("C21", "accepted without a reference price")
    else:
        yield from _own_limits(entered, world)
        yield from _account_gross(entered, world)
        yield from _scopes(entered, world)


def _terms(entered: Entered) -> Iterator[Objection]:
    report = entered.report
    if entered.qty <= 0 or entered.open_qty <= 0:
        yield Objection("C05", f"{entered.open_qty} of {entered.qty} lots are left to trade")
    if (report.ord_type in PRICED) != (entered.price > 0):
        yield Objection("C05", f"price {entered.price} of a {report.ord_type} order")
    if (report.ord_type in STOPS) != (entered.stop_px > 0):
        yield Objection("C05", f"stop price {entered.stop_px} of a {report.ord_type} order")
    rests = report.ord_type in PRICED and report.time_in_force not in AT_ONCE
    if report.display_qty and not (rests and report.display_qty > 0):
        yield Objection("C05", f"{report.display_qty} lots to display")
    if report.is_post_only and (
        report.ord_type is not OrdType.LIMIT or report.time_in_force in NO_REST
    ):
        yield Objection("C05", "post-only, and cannot rest")
    is_dated = report.time_in_force is TimeInForce.GTD
    is_over = is_dated and report.expire_ns <= report.transact_time_ns
    if is_dated != bool(report.expire_ns) or is_over:
        yield Objection("C30", f"expires at {report.expire_ns} as {report.time_in_force}")


def _permissions(entered: Entered, world: World) -> Iterator[Objection]:
    report = entered.report
    named = (report.client, report.strategy, report.algorithm, report.build)
    if not all(named):
        yield Objection("C20", "client, strategy, algorithm or build is not named")
    for scope, limits in entered.bounds:
        if limits.approved_build not in ("", report.build):
            yield Objection("C34", f"build {report.build} is not approved in {scope}")
    if RISK_CONTROLS not in world.force.switches:
        return
    whole = [scope for scope, _limits in entered.bounds if "/" not in scope]
    for kind in ("account:", "strategy:", "client:"):
        if not any(scope.startswith(kind) for scope in whole):
            yield Objection("C20", f"no limits for its {kind[:-1]}")
    for bound in REQUIRED:
        if not any(getattr(limits, bound) >= 0 for _scope, limits in entered.bounds):
            yield Objection("C01", f"no scope bounds {bound}")


def _states(entered: Entered, world: World) -> Iterator[Objection]:
    force = world.force
    killed = [scope for scope in entered.scopes if scope in force.kills]
    if killed:
        yield Objection("C28", f"{killed[0]} is killed")
    states = {scope: force.states.get(scope, "") for scope in ("shard", *entered.scopes)}
    for scope, state in states.items():
        if state == "HALTED":
            yield Objection("C23", f"{scope} is halted")
    shrinks = REDUCING_REPLACES in force.switches and entered.is_replace and entered.more <= 0
    worst = entered.sign * world.part(entered).qty + entered.working + entered.more
    if "REDUCING" in states.values() and worst > 0 and not shrinks:
        yield Objection("C23", f"{worst} lots more than closing a position that may only shrink")


def _own_limits(entered: Entered, world: World) -> Iterator[Objection]:
    """Against the limits of its account in the instrument."""
    report = entered.report
    limits = world.force.limits[report.account, report.symbol]
    reference = world.force.references[report.symbol]
    age_ns = report.transact_time_ns - reference.ts_ns
    if age_ns > limits.max_reference_age_ms * MILLISECOND_NS:
        yield Objection("C21", f"the reference price is {age_ns // MILLISECOND_NS} ms old")
    around = entered.stop_px or reference.price
    away = abs(entered.price - around) * BPS
    if report.ord_type in PRICED and away > around * limits.collar_bps:
        yield Objection("C03", f"price {entered.price} is outside the collar around {around}")
    value = entered.qty * world.worst_price(entered)
    worst = entered.sign * world.part(entered).qty + entered.working + entered.more
    for control, seen, most, what in (
        ("C01", entered.qty, limits.max_order_qty, "lots"),
        ("C02", value, limits.max_notional, "of value"),
        ("C11", worst, limits.max_position, "held and working"),
    ):
        if seen > most:
            yield Objection(control, f"{seen} {what} are more than the {most} allowed")


def _account_gross(entered: Entered, world: World) -> Iterator[Objection]:
    """Against the limit of its account over all instruments, with rates that are fresh."""
    report, force = entered.report, world.force
    limits = force.account_limits.get(report.account)
    if limits is None or not entered.grew[0]:
        return
    scope = f"account:{report.account}"
    for symbol, line in world.lines.scopes.get(scope, {}).items():
        rate = force.rates.get(force.instruments[symbol].currency) if line.gross else None
        is_old = rate is not None and (
            report.transact_time_ns - rate.ts_ns > limits.max_rate_age_ms * MILLISECOND_NS
        )
        if line.gross and (rate is None or is_old):
            yield Objection("C12", f"{symbol} has no fresh rate")
    total = world.total(scope, lambda line: line.gross, {})
    if total is None or total > limits.max_gross_e8:
        yield Objection("C12", f"exposure {total} is more than the {limits.max_gross_e8} allowed")


def _scopes(entered: Entered, world: World) -> Iterator[Objection]:
    """Against the bounds of every scope that it is in."""
    asked = [row for row in SCOPE_CHECKS if row[2](entered)]
    for scope, limits in entered.bounds:
        for control, bound, _is_asked, measure in asked:
            most = getattr(limits, bound)
            if most < 0:
                continue
            seen = measure(entered, world, scope)
            if seen is None:
                yield Objection(control, f"{bound} of {scope} cannot be valued")
            elif seen > most:
                text = f"{seen} is more than the {most} of {bound} in {scope}"
                yield Objection(control, f"{text}, version {limits.version}")


def _order_value(entered: Entered, world: World, _scope: str) -> int | None:
    amount = entered.qty * world.worst_price(entered)
    return world.force.worth_e8(entered.report.symbol, amount)


def _open_value(entered: Entered, world: World, scope: str) -> int | None:
    """At reference prices, but this order at its own where that is more."""
    reference = world.force.references[entered.report.symbol].price
    above = entered.more * max(0, world.worst_price(entered) - reference)
    return world.total(scope, lambda line: line.buys + line.sells, {entered.report.symbol: above})


def _position(entered: Entered, world: World, scope: str) -> int:
    line = world.lines.scopes.get(scope, {}).get(entered.report.symbol, Line())
    return line.qty + line.buys if entered.sign > 0 else line.sells - line.qty


def _gross(entered: Entered, world: World, scope: str) -> int | None:
    if not entered.grew[scope.startswith(("strategy:", "client:"))]:
        return 0
    return world.total(scope, lambda line: line.gross, {})


def _net(entered: Entered, world: World, scope: str) -> int | None:
    if entered.sign > 0:
        return world.total(scope, lambda line: line.qty + line.buys, {})
    return world.total(scope, lambda line: line.sells - line.qty, {})


def _turnover(entered: Entered, world: World, scope: str) -> int | None:
    amount = entered.open_qty * world.worst_price(entered)
    worth = world.force.worth_e8(entered.report.symbol, amount)
    return None if worth is None else world.lines.turnover_e8.get(scope, 0) + worth


def _credit(entered: Entered, world: World, _scope: str) -> int | None:
    """Cash that went out, fees, what working buys cost, and what is or may become short."""
    report, force = entered.report, world.force
    used = 0
    for (account, currency), fee_e8 in world.fees.items():
        if account == report.account:
            rate = force.rates.get(currency)
            if rate is None:
                return None
            used += -(-fee_e8 * rate.rate_e9 // RATE)
    for symbol in world.lines.scopes.get(f"account:{report.account}", {}):
        part, price = world.lines.parts[report.account, symbol], force.price(symbol)
        if price is None:
            return None
        spent = -part.cash if part.qty >= 0 else -part.qty * price - part.realised
        short = max(0, part.sells - max(0, part.qty))
        amount = spent + (part.buys + short) * price
        if symbol == report.symbol and entered.sign > 0:
            amount += entered.more * (world.worst_price(entered) - price)
        worth = force.worth_e8(symbol, amount)
        if worth is None:
            return None
        used += worth
    return used


def _always(_entered: Entered) -> bool:
    return True


def _buys_more(entered: Entered) -> bool:
    return entered.more > 0 and entered.sign > 0


def _sells_more(entered: Entered) -> bool:
    return entered.more > 0 and entered.sign < 0


def _adds(entered: Entered) -> bool:
    return entered.more > 0


def _by_algorithm_for_good(entered: Entered) -> bool:
    report = entered.report
    return report.algorithm != BY_HAND and report.time_in_force is TimeInForce.GTC


Measure = Callable[[Entered, World, str], int | None]
SCOPE_CHECKS: tuple[tuple[str, str, Callable[[Entered], bool], Measure], ...] = (
    ("C01", "max_order_qty", _always, lambda entered, _world, _scope: entered.qty),
    ("C02", "max_order_value_e8", _always, _order_value),
    (
        "C10",
        "max_open_orders",
        lambda entered: not entered.is_replace,
        lambda _entered, world, scope: world.lines.orders.get(scope, 0),
    ),
    ("C10", "max_open_value_e8", _adds, _open_value),
    ("C11", "max_long", _buys_more, _position),
    ("C11", "max_short", _sells_more, _position),
    ("C12", "max_gross_e8", _adds, _gross),
    ("C12", "max_net_e8", _adds, _net),
    ("C13", "max_credit_e8", lambda entered: entered.grew[0], _credit),
    ("C15", "max_turnover_e8", _always, _turnover),
    ("C30", "allows_gtc", _by_algorithm_for_good, lambda _entered, _world, _scope: 1),
)
"""Control, bound, whether it is asked of this order, and what is then held against the bound."""
KNOWN = (
    *("C01", "C02", "C03", "C05", "C10", "C11", "C12", "C13"),
    *("C15", "C19", "C20", "C21", "C23", "C28", "C30", "C34"),
)
"""Controls that the second look decides for itself."""
