# SPDX-License-Identifier: Apache-2.0
"""What must always be true of a state. For tests and for verification, not for the hot path.

The state keeps running sums; the laws add up anew. Of orders that left memory only the outcome is
known, so where some did, what is left can only be the smaller part.
"""

from collections.abc import Iterator

from tradewind.core import tallies
from tradewind.core.state import Order, Position, State, Tallies, Tally
from tradewind.core.sums import KINDS, parts_of, total
from tradewind.core.types import OrdStatus, Side

UNFILLED = frozenset({OrdStatus.PENDING_NEW, OrdStatus.NEW})
REQUESTED = frozenset({OrdStatus.PENDING_CANCEL, OrdStatus.PENDING_REPLACE})
ADDITIVE = (
    "qty",
    "bought_qty",
    "sold_qty",
    "buy_working",
    "sell_working",
    "adjusted_qty",
    "adjusted_cost",
)
"""Of a position: what its ledgers sum up to. (Cost and profit do so only together.)"""


def violations(state: State) -> list[str]:
    """Every broken law, in words; empty when all hold."""
    found = [
        f"{order_id} {fault}"
        for order_id in sorted(state.orders)
        for fault in _order_faults(state, state.orders[order_id])
    ]
    found += [*_families(state), *_ids(state), *_working(state), *_conservation(state)]
    return [*found, *_tallies(state), *_values(state)]


def _order_faults(state: State, order: Order) -> Iterator[str]:
    """One order: what it has left, what it filled, what it waits for."""
    left = 0 if order.is_final else max(0, order.order_qty - order.cum_qty)
    if order.leaves_qty != left:
        yield f"has {order.leaves_qty} left, not {left}"
    if not order.is_final and max(left, order.reserved_qty) == 0:
        yield "lives with nothing left to trade"
    if order.is_final == (order.order_id in state.live_orders):
        yield "is final and live at once, or neither"
    if order.is_final != (order.ended_ns > 0):
        yield "does not know when it ended, or ended before its end"
    if order.ord_status in UNFILLED and order.cum_qty:
        yield f"is {order.ord_status} with {order.cum_qty} filled"
    is_requested = order.ord_status in REQUESTED
    if not order.is_final and order.requested_status is not (
        order.ord_status if is_requested else None
    ):
        yield f"is {order.ord_status} and waits for {len(order.pendings)} requests"
    if len(set(order.venue_exec_ids)) != len(order.venue_exec_ids):
        yield "counts an execution twice"
    filled = sum(fill.qty for fill in order.fills)
    cash = sum(fill.qty * fill.px for fill in order.fills)
    if not order.is_parent and (filled, cash) != (order.cum_qty, order.cum_notional):
        yield f"filled {order.cum_qty} for {order.cum_notional}, its fills {filled} for {cash}"


def _families(state: State) -> Iterator[str]:
    """A parent has what its children have: lots traded, their price, and lots still working."""
    for parent in state.orders.values():
        if not parent.is_parent:
            continue
        children = [o for o in state.orders.values() if o.parent_order_id == parent.order_id]
        reserved = sum(child.reserved_qty for child in children)
        if parent.child_working != reserved:
            yield f"{parent.order_id}: {parent.child_working} works, its children have {reserved}"
        filled = sum(child.cum_qty for child in children)
        cash = sum(child.cum_notional for child in children)
        is_whole = not state.retired
        if not _adds_up(parent.cum_qty, filled, is_whole) or not _adds_up(
            parent.cum_notional, cash, is_whole
        ):
            yield f"{parent.order_id}: filled {parent.cum_qty}, its children {filled}"


def _ids(state: State) -> Iterator[str]:
    """Every order is found by its id, and every id that named an order still does."""
    for order in state.orders.values():
        if state.order_of(order.account, order.cl_ord_id) is not order:
            yield f"{order.order_id} is not found by {order.cl_ord_id}"
    for key, use in state.id_uses.items():
        if use.order_id and use.order_id not in state.orders and use.order_id not in state.retired:
            yield f"{key} names {use.order_id}, which never was"


def _working(state: State) -> Iterator[str]:
    """What a position says is working is what its live orders reserve; in each ledger too."""
    live = list(state.live_orders.values())
    for key in sorted(state.positions):
        mine = [order for order in live if (order.account, order.symbol) == key]
        yield from _reserved(key, state.positions[key], mine)
    for ledger_key in sorted(state.ledgers):
        mine = [order for order in live if _ledger_key(order) == ledger_key]
        yield from _reserved(ledger_key, state.ledgers[ledger_key], mine)


def _reserved(key: tuple[str, ...], position: Position, orders: list[Order]) -> Iterator[str]:
    for side, working in ((Side.BUY, position.buy_working), (Side.SELL, position.sell_working)):
        reserved = sum(order.reserved_qty for order in orders if order.side is side)
        if working != reserved:
            yield f"{key} {side}: {working} working, {reserved} reserved"


def _conservation(state: State) -> Iterator[str]:
    """A position is the sum of its fills and adjustments, of its ledgers, and of its cash."""
    for key in sorted(state.positions):
        position = state.positions[key]
        if position.qty != position.bought_qty - position.sold_qty + position.adjusted_qty:
            yield f"{key}: {position.qty} held is not bought less sold and adjusted"
        if position.qty == 0 and position.cost != 0:
            yield f"{key}: flat with cost {position.cost}"
        yield from _fills(state, key, position)
        parts = [state.ledgers[ledger] for ledger in sorted(state.ledgers) if ledger[:2] == key]
        for name in ADDITIVE:
            total = sum(getattr(part, name) for part in parts)
            if total != getattr(position, name):
                yield f"{key}: {name} is {getattr(position, name)}, in its ledgers {total}"
        if sum(map(_cash, parts)) != _cash(position):
            yield f"{key}: cost less profit is {_cash(position)}, not that of its ledgers"


def _fills(state: State, key: tuple[str, str], position: Position) -> Iterator[str]:
    """Parents are left out: their fills are their children's."""
    mine = [
        order
        for order in state.orders.values()
        if (order.account, order.symbol) == key and not order.is_parent
    ]
    is_whole = not any((old.account, old.symbol) == key for old in state.retired.values())
    for side, traded in ((Side.BUY, position.bought_qty), (Side.SELL, position.sold_qty)):
        filled = sum(order.cum_qty for order in mine if order.side is side)
        if not _adds_up(traded, filled, is_whole):
            yield f"{key} {side}: {traded} traded, {filled} filled"
    cash = sum(order.side.sign * order.cum_notional for order in mine)
    if is_whole and _cash(position) - position.adjusted_cost != cash:
        yield f"{key}: cost less profit and adjustments is not the {cash} that moved"


def _adds_up(total: int, known: int, is_whole: bool) -> bool:
    """All that is known is the total, or at most that where some has left memory."""
    return known == total if is_whole else known <= total


def _tallies(state: State) -> Iterator[str]:
    """What is summed up by scope is what a rebuild from positions and orders gives."""
    anew = tallies.rebuilt(state)
    for name, old, new in (
        ("scopes", _sums(state.tallies), _sums(anew)),
        ("resting", _resting(state.tallies), _resting(anew)),
        ("children", _counted(state.tallies.children), _counted(anew.children)),
        ("orders", _counted(_orders(state.tallies)), _counted(_orders(anew))),
    ):
        if old != new:
            yield f"tallies of {name} are {old}, not {new}"


def _values(state: State) -> Iterator[str]:
    """What a scope is worth is what its parts are worth now."""
    for scope, of in sorted(state.tallies.scopes.items()):
        parts = [parts_of(state, tally) for tally in of.values()]
        for kind in KINDS:
            known = [part[kind] for part in parts]
            expected = None if None in known else sum(part or 0 for part in known)
            found = total(state, scope, kind)
            if found != expected:
                yield f"{scope} is worth {found}, not {expected} (kind {kind})"


def _sums(found: Tallies) -> dict[tuple[str, str], Tally]:
    by_scope = found.scopes.items()
    each = {(scope, symbol): tally for scope, of in by_scope for symbol, tally in of.items()}
    return {key: tally for key, tally in each.items() if tally != Tally()}


def _orders(found: Tallies) -> dict[str, int]:
    return {scope: sums.orders for scope, sums in found.sums.items()}


def _resting(found: Tallies) -> dict[tuple[str, str, Side], list[str]]:
    return {key: sorted(orders) for key, orders in found.resting.items() if orders}


def _counted(counts: dict[str, int]) -> dict[str, int]:
    return {key: count for key, count in counts.items() if count}


def _cash(position: Position) -> int:
    return position.cost - position.realised


def _ledger_key(order: Order) -> tuple[str, ...]:
    return (order.account, order.symbol, order.client, order.strategy, order.algorithm)
