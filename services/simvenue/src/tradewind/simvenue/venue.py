# SPDX-License-Identifier: Apache-2.0
"""The venue: exchange, ledger and sessions put together. Synchronous: a request is done at once.

Whatever changes a client's order goes through here: decided by the exchange, written to the
ledger, and only then handed to the session's connection. On the way there, faults are played: they
change what clients are told, never what is true. `copies` are told of every report before that.
"""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from tradewind.common.errors import CorruptionError, TradewindError
from tradewind.core.types import ExecType, OrdType, Side, TimeInForce
from tradewind.simvenue import admin
from tradewind.simvenue.faults import UNTOLD, Deliver, Faults, Kind, Misanswered
from tradewind.simvenue.flow import FlowEvent
from tradewind.simvenue.ledger import Ledger, Line
from tradewind.simvenue.matching import Exchange
from tradewind.simvenue.memory import Memory
from tradewind.simvenue.orders import Order, OrderState, Report, order_of
from tradewind.simvenue.requests import Cancel, New, Replace

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
        self.memory = Memory(exchange, self.ledger)
        self.faults = Faults(self._note_played)
        self.epochs: dict[str, int] = {}
        self.trading_session: admin.SetSession | None = None
        self.watchers: list[Callable[[admin.SetSession], None]] = []
        self.copies: list[Deliver] = []
        self._amended: set[str] = set()
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
        for report in self.memory.reports(session, after, back):
            deliver(report)
        self._receivers[session] = deliver
        return self.exchange.records.last_exec_no

    def release(self, session: str, deliver: Deliver) -> None:
        """The connection has gone; its reports wait in the ledger."""
        if self._receivers.get(session) == deliver:
            del self._receivers[session]

    def disconnected(self, session: str) -> None:
        """A client has gone that wanted its orders cancelled then."""
        self._record(self.exchange.cancel_all(session, "CANCEL_ON_DISCONNECT"))

    def request(self, session: str, message: New | Cancel | Replace) -> Report:
        """Does what a client asks, once per request id, reports it, and returns the answer.

        Raises:
            Misanswered: a fault is played; the edge answers with that, or not at all.
        """
        fault = self.faults.at_request(message)
        if fault is Kind.RATE_LIMIT:
            self.ledger.write([{**_line("refused", session), "msg": message}])
            raise Misanswered(fault, self.faults.ms(fault))
        received = {**_line("in", session), "msg": message}
        if fault is Kind.FILL_AFTER_CANCEL:
            self._fill_late(session, message.cl_id)
        answer = self._repeated(session, message)
        if answer is not None:
            self.ledger.write([received])
            reports = [answer]
        else:
            reports = self._do(session, message)
            answer = reports[0]
            self._write(reports, received)
        is_untold = fault in UNTOLD
        self._deliver([report for report in reports if not (is_untold and report is answer)])
        if fault is Kind.CUT:
            self.faults.cut(session)
        if fault is not None and is_untold:
            raise Misanswered(fault, 0)
        return answer

    def _do(self, session: str, message: New | Cancel | Replace) -> list[Report]:
        """Reports of a first request; the answer to it is the first of them."""
        match message:
            case New():
                return self.exchange.new(session, message, time.time_ns())
            case Cancel():
                return self.exchange.cancel(session, message)
            case Replace():
                return self.exchange.replace(session, message)

    def _repeated(self, session: str, message: New | Cancel | Replace) -> Report | None:
        """The answer that a request id had before."""
        if isinstance(message, New):
            return None
        answered = self.exchange.records.answered.get((session, message.request_id))
        return None if answered is None else self.ledger.report(answered)

    def _fill_late(self, session: str, cl_id: str) -> None:
        """An order trades now, and its client is told a while later."""
        order = self.exchange.records.working.get((session, cl_id))
        deliver = self._receivers.get(session)
        if order is None or deliver is None:
            return
        reports = self.exchange.trade_with_stranger(order)
        self._write(reports)
        for report in reports:
            self.faults.deliver_late(report, deliver, self.faults.ms(Kind.FILL_AFTER_CANCEL))

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
            case admin.ExternalOrder():
                reports = self._external(message)
            case admin.Fault() | admin.Rates() | admin.Heal() | admin.Cut():
                self._set_fault(message)
            case admin.Drift() | admin.Rollback():
                pass
        self._record(reports, {**_line("admin", ""), "msg": message})
        self._begin_anew(message)

    def _note_played(self, kind: Kind) -> None:
        self.ledger.write([{**_line("fault", ""), "msg": {"kind": kind}}])

    def _set_fault(self, message: admin.Fault | admin.Rates | admin.Heal | admin.Cut) -> None:
        match message:
            case admin.Fault():
                self.faults.arm(message.kind, message.count, message.ms)
            case admin.Rates():
                self.faults.set_rates(message.rates, message.seed, message.ms)
            case admin.Heal():
                self.faults.heal()
            case admin.Cut():
                self._cut(message)

    def _cut(self, message: admin.Cut) -> None:
        self.faults.played[Kind.CUT] += 1
        self.faults.cut(message.session)
        for session in [message.session] if message.session else list(self.epochs):
            if message.is_cancelling:
                self.disconnected(session)

    def _begin_anew(self, message: admin.Administration) -> None:
        """What the people at the venue did to its memory, now or in an earlier life."""
        match message:
            case admin.SetSession():
                for tell in self.watchers:
                    tell(message)
            case admin.Rollback():
                self.memory.forget(message.count)
                self.faults.cut("")
            case admin.Drift():
                self.memory.drifts[message.session] = message.qty
            case admin.Heal():
                self.memory.drifts.clear()
            case _:
                pass

    def _external(self, message: admin.ExternalOrder) -> list[Report]:
        if (message.session, message.cl_id) in self.exchange.records.working:
            raise BadAdministration(f"an order {message.cl_id} works already")
        order = New(
            cl_id=message.cl_id,
            symbol=self.exchange.symbol,
            side=Side(message.side),
            ord_type=OrdType.LIMIT,
            time_in_force=TimeInForce.GTC,
            qty=message.qty,
            price=message.price,
        )
        return self.exchange.new(message.session, order)

    def status(self, session: str, cl_id: str) -> tuple[list[Report], OrderState | None]:
        """All reports about an order, and what became of it; as the venue's copy has it now."""
        return self.memory.of_order(session, cl_id, self.faults.as_of_ns())

    def open_orders(self, session: str) -> list[OrderState]:
        """A session's working orders; as the venue's copy has them now."""
        return self.memory.open_orders(session, self.faults.as_of_ns())

    def position(self, session: str) -> int:
        """Lots that a session's trades add up to, as the venue says."""
        return self.memory.position(session)

    def statement(self, session: str) -> dict[str, int | str]:
        """What a session has, as the venue says: lots held, and lots that may still trade.

        With "" what all sessions have together.
        """
        open_qty = dict.fromkeys(Side, 0)
        for order in self.exchange.records.working.values():
            if session in ("", order.session):
                open_qty[order.side] += order.leaves_qty
        return {
            "symbol": self.exchange.symbol,
            "qty": self.position(session),
            "open_buy_qty": open_qty[Side.BUY],
            "open_sell_qty": open_qty[Side.SELL],
            "last": self.exchange.records.last_exec_no,
        }

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
        self._write(reports, *before)
        self._deliver(reports)

    def _write(self, reports: Sequence[Report], *before: dict[str, Any]) -> None:
        lines = [*before, *({**_line("report", r.session), "report": r} for r in reports)]
        if lines:
            self.ledger.write(lines)
        for report in reports:
            self.memory.count(report)
            for tell in self.copies:
                tell(report)

    def _deliver(self, reports: Sequence[Report]) -> None:
        for report in reports:
            deliver = self._receivers.get(report.session)
            if deliver is not None:
                self.faults.deliver(report, deliver)

    def _restore(self, line: Line) -> None:
        if line.kind == "logon":
            self.epochs[line.session] = line.epoch
        elif line.kind == "admin" and line.msg is not None:
            message = msgspec.convert(line.msg, admin.Administration)
            if isinstance(message, admin.SetSession):
                self.trading_session = message
                self.exchange.status = message.status
            self._begin_anew(message)
        elif line.report is not None:
            self.memory.count(line.report)
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
