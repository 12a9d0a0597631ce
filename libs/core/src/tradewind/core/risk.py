# SPDX-License-Identifier: Apache-2.0
"""Pre-trade checks, on exact state, before anything leaves: one small function per rule.

Each takes the state and the intent and gives a reason or None; the first reason wins. What is
missing (limit, reference price) denies: no limit is not "no bound". Exposure counts orders entered,
not executions (17 CFR 240.15c3-5). Cancels are never checked.
"""

from collections.abc import Callable

from tradewind.core import logic
from tradewind.core.exposure import exposure_within
from tradewind.core.state import Position, State
from tradewind.core.terms import (
    SHAPES,
    Intent,
    attributed,
    in_time,
    instructions_sane,
    instrument_known,
    session_takes,
    terms_sane,
)
from tradewind.core.types import Reason, Side, TradingState

BPS = 10_000
MILLISECOND_NS = 1_000_000


def check(state: State, intent: Intent) -> Reason | None:
    """The first of `RULES` that speaks against `intent`, or None."""
    return first_reason(RULES, state, intent)


def check_parent(state: State, intent: Intent) -> Reason | None:
    """As `check` for an order that goes to no venue: what it may do at one, its children are asked.

    Only its own terms and whether trading is allowed at all are judged.
    """
    return first_reason(PARENT_RULES, state, intent)


def first_reason(rules: "tuple[Rule, ...]", state: State, intent: Intent) -> Reason | None:
    """The first reason that `rules` give, in their order."""
    for rule in rules:
        reason = rule(state, intent)
        if reason is not None:
            return reason
    return None


def trading_allowed(state: State, intent: Intent) -> Reason | None:
    """The strictest state of all scopes that cover the order allows it (C23)."""
    scopes = ("firm", "shard", f"account:{intent.account}", f"symbol:{intent.symbol}")
    states = [
        state.trading_states[scope].state for scope in scopes if scope in state.trading_states
    ]
    if TradingState.HALTED in states:
        return Reason.TRADING_HALTED
    if TradingState.REDUCING in states and not _reduces(state, intent):
        return Reason.REDUCE_ONLY
    return None


def limits_present(state: State, intent: Intent) -> Reason | None:
    """There are limits for this account and instrument."""
    key = (intent.account, intent.symbol)
    return None if key in state.limits else Reason.LIMIT_MISSING


def quantity_within(state: State, intent: Intent) -> Reason | None:
    """Clip size (C01)."""
    limit = state.limits[intent.account, intent.symbol].max_order_qty
    return Reason.MAX_ORDER_QTY if intent.order_qty > limit else None


def reference_fresh(state: State, intent: Intent) -> Reason | None:
    """There is a reference price, and it is not too old (C21)."""
    reference = state.references.get(intent.symbol)
    if reference is None or reference.price <= 0:
        return Reason.NO_REFERENCE_PRICE
    age_max_ms = state.limits[intent.account, intent.symbol].max_reference_age_ms
    if state.ts_ns - reference.ts_ns > age_max_ms * MILLISECOND_NS:
        return Reason.STALE_REFERENCE_PRICE
    return None


def price_in_collar(state: State, intent: Intent) -> Reason | None:
    """A limit price stays within the collar around the reference (C03), on both sides.

    A stop order waits away from the market by intent: its limit is held against its stop price.
    """
    if not SHAPES[intent.ord_type].has_price:
        return None
    reference = intent.stop_px or state.references[intent.symbol].price
    collar_bps = state.limits[intent.account, intent.symbol].collar_bps
    distance = abs(intent.price - reference)
    return Reason.PRICE_COLLAR if distance * BPS > reference * collar_bps else None


def notional_within(state: State, intent: Intent) -> Reason | None:
    """Order value (C02); without a limit price it is the collar's worst price, never zero."""
    limits = state.limits[intent.account, intent.symbol]
    price = intent.price
    if not SHAPES[intent.ord_type].has_price:
        reference = max(state.references[intent.symbol].price, intent.stop_px)
        price = reference + -(-reference * limits.collar_bps // BPS)
    return Reason.MAX_NOTIONAL if intent.order_qty * price > limits.max_notional else None


def position_within(state: State, intent: Intent) -> Reason | None:
    """Position plus everything working on the same side stays within the limit (C11)."""
    limit = state.limits[intent.account, intent.symbol].max_position
    position = state.position(intent.account, intent.symbol)
    worst = intent.side.sign * position.qty + _working(position, intent.side)
    return Reason.MAX_POSITION if worst - intent.replaced_qty + intent.open_qty > limit else None


def _reduces(state: State, intent: Intent) -> bool:
    if logic.is_on(state, logic.REDUCING_REPLACES) and 0 < intent.open_qty <= intent.replaced_qty:
        return True
    position = state.position(intent.account, intent.symbol)
    closable = -intent.side.sign * position.qty
    working = _working(position, intent.side) - intent.replaced_qty
    return working + intent.open_qty <= closable


def _working(position: Position, side: Side) -> int:
    return position.buy_working if side is Side.BUY else position.sell_working


Rule = Callable[[State, Intent], Reason | None]

RULES: tuple[Rule, ...] = (
    in_time,
    attributed,
    instrument_known,
    terms_sane,
    instructions_sane,
    session_takes,
    trading_allowed,
    limits_present,
    quantity_within,
    reference_fresh,
    price_in_collar,
    notional_within,
    position_within,
    exposure_within,
)

PARENT_RULES: tuple[Rule, ...] = (
    in_time,
    attributed,
    instrument_known,
    terms_sane,
    instructions_sane,
    session_takes,
    trading_allowed,
)
