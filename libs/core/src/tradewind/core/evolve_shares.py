# SPDX-License-Identifier: Apache-2.0
"""How a shard's parts of bounds change."""

from tradewind.core import shares
from tradewind.core.bounds import UNSET
from tradewind.core.commands import Entry
from tradewind.core.events import (
    BoundAgreed,
    BoundsDivided,
    ScopeLimitsSet,
    ShareGiven,
    ShareTaken,
)
from tradewind.core.parts import Share, Transfer
from tradewind.core.state import State


def bounds_divided(state: State, _entry: Entry, event: BoundsDivided) -> None:
    """What is bounded already may be used if nothing was: else it has to be agreed upon first."""
    state.divisions[shares.DIVISION] = event
    for table in (state.scope_limits, state.temporary_limits):
        for scope, limits in table.items():
            for bound in _bounded(limits) if shares.spans(scope) else ():
                share = _held(state, scope, bound)
                share.since_seq = state.seq
                if event.is_new:
                    share.agreed = max(share.agreed, getattr(limits, bound))
    state.tallies.covers.clear()


def limits_set(state: State, event: ScopeLimitsSet) -> None:
    """Before the limits change: the highest value that a shard may have used is kept.

    A version that does not follow the last one was preceded by others that this shard never had.
    """
    if not shares.is_divided(state, event.scope):
        return
    tables = (state.scope_limits, state.temporary_limits)
    known = [limits for table in tables if (limits := table.get(event.scope)) is not None]
    follows = event.version == max((limits.version for limits in known), default=0) + 1
    for bound in shares.DIVISIBLE:
        limit = getattr(event, bound)
        if limit == UNSET and (event.scope, bound) not in state.shares:
            continue
        share = _held(state, event.scope, bound)
        is_known = follows and UNSET not in (share.agreed, limit)
        highest = max(limit, share.agreed, *(getattr(limits, bound) for limits in known), UNSET)
        share.agreed = highest if is_known else UNSET
        share.since_seq = state.seq


def share_given(state: State, _entry: Entry, event: ShareGiven) -> None:
    """They are not here any more, whether the other has them yet or not."""
    _held(state, event.scope, event.bound).units = event.left
    transfer = _transfer(state, event)
    transfer.given, transfer.units = event.number, event.units
    state.tallies.covers.clear()


def share_taken(state: State, _entry: Entry, event: ShareTaken) -> None:
    """They may be used from here on."""
    _held(state, event.scope, event.bound).units = event.held
    _transfer(state, event).taken = event.number
    state.tallies.covers.clear()


def bound_agreed(state: State, _entry: Entry, event: BoundAgreed) -> None:
    """No shard uses a higher one."""
    _held(state, event.scope, event.bound).agreed = event.limit
    state.tallies.covers.clear()


def _held(state: State, scope: str, bound: str) -> Share:
    return state.shares.setdefault((scope, bound), shares.share_of(state, scope, bound))


def _transfer(state: State, event: ShareGiven | ShareTaken) -> Transfer:
    return state.transfers.setdefault((event.scope, event.bound, str(event.shard)), Transfer())


def _bounded(limits: ScopeLimitsSet) -> list[str]:
    return [bound for bound in shares.DIVISIBLE if getattr(limits, bound) != UNSET]
