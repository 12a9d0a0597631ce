# SPDX-License-Identifier: Apache-2.0
"""The kill switch (C28): one decision stops a scope and cancels what works in it; two clear it.

It is part of the state, so it outlives every restart. While a scope is killed its trading state
cannot be opened; what is cleared stays HALTED until somebody opens it on purpose.
"""

from tradewind.core import commands, parents, requests, scopes
from tradewind.core.commands import Entry
from tradewind.core.events import (
    ControlRefused,
    Event,
    KillClearAsked,
    KillCleared,
    ScopeKilled,
    TradingStateSet,
    VenueRequest,
)
from tradewind.core.state import Order, State
from tradewind.core.types import Reason, TradingState

UNASKED = "-K"


def kill_scope(state: State, entry: Entry) -> tuple[Event, ...]:
    """Said again, it asks once more for the end of what is left; the first word stays."""
    command = entry.command
    assert isinstance(command, commands.KillScope)
    if not is_stoppable(command.scope):
        return (_refused(entry, command.scope, Reason.INVALID_SCOPE),)
    cancels: list[Event] = []
    count = 0
    for number, order in enumerate(_wanted(state, command.scope), 1):
        ask = parents.begin_cancel if order.is_parent else parents.cancel_unasked
        asked = ask(state, entry, order, order.cl_ord_id, number)
        cancels.extend(asked)
        count += bool(asked)
    known = state.kills.get(command.scope)
    killed = ScopeKilled(
        scope=command.scope,
        kill_id=known.kill_id if known is not None else command.kill_id,
        actor=known.actor if known is not None else command.actor,
        reason=known.reason if known is not None else command.reason,
        ts_ns=known.ts_ns if known is not None else state.ts_ns,
        order_count=count,
    )
    halted = TradingStateSet(
        scope=command.scope,
        state=TradingState.HALTED,
        actor=command.actor,
        reason=f"C28 {command.reason}",
    )
    return (killed, halted, *cancels)


def clear_kill(state: State, entry: Entry) -> tuple[Event, ...]:
    """The first person's word is kept; another one's about the same cause clears it."""
    command = entry.command
    assert isinstance(command, commands.ClearKill)
    killed = state.kills.get(command.scope)
    if killed is None or killed.kill_id != command.kill_id:
        return (_refused(entry, command.scope, Reason.NOT_KILLED),)
    if not command.root_cause:
        return (_refused(entry, command.scope, Reason.ROOT_CAUSE_MISSING),)
    if not command.actor or command.scope == f"client:{command.actor}":
        return (_refused(entry, command.scope, Reason.SECOND_PERSON_NEEDED),)
    asked = state.clearings.get(command.scope)
    if asked is None or asked.root_cause != command.root_cause:
        return (
            KillClearAsked(
                scope=command.scope,
                kill_id=command.kill_id,
                actor=command.actor,
                root_cause=command.root_cause,
            ),
        )
    if asked.actor == command.actor:
        return (_refused(entry, command.scope, Reason.SECOND_PERSON_NEEDED),)
    return (
        KillCleared(
            scope=command.scope,
            kill_id=command.kill_id,
            actor=asked.actor,
            second_actor=command.actor,
            root_cause=command.root_cause,
        ),
    )


def set_trading_state(state: State, entry: Entry) -> tuple[Event, ...]:
    """A scope is opened, reduced or halted; one that is killed stays so."""
    command = entry.command
    assert isinstance(command, commands.SetTradingState)
    if command.scope in state.kills and command.state is not TradingState.HALTED:
        return (_refused(entry, command.scope, Reason.KILLED),)
    return (
        TradingStateSet(
            scope=command.scope, state=command.state, actor=command.actor, reason=command.reason
        ),
    )


def is_killed(state: State, order: Order) -> bool:
    """Some scope that covers the order is stopped."""
    return bool(state.kills) and any(scope in state.kills for scope in _scopes(state, order))


def cancels(state: State, scope: str, venue: str) -> tuple[tuple[int, VenueRequest], ...]:
    """What ends everything of a scope that may work at a venue, before any entry says so.

    Each with the sequence its order was entered at. Their ids are no request's here: what the
    venue answers counts as its own doing.
    """
    return tuple(
        (order.seq, requests.cancel(order, f"{order.order_id}{UNASKED}"))
        for order in _wanted(state, scope)
        if order.venue == venue and not order.is_parent
    )


def is_stoppable(scope: str) -> bool:
    """It is one scope, not all of a kind."""
    return scopes.is_scope(scope) and "*" not in scope


def _wanted(state: State, scope: str) -> list[Order]:
    """The live orders of a scope, and the children of its parents."""
    live = list(state.live_orders.values())

    def is_in(order: Order) -> bool:
        return scope in _scopes(state, order)

    family = {order.order_id for order in live if order.is_parent and is_in(order)}
    return [order for order in live if is_in(order) or order.parent_order_id in family]


def _scopes(state: State, order: Order) -> tuple[str, ...]:
    return scopes.of(state, order.account, order.symbol, order.client, order.strategy)


def _refused(entry: Entry, subject: str, reason: Reason) -> ControlRefused:
    return ControlRefused(
        command=type(entry.command).__name__, subject=subject, reason=reason, text=""
    )
