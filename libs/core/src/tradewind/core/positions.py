# SPDX-License-Identifier: Apache-2.0
"""Position arithmetic: average cost, integers, exact for ever."""

from tradewind.core.state import Position
from tradewind.core.types import Side

ATTRIBUTES = ("account", "symbol", "client", "strategy", "algorithm")
"""What a ledger's key consists of; positions can be told by any of them."""


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


def undo_fill(position: Position, side: Side, qty: int, price: int) -> None:
    """Takes back a fill of `qty` lots at `price` ticks that never was.

    Average cost cannot be unwound, so it is booked as the opposite trade at the same price: the
    cash is exact, a difference to the average cost shows as realised profit.
    """
    apply_fill(position, side.opposite, qty, price)
    position.bought_qty -= qty
    position.sold_qty -= qty


def adjust(position: Position, qty: int, price: int) -> None:
    """Books `qty` lots (signed) at `price` ticks that no order traded."""
    side = Side.BUY if qty > 0 else Side.SELL
    apply_fill(position, side, abs(qty), price)
    if side is Side.BUY:
        position.bought_qty -= qty
    else:
        position.sold_qty += qty
    position.adjusted_qty += qty
    position.adjusted_cost += qty * price


def reset(position: Position) -> None:
    """Makes it flat, with no cost and no profit; what is working stays."""
    position.adjusted_qty -= position.qty
    position.adjusted_cost -= position.cost - position.realised
    position.qty = position.cost = position.realised = 0


def unrealised(position: Position, mark: int) -> int:
    """Profit (ticks x lots) if the open quantity were closed at `mark` ticks."""
    return position.qty * mark - position.cost


def reserve(position: Position, side: Side, qty: int) -> None:
    """Adds `qty` lots (negative to release) to what may still trade on `side`."""
    if side is Side.BUY:
        position.buy_working += qty
    else:
        position.sell_working += qty
