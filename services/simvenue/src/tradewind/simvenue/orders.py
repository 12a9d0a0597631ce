# SPDX-License-Identifier: Apache-2.0
"""Client orders and the reports about them, as this venue writes them."""

from dataclasses import dataclass

import msgspec

from tradewind.core.types import ExecType, OrdStatus, OrdType, Side, TimeInForce

FEE_CURRENCY = "USD"


@dataclass(slots=True)
class Order:
    """A client's order. `is_triggered`: a stop that has become active."""

    session: str
    cl_id: str
    venue_order_id: str
    symbol: str
    side: Side
    ord_type: OrdType
    time_in_force: TimeInForce
    qty: int
    price: int
    stop_px: int = 0
    display_qty: int = 0
    is_post_only: bool = False
    expire_ns: int = 0
    is_triggered: bool = False
    cum_qty: int = 0
    last_exec_no: int = 0

    @property
    def key(self) -> tuple[str, str]:
        """By what its client names it."""
        return self.session, self.cl_id

    @property
    def leaves_qty(self) -> int:
        """What may still trade."""
        return self.qty - self.cum_qty

    @property
    def limit(self) -> int | None:
        """The worst price that it takes, None for any."""
        return self.price or None

    @property
    def is_dormant(self) -> bool:
        """A stop that waits for the market to trade at its price."""
        return self.stop_px > 0 and not self.is_triggered

    def is_reached(self, px: int) -> bool:
        """Whether a trade at `px` makes a dormant stop active."""
        return px >= self.stop_px if self.side is Side.BUY else px <= self.stop_px


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """One execution report. `exec_no` runs over the whole venue, from 1, without a hole.

    The terms are those after the report. Of a refused request for an order that the venue does
    not know, everything but the ids and the text is empty. `exec_ref_id` names the fill that a
    bust or a correction is about; fees are in 1e-8 of their currency.
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
    stop_px: int = 0
    display_qty: int = 0
    is_post_only: bool = False
    expire_ns: int = 0
    cum_qty: int = 0
    leaves_qty: int = 0
    exec_ref_id: str = ""
    fee_e8: int = 0
    fee_currency: str = ""
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


def order_of(report: Report) -> Order:
    """The order as it was after a report."""
    assert report.side is not None
    assert report.ord_type is not None
    assert report.time_in_force is not None
    return Order(
        session=report.session,
        cl_id=report.cl_id,
        venue_order_id=report.venue_order_id,
        symbol=report.symbol,
        side=report.side,
        ord_type=report.ord_type,
        time_in_force=report.time_in_force,
        qty=report.qty,
        price=report.price,
        stop_px=report.stop_px,
        display_qty=report.display_qty,
        is_post_only=report.is_post_only,
        expire_ns=report.expire_ns,
        cum_qty=report.cum_qty,
        last_exec_no=report.exec_no,
    )


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


def state_after(end: Report, last: Report) -> OrderState:
    """The state of an order that has ended, from the report of its end and its last one."""
    status = OrdStatus(end.exec_type.value) if end.exec_type in ENDS else OrdStatus.FILLED
    return OrderState(
        cl_id=end.cl_id,
        venue_order_id=end.venue_order_id,
        ord_status=status,
        qty=end.qty,
        price=end.price,
        cum_qty=last.cum_qty,
        leaves_qty=0,
        last_exec_no=last.exec_no,
    )
