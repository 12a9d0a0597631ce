# SPDX-License-Identifier: Apache-2.0
"""Our requests as ccxt's arguments, and ccxt's orders and trades as our reports.

Numbers are text on both sides; ccxt is told to leave them so. An execution is named after what the
exchange numbers, so that whoever finds it again, by whatever way, gives it the same id.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from tradewind.common.grid import Grid
from tradewind.core.commands import ApplyVenueReport
from tradewind.core.events import VenueRequest
from tradewind.core.types import ExecType, OrdType, Side, TimeInForce
from tradewind.venue.ccxt_terms import Terms

TEXT_MAX = 200
E8 = Decimal(100_000_000)
TIMES = frozenset({TimeInForce.GTC, TimeInForce.IOC, TimeInForce.FOK})
AT_ONCE = frozenset({TimeInForce.GTC, TimeInForce.IOC, TimeInForce.DAY})
"""A market order ends at once, so that these are all the same to it."""
SIDES = {"buy": Side.BUY, "sell": Side.SELL}
ENDS = {
    "canceled": ExecType.CANCELED,
    "expired": ExecType.EXPIRED,
    "rejected": ExecType.REJECTED,
}
Plain = dict[str, Any]


def unified(symbol: str) -> str:
    """What ccxt calls a symbol."""
    return symbol.replace("-", "/")


def ours(symbol: str) -> str:
    """What we call ccxt's symbol."""
    return symbol.replace("/", "-")


@dataclass(frozen=True, slots=True)
class Arguments:
    """A new order as ccxt takes it."""

    kind: str
    side: str
    amount: str
    price: str | None
    params: Plain


def arguments(request: VenueRequest, grid: Grid, terms: Terms) -> Arguments | None:
    """A new order for ccxt; None if the exchange has no such order. Nothing is made similar."""
    is_market = request.ord_type in (OrdType.MARKET, OrdType.STOP)
    if request.time_in_force not in (AT_ONCE if is_market else TIMES):
        return None
    if request.expire_ns or not terms.client_id.fullmatch(request.order_id):
        return None
    params = terms.created(request.order_id)
    if not is_market and not request.is_post_only:
        params["timeInForce"] = request.time_in_force.value
    if request.is_post_only:
        if is_market or request.stop_px or request.time_in_force is not TimeInForce.GTC:
            return None
        params["postOnly"] = True
    if request.stop_px:
        params["triggerPrice"] = grid.ticks_to_text(request.stop_px)
    if request.display_qty:
        if is_market or request.time_in_force is not TimeInForce.GTC:
            return None
        params |= terms.iceberg(grid.lots_to_text(request.display_qty))
    return Arguments(
        kind="market" if is_market else "limit",
        side=request.side.lower(),
        amount=grid.lots_to_text(request.order_qty),
        price=None if is_market else grid.ticks_to_text(request.price),
        params=params,
    )


def lots(text: str | None, grid: Grid) -> int:
    """A quantity that may be zero."""
    return 0 if text is None or not Decimal(text) else grid.qty_to_lots(text)


def ticks(text: str | None, grid: Grid) -> int:
    """A price that may be none."""
    return 0 if text is None or not Decimal(text) else grid.price_to_ticks(text)


@dataclass(frozen=True, slots=True)
class Reporter:
    """Makes the reports of one venue."""

    venue: str

    def answer(self, request: VenueRequest, exec_type: ExecType, text: str) -> ApplyVenueReport:
        """The exchange's, or our own, no to a request; there is one such for each."""
        is_new = request.request_id == request.order_id
        return ApplyVenueReport(
            venue=self.venue,
            order_id=request.order_id,
            request_id="" if is_new else request.request_id,
            venue_order_id="",
            exec_id=f"NO-{request.request_id}",
            exec_no=0,
            exec_type=exec_type,
            last_qty=0,
            last_px=0,
            order_qty=request.order_qty,
            price=request.price,
            text=text[:TEXT_MAX],
        )

    def state(
        self,
        order_id: str,
        order: Plain,
        grid: Grid,
        exec_type: ExecType,
        exec_id: str,
        request_id: str = "",
    ) -> ApplyVenueReport:
        """What an order is now."""
        return ApplyVenueReport(
            venue=self.venue,
            order_id=order_id,
            request_id=request_id,
            venue_order_id=order["id"],
            exec_id=exec_id,
            exec_no=order["lastUpdateTimestamp"] or order["timestamp"] or 0,
            exec_type=exec_type,
            last_qty=0,
            last_px=0,
            order_qty=lots(order["amount"], grid),
            price=ticks(order["price"], grid) if order["type"] != "market" else 0,
            text="",
            symbol=ours(order["symbol"]),
            side=SIDES[order["side"]],
        )

    def fill(self, order_id: str, trade: Plain, order: Plain, grid: Grid) -> ApplyVenueReport:
        """A trade of an order."""
        fee = trade.get("fee") or {}
        cost = Decimal(fee.get("cost") or 0) * E8
        return ApplyVenueReport(
            venue=self.venue,
            order_id=order_id,
            request_id="",
            venue_order_id=order["id"],
            exec_id=f"T-{order['symbol']}-{trade['id']}",
            exec_no=trade["timestamp"] or order["lastUpdateTimestamp"] or 0,
            exec_type=ExecType.TRADE,
            last_qty=lots(trade["amount"], grid),
            last_px=ticks(trade["price"], grid),
            order_qty=lots(order["amount"], grid),
            price=ticks(order["price"], grid) if order["type"] != "market" else 0,
            text="",
            fee_e8=int(cost.to_integral_value(rounding="ROUND_CEILING")),
            fee_currency=fee.get("currency") or "",
            symbol=ours(order["symbol"]),
            side=SIDES[order["side"]],
        )
