# SPDX-License-Identifier: Apache-2.0
"""evolve(state, entry, event) -> None. Never decides; the only code that changes state."""

from collections.abc import Callable
from typing import Any

from tradewind.core import (
    activity,
    events,
    evolve_limits,
    evolve_orders,
    evolve_shares,
    results,
    sums,
    tallies,
)
from tradewind.core.commands import ApplyVenueReport, Entry
from tradewind.core.events import Event
from tradewind.core.state import Order, Retired, State, VenueSession
from tradewind.core.types import TradingState


def evolve(state: State, entry: Entry, event: Event) -> None:
    """Makes the state what the event says."""
    HANDLERS[type(event)](state, entry, event)


def _session_taken(state: State, _entry: Entry, event: events.SessionTaken) -> None:
    session = state.sessions.setdefault(event.venue, VenueSession())
    session.epoch = event.epoch
    session.owner = event.owner


def _position_stated(state: State, _entry: Entry, event: events.PositionStated) -> None:
    if event.is_settled:
        state.stated_positions[event.venue, event.symbol] = event


def _segment_opened(state: State, _entry: Entry, event: events.SegmentOpened) -> None:
    state.segment = event.segment
    state.shard = event.shard


def _instrument_defined(state: State, _entry: Entry, event: events.InstrumentDefined) -> None:
    state.instruments[event.symbol] = event
    state.tallies.units.pop(event.symbol, None)
    tallies.rebuild(state)


def _instrument_removed(state: State, _entry: Entry, event: events.InstrumentRemoved) -> None:
    """Its limits and price go too: should it come back, they have to be given again."""
    del state.instruments[event.symbol]
    state.references.pop(event.symbol, None)
    for key in [key for key in state.limits if key[1] == event.symbol]:
        del state.limits[key]
    tallies.rebuild(state)


def _reference_price_set(state: State, _entry: Entry, event: events.ReferencePriceSet) -> None:
    state.references[event.symbol] = event
    sums.repriced(state, event.symbol)
    activity.priced(state, event)
    results.follow(state, event)


def _fx_rate_set(state: State, _entry: Entry, event: events.FxRateSet) -> None:
    state.fx_rates[event.currency] = event
    sums.revalued(state, event.currency)


def _trading_state_set(state: State, _entry: Entry, event: events.TradingStateSet) -> None:
    state.trading_states[event.scope] = event
    if event.state is TradingState.ACTIVE:
        activity.resumed(state, event.scope)
        state.losses.pop(event.scope, None)


def _trading_session_set(state: State, _entry: Entry, event: events.TradingSessionSet) -> None:
    state.trading_sessions[event.venue] = event


def _day_rolled(state: State, _entry: Entry, event: events.DayRolled) -> None:
    """Orders that ended long ago leave memory; what their ids answer with stays.

    What scopes have done is counted by the day.
    """
    state.trading_date = event.trading_date
    state.activity.clear()
    state.results.clear()
    state.losses.clear()
    results.begin(state)
    state.tallies.names.clear()
    state.tallies.covers.clear()
    state.tallies.losing.clear()
    for order in list(state.orders.values()):
        if not order.ended_before(event.retire_before_ns):
            continue
        del state.orders[order.order_id]
        tallies.retired(state, order)
        state.retired[order.order_id] = _retired(order)
        state.touched.update({("orders", order.order_id), ("retired", order.order_id)})


def _retired(order: Order) -> Retired:
    return Retired(
        account=order.account,
        cl_ord_id=order.cl_ord_id,
        venue_order_id=order.venue_order_id,
        symbol=order.symbol,
        side=order.side,
        ord_type=order.ord_type,
        time_in_force=order.time_in_force,
        order_qty=order.order_qty,
        price=order.price,
        cum_qty=order.cum_qty,
        cum_notional=order.cum_notional,
        ord_status=order.ord_status,
        client=order.client,
        strategy=order.strategy,
    )


def _report_ignored(state: State, entry: Entry, _event: events.ReportIgnored) -> None:
    assert isinstance(entry.command, ApplyVenueReport)
    evolve_orders.note_report_number(state, entry.command)


def _logic_set(state: State, _entry: Entry, event: events.LogicSet) -> None:
    state.logic[event.flag] = event


def _builds_changed(state: State, _entry: Entry, event: events.BuildsChanged) -> None:
    if event.is_approved:
        state.builds[event.build] = event
    else:
        state.builds.pop(event.build, None)


def _nothing(_state: State, _entry: Entry, _event: Event) -> None:
    """A fact for readers: the state knows it already, or need not."""


HANDLERS: dict[type[Any], Callable[[State, Entry, Any], None]] = {
    events.OrderReport: evolve_orders.order_report,
    events.VenueRequest: evolve_orders.venue_request,
    events.MassCancelReport: evolve_orders.mass_cancel_report,
    events.PositionAdjusted: evolve_orders.position_adjusted,
    events.SessionTaken: _session_taken,
    events.OrderAdopted: evolve_orders.order_adopted,
    events.PositionStated: _position_stated,
    events.SegmentOpened: _segment_opened,
    events.InstrumentDefined: _instrument_defined,
    events.InstrumentRemoved: _instrument_removed,
    events.TradingSessionSet: _trading_session_set,
    events.DayRolled: _day_rolled,
    events.FxRateSet: _fx_rate_set,
    events.LimitsSet: evolve_limits.limits_set,
    events.AccountLimitsSet: evolve_limits.account_limits_set,
    events.ReferencePriceSet: _reference_price_set,
    events.TradingStateSet: _trading_state_set,
    events.TimeAdvanced: _nothing,
    events.ReportIgnored: _report_ignored,
    events.ControlRefused: _nothing,
    events.LogicSet: _logic_set,
    events.BuildsChanged: _builds_changed,
    events.DivergenceReported: _nothing,
    events.SkipAsked: _nothing,
    events.EntrySkipped: _nothing,
    events.ScopeLimitsSet: evolve_limits.scope_limits_set,
    events.LimitsProposed: evolve_limits.limits_proposed,
    events.LimitsApproved: evolve_limits.limits_approved,
    events.ScopeKilled: evolve_limits.scope_killed,
    events.KillClearAsked: evolve_limits.kill_clear_asked,
    events.KillCleared: evolve_limits.kill_cleared,
    events.BoundsDivided: evolve_shares.bounds_divided,
    events.ShareGiven: evolve_shares.share_given,
    events.ShareTaken: evolve_shares.share_taken,
    events.BoundAgreed: evolve_shares.bound_agreed,
    events.ShareWanted: _nothing,
}
