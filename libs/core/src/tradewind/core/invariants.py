# SPDX-License-Identifier: Apache-2.0
"""What must always be true of a state. For tests and for verification, not for the hot path."""

from tradewind.core.state import State
from tradewind.core.types import Side


def violations(state: State) -> list[str]:
    """Every broken law, in words; empty when all hold."""
    return [*_orders(state), *_working(state), *_conservation(state)]


def _orders(state: State) -> list[str]:
    found = []
    for order_id in sorted(state.orders):
        order = state.orders[order_id]
        if order.is_final and order.leaves_qty != 0:
            found.append(f"{order_id} is final with {order.leaves_qty} left")
        if not order.is_final and order.leaves_qty + order.cum_qty < order.order_qty:
            found.append(f"{order_id} lost quantity")
        if order.is_final == (order_id in state.live_orders):
            found.append(f"{order_id} is final and live at once, or neither")
    return found


def _working(state: State) -> list[str]:
    """What a position says is working is what its live orders reserve."""
    found = []
    for key in sorted(state.positions):
        position = state.positions[key]
        live = [o for o in state.live_orders.values() if (o.account, o.symbol) == key]
        for side, working in ((Side.BUY, position.buy_working), (Side.SELL, position.sell_working)):
            reserved = sum(order.reserved_qty for order in live if order.side is side)
            if working != reserved:
                found.append(f"{key} {side}: {working} working, {reserved} reserved")
    return found


def _conservation(state: State) -> list[str]:
    """Positions are the sum of fills, and cost minus realised profit is the cash that moved."""
    found = []
    for key in sorted(state.positions):
        position = state.positions[key]
        orders = [o for o in state.orders.values() if (o.account, o.symbol) == key]
        filled = sum(order.side.sign * order.cum_qty for order in orders)
        cash = sum(order.side.sign * order.cum_notional for order in orders)
        if position.qty != filled or position.bought_qty - position.sold_qty != filled:
            found.append(f"{key}: position {position.qty}, fills {filled}")
        if position.cost - position.realised != cash:
            found.append(f"{key}: cost less realised is not the {cash} that moved")
        if position.qty == 0 and position.cost != 0:
            found.append(f"{key}: flat with cost {position.cost}")
    return found
