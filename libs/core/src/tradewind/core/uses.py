# SPDX-License-Identifier: Apache-2.0
"""What a shard uses of the bounds that span shards: as the rules count it, conservatively.

Of a net bound each direction counts by itself: what is long here does not make up for what is short
in another shard, which may be gone before anybody hears of it.
"""

from collections.abc import Callable

from tradewind.core import scopes, shares
from tradewind.core.activity import NOTHING_DONE
from tradewind.core.bounds import UNSET
from tradewind.core.state import State, Tally
from tradewind.core.sums import GROSS, LONG, SHORT, WORKING, total

Use = Callable[[State, str], int | None]


def used(state: State, scope: str, bound: str) -> int | None:
    """What is used of a bound, None if something in it cannot be valued."""
    return USES[bound](state, scope)


def needed(state: State, scope: str, bound: str) -> int | None:
    """The units that what is used takes; None if nobody can say, or nothing bounds it."""
    limits = scopes.in_force(state, scope)
    limit = UNSET if limits is None else getattr(limits, bound)
    use = used(state, scope, bound)
    return None if limit == UNSET or use is None else shares.units_for(limit, use)


def traded_today(state: State, scope: str) -> int:
    """What all orders of a scope have traded today."""
    return state.activity.get(scope, NOTHING_DONE).turnover_e8


def traded_or_working(state: State, scope: str) -> int | None:
    """Traded today, and what works: it must have its room before another shard gets it."""
    working = total(state, scope, WORKING)
    return None if working is None else traded_today(state, scope) + working


def _open_orders(state: State, scope: str) -> int:
    sums = state.tallies.sums.get(scope)
    return 0 if sums is None else sums.orders


def _net(state: State, scope: str) -> int | None:
    long, short = total(state, scope, LONG), total(state, scope, SHORT)
    return None if long is None or short is None else max(0, long, short)


def _long(state: State, scope: str) -> int:
    return max((tally.qty + tally.buy_working for tally in _tallies(state, scope)), default=0)


def _short(state: State, scope: str) -> int:
    return max((tally.sell_working - tally.qty for tally in _tallies(state, scope)), default=0)


def _tallies(state: State, scope: str) -> list[Tally]:
    return list(state.tallies.scopes.get(scope, {}).values())


USES: dict[str, Use] = {
    "max_open_orders": _open_orders,
    "max_open_value_e8": lambda state, scope: total(state, scope, WORKING),
    "max_gross_e8": lambda state, scope: total(state, scope, GROSS),
    "max_net_e8": _net,
    "max_turnover_e8": traded_or_working,
    "max_long": _long,
    "max_short": _short,
}
