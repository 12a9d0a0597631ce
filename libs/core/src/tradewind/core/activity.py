# SPDX-License-Identifier: Apache-2.0
"""What has happened lately: messages, trades and repetition by scope; where prices have been.

Nothing is remembered of scopes without limits. A bound on repetition needs only as many times as
it allows: if the oldest of the newest N is inside the window, the next would be one too many.
"""

from tradewind.core import logic, scopes
from tradewind.core.commands import BY_HAND
from tradewind.core.events import ReferencePriceSet
from tradewind.core.exposure import worth_e8
from tradewind.core.state import Activity, Content, Order, PriceWindow, State
from tradewind.core.types import Side

MILLISECOND_NS = 1_000_000
PRICE_WINDOW_NS = 10_000 * MILLISECOND_NS
"""Where a price was is remembered for one to two of these."""
FORGET_AT_ONCE = 2
"""With each new content, at most so many old ones are forgotten: the work stays small."""


NOTHING_DONE = Activity()


def is_reached(times: list[int], limit: int, window_ms: int, now_ns: int) -> bool:
    """`limit` of these times are inside the window that ends now."""
    if limit == 0:
        return True
    return len(times) >= limit and now_ns - times[-limit] < window_ms * MILLISECOND_NS


def content_of(account: str, symbol: str, side: Side, qty: int, price: int) -> str:
    """What makes two orders the same but for their ids."""
    return f"{account}|{symbol}|{side}|{qty}|{price}"


def message_taken(state: State, of: tuple[str, ...]) -> None:
    """A new order or a replace was decided upon; a refused one counts too."""
    kept = scopes.covering(state, of).most("max_messages", "flood_messages")
    for scope, keep in kept.items():
        activity = state.activity.setdefault(scope, Activity())
        activity.messages += 1
        _remember(activity.message_times, state.ts_ns, keep)


def content_taken(state: State, of: tuple[str, ...], content: str) -> None:
    """An order or a replace with this content was accepted."""
    keep, window_ms = _repetition(state, of)
    if keep <= 0:
        return
    record = state.contents.pop(content, None) or Content()
    state.contents[content] = record
    record.until_ns = state.ts_ns + window_ms * MILLISECOND_NS
    _remember(record.times, state.ts_ns, keep)
    oldest = list(zip(state.contents, range(FORGET_AT_ONCE), strict=False))
    for old, _number in oldest:
        if state.ts_ns >= state.contents[old].until_ns:
            del state.contents[old]


def _repetition(state: State, of: tuple[str, ...]) -> tuple[int, int]:
    """How many times are asked for at most, and in how many milliseconds.

    Who sends the same next may be bounded by other scopes: then what any of them asks for counts.
    """
    if logic.is_on(state, logic.REVISED_CONTROLS):
        return scopes.repetition(state)
    return scopes.repetition_of(limits for _scope, limits in scopes.covering(state, of).all)


def traded(state: State, order: Order, qty: int, price: int) -> None:
    """An order of ours has traded. What has no rate has no value here, and is accepted nowhere."""
    worth = worth_e8(state, order.symbol, qty, price) or 0
    of = scopes.of(state, order.account, order.symbol, order.client, order.strategy)
    for scope, keep in scopes.covering(state, of).most("max_repeats").items():
        activity = state.activity.setdefault(scope, Activity())
        activity.trades += 1
        activity.turnover_e8 += worth
        if order.algorithm != BY_HAND:
            _remember(activity.repeat_times, state.ts_ns, keep)


def priced(state: State, reference: ReferencePriceSet) -> None:
    """A reference price: the extremes of this window and of the one before it are kept."""
    if not scopes.any_limits(state) or reference.price <= 0:
        return
    price, now_ns = reference.price, reference.ts_ns
    window = state.price_windows.get(reference.symbol)
    if window is None:
        window = state.price_windows[reference.symbol] = PriceWindow(
            began_ns=now_ns, low=price, high=price, last_low=price, last_high=price
        )
    age_ns = now_ns - window.began_ns
    if age_ns >= PRICE_WINDOW_NS:
        is_old = age_ns >= 2 * PRICE_WINDOW_NS
        is_old = is_old and not logic.is_on(state, logic.REVISED_CONTROLS)
        window.last_low = price if is_old else window.low
        window.last_high = price if is_old else window.high
        window.began_ns, window.low, window.high = now_ns, price, price
    window.low = min(window.low, price)
    window.high = max(window.high, price)


def resumed(state: State, scope: str) -> None:
    """People have opened a scope again: what made it stop is not counted against it any more."""
    activity = state.activity.get(scope)
    if activity is not None:
        activity.repeat_times.clear()
        activity.message_times.clear()


def _remember(times: list[int], now_ns: int, keep: int) -> None:
    times.append(now_ns)
    del times[: max(0, len(times) - keep)]
