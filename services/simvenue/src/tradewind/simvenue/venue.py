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

from tradewind.common.errors import CorruptionError
from tradewind.simvenue.flow import FlowEvent
from tradewind.simvenue.ledger import Ledger, Line
from tradewind.simvenue.matching import Exchange
from tradewind.simvenue.orders import OrderState, Report, state_after, state_of
from tradewind.simvenue.requests import Cancel, New, Replace

Deliver = Callable[[Report], None]


class Venue:
    """All that survives a kill, and the only writer of it."""

    def __init__(self, exchange: Exchange, path: Path) -> None:
        """Starts as the ledger at `path` says, or new."""
        self.exchange = exchange
        self.ledger = Ledger(path)
        self.epochs: dict[str, int] = {}
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
        return self.exchange.last_exec_no

    def release(self, session: str, deliver: Deliver) -> None:
        """The connection has gone; its reports wait in the ledger."""
        if self._receivers.get(session) is deliver:
            del self._receivers[session]

    def request(self, session: str, message: New | Cancel | Replace) -> None:
        """Does what a client asks, once per request id, and reports it."""
        received = {**_line("in", session), "msg": message}
        if not isinstance(message, New):
            answered = self.exchange.answered.get((session, message.request_id))
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
        reports = self.exchange.expire_day()
        if reports:
            self._record(reports)

    def status(self, session: str, cl_id: str) -> OrderState | None:
        """What became of the latest order of this id, working or ended."""
        key = (session, cl_id)
        order = self.exchange.working.get(key)
        if order is not None:
            return state_of(order)
        last = self.exchange.ended.get(key)
        return None if last is None else state_after(self.ledger.report(last))

    def _record(self, reports: Sequence[Report], *before: dict[str, Any]) -> None:
        lines = [*before, *({**_line("report", r.session), "report": r} for r in reports)]
        self.ledger.write(lines)
        self._deliver(reports)

    def _deliver(self, reports: Sequence[Report]) -> None:
        for report in reports:
            deliver = self._receivers.get(report.session)
            if deliver is not None:
                deliver(report)

    def _restore(self, line: Line) -> None:
        if line.kind == "logon":
            self.epochs[line.session] = line.epoch
        elif line.report is not None:
            try:
                self.exchange.restore(line.report)
            except (AssertionError, KeyError) as error:
                raise CorruptionError(f"execution {line.report.exec_no}: {error!r}") from error


def encode(message: object) -> bytes:
    """The wire form of an answer."""
    return msgspec.json.encode(message)


def _line(kind: str, session: str) -> dict[str, Any]:
    return {"kind": kind, "ts_ns": time.time_ns(), "session": session}
