# SPDX-License-Identifier: Apache-2.0
"""What a logged-on client asks for, and what it is told. A table of message types."""

import time
from collections.abc import Callable, Sequence
from itertools import count

from tradewind.core.types import ExecType, OrdStatus, Side
from tradewind.fix import tags
from tradewind.fix.message import Body, Message
from tradewind.fix.values import (
    EXEC_TYPE,
    ORD_STATUS,
    OTHER,
    SIDE,
    TRAD_SES_STATUS,
    TRY_LATER,
)
from tradewind.simvenue.admin import SetSession
from tradewind.simvenue.faults import Kind, Misanswered
from tradewind.simvenue.fix import words
from tradewind.simvenue.fix.words import BadField, given, need
from tradewind.simvenue.ledger import FOR_EVER_NS
from tradewind.simvenue.orders import OrderState, Report
from tradewind.simvenue.requests import Cancel, New, Replace
from tradewind.simvenue.venue import Venue

Tell = Callable[[str, Body], None]
UNSUPPORTED = "3"
TRADES = frozenset({ExecType.TRADE, ExecType.TRADE_CANCEL, ExecType.TRADE_CORRECT})
ALL_ORDERS = "7"


class Desk:
    """One session's requests at the venue."""

    def __init__(self, venue: Venue, session: str, tell: Tell) -> None:
        self._venue = venue
        self._session = session
        self._tell = tell
        self._answers = count(1)
        self._handlers: dict[str, Callable[[Message], None]] = {
            tags.NEW_ORDER_SINGLE: self._new,
            tags.ORDER_CANCEL_REQUEST: self._cancel,
            tags.ORDER_CANCEL_REPLACE_REQUEST: self._replace,
            tags.ORDER_STATUS_REQUEST: self._status,
            tags.ORDER_MASS_STATUS_REQUEST: self._mass_status,
            tags.TRADE_CAPTURE_REPORT_REQUEST: self._trades,
            tags.REQUEST_FOR_POSITIONS: self._position,
        }

    def handle(self, message: Message) -> None:
        """Does what a message asks for; what cannot be read is refused by its field."""
        handler = self._handlers.get(message.msg_type)
        if handler is None:
            self.refuse(message, UNSUPPORTED, "this message type is not supported")
            return
        try:
            handler(message)
        except BadField as error:
            self.refuse(message, str(error.reason), error.text, error.tag)

    def report(self, report: Report) -> None:
        """Tells an execution."""
        made_ns = self._venue.ledger.dated(report.exec_no)[0]
        until = [one for one in self._of(report.cl_id) if one.exec_no <= report.exec_no]
        name = _name(until[:-1]) if until[:-1] else report.cl_id
        self._tell(*words.report_body(report, name, made_ns, _notional(until)))

    def trading_session(self, session: SetSession) -> None:
        """Tells what part of the trading session it is now."""
        status = (tags.TRAD_SES_STATUS, TRAD_SES_STATUS[session.status])
        date = session.trading_date.replace("-", "") or "NONE"
        self._tell(tags.TRADING_SESSION_STATUS, ((tags.TRADING_SESSION_ID, date), status))

    def _new(self, message: Message) -> None:
        self._request(message, words.new_of(message))

    def _cancel(self, message: Message) -> None:
        self._request(message, words.cancel_of(message, self._cl_id(message)))

    def _replace(self, message: Message) -> None:
        self._request(message, words.replace_of(message, self._cl_id(message)))

    def _request(self, message: Message, request: New | Cancel | Replace) -> None:
        try:
            self._venue.request(self._session, request)
        except Misanswered as fault:
            if fault.kind is Kind.RATE_LIMIT:
                retry = (tags.RETRY_AFTER_MS, str(fault.retry_ms))
                self.refuse(message, TRY_LATER, fault.code, 0, retry)
            elif fault.code != "NO_ANSWER":
                self.refuse(message, OTHER, fault.code)

    def _status(self, message: Message) -> None:
        cl_id = self._cl_id(message, tags.CL_ORD_ID)
        reports, state = self._venue.status(self._session, cl_id)
        question = message.get(tags.ORD_STATUS_REQ_ID)
        if state is None:
            self._tell(tags.EXECUTION_REPORT, self.nothing(message, cl_id, question))
        else:
            self.state(reports, state, (tags.ORD_STATUS_REQ_ID, question))

    def _mass_status(self, message: Message) -> None:
        question = need(message, tags.MASS_STATUS_REQ_ID)
        if need(message, tags.MASS_STATUS_REQ_TYPE) != ALL_ORDERS:
            raise BadField(tags.MASS_STATUS_REQ_TYPE, "only 7, all orders, is known here")
        states = self._venue.open_orders(self._session)
        total = (tags.TOT_NUM_REPORTS, str(len(states)))
        named = (tags.MASS_STATUS_REQ_ID, question)
        for number, state in enumerate(states, 1):
            last = (tags.LAST_RPT_REQUESTED, "Y" if number == len(states) else "N")
            reports, _state = self._venue.memory.of_order(self._session, state.cl_id, FOR_EVER_NS)
            self.state(reports, state, named, total, last)
        if not states:
            nothing = self.nothing(message, "NONE", "")
            self._tell(tags.EXECUTION_REPORT, (*nothing, named, total))

    def state(self, reports: Sequence[Report], state: OrderState, *more: tuple[int, str]) -> None:
        """An order as it is, in the fields of its last report."""
        mine = [one for one in reports if one.venue_order_id == state.venue_order_id]
        last = mine[-1]
        made_ns = self._venue.ledger.dated(last.exec_no)[0]
        _type, body = words.report_body(last, _name(mine), made_ns, _notional(mine))
        said = dict(body) if _type == tags.EXECUTION_REPORT else {}
        if not said:
            earlier = [one for one in mine if one.exec_type not in words.REFUSED]
            said = dict(words.report_body(earlier[-1], _name(mine), made_ns, _notional(mine))[1])
        for tag in (tags.LAST_QTY, tags.LAST_PX, tags.EXEC_REF_ID, tags.COMMISSION):
            said.pop(tag, None)
        request_id = _ending(mine) if not state.leaves_qty else ""
        if request_id:
            said |= {tags.CL_ORD_ID: request_id, tags.ORIG_CL_ORD_ID: _name(mine)}
        said |= {
            tags.EXEC_ID: self._answer_id(),
            tags.EXEC_TYPE: EXEC_TYPE[ExecType.ORDER_STATUS],
            tags.ORD_STATUS: ORD_STATUS[state.ord_status],
            tags.CUM_QTY: words.GRID.lots_to_text(state.cum_qty),
            tags.LEAVES_QTY: words.GRID.lots_to_text(state.leaves_qty),
        }
        self._tell(tags.EXECUTION_REPORT, (*said.items(), *given(list(more))))

    def nothing(self, message: Message, cl_id: str, question: str) -> Body:
        """There is no such order."""
        return given(
            [
                (tags.ORDER_ID, "NONE"),
                (tags.CL_ORD_ID, cl_id),
                (tags.SECONDARY_CL_ORD_ID, cl_id),
                (tags.EXEC_ID, self._answer_id()),
                (tags.EXEC_TYPE, EXEC_TYPE[ExecType.ORDER_STATUS]),
                (tags.ORD_STATUS, ORD_STATUS[OrdStatus.REJECTED]),
                (tags.ORD_REJ_REASON, words.UNKNOWN),
                (tags.SYMBOL, message.get(tags.SYMBOL) or self._venue.exchange.symbol),
                (tags.SIDE, message.get(tags.SIDE) or SIDE[Side.BUY]),
                (tags.CUM_QTY, "0"),
                (tags.LEAVES_QTY, "0"),
                (tags.AVG_PX, "0"),
                (tags.ORD_STATUS_REQ_ID, question),
                (tags.TEXT, "UNKNOWN_ORDER"),
            ]
        )

    def _trades(self, message: Message) -> None:
        """Trades of one order, or of all since a time: also what became of them."""
        question, since_ns = need(message, tags.TRADE_REQUEST_ID), words.moment_ns(message)
        if message.get(tags.CL_ORD_ID):
            cl_id = self._cl_id(message, tags.CL_ORD_ID)
            found, _state = self._venue.memory.of_order(self._session, cl_id, FOR_EVER_NS)
        else:
            first = self._venue.ledger.first_since(since_ns)
            found = list(self._venue.memory.reports(self._session, first - 1, 0))
        dated = [
            (self._venue.ledger.dated(r.exec_no)[0], r) for r in found if r.exec_type in TRADES
        ]
        trades = [(made_ns, report) for made_ns, report in dated if made_ns >= since_ns]
        self._tell(
            tags.TRADE_CAPTURE_REPORT_REQUEST_ACK,
            (
                (tags.TRADE_REQUEST_ID, question),
                (tags.TRADE_REQUEST_TYPE, message.get(tags.TRADE_REQUEST_TYPE, "1")),
                (tags.TOT_NUM_TRADE_REPORTS, str(len(trades))),
                (tags.TRADE_REQUEST_RESULT, "0"),
                (tags.TRADE_REQUEST_STATUS, "0" if trades else "1"),
            ),
        )
        for made_ns, report in trades:
            name = _name(self._of(report.cl_id))
            body = words.trade_body(report, name, made_ns, question)
            self._tell(tags.TRADE_CAPTURE_REPORT, body)

    def _position(self, message: Message) -> None:
        question = need(message, tags.POS_REQ_ID)
        statement = self._venue.statement(self._session)
        body = words.position_body(statement, question, time.time_ns())
        self._tell(tags.POSITION_REPORT, body)

    def _cl_id(self, message: Message, tag: int = tags.ORIG_CL_ORD_ID) -> str:
        """The first name of the order that a message names by one of its names."""
        name = need(message, tag)
        answered = self._venue.exchange.records.answered.get((self._session, name))
        return name if answered is None else self._venue.ledger.report(answered).cl_id

    def _of(self, cl_id: str) -> list[Report]:
        return self._venue.ledger.reports_of(self._session, cl_id)

    def refuse(
        self, message: Message, reason: str, text: str, tag: int = 0, *more: tuple[int, str]
    ) -> None:
        """Says that a message is not done, and why."""
        self._tell(
            tags.BUSINESS_MESSAGE_REJECT,
            given(
                [
                    (tags.REF_SEQ_NUM, str(message.seq)),
                    (tags.REF_TAG_ID, str(tag) if tag else ""),
                    (tags.REF_MSG_TYPE, message.msg_type),
                    (tags.BUSINESS_REJECT_REF_ID, message.get(tags.CL_ORD_ID)),
                    (tags.BUSINESS_REJECT_REASON, reason),
                    (tags.TEXT, text),
                    *more,
                ]
            ),
        )

    def _answer_id(self) -> str:
        """An ExecID for what is no execution: never the same twice."""
        return f"I{time.time_ns()}-{next(self._answers)}"


def _name(reports: Sequence[Report]) -> str:
    """The ClOrdID that an order has after these reports."""
    granted = [one.request_id for one in reports if one.exec_type is ExecType.REPLACED]
    return granted[-1] if granted else reports[-1].cl_id


def _ending(reports: Sequence[Report]) -> str:
    """The request that ended an order, if one did."""
    ends = [one.request_id for one in reports if one.exec_type is ExecType.CANCELED]
    return ends[-1] if ends else ""


def _notional(reports: Sequence[Report]) -> int:
    """Ticks x lots of all trades that stand after these reports."""
    standing: dict[str, int] = {}
    for one in reports:
        if one.exec_type in TRADES:
            standing.pop(one.exec_ref_id, None)
            standing[one.exec_id] = one.last_qty * one.last_px
    return sum(standing.values())
