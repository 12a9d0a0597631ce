# SPDX-License-Identifier: Apache-2.0
"""The venue's orders and reports in FIX's fields. Decimals as text; nothing goes through a float.

An order is named by its first ClOrdID for its whole life inside the venue; outside by that of the
last replace that was granted, as FIX has it, and always by SecondaryClOrdID (526), the first one.
"""

from collections.abc import Mapping
from decimal import Context, Decimal
from typing import TypeVar

from tradewind.common.grid import Grid, GridError
from tradewind.core.types import ExecType, OrdStatus, TimeInForce
from tradewind.fix import tags
from tradewind.fix.message import Body, Message
from tradewind.fix.stamps import stamp, time_ns
from tradewind.fix.values import (
    ABSOLUTE,
    CANCEL_ANSWERED,
    EXEC_TYPE,
    ORD_STATUS,
    ORD_TYPE,
    ORD_TYPES,
    POST_ONLY,
    REPLACE_ANSWERED,
    SIDE,
    SIDES,
    TIME_IN_FORCE,
    TIMES_IN_FORCE,
)
from tradewind.simvenue.flow import LOTS_PER_UNIT, TICKS_PER_UNIT
from tradewind.simvenue.orders import ENDS, Report
from tradewind.simvenue.requests import Cancel, New, Replace

T = TypeVar("T")
GRID = Grid(1 / Decimal(TICKS_PER_UNIT), 1 / Decimal(LOTS_PER_UNIT))
E8 = Decimal(100_000_000)
AVERAGES = Context(prec=20)
MISSING, WRONG = 5, 0
"""BusinessRejectReason: a field that is needed is missing; anything else."""
REFUSED = {
    ExecType.CANCEL_REJECTED: CANCEL_ANSWERED,
    ExecType.REPLACE_REJECTED: REPLACE_ANSWERED,
}
DUPLICATE, UNKNOWN, OTHER = "6", "1", "99"
ORD_REJ_REASONS = {"DUPLICATE_CL_ID": DUPLICATE, "UNKNOWN_SYMBOL": UNKNOWN}
CXL_REJ_REASONS = {"TOO_LATE": "0", "UNKNOWN_ORDER": "1"}
TRANS_TYPE, REPORT_REF_ID = 487, 572
TRANS_TYPES = {ExecType.TRADE: "0", ExecType.TRADE_CANCEL: "1", ExecType.TRADE_CORRECT: "2"}


class BadField(ValueError):
    """A field that the venue cannot take."""

    def __init__(self, tag: int, text: str, reason: int = WRONG) -> None:
        super().__init__(text)
        self.tag = tag
        self.text = text
        self.reason = reason


def new_of(message: Message) -> New:
    """A NewOrderSingle. Raises BadField."""
    time_in_force = _known(message, tags.TIME_IN_FORCE, TIMES_IN_FORCE, default="0")
    is_dated = time_in_force is TimeInForce.GTD
    if is_dated:
        need(message, tags.EXPIRE_TIME)
    exec_inst = message.get(tags.EXEC_INST)
    if exec_inst not in ("", POST_ONLY):
        raise BadField(tags.EXEC_INST, "of ExecInst (18) only 6 is known here")
    return New(
        cl_id=need(message, tags.CL_ORD_ID),
        symbol=need(message, tags.SYMBOL),
        side=_known(message, tags.SIDE, SIDES),
        ord_type=_known(message, tags.ORD_TYPE, ORD_TYPES),
        time_in_force=time_in_force,
        qty=_lots(message, tags.ORDER_QTY, is_needed=True),
        price=_ticks(message, tags.PRICE),
        stop_px=_ticks(message, tags.STOP_PX),
        display_qty=_lots(message, tags.MAX_FLOOR),
        is_post_only=exec_inst == POST_ONLY,
        expire_ns=moment_ns(message, tags.EXPIRE_TIME) if is_dated else 0,
    )


def cancel_of(message: Message, cl_id: str) -> Cancel:
    """An OrderCancelRequest. Raises BadField."""
    return Cancel(cl_id=cl_id, request_id=need(message, tags.CL_ORD_ID))


def replace_of(message: Message, cl_id: str) -> Replace:
    """An OrderCancelReplaceRequest. Raises BadField."""
    return Replace(
        cl_id=cl_id,
        request_id=need(message, tags.CL_ORD_ID),
        qty=_lots(message, tags.ORDER_QTY, is_needed=True),
        price=_ticks(message, tags.PRICE),
        stop_px=_ticks(message, tags.STOP_PX),
    )


def need(message: Message, tag: int) -> str:
    """A field that must be there. Raises BadField."""
    value = message.get(tag)
    if not value:
        raise BadField(tag, f"tag {tag} is missing", MISSING)
    if len(value) > 128:
        raise BadField(tag, f"tag {tag} is too long")
    return value


def report_body(report: Report, name: str, made_ns: int, notional: int) -> tuple[str, Body]:
    """A report as message type and fields.

    `name` is the ClOrdID that the order had before, `notional` ticks x lots that it has traded.
    """
    if report.exec_type in REFUSED:
        return tags.ORDER_CANCEL_REJECT, _refusal(report)
    own = report.request_id or name
    pairs = [
        (tags.ORDER_ID, report.venue_order_id or "NONE"),
        (tags.SECONDARY_CL_ORD_ID, report.cl_id),
        (tags.CL_ORD_ID, own),
        (tags.ORIG_CL_ORD_ID, name if own != name else ""),
        (tags.EXEC_ID, report.exec_id),
        (tags.EXEC_REF_ID, report.exec_ref_id),
        (tags.EXEC_TYPE, EXEC_TYPE[report.exec_type]),
        (tags.ORD_STATUS, ORD_STATUS[_status(report)]),
        *_terms(report),
        *_amounts(report, notional),
        (tags.TRANSACT_TIME, stamp(made_ns)),
        (tags.TEXT, report.text),
    ]
    if report.exec_type is ExecType.REJECTED:
        pairs.append((tags.ORD_REJ_REASON, ORD_REJ_REASONS.get(report.text, OTHER)))
    return tags.EXECUTION_REPORT, given(pairs)


def trade_body(report: Report, name: str, made_ns: int, request_id: str) -> Body:
    """A trade told again, as a TradeCaptureReport."""
    return given(
        [
            (tags.TRADE_REPORT_ID, report.exec_id),
            (TRANS_TYPE, TRANS_TYPES[report.exec_type]),
            (REPORT_REF_ID, report.exec_ref_id),
            (tags.TRADE_REQUEST_ID, request_id),
            (tags.PREVIOUSLY_REPORTED, "N"),
            (tags.EXEC_ID, report.exec_id),
            (tags.SYMBOL, report.symbol),
            (tags.LAST_QTY, GRID.lots_to_text(report.last_qty)),
            (tags.LAST_PX, GRID.ticks_to_text(report.last_px)),
            (tags.TRADE_DATE, stamp(made_ns)[:8]),
            (tags.TRANSACT_TIME, stamp(made_ns)),
            (tags.NO_SIDES, "1"),
            (tags.SIDE, SIDE[report.side] if report.side else ""),
            (tags.ORDER_ID, report.venue_order_id),
            (tags.CL_ORD_ID, name),
            (tags.SECONDARY_CL_ORD_ID, report.cl_id),
            *_fee(report),
        ]
    )


def position_body(statement: Mapping[str, int | str], request_id: str, made_ns: int) -> Body:
    """What the session has, as a PositionReport."""
    held, day = int(statement["qty"]), stamp(made_ns)[:8]
    return (
        (tags.POS_MAINT_RPT_ID, f"P{made_ns}"),
        (tags.POS_REQ_ID, request_id),
        (tags.POS_REQ_RESULT, "0"),
        (tags.CLEARING_BUSINESS_DATE, day),
        (tags.SYMBOL, str(statement["symbol"])),
        (tags.LONG_QTY, GRID.lots_to_text(max(held, 0))),
        (tags.SHORT_QTY, GRID.lots_to_text(max(-held, 0))),
        (tags.OPEN_BUY_QTY, GRID.lots_to_text(int(statement["open_buy_qty"]))),
        (tags.OPEN_SELL_QTY, GRID.lots_to_text(int(statement["open_sell_qty"]))),
    )


def given(pairs: list[tuple[int, str]]) -> Body:
    """Without what is empty."""
    return tuple((tag, value) for tag, value in pairs if value)


def _refusal(report: Report) -> Body:
    return given(
        [
            (tags.ORDER_ID, report.venue_order_id or "NONE"),
            (tags.SECONDARY_CL_ORD_ID, report.cl_id),
            (tags.CL_ORD_ID, report.request_id),
            (tags.ORIG_CL_ORD_ID, report.cl_id),
            (tags.ORD_STATUS, ORD_STATUS[_status(report)]),
            (tags.CXL_REJ_RESPONSE_TO, REFUSED[report.exec_type]),
            (tags.CXL_REJ_REASON, CXL_REJ_REASONS.get(report.text, OTHER)),
            (tags.TEXT, report.text),
        ]
    )


def _status(report: Report) -> OrdStatus:
    if report.exec_type in ENDS or not report.venue_order_id:
        is_end = report.exec_type in ENDS
        return OrdStatus(report.exec_type.value) if is_end else OrdStatus.REJECTED
    if report.leaves_qty == 0:
        return OrdStatus.FILLED
    return OrdStatus.PARTIALLY_FILLED if report.cum_qty else OrdStatus.NEW


def _terms(report: Report) -> list[tuple[int, str]]:
    """What was ordered."""
    if report.side is None or report.ord_type is None or report.time_in_force is None:
        return []
    return [
        (tags.SYMBOL, report.symbol),
        (tags.SIDE, SIDE[report.side]),
        (tags.ORD_TYPE, ORD_TYPE[report.ord_type]),
        (tags.TIME_IN_FORCE, TIME_IN_FORCE[report.time_in_force]),
        (tags.ORDER_QTY, GRID.lots_to_text(report.qty)),
        (tags.PRICE, GRID.ticks_to_text(report.price) if report.price else ""),
        (tags.STOP_PX, GRID.ticks_to_text(report.stop_px) if report.stop_px else ""),
        (tags.MAX_FLOOR, GRID.lots_to_text(report.display_qty) if report.display_qty else ""),
        (tags.EXEC_INST, POST_ONLY if report.is_post_only else ""),
        (tags.EXPIRE_TIME, stamp(report.expire_ns) if report.expire_ns else ""),
    ]


def _amounts(report: Report, notional: int) -> list[tuple[int, str]]:
    """What has traded: now, and in all."""
    average = Decimal(0)
    if report.cum_qty:
        average = AVERAGES.divide(notional * GRID.tick_size, Decimal(report.cum_qty))
    return [
        (tags.LAST_QTY, GRID.lots_to_text(report.last_qty) if report.last_qty else ""),
        (tags.LAST_PX, GRID.ticks_to_text(report.last_px) if report.last_qty else ""),
        (tags.CUM_QTY, GRID.lots_to_text(report.cum_qty)),
        (tags.LEAVES_QTY, GRID.lots_to_text(report.leaves_qty)),
        (tags.AVG_PX, format(average, "f")),
        *_fee(report),
    ]


def _fee(report: Report) -> list[tuple[int, str]]:
    if not report.fee_e8:
        return []
    return [
        (tags.COMMISSION, format(report.fee_e8 / E8, "f")),
        (tags.COMM_TYPE, ABSOLUTE),
        (tags.COMM_CURRENCY, report.fee_currency),
    ]


def _known(message: Message, tag: int, names: dict[str, T], default: str = "") -> T:
    value = message.get(tag, default) or need(message, tag)
    if value not in names:
        raise BadField(tag, f"tag {tag} has a value that is not known here")
    return names[value]


def _lots(message: Message, tag: int, *, is_needed: bool = False) -> int:
    text = need(message, tag) if is_needed else message.get(tag)
    try:
        return GRID.qty_to_lots(text) if text else 0
    except GridError as error:
        raise BadField(tag, error.text) from error


def _ticks(message: Message, tag: int) -> int:
    text = message.get(tag)
    try:
        return GRID.price_to_ticks(text) if text else 0
    except GridError as error:
        raise BadField(tag, error.text) from error


def moment_ns(message: Message, tag: int = tags.TRANSACT_TIME) -> int:
    """A time that a message says; 0 if it says none. Raises BadField."""
    text = message.get(tag)
    try:
        return time_ns(text) if text else 0
    except ValueError as error:
        raise BadField(tag, str(error)) from error
