# SPDX-License-Identifier: Apache-2.0
"""Position arithmetic: average cost, integers, exact for ever."""

from tradewind.core.state import Position
from tradewind.core.types import Side


def apply_fill(position: Position, side: Side, qty: int, price: int) -> None:
    """Books `qty` lots at `price` ticks.

    A fill against the open quantity first releases cost in proportion (rounded towards minus
    infinity; what rounding leaves behind is released with the last lot), the rest opens anew.
    """
    if side is Side.BUY:
        position.bought_qty += qty
    else:
        position.sold_qty += qty
    signed = side.sign * qty
    if position.qty * signed < 0:
        closing = min(abs(position.qty), qty)
        direction = 1 if position.qty > 0 else -1
        released = position.cost * closing // abs(position.qty)
        position.realised += direction * closing * price - released
        position.cost -= released
        position.qty -= direction * closing
        signed += direction * closing
    position.qty += signed
    position.cost += signed * price


def reserve(position: Position, side: Side, qty: int) -> None:
    """Adds `qty` lots (negative to release) to what may still trade on `side`."""
    if side is Side.BUY:
        position.buy_working += qty
    else:
        position.sell_working += qty
