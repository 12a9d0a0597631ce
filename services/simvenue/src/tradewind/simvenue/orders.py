# SPDX-License-Identifier: Apache-2.0
"""Client orders and the reports about them, as this venue writes them."""

from dataclasses import dataclass

import msgspec

from tradewind.core.types import ExecType, OrdStatus, OrdType, Side, TimeInForce


@dataclass(slots=True)
class Order:
    """A client's working order."""

    session: str
    cl_id: str
    venue_order_id: str
    symbol: str
    side: Side
    ord_type: OrdType
    time_in_force: TimeInForce
    qty: int
    price: int
    cum_qty: int = 0
    last_exec_no: int = 0

    @property
    def leaves_qty(self) -> int:
        """What may still trade."""
        return self.qty - self.cum_qty


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """One execution report. `exec_no` runs over the whole venue, from 1, without a hole.

    The terms are those after the report. Of a refused request for an order that the venue does
    not know, everything but the ids and the text is empty.
    """

    op: str = "report"
    exec_no: int
    exec_id: str
    exec_type: ExecType
    session: str
    cl_id: str
    request_id: str = ""
    venue_order_id: str = ""
    symbol: str = ""
    side: Side | None = None
    ord_type: OrdType | None = None
    time_in_force: TimeInForce | None = None
    last_qty: int = 0
    last_px: int = 0
    qty: int = 0
    price: int = 0
    cum_qty: int = 0
    leaves_qty: int = 0
    text: str = ""


class OrderState(msgspec.Struct, frozen=True, kw_only=True):
    """What a status answer says about an order."""

    cl_id: str
    venue_order_id: str
    ord_status: OrdStatus
    qty: int
    price: int
    cum_qty: int
    leaves_qty: int
    last_exec_no: int


ENDS = frozenset({ExecType.CANCELED, ExecType.EXPIRED, ExecType.REJECTED})


def state_of(order: Order) -> OrderState:
    """The state of a working order."""
    return OrderState(
        cl_id=order.cl_id,
        venue_order_id=order.venue_order_id,
        ord_status=OrdStatus.PARTIALLY_FILLED if order.cum_qty else OrdStatus.NEW,
        qty=order.qty,
        price=order.price,
        cum_qty=order.cum_qty,
        leaves_qty=order.leaves_qty,
        last_exec_no=order.last_exec_no,
    )


def state_after(last: Report) -> OrderState:
    """The state of an order that has ended, from its last report."""
    status = OrdStatus(last.exec_type.value) if last.exec_type in ENDS else OrdStatus.FILLED
    return OrderState(
        cl_id=last.cl_id,
        venue_order_id=last.venue_order_id,
        ord_status=status,
        qty=last.qty,
        price=last.price,
        cum_qty=last.cum_qty,
        leaves_qty=0,
        last_exec_no=last.exec_no,
    )
