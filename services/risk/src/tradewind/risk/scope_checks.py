# SPDX-License-Identifier: Apache-2.0
"""What the second look asks of an accepted order in every scope that it is in."""

from collections.abc import Callable, Iterator

from tradewind.core.types import TimeInForce
from tradewind.risk.entered import Entered, Objection, World
from tradewind.risk.in_force import MILLISECOND_NS, RATE
from tradewind.risk.lines import Line

BY_HAND = "NONE"


def of_scopes(entered: Entered, world: World) -> Iterator[Objection]:
    """Against the bounds of every scope that it is in."""
    asked = [row for row in SCOPE_CHECKS if row[2](entered)]
    for scope, bounds in entered.bounds:
        if not bounds.of:
            continue
        for control, bound, _is_asked, measure in asked:
            most = bounds.of.get(bound)
            if most is None:
                continue
            seen = measure(entered, world, scope)
            if seen is None:
                yield Objection(control, f"{bound} of {scope} cannot be valued")
            elif seen > most:
                text = f"{seen} is more than the {most} of {bound} in {scope}"
                yield Objection(control, f"{text}, version {bounds.version}")


def of_account(entered: Entered, world: World) -> Iterator[Objection]:
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
