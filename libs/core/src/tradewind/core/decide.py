# SPDX-License-Identifier: Apache-2.0
"""decide(state, entry) -> events. Never mutates; one handler per command, one dispatch table."""

from collections.abc import Callable
from typing import Any

from tradewind.core import commands, events
from tradewind.core.commands import Entry
from tradewind.core.decide_client import cancel_order, replace_order, submit_order
from tradewind.core.decide_venue import apply_venue_report, take_session
from tradewind.core.events import Event
from tradewind.core.state import State


def decide(state: State, entry: Entry) -> tuple[Event, ...]:
    """What follows from `entry`: at least one event, so that no entry is silent.

    `state.ts_ns` and the entry's time already are the same: time that never ran back.
    """
    return HANDLERS[type(entry.command)](state, entry)


def open_segment(_state: State, entry: Entry) -> tuple[Event, ...]:
    """The journal gets its name."""
    command = entry.command
    assert isinstance(command, commands.OpenSegment)
    return (events.SegmentOpened(segment=command.segment, shard=command.shard),)


def define_instrument(_state: State, entry: Entry) -> tuple[Event, ...]:
    """An instrument is added or changed."""
    command = entry.command
    assert isinstance(command, commands.DefineInstrument)
    return (
        events.InstrumentDefined(
            symbol=command.symbol,
            venue=command.venue,
            tick_size=command.tick_size,
            lot_size=command.lot_size,
            currency=command.currency,
        ),
    )


def set_limits(_state: State, entry: Entry) -> tuple[Event, ...]:
    """Limits are set whole, never in parts."""
    command = entry.command
    assert isinstance(command, commands.SetLimits)
    return (
        events.LimitsSet(
            account=command.account,
            symbol=command.symbol,
            max_order_qty=command.max_order_qty,
            max_notional=command.max_notional,
            max_position=command.max_position,
            collar_bps=command.collar_bps,
            max_reference_age_ms=command.max_reference_age_ms,
            version=command.version,
        ),
    )


def set_reference_price(state: State, entry: Entry) -> tuple[Event, ...]:
    """The reference is as fresh as the entry that carries it."""
    command = entry.command
    assert isinstance(command, commands.SetReferencePrice)
    return (
        events.ReferencePriceSet(symbol=command.symbol, price=command.price, ts_ns=state.ts_ns),
    )


def set_trading_state(_state: State, entry: Entry) -> tuple[Event, ...]:
    """A scope is opened, reduced or halted."""
    command = entry.command
    assert isinstance(command, commands.SetTradingState)
    return (
        events.TradingStateSet(
            scope=command.scope,
            state=command.state,
            actor=command.actor,
            reason=command.reason,
        ),
    )


def advance_time(state: State, _entry: Entry) -> tuple[Event, ...]:
    """Only the time moves."""
    return (events.TimeAdvanced(ts_ns=state.ts_ns),)


Handler = Callable[[State, Entry], tuple[Event, ...]]

HANDLERS: dict[type[Any], Handler] = {
    commands.SubmitOrder: submit_order,
    commands.CancelOrder: cancel_order,
    commands.ReplaceOrder: replace_order,
    commands.ApplyVenueReport: apply_venue_report,
    commands.TakeSession: take_session,
    commands.OpenSegment: open_segment,
    commands.DefineInstrument: define_instrument,
    commands.SetLimits: set_limits,
    commands.SetReferencePrice: set_reference_price,
    commands.SetTradingState: set_trading_state,
    commands.AdvanceTime: advance_time,
}
