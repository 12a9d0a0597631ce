# SPDX-License-Identifier: Apache-2.0
"""What each scope has at stake: sums over positions and live orders, kept as these change.

They follow from the rest of the state (`rebuild` makes them from it), so they are in no digest and
no snapshot; `invariants` compares them with what a rebuild gives.
"""

from collections.abc import Callable

from tradewind.core import scopes
from tradewind.core.exposure import reachable
from tradewind.core.state import LedgerKey, Order, Position, State, Sums, Tallies, Tally
from tradewind.core.sums import outdated

Change = Callable[[Position], None]


def change_position(state: State, account: str, symbol: str, change: Change) -> None:
    """Changes what an account has in an instrument."""
    position = state.positions.get((account, symbol))
    if position is None:
        position = state.positions[account, symbol] = Position()
    _change(position, change, _counts(state.tallies, state, account, symbol))


def change_ledger(state: State, key: LedgerKey, change: Change) -> None:
    """Changes the part of a position that has these attributes."""
    ledger = state.ledgers.get(key)
    if ledger is None:
        ledger = state.ledgers[key] = Position()
    _account, symbol, client, strategy, _algorithm = key
    _change(ledger, change, _parts(state.tallies, symbol, client, strategy))


def entered(state: State, order: Order) -> None:
    """An order is new."""
    _enter(state.tallies, state, order)


def ended(state: State, order: Order) -> None:
    """An order no longer works."""
    if not order.is_parent:
        state.tallies.resting[order.account, order.symbol, order.side].pop(order.order_id)
        _count_order(state.tallies, state, order, -1)


def retired(state: State, order: Order) -> None:
    """An order left memory."""
    if order.parent_order_id:
        state.tallies.children[order.parent_order_id] -= 1


def rebuild(state: State) -> None:
    """Makes all tallies anew."""
    state.tallies = rebuilt(state)


def rebuilt(state: State) -> Tallies:
    """All tallies, from what they follow from."""
    tallies = Tallies()
    for (account, symbol), position in state.positions.items():
        _add_all(_counts(tallies, state, account, symbol), position)
    for (_account, symbol, client, strategy, _algorithm), ledger in state.ledgers.items():
        _add_all(_parts(tallies, symbol, client, strategy), ledger)
    for order in state.orders.values():
        _enter(tallies, state, order)
    return tallies


def _enter(tallies: Tallies, state: State, order: Order) -> None:
    parent = order.parent_order_id
    if parent:
        tallies.children[parent] = tallies.children.get(parent, 0) + 1
    if not order.is_parent and not order.is_final:
        side = tallies.resting.setdefault((order.account, order.symbol, order.side), {})
        side[order.order_id] = order
        _count_order(tallies, state, order, 1)


def _counts(tallies: Tallies, state: State, account: str, symbol: str) -> tuple[Tally, ...]:
    """The tallies that a position counts in."""
    key = (account, symbol)
    found = tallies.of_position.get(key)
    if found is None:
        instrument = state.instruments.get(symbol)
        of = scopes.of_position(account, symbol, instrument.venue if instrument else "")
        found = tallies.of_position[key] = tuple(_tally(tallies, scope, symbol) for scope in of)
    return found


def _parts(tallies: Tallies, symbol: str, client: str, strategy: str) -> tuple[Tally, ...]:
    """The tallies that a part of a position counts in."""
    key = (symbol, client, strategy)
    found = tallies.of_ledger.get(key)
    if found is None:
        of = scopes.of_ledger(client, strategy)
        found = tallies.of_ledger[key] = tuple(_tally(tallies, scope, symbol) for scope in of)
    return found


def _change(position: Position, change: Change, counts: tuple[Tally, ...]) -> None:
    """What changes in a position changes in all that count it."""
    qty, buys, sells = position.qty, position.buy_working, position.sell_working
    gross, cash = reachable(position), position.realised - position.cost
    change(position)
    cash = position.realised - position.cost - cash
    qty, buys = position.qty - qty, position.buy_working - buys
    sells, gross = position.sell_working - sells, reachable(position) - gross
    _add(counts, qty, buys, sells, gross, cash)


def _add(counts: tuple[Tally, ...], qty: int, buys: int, sells: int, gross: int, cash: int) -> None:
    for tally in counts:
        tally.qty += qty
        tally.buy_working += buys
        tally.sell_working += sells
        tally.gross += gross
        tally.cash += cash
        outdated(tally)


def _add_all(counts: tuple[Tally, ...], position: Position) -> None:
    gross, cash = reachable(position), position.realised - position.cost
    _add(counts, position.qty, position.buy_working, position.sell_working, gross, cash)


def _count_order(tallies: Tallies, state: State, order: Order, more: int) -> None:
    of_account = _counts(tallies, state, order.account, order.symbol)
    for tally in (*of_account, *_parts(tallies, order.symbol, order.client, order.strategy)):
        tally.sums.orders += more


def _tally(tallies: Tallies, scope: str, symbol: str) -> Tally:
    of_scope = tallies.scopes.setdefault(scope, {})
    found = of_scope.get(symbol)
    if found is None:
        sums = tallies.sums.setdefault(scope, Sums())
        found = of_scope[symbol] = Tally(symbol=symbol, sums=sums)
        tallies.of_symbol.setdefault(symbol, []).append(found)
        outdated(found)
    return found
