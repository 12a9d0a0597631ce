# SPDX-License-Identifier: Apache-2.0
"""How orders and trades look here: decimals as text, this API's words. Nothing is computed twice.

An order's number is that of its first report, a trade's that of its own; both grow over the whole
venue.
"""

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from tradewind.common.grid import Grid, GridError
from tradewind.core.types import ExecType, OrdStatus, OrdType, Side, TimeInForce
from tradewind.simvenue.exchange import errors
from tradewind.simvenue.exchange.errors import ApiError, missing
from tradewind.simvenue.exchange.keys import Params
from tradewind.simvenue.flow import LOTS_PER_UNIT, TICKS_PER_UNIT
from tradewind.simvenue.orders import ENDS, Report
from tradewind.simvenue.requests import New

GRID = Grid(1 / Decimal(TICKS_PER_UNIT), 1 / Decimal(LOTS_PER_UNIT))
E8 = 100_000_000
CLIENT_ID = re.compile(r"[.A-Z:/a-z0-9_-]{1,36}")
TYPES = {
    "LIMIT": OrdType.LIMIT,
    "LIMIT_MAKER": OrdType.LIMIT,
    "MARKET": OrdType.MARKET,
    "STOP_LOSS": OrdType.STOP,
    "STOP_LOSS_LIMIT": OrdType.STOP_LIMIT,
}
NAMES = {ord_type: name for name, ord_type in reversed(TYPES.items())}
TIMES = {tif.value: tif for tif in (TimeInForce.GTC, TimeInForce.IOC, TimeInForce.FOK)}
SIDES = {side.value: side for side in Side}
UNFILLED = "UNFILLED_REMAINDER"


def new_of(params: Params, symbol: str, cl_id: str) -> New:
    """The order that a client describes.

    Raises:
        ApiError: if it describes none.
    """
    kind = params.get("type", "")
    if kind not in TYPES:
        raise ApiError(errors.BAD_TYPE)
    if params.get("side") not in SIDES:
        raise ApiError(errors.BAD_SIDE)
    if not CLIENT_ID.fullmatch(cl_id):
        raise ApiError(errors.BAD_CLIENT_ID)
    return New(
        cl_id=cl_id,
        symbol=symbol,
        side=SIDES[params["side"]],
        ord_type=TYPES[kind],
        time_in_force=_time_in_force(kind, params),
        qty=lots(params, "quantity"),
        price=ticks(params, "price") if "LIMIT" in kind else 0,
        stop_px=ticks(params, "stopPrice") if "STOP" in kind else 0,
        display_qty=lots(params, "icebergQty") if "icebergQty" in params else 0,
        is_post_only=kind == "LIMIT_MAKER",
    )


def _time_in_force(kind: str, params: Params) -> TimeInForce:
    if kind not in ("LIMIT", "STOP_LOSS_LIMIT"):
        return TimeInForce.GTC
    if params.get("timeInForce") not in TIMES:
        raise ApiError(errors.BAD_TIME_IN_FORCE)
    return TIMES[params["timeInForce"]]


def lots(params: Params, name: str) -> int:
    """A quantity."""
    try:
        return GRID.qty_to_lots(params.get(name, ""))
    except GridError as error:
        raise missing(name) if error.code == "BAD_NUMBER" else ApiError(errors.LOT_SIZE) from error


def ticks(params: Params, name: str) -> int:
    """A price."""
    try:
        return GRID.price_to_ticks(params.get(name, ""))
    except GridError as error:
        refused = ApiError(errors.PRICE_FILTER)
        raise missing(name) if error.code == "BAD_NUMBER" else refused from error


def price(value: int) -> str:
    """A price as text."""
    return format(value * GRID.tick_size, ".8f")


def qty(value: int) -> str:
    """A quantity as text."""
    return format(value * GRID.lot_size, ".8f")


def quote(value: int) -> str:
    """Ticks x lots as text."""
    return format(value * GRID.tick_size * GRID.lot_size, ".10f")


def fee(report: Report) -> str:
    """A fee as text."""
    return format(Decimal(report.fee_e8) / E8, ".8f")


def order_no(report: Report) -> int:
    """The number of a report's order."""
    return int(report.venue_order_id[1:] or 0)


def status(reports: Sequence[Report]) -> str:
    """The state that an order's reports leave it in."""
    end = next((report for report in reports if report.exec_type in ENDS), None)
    if end is not None:
        is_rest = end.exec_type is ExecType.CANCELED and end.text == UNFILLED
        return "EXPIRED" if is_rest else end.exec_type.value
    last = reports[-1]
    if last.leaves_qty == 0:
        return OrdStatus.FILLED.value
    return (OrdStatus.PARTIALLY_FILLED if last.cum_qty else OrdStatus.NEW).value


def order(symbol_id: str, reports: Sequence[Report], first_ms: int, last_ms: int) -> dict[str, Any]:
    """An order, from all its reports."""
    last = reports[-1]
    notional = sum(report.last_qty * report.last_px for report in reports)
    is_working = status(reports) in ("NEW", "PARTIALLY_FILLED")
    return {
        "symbol": symbol_id,
        "orderId": order_no(last),
        "orderListId": -1,
        "clientOrderId": last.cl_id,
        "price": price(last.price),
        "origQty": qty(last.qty),
        "executedQty": qty(last.cum_qty),
        "cummulativeQuoteQty": quote(notional),
        "status": status(reports),
        "timeInForce": last.time_in_force or "GTC",
        "type": kind_of(last),
        "side": last.side,
        "stopPrice": price(last.stop_px),
        "icebergQty": qty(last.display_qty),
        "time": first_ms,
        "updateTime": last_ms,
        "isWorking": is_working,
        "workingTime": first_ms,
        "origQuoteOrderQty": qty(0),
        "selfTradePreventionMode": "NONE",
    }


def kind_of(report: Report) -> str:
    """What this API calls an order's type."""
    return "LIMIT_MAKER" if report.is_post_only else NAMES[report.ord_type or OrdType.LIMIT]


def trade(symbol_id: str, report: Report, ts_ms: int) -> dict[str, Any]:
    """A trade of an account."""
    return {
        "symbol": symbol_id,
        "id": report.exec_no,
        "orderId": order_no(report),
        "orderListId": -1,
        "price": price(report.last_px),
        "qty": qty(report.last_qty),
        "quoteQty": quote(report.last_px * report.last_qty),
        "commission": fee(report),
        "commissionAsset": report.fee_currency,
        "time": ts_ms,
        "isBuyer": report.side is Side.BUY,
        "isMaker": False,
        "isBestMatch": True,
    }
