# SPDX-License-Identifier: Apache-2.0
"""Pre-trade checks against the bounds of every scope that covers an order: the strictest wins.

As in `risk`, each takes the state and the intent and gives why not, or None. What a scope has at
stake is in `stakes`.
"""

from tradewind.core import activity, logic
from tradewind.core.activity import NOTHING_DONE
from tradewind.core.bounds import UNSET
from tradewind.core.commands import BY_HAND
from tradewind.core.exposure import worth_e8
from tradewind.core.stakes import (
    credit_within,
    exposure_in_scopes,
    first_over,
    orders_within,
    position_in_scopes,
    turnover_within,
    worst_price,
)
from tradewind.core.state import Order, State
from tradewind.core.terms import SHAPES, Denial, Intent, Rule, over
from tradewind.core.types import OrdType, Reason, Side, TimeInForce, TradingState, VenueAction

BPS = 10_000
FREE_MESSAGES = 100
"""So many messages of a day are not held against its trades."""


def limits_complete(state: State, intent: Intent) -> Reason | Denial | None:
    """Account, strategy and client are permitted (C20), and nothing is without a bound (C01)."""
    if not logic.is_on(state, logic.RISK_CONTROLS):
        return None
    for kind in intent.limits.unknown_kinds:
        return Denial(reason=Reason.NOT_PERMITTED, text=f"no limits for its {kind}")
    for bound in intent.limits.missing:
        return Denial(reason=Reason.LIMIT_MISSING, text=f"no scope sets {bound}")
    return None


def build_approved(_state: State, intent: Intent) -> Reason | Denial | None:
    """The build of the algorithm is the one that its scope is limited to (C34)."""
    build = intent.attribution[-1]
    for scope, limits in intent.limits.all:
        if limits.approved_build not in ("", build):
            text = f"build {build} is not {limits.approved_build} in {scope}"
            return Denial(reason=Reason.BUILD_NOT_APPROVED, text=text)
    return None


def messages_within(state: State, intent: Intent) -> Reason | Denial | None:
    """New orders and replaces in a while (C08): first they are refused, then the scope is halted.

    What was refused counts too, so a client has to slow down, not to try harder.
    """
    for scope, limits in intent.limits.all:
        if _is_halted(state, scope):
            continue
        times = state.activity.get(scope, NOTHING_DONE).message_times
        window = limits.message_window_ms
        flood, limit = limits.flood_messages, limits.max_messages
        if flood != UNSET and activity.is_reached(times, flood, window, state.ts_ns):
            denial = over(Reason.MESSAGE_FLOOD, flood + 1, flood, scope, limits.version)
            return Denial(reason=denial.reason, text=denial.text, halts=scope)
        if limit != UNSET and activity.is_reached(times, limit, window, state.ts_ns):
            return over(Reason.MESSAGE_RATE, limit + 1, limit, scope, limits.version)
    return None


def repeats_within(state: State, intent: Intent) -> Reason | Denial | None:
    """An algorithm that has traded so often in a while is halted until people resume it (C09)."""
    if intent.algorithm == BY_HAND:
        return None
    for scope, limits in intent.limits.all:
        limit = limits.max_repeats
        times = state.activity.get(scope, NOTHING_DONE).repeat_times
        if limit == UNSET or _is_halted(state, scope):
            continue
        if activity.is_reached(times, limit, limits.repeat_window_ms, state.ts_ns):
            denial = over(Reason.REPEATED_EXECUTION, limit + 1, limit, scope, limits.version)
            return Denial(reason=denial.reason, text=denial.text, halts=scope)
    return None


def content_not_repeated(state: State, intent: Intent) -> Reason | Denial | None:
    """The same order again and again in a while is a client in a loop (C07)."""
    if not intent.limits.of("max_duplicates"):
        return None
    content = activity.content_of(
        intent.account, intent.symbol, intent.side, intent.order_qty, intent.price
    )
    record = state.contents.get(content)
    times = record.times if record is not None else []
    for scope, limits in intent.limits.all:
        limit = limits.max_duplicates
        if limit != UNSET and activity.is_reached(
            times, limit, limits.duplicate_window_ms, state.ts_ns
        ):
            return over(Reason.DUPLICATE_CONTENT, limit + 1, limit, scope, limits.version)
    return None


def time_in_force_permitted(_state: State, intent: Intent) -> Reason | Denial | None:
    """Algorithms leave orders behind overnight only where that is permitted (C30)."""
    if intent.algorithm == BY_HAND or intent.time_in_force is not TimeInForce.GTC:
        return None
    is_refused = any(allows == 0 for _scope, allows, _version in intent.limits.of("allows_gtc"))
    return Reason.TIME_IN_FORCE_NOT_PERMITTED if is_refused else None


def lots_within(_state: State, intent: Intent) -> Reason | Denial | None:
    """Clip size in every scope (C01)."""
    return first_over(
        intent, "max_order_qty", Reason.MAX_ORDER_QTY, lambda _scope: intent.order_qty
    )


def value_within(state: State, intent: Intent) -> Reason | Denial | None:
    """Order value in the base currency (C02)."""

    def value(_scope: str) -> int | None:
        return worth_e8(state, intent.symbol, intent.order_qty, worst_price(state, intent))

    return first_over(intent, "max_order_value_e8", Reason.MAX_NOTIONAL, value)


def price_steady(state: State, intent: Intent) -> Reason | Denial | None:
    """The reference has not just jumped (C22), nor is the order far from where it has been (C04).

    A stop order waits away from the market by intent.
    """
    if not (intent.limits.of("max_move_bps") or intent.limits.of("max_jump_bps")):
        return None
    window = state.price_windows.get(intent.symbol)
    if window is None:
        return Reason.NO_REFERENCE_PRICE
    low, high = min(window.low, window.last_low), max(window.high, window.last_high)
    jump = _bps(state, high - low, low)
    price = intent.price or state.references[intent.symbol].price
    distance, start = (price - low, low) if intent.side is Side.BUY else (high - price, high)
    moved = 0 if intent.stop_px else _bps(state, distance, start)
    return first_over(
        intent, "max_jump_bps", Reason.MARKET_UNSTABLE, lambda _scope: jump
    ) or first_over(intent, "max_move_bps", Reason.PRICE_MOVED, lambda _scope: moved)


def orders_to_trades(state: State, intent: Intent) -> Reason | Denial | None:
    """Messages of the day for each of its trades, the first ones apart (C16)."""

    def ratio(scope: str) -> int:
        done = state.activity.get(scope, NOTHING_DONE)
        return -(-max(0, done.messages + 1 - FREE_MESSAGES) // max(1, done.trades))

    return first_over(intent, "max_orders_per_trade", Reason.ORDER_TO_TRADE_RATIO, ratio)


def no_self_match(state: State, intent: Intent) -> Reason | Denial | None:
    """It would not meet an order of its own account's (C18). The newest goes: this one."""
    if all(allows for _scope, allows, _version in intent.limits.of("allows_self_match")):
        return None
    if intent.stop_px:
        return None
    resting = state.tallies.resting.get((intent.account, intent.symbol, intent.side.opposite), {})
    if any(_crosses(intent, price) for order in resting.values() for price in _prices(order)):
        return Reason.SELF_MATCH
    return None


def children_within(state: State, intent: Intent) -> Reason | Denial | None:
    """A parent has so many children at most (C14): more is an algorithm that runs away."""
    parent = state.order_of(intent.account, intent.parent_cl_ord_id)
    if parent is None:
        return None
    children = state.tallies.children.get(parent.order_id, 0) + 1
    return first_over(intent, "max_children", Reason.TOO_MANY_CHILDREN, lambda _scope: children)


def parent_value_within(state: State, intent: Intent) -> Reason | Denial | None:
    """What a parent may trade in all is bounded, whatever its children do (C14)."""
    if not intent.limits.of("max_parent_value_e8"):
        return None
    if intent.symbol not in state.references:
        return Reason.NO_REFERENCE_PRICE

    def value(_scope: str) -> int | None:
        return worth_e8(state, intent.symbol, intent.order_qty, worst_price(state, intent))

    return first_over(intent, "max_parent_value_e8", Reason.PARENT_VALUE, value)


FIRST_RULES: tuple[Rule, ...] = (messages_within,)
"""What a flood must not get past by being wrong in other ways."""
LAST_RULES: tuple[Rule, ...] = (
    limits_complete,
    build_approved,
    repeats_within,
    content_not_repeated,
    time_in_force_permitted,
    lots_within,
    value_within,
    price_steady,
    orders_within,
    position_in_scopes,
    exposure_in_scopes,
    credit_within,
    turnover_within,
    orders_to_trades,
    no_self_match,
    children_within,
)
PARENT_RULES: tuple[Rule, ...] = (
    limits_complete,
    build_approved,
    repeats_within,
    parent_value_within,
)
RULES = tuple(dict.fromkeys((*FIRST_RULES, *LAST_RULES, *PARENT_RULES)))
"""Every rule of this module, once."""


def _bps(state: State, distance: int, start: int) -> int:
    if logic.is_on(state, logic.REVISED_CONTROLS):
        return -(-distance * BPS // start)
    return distance * BPS // start


def _is_halted(state: State, scope: str) -> bool:
    found = state.trading_states.get(scope)
    return found is not None and found.state is TradingState.HALTED


def _crosses(intent: Intent, price: int) -> bool:
    if intent.ord_type is OrdType.MARKET:
        return True
    return (intent.price - price) * intent.side.sign >= 0


def _prices(order: Order) -> list[int]:
    """The limits at which an order may rest, under terms that are asked for too."""
    if not SHAPES[order.ord_type].has_price:
        return []
    asked = [item.price for item in order.pendings if item.action is VenueAction.REPLACE]
    return [order.price, *asked]
