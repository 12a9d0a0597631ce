# SPDX-License-Identifier: Apache-2.0
"""What an account has at stake over all instruments, in one currency, and its limit (C12).

Orders entered count, not executions (17 CFR 240.15c3-5(c)(1)(i)): in each instrument it is the
largest position that the working orders can lead to, at the reference price. Every currency needs
a rate, the base currency too: what has no value is not worth nothing.
"""

from tradewind.core.events import InstrumentDefined
from tradewind.core.state import Position, State
from tradewind.core.terms import Intent
from tradewind.core.types import Reason, Side

_VALUE = 10**8
"""Values are in 1e-8 of the base currency, rounded up in each instrument."""
_RATE = 10**9
MILLISECOND_NS = 1_000_000


def exposure_within(state: State, intent: Intent) -> Reason | None:
    """The account's exposure stays within its limit, or at least does not grow.

    Accounts without such a limit are bounded by their limits in each instrument alone.
    """
    limits = state.account_limits.get(intent.account)
    if limits is None:
        return None
    before = state.position(intent.account, intent.symbol)
    after = reachable_with(before, intent)
    if after <= reachable(before):
        return None
    total = 0
    for symbol, instrument in state.instruments.items():
        is_this = symbol == intent.symbol
        lots = after if is_this else reachable(state.position(intent.account, symbol))
        if not lots:
            continue
        wrong = _unpriced(state, symbol, instrument.currency, limits.max_rate_age_ms)
        if wrong is not None:
            return wrong
        total += value_e8(state, instrument, lots)
    return Reason.MAX_EXPOSURE if total > limits.max_gross_e8 else None


def reachable(position: Position) -> int:
    """The largest position, in lots of either sign, that working orders can lead to."""
    return max(
        abs(position.qty + position.buy_working),
        abs(position.qty - position.sell_working),
    )


def gross_e8(state: State, account: str) -> int | None:
    """The account's exposure in 1e-8 of the base currency; None if something has no price."""
    total = 0
    for symbol, instrument in state.instruments.items():
        lots = reachable(state.position(account, symbol))
        if not lots:
            continue
        if symbol not in state.references or instrument.currency not in state.fx_rates:
            return None
        total += value_e8(state, instrument, lots)
    return total


def value_e8(state: State, instrument: InstrumentDefined, lots: int) -> int:
    """What so many lots are worth at the reference price, rounded up."""
    worth = worth_e8(state, instrument.symbol, lots, state.references[instrument.symbol].price)
    assert worth is not None  # it has a rate
    return worth


def worth_e8(state: State, symbol: str, lots: int, price: int) -> int | None:
    """What so many lots are worth at a price, rounded up; None without a rate."""
    one = value_of_one(state, symbol)
    return None if one is None else -(-lots * price * one[0] // one[1])


def value_of_one(state: State, symbol: str) -> tuple[int, int] | None:
    """What one lot at one tick is worth now, as a fraction; None without a rate."""
    instrument = state.instruments.get(symbol)
    rate = state.fx_rates.get(instrument.currency) if instrument is not None else None
    if instrument is None or rate is None:
        return None
    units = state.tallies.units
    found = units.get(symbol)
    if found is None:
        found = units[symbol] = _unit(instrument)
    factor, divisor = found
    return rate.rate_e9 * factor, divisor


def _unit(instrument: InstrumentDefined) -> tuple[int, int]:
    """What one lot at one tick is worth at a rate of 1e-9, as a fraction."""
    tick, tick_digits = scaled(instrument.tick_size)
    lot, lot_digits = scaled(instrument.lot_size)
    return lot * tick * _VALUE, _RATE * 10 ** (tick_digits + lot_digits)


def scaled(size: str) -> tuple[int, int]:
    """An exact decimal as an integer and how many of its digits are decimals.

    Raises:
        ValueError: if it is no plain decimal.
    """
    whole, _, decimals = size.partition(".")
    digits = whole + decimals
    if not (digits.isascii() and digits.isdigit()):
        raise ValueError(f"{size!r} is no plain decimal")
    return int(digits), len(decimals)


def reachable_with(position: Position, intent: Intent) -> int:
    """What is reachable once `intent` works too."""
    more = intent.open_qty - intent.replaced_qty
    buys, sells = position.buy_working, position.sell_working
    if intent.side is Side.BUY:
        buys += more
    else:
        sells += more
    return max(abs(position.qty + buys), abs(position.qty - sells))


def _unpriced(state: State, symbol: str, currency: str, max_rate_age_ms: int) -> Reason | None:
    """What is missing for a value: a price, a rate, or a fresh rate."""
    reference, rate = state.references.get(symbol), state.fx_rates.get(currency)
    if reference is None or reference.price <= 0:
        return Reason.NO_REFERENCE_PRICE
    if rate is None:
        return Reason.NO_FX_RATE
    is_old = state.ts_ns - rate.ts_ns > max_rate_age_ms * MILLISECOND_NS
    return Reason.STALE_FX_RATE if is_old else None
