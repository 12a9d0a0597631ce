# SPDX-License-Identifier: Apache-2.0
"""Bounds on what a scope has at stake: orders, positions, exposure, credit, turnover.

Orders entered count, not executions. An amount that cannot be valued denies.
"""

from collections.abc import Callable
from dataclasses import replace

from tradewind.core import logic
from tradewind.core.exposure import reachable, reachable_with, worth_e8
from tradewind.core.share_events import ShareWanted
from tradewind.core.state import Position, State, Tally
from tradewind.core.sums import GROSS, LONG, SHORT, WORKING, total
from tradewind.core.terms import SHAPES, Denial, Intent, over
from tradewind.core.types import Reason, Side
from tradewind.core.uses import traded_or_working, traded_today

BPS = 10_000
NO_TALLY = Tally()


def orders_within(state: State, intent: Intent) -> Reason | Denial | None:
    """Working orders: how many, and what they are worth (C10)."""
    more = 0 if intent.is_replace else 1
    reference = state.references[intent.symbol].price
    lots = intent.open_qty - intent.replaced_qty

    def count(scope: str) -> int:
        sums = state.tallies.sums.get(scope)
        return more if sums is None else sums.orders + more

    def value(scope: str) -> int | None:
        working = total(state, scope, WORKING)
        price = max(worst_price(state, intent), reference)
        added = worth_e8(state, intent.symbol, lots, price)
        return None if working is None or added is None else working + added

    found = first_over(intent, "max_open_orders", Reason.MAX_OPEN_ORDERS, count) if more else None
    if found is not None or lots <= 0:
        return found
    return first_over(intent, "max_open_value_e8", Reason.MAX_OPEN_VALUE, value)


def position_in_scopes(state: State, intent: Intent) -> Reason | Denial | None:
    """What a scope holds and has working on the same side (C11), in lots of the instrument."""
    more = intent.open_qty - intent.replaced_qty
    if more <= 0:
        return None

    def worst(scope: str) -> int:
        tally = _tallies(state, scope).get(intent.symbol, NO_TALLY)
        is_buy = intent.side is Side.BUY
        working = tally.buy_working if is_buy else tally.sell_working
        return intent.side.sign * tally.qty + working + more

    bound = "max_long" if intent.side is Side.BUY else "max_short"
    return first_over(intent, bound, Reason.MAX_POSITION, worst)


def exposure_in_scopes(state: State, intent: Intent) -> Reason | Denial | None:
    """Gross and net exposure, orders entered, over all instruments of a scope (C12)."""
    more = intent.open_qty - intent.replaced_qty
    if more <= 0:
        return None
    side = LONG if intent.side is Side.BUY else SHORT

    def gross(scope: str) -> int | None:
        before = _part(state, scope, intent)
        grown = reachable_with(before, intent) - reachable(before)
        if grown <= 0:
            return 0
        added = worth_e8(state, intent.symbol, grown, state.references[intent.symbol].price)
        held = total(state, scope, GROSS)
        return None if held is None or added is None else held + added

    def net(scope: str) -> int | None:
        held = total(state, scope, side)
        added = worth_e8(state, intent.symbol, more, state.references[intent.symbol].price)
        return None if held is None or added is None else held + added

    return first_over(intent, "max_gross_e8", Reason.MAX_EXPOSURE, gross) or first_over(
        intent, "max_net_e8", Reason.MAX_EXPOSURE, net
    )


def credit_within(state: State, intent: Intent) -> Reason | Denial | None:
    """What the account has bought, may buy, is short of and paid in fees (C13)."""
    before = state.position(intent.account, intent.symbol)
    if reachable_with(before, intent) <= reachable(before):
        return None

    def used(_scope: str) -> int | None:
        return _credit_used(state, intent)

    return first_over(intent, "max_credit_e8", Reason.CREDIT_EXCEEDED, used)


def turnover_within(state: State, intent: Intent) -> Reason | Denial | None:
    """What was traded today, with this order (C15); where it is divided, with all that works."""
    more = max(0, intent.open_qty - intent.replaced_qty)

    def traded(scope: str) -> int | None:
        price = worst_price(state, intent)
        added = worth_e8(state, intent.symbol, intent.open_qty, price)
        alone = None if added is None else traded_today(state, scope) + added
        if not more or (scope, "max_turnover_e8") not in state.shares:
            return alone
        before = traded_or_working(state, scope)
        grown = worth_e8(state, intent.symbol, more, price)
        if alone is None or before is None or grown is None:
            return None
        return max(alone, before + grown)

    return first_over(intent, "max_turnover_e8", Reason.MAX_TURNOVER, traded)


def worst_price(state: State, intent: Intent) -> int:
    """What the order could trade at: its limit, or else the collar's worst price; never zero."""
    if SHAPES[intent.ord_type].has_price:
        return intent.price
    limits = state.limits.get((intent.account, intent.symbol))
    reference = max(state.references[intent.symbol].price, intent.stop_px)
    return reference + -(-reference * (limits.collar_bps if limits is not None else 0) // BPS)


def first_over(
    intent: Intent, bound: str, reason: Reason, seen: Callable[[str], int | None]
) -> Denial | None:
    """The first scope whose bound is exceeded, or where nobody can say whether it is."""
    for scope, limit, version in intent.limits.of(bound):
        value = seen(scope)
        if value is None:
            return Denial(reason=Reason.NO_FX_RATE, text=f"{bound} of {scope} cannot be valued")
        if value > limit:
            whole = intent.limits.whole(bound, scope, version)
            denial = over(reason, value, limit, scope, version)
            return denial if whole == limit else _short(denial, bound, scope, value, whole)
    return None


def _short(denial: Denial, bound: str, scope: str, value: int, whole: int) -> Denial:
    """This shard's part is too small; another's may have the room."""
    wants = ShareWanted(scope=scope, bound=bound, amount=value) if value <= whole else None
    text = f"{denial.text}, a part of {whole} over all shards"
    return replace(denial, text=text, wants=wants)


def _tallies(state: State, scope: str) -> dict[str, Tally]:
    return state.tallies.scopes.get(scope, {})


def _part(state: State, scope: str, intent: Intent) -> Position:
    """The part of a scope that the order changes: a position, or a ledger by its attributes."""
    if not scope.startswith(("strategy:", "client:")):
        return state.position(intent.account, intent.symbol)
    client, strategy, algorithm, _build = intent.attribution
    key = (intent.account, intent.symbol, client, strategy, algorithm)
    return state.ledgers.get(key) or Position()


def _is_empty(state: State, account: str, symbol: str) -> bool:
    position = state.position(account, symbol)
    return not (reachable(position) or position.qty or position.cost or position.realised)


def _credit_used(state: State, intent: Intent) -> int | None:
    """In each instrument: cash spent, working buys, and what is or may become short."""
    parts: list[int | None] = []
    for (account, currency), fees in state.fees.items():
        if account == intent.account:
            rate = state.fx_rates.get(currency)
            parts.append(None if rate is None else -(-fees.amount_e8 * rate.rate_e9 // 10**9))
    is_revised = logic.is_on(state, logic.REVISED_CONTROLS)
    for symbol in {intent.symbol: None, **_tallies(state, f"account:{intent.account}")}:
        if is_revised and symbol != intent.symbol and _is_empty(state, intent.account, symbol):
            continue
        reference = state.references.get(symbol)
        if reference is None:
            return None
        position = state.position(intent.account, symbol)
        buys, sells = position.buy_working * reference.price, position.sell_working
        more = intent.open_qty - intent.replaced_qty if symbol == intent.symbol else 0
        if intent.side is Side.BUY:
            buys += more * worst_price(state, intent)
        else:
            sells += more
        held = position.cost if position.qty >= 0 else -position.qty * reference.price
        short = max(0, sells - max(0, position.qty)) * reference.price
        parts.append(worth_e8(state, symbol, 1, held - position.realised + buys + short))
    known = [part for part in parts if part is not None]
    return sum(known) if len(known) == len(parts) else None
