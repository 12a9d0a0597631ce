# SPDX-License-Identifier: Apache-2.0
"""Our requests as FIX messages, and a venue's messages as reports. FIX 4.4, volume 4.

An order is named by our order id for its whole life: as ClOrdID of the new order, and as
SecondaryClOrdID (526) of everything about it; a venue that repeats only ClOrdIDs is understood too.
"""

from collections import OrderedDict
from dataclasses import replace
from decimal import Decimal

from tradewind.common.grid import Grid
from tradewind.core.commands import ApplyVenueReport, SetTradingSession, StatePosition
from tradewind.core.events import VenueRequest
from tradewind.core.types import ExecType, OrdStatus, Side, VenueAction
from tradewind.core.venue_commands import NOT_SAID
from tradewind.fix import tags
from tradewind.fix.message import Body, Message
from tradewind.fix.stamps import stamp
from tradewind.fix.values import (
    EXEC_TYPES,
    ORD_STATUSES,
    ORD_TYPE,
    POST_ONLY,
    REPLACE_ANSWERED,
    SIDE,
    SIDES,
    TIME_IN_FORCE,
    TRAD_SES_STATUSES,
)
from tradewind.venue.instruments import Instruments

E8 = Decimal(100_000_000)
NO_ORDER = "NONE"
TEXT_MAX = 200
ORDERS_KEPT = 100_000
TRADES = {"0": ExecType.TRADE, "1": ExecType.TRADE_CANCEL, "2": ExecType.TRADE_CORRECT}
TRANS_TYPE, REPORT_REF_ID = 487, 572
ENDS = {
    OrdStatus.CANCELED: ExecType.CANCELED,
    OrdStatus.EXPIRED: ExecType.EXPIRED,
    OrdStatus.REJECTED: ExecType.REJECTED,
}


class NoSuchInstrument(Exception):
    """There is no grid for a symbol: what it is about cannot be said in lots and ticks."""


class Words:
    """Translates for one session."""

    def __init__(self, venue: str, instruments: Instruments) -> None:
        self._venue = venue
        self._instruments = instruments
        self._names: OrderedDict[str, tuple[str, str]] = OrderedDict()

    def order(self, request: VenueRequest, now_ns: int) -> tuple[str, Body]:
        """A request as message type and fields.

        Raises:
            NoSuchInstrument: if its symbol is not known here.
        """
        name, venue_order_id = self._names.get(request.order_id, (request.order_id, ""))
        own = [
            (tags.CL_ORD_ID, request.request_id),
            (tags.SECONDARY_CL_ORD_ID, request.order_id),
            (tags.SYMBOL, request.symbol),
            (tags.SIDE, SIDE[request.side]),
            (tags.TRANSACT_TIME, stamp(now_ns)),
        ]
        former = [
            (tags.ORIG_CL_ORD_ID, name),
            (tags.ORDER_ID, request.venue_order_id or venue_order_id),
        ]
        match request.action:
            case VenueAction.NEW:
                return tags.NEW_ORDER_SINGLE, given([*own, *self._terms(request)])
            case VenueAction.CANCEL:
                return tags.ORDER_CANCEL_REQUEST, given([*own, *former])
            case VenueAction.REPLACE:
                body = given([*own, *former, *self._terms(request)])
                return tags.ORDER_CANCEL_REPLACE_REQUEST, body
            case VenueAction.STATUS:
                raise AssertionError("a question is asked, not sent")

    def report(self, message: Message, exec_no: int) -> ApplyVenueReport:
        """An ExecutionReport of something that has happened. Raises NoSuchInstrument."""
        exec_type = EXEC_TYPES[message.get(tags.EXEC_TYPE)]
        order_id, request_id = self._ids(message)
        self._note(message, order_id)
        return self._made(
            message, order_id, request_id, exec_type, message.get(tags.EXEC_ID), exec_no
        )

    def refusal(self, message: Message, exec_no: int) -> ApplyVenueReport:
        """An OrderCancelReject."""
        order_id, request_id = self._ids(message)
        is_replace = message.get(tags.CXL_REJ_RESPONSE_TO) == REPLACE_ANSWERED
        kind = ExecType.REPLACE_REJECTED if is_replace else ExecType.CANCEL_REJECTED
        return self._made(message, order_id, request_id, kind, f"NO-{request_id}", exec_no)

    def trade(self, message: Message) -> ApplyVenueReport:
        """A TradeCaptureReport: a trade told again, under its own name."""
        order_id, _request_id = self._ids(message)
        kind = TRADES[message.get(TRANS_TYPE, "0")]
        exec_id = message.get(tags.EXEC_ID) or message.get(tags.TRADE_REPORT_ID)
        report = self._made(message, order_id, "", kind, exec_id, 0)
        return replace(report, exec_ref_id=message.get(REPORT_REF_ID))

    def state(self, message: Message, asked: VenueRequest | None) -> ApplyVenueReport | None:
        """What an answer to a question says of an order that works or has ended; of others None.

        Where the order has the name of the replace that was asked about, that was granted.
        """
        status = ORD_STATUSES.get(message.get(tags.ORD_STATUS))
        if status is None or message.get(tags.ORDER_ID) in ("", NO_ORDER):
            return None
        order_id, request_id = self._ids(message)
        self._note(message, order_id)
        if status in ENDS:
            exec_id = f"END-{order_id}-{status}"
            return self._made(message, order_id, request_id, ENDS[status], exec_id, 0)
        if status is OrdStatus.FILLED:
            return None
        own = message.get(tags.CL_ORD_ID)
        if asked is not None and asked.action is VenueAction.REPLACE and asked.request_id == own:
            return self._made(message, order_id, own, ExecType.REPLACED, f"REPLACED-{own}", 0)
        exec_id = f"STATUS-{message.get(tags.EXEC_ID)}"
        return self._made(message, order_id, "", ExecType.NEW, exec_id, 0)

    def position(self, message: Message, exec_no: int, *, is_complete: bool) -> StatePosition:
        """A PositionReport."""
        held = self._lots(message, tags.LONG_QTY) - self._lots(message, tags.SHORT_QTY)
        is_said = tags.OPEN_BUY_QTY in message.fields
        return StatePosition(
            venue=self._venue,
            epoch=0,
            symbol=message.get(tags.SYMBOL),
            exec_no=exec_no,
            qty=held,
            open_buy_qty=self._lots(message, tags.OPEN_BUY_QTY) if is_said else NOT_SAID,
            open_sell_qty=self._lots(message, tags.OPEN_SELL_QTY) if is_said else NOT_SAID,
            is_complete=is_complete,
        )

    def trading_session(self, message: Message) -> SetTradingSession | None:
        """A TradingSessionStatus; None if it says nothing that matters."""
        status = TRAD_SES_STATUSES.get(message.get(tags.TRAD_SES_STATUS))
        if status is None:
            return None
        date = message.get(tags.TRADING_SESSION_ID)
        is_date = len(date) == 8 and date.isdigit()
        dashed = f"{date[:4]}-{date[4:6]}-{date[6:]}" if is_date else ""
        return SetTradingSession(venue=self._venue, status=status, trading_date=dashed)

    def no(self, request: VenueRequest, text: str) -> ApplyVenueReport:
        """The venue's, or our own, no to a request; there is one such for each."""
        kinds = {
            VenueAction.NEW: ExecType.REJECTED,
            VenueAction.CANCEL: ExecType.CANCEL_REJECTED,
            VenueAction.REPLACE: ExecType.REPLACE_REJECTED,
        }
        is_new = request.action is VenueAction.NEW
        return ApplyVenueReport(
            venue=self._venue,
            order_id=request.order_id,
            request_id="" if is_new else request.request_id,
            venue_order_id="",
            exec_id=f"NO-{request.request_id}",
            exec_no=0,
            exec_type=kinds[request.action],
            last_qty=0,
            last_px=0,
            order_qty=request.order_qty,
            price=request.price,
            text=text[:TEXT_MAX],
        )

    def cum_qty(self, message: Message) -> int:
        """What an order has traded in all, by a report."""
        return self._lots(message, tags.CUM_QTY)

    def _terms(self, request: VenueRequest) -> list[tuple[int, str]]:
        grid = self._grid(request.symbol)
        return [
            (tags.ORD_TYPE, ORD_TYPE[request.ord_type]),
            (tags.TIME_IN_FORCE, TIME_IN_FORCE[request.time_in_force]),
            (tags.ORDER_QTY, grid.lots_to_text(request.order_qty)),
            (tags.PRICE, grid.ticks_to_text(request.price) if request.price else ""),
            (tags.STOP_PX, grid.ticks_to_text(request.stop_px) if request.stop_px else ""),
            (tags.MAX_FLOOR, grid.lots_to_text(request.display_qty) if request.display_qty else ""),
            (tags.EXEC_INST, POST_ONLY if request.is_post_only else ""),
            (tags.EXPIRE_TIME, stamp(request.expire_ns) if request.expire_ns else ""),
        ]

    def _ids(self, message: Message) -> tuple[str, str]:
        """Our order id, and the id of the request that is answered, if one is."""
        cl_ord_id, former = message.get(tags.CL_ORD_ID), message.get(tags.ORIG_CL_ORD_ID)
        order_id = message.get(tags.SECONDARY_CL_ORD_ID) or former or cl_ord_id
        return order_id, cl_ord_id if former else ""

    def _note(self, message: Message, order_id: str) -> None:
        """Remembers what the venue calls an order now."""
        kind = EXEC_TYPES.get(message.get(tags.EXEC_TYPE))
        name, _venue_order_id = self._names.get(order_id, (order_id, ""))
        if kind is ExecType.REPLACED:
            name = message.get(tags.CL_ORD_ID)
        elif kind is ExecType.ORDER_STATUS:
            name = message.get(tags.ORIG_CL_ORD_ID) or message.get(tags.CL_ORD_ID)
        self._names[order_id] = name, message.get(tags.ORDER_ID)
        if len(self._names) > ORDERS_KEPT:
            self._names.popitem(last=False)

    def _made(
        self,
        message: Message,
        order_id: str,
        request_id: str,
        exec_type: ExecType,
        exec_id: str,
        exec_no: int,
    ) -> ApplyVenueReport:
        fee = Decimal(message.get(tags.COMMISSION, "0")) * E8
        side = SIDES.get(message.get(tags.SIDE))
        is_state = exec_type is ExecType.NEW and exec_no == 0
        return ApplyVenueReport(
            venue=self._venue,
            order_id=order_id,
            request_id=request_id,
            venue_order_id=message.get(tags.ORDER_ID).removeprefix(NO_ORDER),
            exec_id=exec_id,
            exec_no=exec_no,
            exec_type=exec_type,
            last_qty=0 if is_state else self._lots(message, tags.LAST_QTY),
            last_px=0 if is_state else self._ticks(message, tags.LAST_PX),
            order_qty=self._lots(message, tags.ORDER_QTY),
            price=self._ticks(message, tags.PRICE),
            text=message.get(tags.TEXT)[:TEXT_MAX],
            exec_ref_id=message.get(tags.EXEC_REF_ID),
            fee_e8=int(fee.to_integral_value(rounding="ROUND_CEILING")),
            fee_currency=message.get(tags.COMM_CURRENCY),
            symbol="" if side is None else message.get(tags.SYMBOL),
            side=side or Side.BUY,
        )

    def _lots(self, message: Message, tag: int) -> int:
        text = message.get(tag, "0")
        return 0 if not Decimal(text) else self._grid(message.get(tags.SYMBOL)).qty_to_lots(text)

    def _ticks(self, message: Message, tag: int) -> int:
        text = message.get(tag, "0")
        return 0 if not Decimal(text) else self._grid(message.get(tags.SYMBOL)).price_to_ticks(text)

    def _grid(self, symbol: str) -> Grid:
        grid = self._instruments.grid(symbol)
        if grid is None:
            raise NoSuchInstrument(symbol)
        return grid


def given(pairs: list[tuple[int, str]]) -> Body:
    """Without what is empty."""
    return tuple((tag, value) for tag, value in pairs if value)
