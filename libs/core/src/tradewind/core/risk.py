# SPDX-License-Identifier: Apache-2.0
"""Pre-trade checks, on exact state, before anything leaves: one small function per rule.

Each takes the state and the intent and gives a reason or None; the first reason wins. What is
missing (limit, reference price) denies: no limit is not "no bound". Exposure counts orders entered,
not executions (17 CFR 240.15c3-5). Cancels are never checked.
"""

from dataclasses import replace

from tradewind.core import limits, logic, scopes, stakes
from tradewind.core.controls import CONTROL_OF
from tradewind.core.exposure import exposure_within
from tradewind.core.state import Position, State
from tradewind.core.terms import (
    SHAPES,
    Denial,
    Intent,
    Rule,
    attributed,
    in_time,
    instructions_sane,
    instrument_known,
    over,
    session_takes,
    terms_sane,
)
from tradewind.core.types import Reason, Side, TradingState

BPS = 10_000
MILLISECOND_NS = 1_000_000


def check(state: State, intent: Intent) -> Denial | None:
    """The first of `RULES` that speaks against `intent`, or None."""
    is_bounded = scopes.any_limits(state) or logic.is_on(state, logic.RISK_CONTROLS)
    return first_denial(RULES if is_bounded else OWN_RULES, state, intent)


def check_parent(state: State, intent: Intent) -> Denial | None:
    """As `check` for an order that goes to no venue: what it may do at one, its children are asked.

    Only its own terms and whether trading is allowed at all are judged.
    """
    return first_denial(PARENT_RULES, state, intent)


def first_denial(rules: tuple[Rule, ...], state: State, intent: Intent) -> Denial | None:
    """The first denial that `rules` give, in their order."""
    for rule in rules:
        found = rule(state, intent)
        if found is not None:
            return explained(state, found)
    return None


def explained(state: State, found: Reason | Denial) -> Denial:
    """A denial whose text begins with the control's id, once the controls are all in force."""
    denial = Denial(reason=found) if isinstance(found, Reason) else found
    if not logic.is_on(state, logic.RISK_CONTROLS):
        return replace(denial, text="")
    return replace(denial, text=f"{CONTROL_OF[denial.reason].code} {denial.text}".rstrip())


def trading_allowed(state: State, intent: Intent) -> Reason | None:
    """The strictest state of all scopes that cover it allows it (C23), and none is killed (C28)."""
    if any(scope in state.kills for scope in intent.scopes):
        return Reason.KILLED
    states = [
        state.trading_states[scope].state
        for scope in ("shard", *intent.scopes)
        if scope in state.trading_states
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


def quantity_within(state: State, intent: Intent) -> Denial | None:
    """Clip size (C01)."""
    limit = state.limits[intent.account, intent.symbol].max_order_qty
    return _over(state, intent, Reason.MAX_ORDER_QTY, intent.order_qty, limit)


def reference_fresh(state: State, intent: Intent) -> Reason | None:
    """There is a reference price, and it is not too old (C21)."""
    reference = state.references.get(intent.symbol)
    if reference is None or reference.price <= 0:
        return Reason.NO_REFERENCE_PRICE
    age_max_ms = state.limits[intent.account, intent.symbol].max_reference_age_ms
    if state.ts_ns - reference.ts_ns > age_max_ms * MILLISECOND_NS:
        return Reason.STALE_REFERENCE_PRICE
    return None


def price_in_collar(state: State, intent: Intent) -> Denial | None:
    """A limit price stays within the collar around the reference (C03), on both sides.

    A stop order waits away from the market by intent: its limit is held against its stop price.
    """
    if not SHAPES[intent.ord_type].has_price:
        return None
    reference = intent.stop_px or state.references[intent.symbol].price
    collar_bps = state.limits[intent.account, intent.symbol].collar_bps
    seen_bps = -(-abs(intent.price - reference) * BPS // reference)
    return _over(state, intent, Reason.PRICE_COLLAR, seen_bps, collar_bps)


def notional_within(state: State, intent: Intent) -> Denial | None:
    """Order value (C02); without a limit price it is the collar's worst price, never zero."""
    limit = state.limits[intent.account, intent.symbol].max_notional
    value = intent.order_qty * stakes.worst_price(state, intent)
    return _over(state, intent, Reason.MAX_NOTIONAL, value, limit)


def position_within(state: State, intent: Intent) -> Denial | None:
    """Position plus everything working on the same side stays within the limit (C11)."""
    limit = state.limits[intent.account, intent.symbol].max_position
    position = state.position(intent.account, intent.symbol)
    worst = intent.side.sign * position.qty + _working(position, intent.side)
    worst += intent.open_qty - intent.replaced_qty
    return _over(state, intent, Reason.MAX_POSITION, worst, limit)


def _over(state: State, intent: Intent, reason: Reason, seen: int, limit: int) -> Denial | None:
    if seen <= limit:
        return None
    scope = f"account:{intent.account}/symbol:{intent.symbol}"
    return over(reason, seen, limit, scope, state.limits[intent.account, intent.symbol].version)


def _reduces(state: State, intent: Intent) -> bool:
    if logic.is_on(state, logic.REDUCING_REPLACES) and 0 < intent.open_qty <= intent.replaced_qty:
        return True
    position = state.position(intent.account, intent.symbol)
    closable = -intent.side.sign * position.qty
    working = _working(position, intent.side) - intent.replaced_qty
    return working + intent.open_qty <= closable


def _working(position: Position, side: Side) -> int:
    return position.buy_working if side is Side.BUY else position.sell_working


OWN_RULES: tuple[Rule, ...] = (
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
"""All there is while no scope has limits."""

RULES: tuple[Rule, ...] = (*limits.FIRST_RULES, *OWN_RULES, *limits.LAST_RULES)

PARENT_RULES: tuple[Rule, ...] = (
    *limits.FIRST_RULES,
    in_time,
    attributed,
    instrument_known,
    terms_sane,
    instructions_sane,
    session_takes,
    trading_allowed,
    *limits.PARENT_RULES,
)
