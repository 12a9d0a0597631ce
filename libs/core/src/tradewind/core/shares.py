# SPDX-License-Identifier: Apache-2.0
"""A bound of a scope that spans shards, exact over all of them: each shard has a part of it (C12).

What a shard holds is a number of units, `WHOLE` of which are everything: no amount. So a bound may
be set, raised, lowered, approved and run out, and every shard's part follows at its own entry.
Units leave one shard before they reach another, so all shards together never hold more than
`WHOLE`, whatever is lost on the way.

A bound that is lowered has been used at its higher value by shards that this one does not see.
Until all are known to hold the lower one (`agreed`), the whole difference is taken off every part.
"""

from tradewind.core.bounds import UNSET
from tradewind.core.parts import Share
from tradewind.core.risk_events import ScopeLimitsSet
from tradewind.core.state import State

WHOLE = 2**62
SLACK = WHOLE // 1024
"""Makes up for what parts lose by rounding; of all shards together it stays below one whole."""
SHARDS_MAX = 1000
DIVISION = "bounds"
"""Where a state keeps the one division that there is."""

DIVISIBLE = (
    "max_open_orders",
    "max_open_value_e8",
    "max_gross_e8",
    "max_net_e8",
    "max_turnover_e8",
    "max_long",
    "max_short",
)
"""What adds up over shards. All else is about one order, one parent, or one window of time."""


def spans(scope: str) -> bool:
    """More than one shard may act in it: it is no account's, nor every one of a kind by itself."""
    return not scope.startswith("account:") and "*" not in scope


def is_divided(state: State, scope: str) -> bool:
    """This scope's bounds hold over all shards together."""
    return bool(state.divisions) and spans(scope)


def share_of(state: State, scope: str, bound: str) -> Share:
    """What this shard holds of a bound; an equal part if none was ever moved."""
    held = state.shares.get((scope, bound))
    return held if held is not None else Share(units=WHOLE // state.divisions[DIVISION].shards)


def part(state: State, limits: ScopeLimitsSet, bound: str) -> int:
    """What this shard may use of a bound; all of it where it is not divided."""
    limit: int = getattr(limits, bound)
    if limit == UNSET or bound not in DIVISIBLE or not is_divided(state, limits.scope):
        return limit
    share = share_of(state, limits.scope, bound)
    if share.agreed == UNSET:
        return 0
    highest = max(share.agreed, limit)
    return max(0, amount(highest, share.units) - (highest - limit))


def amount(limit: int, units: int) -> int:
    """What so many units of a limit are; those of all shards together never exceed it."""
    return (limit * units + SLACK) // WHOLE


def units_for(limit: int, used: int) -> int:
    """The fewest units that hold so much of a limit; more than WHOLE if it does not."""
    if used <= 0:
        return 0
    if limit <= 0:
        return WHOLE + 1
    return -((SLACK - used * WHOLE) // limit)
