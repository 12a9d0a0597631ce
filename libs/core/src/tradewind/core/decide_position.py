# SPDX-License-Identifier: Apache-2.0
"""What follows when a venue states what it has of us: agreement, or a halt. Never a trade.

A difference may be a report that was lost, so the first one has everything told again. What is
left then nobody can explain: the instrument is halted until people have. The same difference does
not halt again after they have resumed; another one does.
"""

from tradewind.core.commands import Entry, StatePosition
from tradewind.core.events import ControlRefused, Event, PositionStated, TradingStateSet
from tradewind.core.state import State, VenueSession
from tradewind.core.types import Reason, Side, TradingState
from tradewind.core.venue_commands import NOT_SAID

Difference = tuple[int, int, int]
"""Lots that the venue has more: held, open to buy, open to sell."""

AGREED = (0, 0, 0)


def state_position(state: State, entry: Entry) -> tuple[Event, ...]:
    """Compares; halts what differs for no reason that anybody knows."""
    command = entry.command
    assert isinstance(command, StatePosition)
    reason = _refusal(state, command)
    if reason is not Reason.NONE:
        return (
            ControlRefused(command="StatePosition", subject=command.symbol, reason=reason, text=""),
        )
    stated = _compared(state, command)
    is_explained = stated.difference in (AGREED, _known(state, command))
    if is_explained or not command.is_complete:
        return (stated,)
    return (
        stated,
        TradingStateSet(
            scope=f"symbol:{command.symbol}",
            state=TradingState.HALTED,
            actor="core",
            reason=f"{command.venue} differs by {stated.difference} (held, to buy, to sell)",
        ),
    )


def _refusal(state: State, command: StatePosition) -> Reason:
    """A session that is over may say what was true once; so may an entry that comes late."""
    instrument = state.instruments.get(command.symbol)
    if instrument is None or instrument.venue != command.venue:
        return Reason.UNKNOWN_INSTRUMENT
    session = state.sessions.get(command.venue, VenueSession())
    is_over = command.epoch != session.epoch or command.exec_no < session.last_exec_no
    return Reason.TOO_LATE if is_over else Reason.NONE


def _known(state: State, command: StatePosition) -> Difference:
    """By how much it differed when that was settled last."""
    last = state.stated_positions.get((command.venue, command.symbol))
    return AGREED if last is None else last.difference


def _compared(state: State, command: StatePosition) -> PositionStated:
    buy, sell = (_working(state, command.symbol, side) for side in (Side.BUY, Side.SELL))
    open_buy = buy if command.open_buy_qty == NOT_SAID else command.open_buy_qty
    open_sell = sell if command.open_sell_qty == NOT_SAID else command.open_sell_qty
    booked = sum(
        position.bought_qty - position.sold_qty
        for (_account, symbol), position in state.positions.items()
        if symbol == command.symbol
    )
    difference = (command.qty - booked, open_buy - buy, open_sell - sell)
    is_settled = command.is_complete or difference in (AGREED, _known(state, command))
    last = state.stated_positions.get((command.venue, command.symbol))
    settled_before = 0 if last is None else last.settled_exec_no
    return PositionStated(
        venue=command.venue,
        symbol=command.symbol,
        exec_no=command.exec_no,
        qty=command.qty,
        open_buy_qty=open_buy,
        open_sell_qty=open_sell,
        booked_qty=booked,
        working_buy_qty=buy,
        working_sell_qty=sell,
        is_complete=command.is_complete,
        is_settled=is_settled,
        settled_exec_no=command.exec_no if is_settled else settled_before,
    )


def _working(state: State, symbol: str, side: Side) -> int:
    """Lots of orders that the venue has acknowledged: those that it knows as open."""
    return sum(
        order.leaves_qty
        for order in state.live_orders.values()
        if order.symbol == symbol and order.side is side and order.is_acked and not order.is_parent
    )
