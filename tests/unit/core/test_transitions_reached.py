# SPDX-License-Identifier: Apache-2.0
"""Every row of the table of transitions is reached by the machine, through commands alone."""

from tests.golden.life import Life
from tradewind.core.events import Event, OrderReport
from tradewind.core.invariants import violations
from tradewind.core.transitions import TRANSITIONS
from tradewind.core.types import ExecType, OrdStatus, VenueAction

WAYS: dict[OrdStatus, tuple[str, ...]] = {
    OrdStatus.PENDING_NEW: (),
    OrdStatus.NEW: ("NEW",),
    OrdStatus.PARTIALLY_FILLED: ("TRADE",),
    OrdStatus.UNKNOWN: ("TRADE", "UNKNOWN"),
    OrdStatus.PENDING_CANCEL: ("TRADE", "PENDING_REPLACE", "PENDING_CANCEL"),
    OrdStatus.PENDING_REPLACE: ("TRADE", "PENDING_REPLACE"),
    OrdStatus.FILLED: ("TRADE", "PENDING_REPLACE", "PENDING_CANCEL", "TRADE"),
    OrdStatus.CANCELED: ("TRADE", "PENDING_REPLACE", "PENDING_CANCEL", "CANCELED"),
    OrdStatus.REJECTED: ("TRADE", "PENDING_REPLACE", "PENDING_CANCEL", "REJECTED"),
    OrdStatus.EXPIRED: ("TRADE", "PENDING_REPLACE", "PENDING_CANCEL", "EXPIRED"),
}
"""What an order of 10 goes through on its way to each status."""
ANSWERS = {
    ExecType.CANCEL_REJECTED: VenueAction.CANCEL,
    ExecType.REPLACED: VenueAction.REPLACE,
    ExecType.REPLACE_REJECTED: VenueAction.REPLACE,
}


def do(desk: Life, order_id: str, news: ExecType) -> Event:
    """Makes this happen to the order, as far as it can; what came of it."""
    order = desk.order(order_id)
    match news:
        case ExecType.PENDING_CANCEL:
            return desk.cancel(f"x{desk.machine.state.seq}")
        case ExecType.PENDING_REPLACE:
            return desk.replace(f"r{desk.machine.state.seq}", qty=9)
    wanted = ANSWERS.get(news)
    asked = [item.request_id for item in order.pendings if item.action is wanted]
    return desk.report(
        order_id,
        news,
        request_id=asked[0] if asked else "",
        exec_ref_id=order.fills[0].exec_id if order.fills else "",
        last_qty=5,
        last_px=1_000,
        order_qty=12,
        price=1_000,
    )[0]


def order_in(status: OrdStatus) -> tuple[Life, str]:
    """An order that came to this status."""
    desk = Life.opened()
    order_id = desk.submit().order_id
    for news in WAYS[status]:
        do(desk, order_id, ExecType(news))
    assert desk.order(order_id).ord_status is status
    return desk, order_id


def test_every_row_is_reached_and_nothing_else_happens() -> None:
    reached = set()
    for status in WAYS:
        for news in ExecType:
            desk, order_id = order_in(status)
            event = do(desk, order_id, news)
            assert violations(desk.machine.state) == [], (status, news)
            if isinstance(event, OrderReport) and event.exec_type is news:
                reached.add((status, news))
    assert reached == set(TRANSITIONS), reached ^ set(TRANSITIONS)
