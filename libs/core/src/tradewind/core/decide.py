# SPDX-License-Identifier: Apache-2.0
"""decide(state, entry) -> events. Never mutates; one handler per command, one dispatch table."""

from collections.abc import Callable
from typing import Any

from tradewind.core import (
    commands,
    decide_control,
    decide_kill,
    decide_limits,
    decide_shares,
    events,
    reports,
)
from tradewind.core.commands import Entry
from tradewind.core.decide_account import (
    adjust_position,
    closing_order,
    flatten_position,
    mass_cancel,
    mass_canceled,
    reset_position,
)
from tradewind.core.decide_client import (
    cancel_order,
    replace_order,
    request_status,
    submit_order,
)
from tradewind.core.decide_position import state_position
from tradewind.core.decide_venue import apply_venue_report, take_session
from tradewind.core.events import Event
from tradewind.core.state import State
from tradewind.core.types import ExecType, Reason, TradingState

Failable = (
    commands.SubmitOrder
    | commands.CancelOrder
    | commands.ReplaceOrder
    | commands.MassCancel
    | commands.RequestStatus
    | commands.FlattenPosition
)
"""What clients ask for."""


def decide(state: State, entry: Entry) -> tuple[Event, ...]:
    """What follows from `entry`: at least one event, so that no entry is silent.

    `state.ts_ns` and the entry's time already are the same: time that never ran back. A client's
    request on which the core fails is denied, and its account halted: one client must not be able
    to stop a shard. (Deciding changes nothing, so there is nothing to undo.)
    """
    command = entry.command
    handler = HANDLERS[type(command)]
    if not isinstance(command, Failable):
        return handler(state, entry)
    try:
        return handler(state, entry)
    except (MemoryError, RecursionError):
        raise  # the machine's fault, not the request's: another replica may well succeed
    except Exception as error:
        return _failed(command, entry, error)


def _failed(command: Failable, entry: Entry, error: Exception) -> tuple[Event, ...]:
    return (
        _denial(command, entry),
        events.TradingStateSet(
            scope=f"account:{command.account}" if command.account else "shard",
            state=TradingState.HALTED,
            actor="core",
            reason=f"{type(error).__name__} on entry {entry.seq}",
        ),
    )


def _denial(command: Failable, entry: Entry) -> Event:
    if isinstance(command, commands.MassCancel):
        return mass_canceled(command, entry, 0, Reason.INTERNAL)
    if isinstance(command, commands.FlattenPosition):
        command = closing_order(command, 0)
    if isinstance(command, commands.SubmitOrder):
        return reports.of_submit(
            command, entry, order_id="", parent_order_id="", reason=Reason.INTERNAL
        )
    return reports.of_no_order(command, entry, ExecType.DENIED, Reason.INTERNAL)


Handler = Callable[[State, Entry], tuple[Event, ...]]

HANDLERS: dict[type[Any], Handler] = {
    commands.SubmitOrder: submit_order,
    commands.CancelOrder: cancel_order,
    commands.ReplaceOrder: replace_order,
    commands.MassCancel: mass_cancel,
    commands.RequestStatus: request_status,
    commands.FlattenPosition: flatten_position,
    commands.AdjustPosition: adjust_position,
    commands.ResetPosition: reset_position,
    commands.ApplyVenueReport: apply_venue_report,
    commands.TakeSession: take_session,
    commands.StatePosition: state_position,
    commands.OpenSegment: decide_control.open_segment,
    commands.DefineInstrument: decide_control.define_instrument,
    commands.RemoveInstrument: decide_control.remove_instrument,
    commands.SetTradingSession: decide_control.set_trading_session,
    commands.RollDay: decide_control.roll_day,
    commands.SetFxRate: decide_control.set_fx_rate,
    commands.SetLimits: decide_limits.set_limits,
    commands.SetAccountLimits: decide_limits.set_account_limits,
    commands.SetReferencePrice: decide_control.set_reference_price,
    commands.SetTradingState: decide_kill.set_trading_state,
    commands.AdvanceTime: decide_control.advance_time,
    commands.SetLogic: decide_control.set_logic,
    commands.ApproveBuild: decide_control.change_build,
    commands.RevokeBuild: decide_control.change_build,
    commands.ReportDivergence: decide_control.report_divergence,
    commands.AskSkip: decide_control.ask_skip,
    commands.SkipEntry: decide_control.skip_entry,
    commands.SetScopeLimits: decide_limits.set_scope_limits,
    commands.ApproveLimits: decide_limits.approve_limits,
    commands.KillScope: decide_kill.kill_scope,
    commands.ClearKill: decide_kill.clear_kill,
    commands.DivideBounds: decide_shares.divide_bounds,
    commands.GiveShare: decide_shares.give_share,
    commands.TakeShare: decide_shares.take_share,
    commands.AgreeBound: decide_shares.agree_bound,
}
