# SPDX-License-Identifier: Apache-2.0
"""What follows from entries about limits: proposed by one person, set once another approves.

Versions count up for each subject, so nobody approves or overwrites what they have not seen. A
subject is the command and its scope: `SetLimits account:DEMO/symbol:BTC-USD`.
"""

from dataclasses import asdict, replace

from tradewind.core import commands, logic, scopes
from tradewind.core.bounds import UNSET, are_sane
from tradewind.core.commands import Entry
from tradewind.core.events import (
    AccountLimitsSet,
    ControlRefused,
    Event,
    LimitsApproved,
    LimitsProposed,
    LimitsSet,
    ScopeLimitsSet,
)
from tradewind.core.state import State
from tradewind.core.types import Reason

Limits = LimitsSet | AccountLimitsSet | ScopeLimitsSet
PROPOSAL_NS = 86_400_000_000_000
"""A proposal that nobody approves for so long is void."""


def set_limits(state: State, entry: Entry) -> tuple[Event, ...]:
    """Limits of one account in one instrument are set whole, never in parts."""
    command = entry.command
    assert isinstance(command, commands.SetLimits)
    current = state.limits.get((command.account, command.symbol))
    return _wanted(state, entry, command.actor, current)


def set_account_limits(state: State, entry: Entry) -> tuple[Event, ...]:
    """What an account may have at stake over all instruments."""
    command = entry.command
    assert isinstance(command, commands.SetAccountLimits)
    return _wanted(state, entry, command.actor, state.account_limits.get(command.account))


def set_scope_limits(state: State, entry: Entry) -> tuple[Event, ...]:
    """What a scope may do, with all that it covers."""
    command = entry.command
    assert isinstance(command, commands.SetScopeLimits)
    is_over = command.expires_ns and command.expires_ns <= state.ts_ns
    is_account = command.scope.startswith("account:") and "/" not in command.scope
    has_credit = command.max_credit_e8 != UNSET
    if not scopes.is_scope(command.scope) or not are_sane(command) or is_over:
        return (_refused(entry, Reason.INVALID_LIMIT),)
    if has_credit and not is_account:
        return (_refused(entry, Reason.INVALID_LIMIT),)
    return _wanted(state, entry, command.actor, _newest(state, command.scope))


def approve_limits(state: State, entry: Entry) -> tuple[Event, ...]:
    """The second person's word: just this version, while it is fresh, and not their own."""
    command = entry.command
    assert isinstance(command, commands.ApproveLimits)
    subject = command.subject
    proposal = state.proposed.get(subject)
    is_void = proposal is None or state.ts_ns - proposal.ts_ns > PROPOSAL_NS
    if proposal is None or is_void or proposal.version != command.version:
        return (_refused(entry, Reason.NOT_PROPOSED),)
    if command.actor in ("", proposal.actor):
        return (_refused(entry, Reason.SECOND_PERSON_NEEDED),)
    approved = LimitsApproved(
        subject=subject,
        version=command.version,
        actor=proposal.actor,
        second_actor=command.actor,
    )
    return (approved, _approved(state, subject, command.actor))


def subject_of(command: object) -> str:
    """Whose limits a command is about."""
    match command:
        case commands.SetLimits():
            return f"SetLimits account:{command.account}/symbol:{command.symbol}"
        case commands.SetAccountLimits():
            return f"SetAccountLimits account:{command.account}"
        case commands.SetScopeLimits():
            return f"SetScopeLimits {command.scope}"
        case commands.ApproveLimits():
            return command.subject
        case _:
            raise TypeError(f"{type(command).__name__} sets no limits")


def limits_of(command: object) -> Limits:
    """What a command sets, once it is agreed upon."""
    match command:
        case commands.SetLimits():
            plain = asdict(command)
            del plain["actor"]
            return LimitsSet(**plain)
        case commands.SetAccountLimits():
            plain = asdict(command)
            del plain["actor"]
            return AccountLimitsSet(**plain)
        case commands.SetScopeLimits():
            return ScopeLimitsSet(**asdict(command), second_actor="")
        case _:
            raise TypeError(f"{type(command).__name__} sets no limits")


def _wanted(state: State, entry: Entry, actor: str, current: Limits | None) -> tuple[Event, ...]:
    """Set at once, or proposed where two people have to agree; never an older version."""
    limits = limits_of(entry.command)
    is_versioned = logic.is_on(state, logic.RISK_CONTROLS)
    if is_versioned and current is not None and limits.version <= current.version:
        return (_refused(entry, Reason.STALE_VERSION, f"version {current.version} is in force"),)
    if not logic.is_on(state, logic.FOUR_EYES):
        return (limits,)
    if not actor:
        return (_refused(entry, Reason.SECOND_PERSON_NEEDED),)
    proposed = LimitsProposed(
        subject=subject_of(entry.command), version=limits.version, actor=actor, ts_ns=state.ts_ns
    )
    return (proposed,)


def _approved(state: State, subject: str, second_actor: str) -> Limits:
    limits = state.proposed_limits.get(subject) or state.proposed_account_limits.get(subject)
    if limits is not None:
        return limits
    return replace(state.proposed_scope_limits[subject], second_actor=second_actor)


def _newest(state: State, scope: str) -> ScopeLimitsSet | None:
    """The highest version of a scope's limits, whether they expire or not."""
    found = [table.get(scope) for table in (state.scope_limits, state.temporary_limits)]
    known = [limits for limits in found if limits is not None]
    return max(known, key=lambda limits: limits.version, default=None)


def _refused(entry: Entry, reason: Reason, text: str = "") -> ControlRefused:
    return ControlRefused(
        command=type(entry.command).__name__,
        subject=subject_of(entry.command),
        reason=reason,
        text=text,
    )
