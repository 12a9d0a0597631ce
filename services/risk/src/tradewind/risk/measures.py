# SPDX-License-Identifier: Apache-2.0
"""What is held against the bounds of a scope once an accepted order counts; None has no value."""

from tradewind.core.types import OrdType
from tradewind.risk.entered import BPS, Entered, World
from tradewind.risk.in_force import RATE, REVISED_CONTROLS
from tradewind.risk.lines import Line, counted

FREE_MESSAGES = 100
"""So many messages of a day are not held against its trades."""


def order_value(entered: Entered, world: World, _scope: str) -> int | None:
    """What all of it is worth at its limit, or at the worst price that it may get."""
    amount = entered.qty * world.worst_price(entered)
    return world.force.worth_e8(entered.report.symbol, amount)


def open_value(entered: Entered, world: World, scope: str) -> int | None:
    """At reference prices, but this order at its own where that is more."""
    reference = world.force.references[entered.report.symbol].price
    above = entered.more * max(0, world.worst_price(entered) - reference)
    return world.total(scope, lambda line: line.buys + line.sells, {entered.report.symbol: above})


def position(entered: Entered, world: World, scope: str) -> int:
    """What is held and works on its side."""
    line = world.ledger.lines.scopes.get(scope, {}).get(entered.report.symbol, Line())
    return line.qty + line.buys if entered.sign > 0 else line.sells - line.qty


def gross(entered: Entered, world: World, scope: str) -> int | None:
    """The largest positions that can be reached, if it makes this one larger."""
    if not entered.grew[scope.startswith(("strategy:", "client:"))]:
        return 0
    return world.total(scope, lambda line: line.gross, {})


def net(entered: Entered, world: World, scope: str) -> int | None:
    """What is held and works on its side, in all instruments."""
    if entered.sign > 0:
        return world.total(scope, lambda line: line.qty + line.buys, {})
    return world.total(scope, lambda line: line.sells - line.qty, {})


def turnover(entered: Entered, world: World, scope: str) -> int | None:
    """What was traded today, and it."""
    amount = entered.open_qty * world.worst_price(entered)
    worth = world.force.worth_e8(entered.report.symbol, amount)
    return None if worth is None else world.ledger.today.of(scope).turnover_e8 + worth


def credit(entered: Entered, world: World, _scope: str) -> int | None:
    """Cash that went out, fees, what working buys cost, and what is or may become short."""
    report, force = entered.report, world.force
    used = 0
    for (account, currency), fee_e8 in world.ledger.fees.items():
        if account == report.account:
            rate = force.rates.get(currency)
            if rate is None:
                return None
            used += -(-fee_e8 * rate.rate_e9 // RATE)
    for symbol in world.ledger.lines.scopes.get(f"account:{report.account}", {}):
        part, price = world.ledger.lines.parts[report.account, symbol], force.price(symbol)
        if not any((*counted(part), part.cash)):
            continue
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


def jump(entered: Entered, world: World, _scope: str) -> int | None:
    """How far apart, in whole basis points, the reference has been in the last seconds."""
    found = world.extremes(entered)
    return None if found is None else _bps(world, found[1] - found[0], found[0])


def moved(entered: Entered, world: World, _scope: str) -> int | None:
    """How far, in whole basis points, its price is beyond where the reference has been."""
    found = world.extremes(entered)
    if found is None:
        return None
    low, high = found
    price = entered.price or world.force.references[entered.report.symbol].price
    away, of = (price - low, low) if entered.sign > 0 else (high - price, high)
    return _bps(world, away, of)


def _bps(world: World, distance: int, of: int) -> int:
    if REVISED_CONTROLS in world.force.switches:
        return -(-distance * BPS // of)
    return distance * BPS // of


def messages_per_trade(_entered: Entered, world: World, scope: str) -> int:
    """Of the day, it among them, the first ones apart."""
    done = world.ledger.today.of(scope)
    return -(-max(0, done.messages - FREE_MESSAGES) // max(1, done.trades))


def meets_own(entered: Entered, world: World, _scope: str) -> int:
    """1 if it could trade with an order of its own account's."""
    report = entered.report
    best = world.ledger.resting.best(report.account, report.symbol, report.side.opposite)
    is_met = best is not None and (
        report.ord_type is OrdType.MARKET or (entered.price - best) * entered.sign >= 0
    )
    return int(is_met)


def children(entered: Entered, _world: World, _scope: str) -> int:
    """How many its parent has, with it."""
    return 0 if entered.family is None else entered.family.children


def parent_value(entered: Entered, world: World, scope: str) -> int | None:
    """What a parent may trade; without a reference price nobody can say."""
    known = world.force.price(entered.report.symbol) is not None
    return order_value(entered, world, scope) if known else None
