# SPDX-License-Identifier: Apache-2.0
"""What follows from entries of operators and services: instruments, sessions, days, switches."""

from dataclasses import asdict
from typing import Any

from tradewind.core import commands, events, exposure, logic, parents, requests, results
from tradewind.core.commands import Entry
from tradewind.core.events import ControlRefused, Event
from tradewind.core.identity import id_from
from tradewind.core.state import State
from tradewind.core.types import Reason, TradingState

ISO_DATE_LENGTH = 10


def open_segment(_state: State, entry: Entry) -> tuple[Event, ...]:
    """The journal gets its name."""
    return (events.SegmentOpened(**asdict(entry.command)),)


def define_instrument(state: State, entry: Entry) -> tuple[Event, ...]:
    """An instrument is added or changed, but never under the feet of orders and positions."""
    command = entry.command
    assert isinstance(command, commands.DefineInstrument)
    if not _is_grid(command.tick_size, command.lot_size):
        return (_refused(command, command.symbol, Reason.INVALID_INSTRUMENT),)
    known = state.instruments.get(command.symbol)
    defined = events.InstrumentDefined(**asdict(command))
    if known is not None and known != defined and _in_use(state, command.symbol):
        return (_refused(command, command.symbol, Reason.INSTRUMENT_IN_USE),)
    return (defined,)


def remove_instrument(state: State, entry: Entry) -> tuple[Event, ...]:
    """An instrument goes if nobody has anything in it."""
    command = entry.command
    assert isinstance(command, commands.RemoveInstrument)
    if command.symbol not in state.instruments:
        return (_refused(command, command.symbol, Reason.UNKNOWN_INSTRUMENT),)
    if _in_use(state, command.symbol):
        return (_refused(command, command.symbol, Reason.INSTRUMENT_IN_USE),)
    return (events.InstrumentRemoved(symbol=command.symbol),)


def set_reference_price(state: State, entry: Entry) -> tuple[Event, ...]:
    """The reference is as fresh as the entry that carries it; it shows who has lost too much."""
    command = entry.command
    assert isinstance(command, commands.SetReferencePrice)
    reference = events.ReferencePriceSet(
        symbol=command.symbol, price=command.price, ts_ns=state.ts_ns
    )
    return (reference, *results.reduced(state, reference))


def set_fx_rate(state: State, entry: Entry) -> tuple[Event, ...]:
    """A currency's value in the base currency; nothing is worth nothing."""
    command = entry.command
    assert isinstance(command, commands.SetFxRate)
    if command.rate_e9 <= 0:
        return (_refused(command, command.currency, Reason.INVALID_RATE),)
    return (events.FxRateSet(**asdict(command), ts_ns=state.ts_ns),)


def set_trading_session(_state: State, entry: Entry) -> tuple[Event, ...]:
    """A venue opens, closes, pauses."""
    command = entry.command
    assert isinstance(command, commands.SetTradingSession)
    if len(command.trading_date) != ISO_DATE_LENGTH:
        return (_refused(command, command.venue, Reason.INVALID_DATE),)
    return (events.TradingSessionSet(**asdict(command)),)


def roll_day(state: State, entry: Entry) -> tuple[Event, ...]:
    """A new date, never an earlier one.

    An order that should have ended by its own terms is asked about, never presumed ended: the
    venue may have filled it. A parent has no venue to ask, so it is cancelled.
    """
    command = entry.command
    assert isinstance(command, commands.RollDay)
    is_date = len(command.trading_date) == ISO_DATE_LENGTH
    if not is_date or command.trading_date <= state.trading_date:
        return (_refused(command, command.trading_date, Reason.INVALID_DATE),)
    rolled = events.DayRolled(
        trading_date=command.trading_date,
        retire_before_ns=command.retire_before_ns,
        retired_count=sum(
            order.ended_before(command.retire_before_ns) for order in state.orders.values()
        ),
    )
    late = {
        order.order_id: order.is_parent
        for order in state.live_orders.values()
        if requests.may_have_ended_unheard(order, state.ts_ns)
    }
    follow: list[Event] = []
    for number, order in enumerate(state.live_orders.values(), 1):
        if late.get(order.order_id, False):
            follow.extend(parents.begin_cancel(state, entry, order, order.cl_ord_id, number))
        elif late.get(order.parent_order_id, False):
            follow.extend(parents.cancel_unasked(state, entry, order, order.cl_ord_id, number))
        elif order.order_id in late:
            follow.append(requests.status(order, id_from(state, entry, number)))
    return (rolled, *follow)


def advance_time(state: State, _entry: Entry) -> tuple[Event, ...]:
    """Only the time moves."""
    return (events.TimeAdvanced(ts_ns=state.ts_ns),)


def set_logic(_state: State, entry: Entry) -> tuple[Event, ...]:
    """A change of behaviour is switched on.

    Raises:
        UnknownLogicError: if this build does not have it; it cannot follow from here.
    """
    command = entry.command
    assert isinstance(command, commands.SetLogic)
    logic.require_known(command.flag)
    return (events.LogicSet(flag=command.flag, actor=command.actor),)


def change_build(_state: State, entry: Entry) -> tuple[Event, ...]:
    """A build may append from now on, or may no longer."""
    command = entry.command
    assert isinstance(command, commands.ApproveBuild | commands.RevokeBuild)
    return (
        events.BuildsChanged(
            build=command.build,
            is_approved=isinstance(command, commands.ApproveBuild),
            actor=command.actor,
        ),
    )


def report_divergence(_state: State, entry: Entry) -> tuple[Event, ...]:
    """Nobody knows which replica is right, so nothing new is accepted until people decide."""
    command = entry.command
    assert isinstance(command, commands.ReportDivergence)
    return (
        events.DivergenceReported(**asdict(command)),
        events.TradingStateSet(
            scope="shard",
            state=TradingState.HALTED,
            actor="core",
            reason=f"{command.instance} diverges at entry {command.seq}",
        ),
    )


def ask_skip(_state: State, entry: Entry) -> tuple[Event, ...]:
    """The word is on record; replicas that stand at the poison entry look for two of them."""
    return (events.SkipAsked(**asdict(entry.command)),)


def skip_entry(_state: State, entry: Entry) -> tuple[Event, ...]:
    """The decision is on record, in the place of the entry that it is about."""
    return (events.EntrySkipped(**asdict(entry.command)),)


def _is_grid(*sizes: str) -> bool:
    try:
        return all(exposure.scaled(size)[0] > 0 for size in sizes)
    except ValueError:
        return False


def _in_use(state: State, symbol: str) -> bool:
    if any(order.symbol == symbol for order in state.live_orders.values()):
        return True
    is_revised = logic.is_on(state, logic.REVISED_CONTROLS)
    return any(
        position.qty != 0 or (is_revised and position.realised != 0)
        for (_account, traded), position in state.positions.items()
        if traded == symbol
    )


def _refused(command: Any, subject: str, reason: Reason) -> ControlRefused:
    return ControlRefused(command=type(command).__name__, subject=subject, reason=reason, text="")
