# SPDX-License-Identifier: Apache-2.0
"""Scopes: the projections of an order's attributes that limits and trading states attach to.

    firm   account:DEMO   symbol:BTC-USD   strategy:carry   client:kim   venue:SIM
    account:DEMO/symbol:BTC-USD

In place of a name, `*` stands for each name by itself. What spans shards is bounded in parts, of
which each shard has its own (see `shares`).
"""

from collections.abc import Iterable

from tradewind.core.covers import NONE, Cover, Covers
from tradewind.core.risk_events import ScopeLimitsSet
from tradewind.core.shares import part
from tradewind.core.state import State

FIRM = "firm"
KINDS = ("account", "symbol", "strategy", "client", "venue")


def of_position(account: str, symbol: str, venue: str) -> tuple[str, ...]:
    """The scopes that a position counts in as a whole."""
    mine = f"account:{account}"
    return FIRM, mine, f"symbol:{symbol}", f"venue:{venue}", f"{mine}/symbol:{symbol}"


def of_ledger(client: str, strategy: str) -> tuple[str, ...]:
    """The scopes that a part of a position counts in by its attributes."""
    return f"strategy:{strategy}", f"client:{client}"


def of(state: State, account: str, symbol: str, client: str, strategy: str) -> tuple[str, ...]:
    """Every scope that covers what somebody does in an instrument; of an unknown one, fewer."""
    instrument = state.instruments.get(symbol)
    if instrument is None:
        return FIRM, f"account:{account}", f"client:{client}"
    key = (account, symbol, client, strategy)
    found = state.tallies.names.get(key)
    if found is None:
        found = (*of_position(account, symbol, instrument.venue), *of_ledger(client, strategy))
        state.tallies.names[key] = found
    return found


def covering(state: State, scopes: tuple[str, ...]) -> Covers:
    """All limits that hold for the scopes of an order, those with wildcards too.

    What was found is kept until limits change; limits that expire are looked for each time.
    """
    if not any_limits(state):
        return NONE
    if state.temporary_limits:
        return _covers(state, scopes)
    found = state.tallies.covers.get(scopes)
    if found is None:
        found = _covers(state, scopes)
        state.tallies.covers[scopes] = found
    return found


def _covers(state: State, scopes: tuple[str, ...]) -> Covers:
    return Covers(covering_any(state, scopes), lambda limits, bound: part(state, limits, bound))


def covering_any(state: State, scopes: tuple[str, ...]) -> tuple[Cover, ...]:
    """As `covering`, for scopes that are no order's."""
    found = []
    for scope in scopes:
        for pattern in (scope, *_wildcards(scope)):
            limits = in_force(state, pattern)
            if limits is not None:
                found.append((scope, limits))
    return tuple(found)


def repetition(state: State) -> tuple[int, int]:
    """The most of the same, and the longest window, that limits of any scope look at (C07)."""
    found = state.tallies.repetition
    if found is None:
        every = (*state.scope_limits.values(), *state.temporary_limits.values())
        found = state.tallies.repetition = repetition_of(every)
    return found


def repetition_of(every: Iterable[ScopeLimitsSet]) -> tuple[int, int]:
    """The same of these limits."""
    most = window_ms = 0
    for limits in every:
        most = max(most, limits.max_duplicates)
        window_ms = max(window_ms, limits.duplicate_window_ms)
    return most, window_ms


def any_limits(state: State) -> bool:
    """Some scope has limits."""
    return bool(state.scope_limits or state.temporary_limits)


def in_force(state: State, scope: str) -> ScopeLimitsSet | None:
    """A scope's limits now: those that expire while they last, else those that stay."""
    limits = state.temporary_limits.get(scope)
    if limits is not None and state.ts_ns < limits.expires_ns:
        return limits
    return state.scope_limits.get(scope)


def is_scope(text: str) -> bool:
    """The text names a scope, or all of a kind."""
    if text == FIRM:
        return True
    kinds = [part.partition(":") for part in text.split("/")]
    if not all(colon and name for _kind, colon, name in kinds):
        return False
    names = tuple(kind for kind, _colon, _name in kinds)
    return names == ("account", "symbol") or (len(names) == 1 and names[0] in KINDS)


def _wildcards(scope: str) -> tuple[str, ...]:
    if scope == FIRM:
        return ()
    first, slash, second = scope.partition("/")
    kind = first.partition(":")[0]
    if not slash:
        return (f"{kind}:*",)
    return f"{first}/symbol:*", f"account:*/{second}", "account:*/symbol:*"
