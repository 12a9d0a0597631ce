# SPDX-License-Identifier: Apache-2.0
"""Which shard should have how much of a bound that spans shards. Pure: answers in, steps out.

Nothing here is trusted: a shard gives at most what it does not use, takes each transfer once, and
agrees to no limit but the one it holds. A plan made of old answers is refused or does no harm.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from tradewind.core.bounds import UNSET
from tradewind.core.commands import AgreeBound, Command, GiveShare, TakeShare
from tradewind.core.shares import units_for

SHORT_OF = 4
"""A shard is short when it has less than this fraction of the free room that would be its part."""

Key = tuple[str, str]
"""A scope and a bound of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """A shard's part of one bound: its limit (UNSET without), its units, those that it needs."""

    limit: int
    version: int
    agreed: int
    since_seq: int
    units: int
    needed: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """The transfers of one bound to another shard and from it."""

    given: int
    units: int
    taken: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What one shard says of itself; `sent` by bound and other shard."""

    holdings: Mapping[Key, Holding]
    sent: Mapping[tuple[Key, int], Sent]


Wants = Mapping[tuple[Key, int], int]
"""Amounts that orders would have taken a shard to, had its part been larger."""
Step = tuple[int, Command]
"""An entry, and the shard it is for."""
_NONE = Sent(given=0, units=0, taken=0)


def steps(told: Mapping[int, Told], wants: Wants, shards: int) -> list[Step]:
    """What to journal now. `told` may lack shards that did not answer."""
    found: list[Step] = []
    for key in sorted({key for answer in told.values() for key in answer.holdings}):
        arriving = _arriving(told, key)
        found += arriving
        found += _agreements(told, key, shards)
        if not arriving:
            found += _moves(told, key, wants)
    return found


def _arriving(told: Mapping[int, Told], key: Key) -> list[Step]:
    """What one has given and the other has not taken yet: the step that makes it whole again."""
    scope, bound = key
    found: list[Step] = []
    for giver, answer in sorted(told.items()):
        for taker in sorted(told):
            sent = answer.sent.get((key, taker), _NONE)
            if sent.given > told[taker].sent.get((key, giver), _NONE).taken:
                taken = TakeShare(
                    scope=scope, bound=bound, shard=giver, number=sent.given, units=sent.units
                )
                found.append((taker, taken))
    return found


def _agreements(told: Mapping[int, Told], key: Key, shards: int) -> list[Step]:
    """All hold the same limit and need no more than they have: it may be used."""
    held = {shard: answer.holdings.get(key) for shard, answer in sorted(told.items())}
    known = {shard: holding for shard, holding in held.items() if holding is not None}
    terms = {(holding.limit, holding.version) for holding in known.values()}
    fits = all(h.needed is not None and h.needed <= h.units for h in known.values())
    if len(known) < shards or len(terms) > 1 or not fits:
        return []
    return [
        (
            shard,
            AgreeBound(scope=key[0], bound=key[1], limit=held.limit, since_seq=held.since_seq),
        )
        for shard, held in known.items()
        if held.limit != UNSET and (held.agreed == UNSET or held.agreed > held.limit)
    ]


def _moves(told: Mapping[int, Told], key: Key, wants: Wants) -> list[Step]:
    """From those with room to spare to those that are short, by the largest surplus first."""
    held = {
        shard: (holding.units, holding.needed)
        for shard, answer in sorted(told.items())
        if (holding := answer.holdings.get(key)) is not None
    }
    units = {shard: have for shard, (have, need) in held.items() if need is not None}
    demand = {shard: need for shard, (_have, need) in held.items() if need is not None}
    if len(units) < 2:
        return []
    for want, shard in sorted((_wanted(told, key, shard, wants), shard) for shard in units):
        more = want - demand[shard]
        if 0 < more <= sum(units.values()) - sum(demand.values()):
            demand[shard] = want
    even = max(0, sum(units.values()) - sum(demand.values())) // len(units)
    spare = {shard: have - demand[shard] - even for shard, have in units.items()}
    found: list[Step] = []
    for taker in units:
        has = units[taker] - demand[taker]
        if has >= 0 and has * SHORT_OF >= even:
            continue
        for giver in sorted(spare, key=lambda shard: (-spare[shard], shard)):
            moved = min(-spare[taker], spare[giver])
            if moved > 0:
                found.append((giver, _give(told[giver], key, taker, moved)))
                spare[giver] -= moved
                spare[taker] += moved
    return found


def _wanted(told: Mapping[int, Told], key: Key, shard: int, wants: Wants) -> int:
    amount = wants.get((key, shard))
    return 0 if amount is None else units_for(told[shard].holdings[key].limit, amount)


def _give(giver: Told, key: Key, taker: int, units: int) -> GiveShare:
    number = giver.sent.get((key, taker), _NONE).given + 1
    return GiveShare(scope=key[0], bound=key[1], shard=taker, number=number, units=units)
