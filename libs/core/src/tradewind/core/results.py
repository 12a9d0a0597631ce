# SPDX-License-Identifier: Apache-2.0
"""A scope's result of the day, realised and not, and what follows when it loses too much.

Every reference price is a reason to look: no new order is needed for a scope to be reduced. What
counts is what came after the day began, or after the scope got such a bound.
"""

from tradewind.core import scopes
from tradewind.core.bounds import UNSET
from tradewind.core.covers import Cover
from tradewind.core.events import Event, ReferencePriceSet, TradingStateSet
from tradewind.core.risk_events import ScopeLimitsSet
from tradewind.core.state import Result, State
from tradewind.core.sums import RESULT, result_at, total
from tradewind.core.types import TradingState

NOTHING_YET = Result(base_e8=0, peak_e8=0)


def reduced(state: State, reference: ReferencePriceSet) -> tuple[Event, ...]:
    """Scopes that lose more than they may at this price may only reduce from now on (C25, C26)."""
    found: list[Event] = []
    for scope, limits in _watched(state):
        now = result_at(state, scope, reference)
        if now is None or is_reduced(state, scope):
            continue
        known = state.results.get(scope, NOTHING_YET)
        for code, word, limit, lost in (
            ("C25", "loss", limits.max_loss_e8, known.base_e8 - now),
            ("C26", "drawdown", limits.max_drawdown_e8, known.peak_e8 - now),
        ):
            if limit != UNSET and lost > limit:
                found.append(
                    TradingStateSet(
                        scope=scope,
                        state=TradingState.REDUCING,
                        actor="core",
                        reason=f"{code} {word} {lost} of {limit}, version {limits.version}",
                    )
                )
                break
    return tuple(found)


def follow(state: State, reference: ReferencePriceSet) -> None:
    """Remembers each scope's best result."""
    for scope, _limits in _watched(state):
        now = result_at(state, scope, reference)
        if now is not None:
            known = state.results.setdefault(scope, Result(base_e8=0, peak_e8=0))
            known.peak_e8 = max(known.peak_e8, now)


def begin(state: State) -> None:
    """What is not known yet begins with the result that it has now."""
    for scope, _limits in _watched(state):
        now = total(state, scope, RESULT)
        if now is not None and scope not in state.results:
            state.results[scope] = Result(base_e8=now, peak_e8=now)


def _watched(state: State) -> list[Cover]:
    """Scopes with such a bound, each with its own and those of wildcards, in a fixed order.

    What was found is kept until limits change or a scope is new; limits that expire are looked for
    each time.
    """
    known = state.tallies.losing
    count = len(state.tallies.scopes)
    if state.temporary_limits:
        return _found(state)
    if count not in known:
        known.clear()
        known[count] = _found(state)
    return known[count]


def _found(state: State) -> list[Cover]:
    tables = (state.scope_limits, state.temporary_limits)
    if not any(_is_bounded(limits) for table in tables for limits in table.values()):
        return []
    return [
        cover
        for cover in scopes.covering_any(state, tuple(sorted(state.tallies.scopes)))
        if _is_bounded(cover[1])
    ]


def _is_bounded(limits: ScopeLimitsSet) -> bool:
    return limits.max_loss_e8 != UNSET or limits.max_drawdown_e8 != UNSET


def is_reduced(state: State, scope: str) -> bool:
    """Its own trading state is not ACTIVE: nobody has to be told again."""
    found = state.trading_states.get(scope)
    return found is not None and found.state is not TradingState.ACTIVE
