# SPDX-License-Identifier: Apache-2.0
"""What a scope has at stake over all its instruments, in 1e-8 of the base currency.

Values move with prices, rates and positions, and an order may ask for several of them: so each is
kept as a sum, and only what changed since it was last asked for is valued anew. Each instrument's
part is rounded up by itself, so a sum is the same however it came about.
"""

from tradewind.core.events import ReferencePriceSet
from tradewind.core.exposure import value_of_one
from tradewind.core.state import State, Sums, Tally

WORKING, GROSS, LONG, SHORT, RESULT = KINDS = range(5)
"""Working orders; what positions can become; net with all buys, net with all sells (what is short
counts); cash that came in and what is held at its price."""
NOTHING: tuple[int | None, ...] = (0,) * len(KINDS)


def total(state: State, scope: str, kind: int) -> int | None:
    """A scope's value of this kind; None if a part of it has no price or no rate."""
    sums = _fresh(state, scope)
    if sums is None:
        return 0
    return None if sums.unvalued[kind] else sums.totals[kind]


def result_at(state: State, scope: str, reference: ReferencePriceSet) -> int | None:
    """The scope's result at this price of an instrument, whatever price is known."""
    sums = _fresh(state, scope)
    if sums is None or reference.symbol not in sums.parts:
        return total(state, scope, RESULT)
    known = sums.parts[reference.symbol][RESULT]
    one = value_of_one(state, reference.symbol)
    if one is None or sums.unvalued[RESULT] - (known is None):
        return None
    tally = state.tallies.scopes[scope][reference.symbol]
    now = _worth(one, tally.cash + tally.qty * reference.price)
    return sums.totals[RESULT] - (known or 0) + now


def repriced(state: State, symbol: str) -> None:
    """An instrument has another price."""
    for tally in state.tallies.of_symbol.get(symbol, ()):
        outdated(tally)


def revalued(state: State, currency: str) -> None:
    """A currency has another rate."""
    for symbol, instrument in state.instruments.items():
        if instrument.currency == currency:
            repriced(state, symbol)


def outdated(tally: Tally) -> None:
    """What a tally is worth has changed."""
    if not tally.is_outdated:
        tally.is_outdated = True
        tally.sums.outdated.append(tally)


def _fresh(state: State, scope: str) -> Sums | None:
    sums = state.tallies.sums.get(scope)
    if sums is not None and sums.outdated:
        for tally in sums.outdated:
            tally.is_outdated = False
            _count(sums, tally.symbol, parts_of(state, tally))
        sums.outdated.clear()
    return sums


def _count(sums: Sums, symbol: str, parts: tuple[int | None, ...]) -> None:
    before = sums.parts.get(symbol, NOTHING)
    sums.parts[symbol] = parts
    for kind in KINDS:
        old, new = before[kind], parts[kind]
        sums.unvalued[kind] += (new is None) - (old is None)
        sums.totals[kind] += (new or 0) - (old or 0)


def parts_of(state: State, tally: Tally) -> tuple[int | None, ...]:
    """One instrument's part of each kind, None where it has no price or no rate."""
    reference, one = state.references.get(tally.symbol), value_of_one(state, tally.symbol)
    counted = (
        tally.buy_working + tally.sell_working,
        tally.gross,
        tally.qty + tally.buy_working,
        tally.sell_working - tally.qty,
    )
    if one is None:
        return (*(None if lots else 0 for lots in counted), None)
    if reference is None:
        cash = None if tally.qty else _worth(one, tally.cash)
        return (*(None if lots else 0 for lots in counted), cash)
    price = reference.price
    cash = _worth(one, tally.cash + tally.qty * price)
    return (*(_worth(one, lots * price) for lots in counted), cash)


def _worth(one: tuple[int, int], amount: int) -> int:
    """What ticks x lots are worth, rounded up; `one` of them as a fraction."""
    return -(-amount * one[0] // one[1])
