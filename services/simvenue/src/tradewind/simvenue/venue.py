# SPDX-License-Identifier: Apache-2.0
"""The venue: exchange, ledger and sessions put together. Synchronous: a request is done at once.

Whatever changes a client's order goes through here: decided by the exchange, written to the
ledger, and only then handed to the session's connection.
"""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from tradewind.common.errors import CorruptionError, TradewindError
from tradewind.core.types import ExecType
from tradewind.simvenue import admin
from tradewind.simvenue.flow import FlowEvent
from tradewind.simvenue.ledger import Ledger, Line
from tradewind.simvenue.matching import Exchange
from tradewind.simvenue.orders import Order, OrderState, Report, order_of, state_after, state_of
from tradewind.simvenue.requests import Cancel, New, Replace

Deliver = Callable[[Report], None]
FILLS = frozenset({ExecType.TRADE, ExecType.TRADE_CORRECT})


class BadAdministration(TradewindError):
    """The people at the venue ask for what cannot be."""

    code = "BAD_ADMINISTRATION"


class Venue:
    """All that survives a kill, and the only writer of it."""

    def __init__(self, exchange: Exchange, path: Path) -> None:
        """Starts as the ledger at `path` says, or new."""
        self.exchange = exchange
        self.ledger = Ledger(path)
        self.epochs: dict[str, int] = {}
        self.trading_session: admin.SetSession | None = None
        self._amended: set[str] = set()
        self._to_drop = 0
        self._receivers: dict[str, Deliver] = {}
        for line in self.ledger.load():
            self._restore(line)
        exchange.rest_again()

    def close(self) -> None:
        """Closes the ledger."""
        self.ledger.close()

    def take_session(self, session: str) -> int:
        """Gives the session to a new connection; the old one hears nothing more."""
        self._receivers.pop(session, None)
        epoch = self.epochs.get(session, 0) + 1
        self.ledger.write([{**_line("logon", session), "epoch": epoch}])
        self.epochs[session] = epoch
        return epoch

    def receive(self, session: str, deliver: Deliver, *, after: int, back: int) -> int:
        """Delivers the session's reports after `after`, and from now on every new one.

        Returns:
            the number of the last execution at the venue.
        """
        for report in self.ledger.reports(session, after, back):
            deliver(report)
        self._receivers[session] = deliver
        return self.exchange.records.last_exec_no

    def release(self, session: str, deliver: Deliver) -> None:
        """The connection has gone; its reports wait in the ledger."""
        if self._receivers.get(session) is deliver:
            del self._receivers[session]

    def request(self, session: str, message: New | Cancel | Replace) -> None:
        """Does what a client asks, once per request id, and reports it."""
        received = {**_line("in", session), "msg": message}
        if not isinstance(message, New):
            answered = self.exchange.records.answered.get((session, message.request_id))
            if answered is not None:
                self.ledger.write([received])
                self._deliver([self.ledger.report(answered)])
                return
        match message:
            case New():
                reports = self.exchange.new(session, message)
            case Cancel():
                reports = self.exchange.cancel(session, message)
            case Replace():
                reports = self.exchange.replace(session, message)
        self._record(reports, received)

    def background(self, event: FlowEvent) -> None:
        """Applies one background event."""
        reports = self.exchange.background(event)
        if reports:
            self._record(reports)

    def end_day(self) -> None:
        """Expires the orders that were good for the day."""
        self.administer(admin.EndDay())

    def expire(self) -> None:
        """Expires the orders whose own time is up."""
        reports = self.exchange.expire(time.time_ns())
        if reports:
            self._record(reports)

    def administer(self, message: admin.Administration) -> None:
        """Does what people at the venue ask for.

        Raises:
            BadAdministration: if it cannot be done; then nothing was.
        """
        reports: list[Report] = []
        match message:
            case admin.SetSession():
                self.trading_session = message
                reports = self.exchange.set_status(message.status)
            case admin.EndDay():
                reports = self.exchange.end_day()
            case admin.Bust():
                reports = self._amend(message.exec_no, 0, 0)
            case admin.Correct():
                reports = self._amend(message.exec_no, message.qty, message.px)
            case admin.Restate():
                reports = self._restate(message)
            case admin.DropReports():
                self._to_drop = message.count
        self._record(reports, {**_line("admin", ""), "msg": message})

    def status(self, session: str, cl_id: str) -> OrderState | None:
        """What became of the latest order of this id, working or ended."""
        key = (session, cl_id)
        order = self.exchange.records.working.get(key)
        if order is not None:
            return state_of(order)
        end = self.exchange.records.ended.get(key)
        if end is None:
            return None
        return state_after(self.ledger.report(end), self.ledger.reports_of(session, cl_id)[-1])

    def _amend(self, exec_no: int, qty: int, px: int) -> list[Report]:
        if exec_no > self.exchange.records.last_exec_no:
            raise BadAdministration(f"there is no execution {exec_no}")
        fill = self.ledger.report(exec_no)
        if fill.exec_type not in FILLS or fill.exec_id in self._amended:
            raise BadAdministration(f"execution {exec_no} is no fill, or is one no more")
        self._amended.add(fill.exec_id)
        return self.exchange.amend(self._order_of(fill), fill, qty, px)

    def _order_of(self, fill: Report) -> Order:
        """The order that a fill is of: as it works, or as it was told last."""
        working = self.exchange.records.working.get((fill.session, fill.cl_id))
        if working is not None and working.venue_order_id == fill.venue_order_id:
            return working
        return order_of(self.ledger.reports_of(fill.session, fill.cl_id)[-1])

    def _restate(self, message: admin.Restate) -> list[Report]:
        order = self.exchange.records.working.get((message.session, message.cl_id))
        if order is None or message.qty <= order.cum_qty:
            raise BadAdministration(f"no order {message.cl_id} works that could have these terms")
        return self.exchange.restate(order, message.qty, message.price)

    def _record(self, reports: Sequence[Report], *before: dict[str, Any]) -> None:
        lines = [*before, *({**_line("report", r.session), "report": r} for r in reports)]
        self.ledger.write(lines)
        self._deliver(reports)

    def _deliver(self, reports: Sequence[Report]) -> None:
        for report in reports:
            deliver = self._receivers.get(report.session)
            if deliver is None:
                continue
            if self._to_drop:
                self._to_drop -= 1
                continue
            deliver(report)

    def _restore(self, line: Line) -> None:
        if line.kind == "logon":
            self.epochs[line.session] = line.epoch
        elif line.kind == "admin" and line.msg is not None:
            message = msgspec.convert(line.msg, admin.Administration)
            if isinstance(message, admin.SetSession):
                self.trading_session = message
                self.exchange.status = message.status
        elif line.report is not None:
            self._amended.update({line.report.exec_ref_id} - {""})
            try:
                self.exchange.records.restore(line.report)
            except (AssertionError, KeyError) as error:
                raise CorruptionError(f"execution {line.report.exec_no}: {error!r}") from error


def encode(message: object) -> bytes:
    """The wire form of an answer."""
    return msgspec.json.encode(message)


def _line(kind: str, session: str) -> dict[str, Any]:
    return {"kind": kind, "ts_ns": time.time_ns(), "session": session}
