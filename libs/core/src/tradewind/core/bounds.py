# SPDX-License-Identifier: Apache-2.0
"""Bounds of a scope: what all that it covers may do, in the words of the controls.

Quantities are lots, `_e8` amounts are 1e-8 of the base currency, `_bps` are 1/10,000. What is
UNSET is not bounded here, but by another scope that covers the order too: the strictest wins, and
a bound that no scope sets denies (`REQUIRED`).
"""

from dataclasses import fields

from tradewind.core.record import later, record

UNSET = -1
WINDOW_MS_MAX = 60_000
"""How far back a bound on repetition looks at most."""
COUNT_MAX = 10_000
"""The most that a bound on repetition counts: so many times are kept."""
LOSS_WINDOW_MS_MAX = 86_400_000
"""Losses in a row are counted by the day."""


@record
class Bounds:
    """Each bound is the last value that is fine."""

    max_order_qty: int = UNSET
    max_order_value_e8: int = UNSET
    max_move_bps: int = UNSET
    max_jump_bps: int = UNSET
    max_duplicates: int = UNSET
    duplicate_window_ms: int = 1_000
    max_messages: int = UNSET
    flood_messages: int = UNSET
    message_window_ms: int = 1_000
    max_repeats: int = UNSET
    repeat_window_ms: int = 1_000
    max_open_orders: int = UNSET
    max_open_value_e8: int = UNSET
    max_long: int = UNSET
    max_short: int = UNSET
    max_gross_e8: int = UNSET
    max_net_e8: int = UNSET
    max_credit_e8: int = UNSET
    max_children: int = UNSET
    max_parent_value_e8: int = UNSET
    max_turnover_e8: int = UNSET
    max_loss_e8: int = UNSET
    max_drawdown_e8: int = UNSET
    max_orders_per_trade: int = UNSET
    allows_self_match: int = UNSET
    allows_gtc: int = UNSET
    approved_build: str = ""
    max_losses: int = later(default=UNSET)
    loss_window_ms: int = later(default=3_600_000)


REQUIRED = (
    "max_order_value_e8",
    "max_move_bps",
    "max_jump_bps",
    "max_duplicates",
    "max_messages",
    "max_repeats",
    "max_open_orders",
    "max_open_value_e8",
    "max_gross_e8",
    "max_net_e8",
    "max_children",
    "max_turnover_e8",
    "max_orders_per_trade",
    "allows_self_match",
    "allows_gtc",
)
"""What some scope must bound before anything is accepted, once `logic.RISK_CONTROLS` is on."""

_WINDOWS = ("duplicate_window_ms", "message_window_ms", "repeat_window_ms")
_COUNTED = ("max_duplicates", "max_messages", "flood_messages", "max_repeats", "max_losses")
_NUMBERS = tuple(field.name for field in fields(Bounds) if field.name != "approved_build")


def are_sane(bounds: Bounds) -> bool:
    """Nothing is below UNSET, and what must be remembered for a bound has an end."""
    return (
        all(getattr(bounds, name) >= UNSET for name in _NUMBERS)
        and all(0 < getattr(bounds, name) <= WINDOW_MS_MAX for name in _WINDOWS)
        and 0 < bounds.loss_window_ms <= LOSS_WINDOW_MS_MAX
        and all(getattr(bounds, name) <= COUNT_MAX for name in _COUNTED)
    )
