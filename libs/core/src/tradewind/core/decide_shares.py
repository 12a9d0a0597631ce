# SPDX-License-Identifier: Apache-2.0
"""What follows from entries about parts of bounds: each step is its own entry, numbered.

A step said twice, too late or out of turn is refused, so it does not matter how many say it.
"""

from tradewind.core import commands, scopes, shares, uses
from tradewind.core.bounds import UNSET
from tradewind.core.commands import Entry
from tradewind.core.events import (
    BoundAgreed,
    BoundsDivided,
    ControlRefused,
    Event,
    ShareGiven,
    ShareTaken,
)
from tradewind.core.parts import Transfer
from tradewind.core.state import State
from tradewind.core.types import Reason

NONE_YET = Transfer()


def divide_bounds(state: State, entry: Entry) -> tuple[Event, ...]:
    """Once and for good: how many shards there are never changes."""
    command = entry.command
    assert isinstance(command, commands.DivideBounds)
    if state.divisions:
        return (_refused(entry, "bounds", Reason.INVALID_LIMIT, "they are divided"),)
    if not 1 < command.shards <= shares.SHARDS_MAX or state.shard >= command.shards:
        return (_refused(entry, "bounds", Reason.INVALID_LIMIT),)
    return (BoundsDivided(shards=command.shards, is_new=command.is_new, actor=command.actor),)


def give_share(state: State, entry: Entry) -> tuple[Event, ...]:
    """At most what is not in use here goes; from this entry on nobody may use it."""
    command = entry.command
    assert isinstance(command, commands.GiveShare)
    subject = f"{command.scope} {command.bound}"
    if not _is_known(state, command.scope, command.bound, command.shard):
        return (_refused(entry, subject, Reason.INVALID_LIMIT),)
    key = (command.scope, command.bound, str(command.shard))
    if command.number != state.transfers.get(key, NONE_YET).given + 1:
        return (_refused(entry, subject, Reason.SHARE_NOT_NEXT),)
    held = shares.share_of(state, command.scope, command.bound).units
    needed = uses.needed(state, command.scope, command.bound)
    units = 0 if needed is None else min(command.units, held - needed)
    if units <= 0:
        return (_refused(entry, subject, Reason.NOTHING_TO_SHARE),)
    return (
        ShareGiven(
            scope=command.scope,
            bound=command.bound,
            shard=command.shard,
            number=command.number,
            units=units,
            left=held - units,
        ),
    )


def take_share(state: State, entry: Entry) -> tuple[Event, ...]:
    """Each transfer of each shard is taken once."""
    command = entry.command
    assert isinstance(command, commands.TakeShare)
    subject = f"{command.scope} {command.bound}"
    is_known = _is_known(state, command.scope, command.bound, command.shard)
    held = shares.share_of(state, command.scope, command.bound).units if is_known else 0
    if not is_known or command.units <= 0 or held + command.units > shares.WHOLE:
        return (_refused(entry, subject, Reason.INVALID_LIMIT),)
    key = (command.scope, command.bound, str(command.shard))
    if command.number != state.transfers.get(key, NONE_YET).taken + 1:
        return (_refused(entry, subject, Reason.SHARE_NOT_NEXT),)
    return (
        ShareTaken(
            scope=command.scope,
            bound=command.bound,
            shard=command.shard,
            number=command.number,
            units=command.units,
            held=held + command.units,
        ),
    )


def agree_bound(state: State, entry: Entry) -> tuple[Event, ...]:
    """The limit is still the one that all shards were seen to hold."""
    command = entry.command
    assert isinstance(command, commands.AgreeBound)
    share = state.shares.get((command.scope, command.bound))
    limits = scopes.in_force(state, command.scope)
    is_same = (
        share is not None
        and limits is not None
        and share.since_seq == command.since_seq
        and getattr(limits, command.bound) == command.limit != UNSET
    )
    if not is_same:
        subject = f"{command.scope} {command.bound}"
        return (_refused(entry, subject, Reason.STALE_VERSION),)
    return (BoundAgreed(scope=command.scope, bound=command.bound, limit=command.limit),)


def _is_known(state: State, scope: str, bound: str, other: int) -> bool:
    """The bound is a divided one, the other shard one of those that divide it."""
    if not shares.is_divided(state, scope) or bound not in shares.DIVISIBLE:
        return False
    others = range(state.divisions[shares.DIVISION].shards)
    return scopes.is_scope(scope) and other in others and other != state.shard


def _refused(entry: Entry, subject: str, reason: Reason, text: str = "") -> ControlRefused:
    return ControlRefused(
        command=type(entry.command).__name__, subject=subject, reason=reason, text=text
    )
