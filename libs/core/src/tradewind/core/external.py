# SPDX-License-Identifier: Apache-2.0
"""Orders that somebody else entered in our name, or that a lost journal knew: never ignored.

They are adopted as they are found: their exposure counts, their fills are booked, they can be
cancelled, and the adoption itself is an alert. Nobody here ever sends them.
"""

from tradewind.core import logic
from tradewind.core.commands import BY_HAND, ApplyVenueReport, Entry
from tradewind.core.events import OrderAdopted
from tradewind.core.state import Order, State
from tradewind.core.types import ExecType, OrdStatus, OrdType, TimeInForce

STRATEGY = "EXTERNAL"
AT_WORK = frozenset({ExecType.NEW, ExecType.TRADE, ExecType.TRIGGERED, ExecType.RESTATED})
"""What can be said of an order that works, or has just ended by trading."""


def adopt(state: State, entry: Entry, report: ApplyVenueReport) -> OrderAdopted | None:
    """The adoption of a report's order, if the report says enough for one."""
    instrument = state.instruments.get(report.symbol)
    if instrument is None or instrument.venue != report.venue:
        return None
    if report.exec_type not in AT_WORK or report.order_qty <= 0 or report.price < 0:
        return None
    return OrderAdopted(
        venue=report.venue,
        account=report.account,
        order_id=report.order_id,
        cl_ord_id=_free_id(state, report.account, f"{report.venue}-{entry.seq}"),
        venue_order_id=report.venue_order_id,
        symbol=report.symbol,
        side=report.side,
        order_qty=report.order_qty,
        price=report.price,
    )


def _free_id(state: State, account: str, name: str) -> str:
    """The name, or the first of its kind that nobody in the account has used."""
    if not logic.is_on(state, logic.REVISED_CONTROLS):
        return name
    found, number = name, 1
    while (account, found) in state.id_uses:
        number += 1
        found = f"{name}-{number}"
    return found


def order_of(entry: Entry, adopted: OrderAdopted) -> Order:
    """The order as it is found. The venue has it, so nobody ever sends it."""
    return Order(
        seq=entry.seq,
        account=adopted.account,
        order_id=adopted.order_id,
        cl_ord_id=adopted.cl_ord_id,
        venue=adopted.venue,
        venue_order_id=adopted.venue_order_id,
        symbol=adopted.symbol,
        side=adopted.side,
        ord_type=OrdType.LIMIT if adopted.price else OrdType.MARKET,
        time_in_force=TimeInForce.GTC,
        order_qty=adopted.order_qty,
        price=adopted.price,
        cum_qty=0,
        leaves_qty=adopted.order_qty,
        cum_notional=0,
        ord_status=OrdStatus.NEW,
        is_acked=True,
        client=adopted.venue,
        strategy=STRATEGY,
        send_by_ns=0,
        stop_px=0,
        display_qty=0,
        is_post_only=False,
        expire_ns=0,
        algorithm=BY_HAND,
        build=BY_HAND,
        parent_order_id="",
        is_parent=False,
        child_working=0,
        is_unknown=False,
        replaced_seq=0,
        ended_ns=0,
        pendings=(),
        fills=(),
        venue_exec_ids=[],
    )
