# SPDX-License-Identifier: Apache-2.0
"""How limits and kills change, and what is remembered of what clients send."""

from tradewind.core import activity, decide_limits, evolve_shares, results, scopes
from tradewind.core.commands import Entry, ReplaceOrder
from tradewind.core.events import (
    AccountLimitsSet,
    KillClearAsked,
    KillCleared,
    LimitsApproved,
    LimitsProposed,
    LimitsSet,
    OrderReport,
    ScopeKilled,
    ScopeLimitsSet,
)
from tradewind.core.state import State
from tradewind.core.types import ExecType


def limits_set(state: State, _entry: Entry, event: LimitsSet) -> None:
    """Limits of an account in an instrument."""
    state.limits[event.account, event.symbol] = event


def account_limits_set(state: State, _entry: Entry, event: AccountLimitsSet) -> None:
    """Limits of an account."""
    state.account_limits[event.account] = event


def scope_limits_set(state: State, _entry: Entry, event: ScopeLimitsSet) -> None:
    """Limits that expire are kept apart: what stays holds again after them."""
    evolve_shares.limits_set(state, event)
    table = state.temporary_limits if event.expires_ns else state.scope_limits
    table[event.scope] = event
    state.tallies.covers.clear()
    state.tallies.losing.clear()
    state.tallies.repetition = None
    results.begin(state)


def limits_proposed(state: State, entry: Entry, event: LimitsProposed) -> None:
    """The newest proposal about a subject is the one that can be approved.

    A subject names its command, so it replaces the one before it in the same table.
    """
    state.proposed[event.subject] = event
    limits = decide_limits.limits_of(entry.command)
    match limits:
        case LimitsSet():
            state.proposed_limits[event.subject] = limits
        case AccountLimitsSet():
            state.proposed_account_limits[event.subject] = limits
        case ScopeLimitsSet():
            state.proposed_scope_limits[event.subject] = limits


def limits_approved(state: State, _entry: Entry, event: LimitsApproved) -> None:
    """What was proposed is settled; the limits follow."""
    _forget(state, event.subject)


def scope_killed(state: State, _entry: Entry, event: ScopeKilled) -> None:
    """What was said about clearing it before does not count."""
    state.kills[event.scope] = event
    state.clearings.pop(event.scope, None)


def kill_clear_asked(state: State, _entry: Entry, event: KillClearAsked) -> None:
    """The newest word is the one that a second person can join."""
    state.clearings[event.scope] = event


def kill_cleared(state: State, _entry: Entry, event: KillCleared) -> None:
    """The scope is halted like any other now."""
    del state.kills[event.scope]
    del state.clearings[event.scope]


def request_decided(state: State, entry: Entry, report: OrderReport) -> None:
    """A client's new order or replace counts, whatever came of it."""
    if not scopes.any_limits(state):
        return
    covers = scopes.of(state, report.account, report.symbol, report.client, report.strategy)
    activity.message_taken(state, covers)
    if report.is_parent or report.exec_type not in (
        ExecType.PENDING_NEW,
        ExecType.PENDING_REPLACE,
    ):
        return
    qty, price = report.order_qty, report.price
    if isinstance(entry.command, ReplaceOrder):
        qty, price = entry.command.order_qty, entry.command.price
    content = activity.content_of(report.account, report.symbol, report.side, qty, price)
    activity.content_taken(state, covers, content)


def _forget(state: State, subject: str) -> None:
    for table in (
        state.proposed,
        state.proposed_limits,
        state.proposed_account_limits,
        state.proposed_scope_limits,
    ):
        table.pop(subject, None)
