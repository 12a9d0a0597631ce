# SPDX-License-Identifier: Apache-2.0
"""What the venue tells of the past: reports, states of orders, positions.

The ledger has what truly happened. This is what the venue would swear to: without what it lost in
a rollback, and with the drift of a position that somebody had it tell.
"""

from collections import Counter
from collections.abc import Iterable, Iterator

from tradewind.core.types import ExecType
from tradewind.simvenue.ledger import FOR_EVER_NS, Ledger
from tradewind.simvenue.matching import Exchange
from tradewind.simvenue.orders import OrderState, Report, order_of, state_after, state_of
from tradewind.simvenue.records import Key


class Memory:
    """Of one venue. `drifts` is by how much stated positions are off, by session."""

    def __init__(self, exchange: Exchange, ledger: Ledger) -> None:
        self._exchange = exchange
        self._ledger = ledger
        self._traded: Counter[str] = Counter()
        self._forgotten: dict[Key, int] = {}
        self.drifts: dict[str, int] = {}

    def count(self, report: Report) -> None:
        """Adds a report's trade to its session's position."""
        self._traded[report.session] += self._lots(report)

    def position(self, session: str) -> int:
        """Lots bought less lots sold; with "" of all sessions together."""
        if not session:
            return self._traded.total() + sum(self.drifts.values())
        return self._traded[session] + self.drifts.get(session, 0)

    def reports(self, session: str, after: int, back: int) -> Iterator[Report]:
        """A session's reports after `after`, and `back` before them."""
        return filter(self._is_known, self._ledger.reports(session, after, back))

    def of_order(
        self, session: str, cl_id: str, until_ns: int
    ) -> tuple[list[Report], OrderState | None]:
        """All reports about an order up to a time, and its state by the last of them.

        A second one of the same id that was refused says nothing of the first.
        """
        told = self._ledger.reports_of(session, cl_id, until_ns)
        reports = [report for report in told if self._is_known(report)]
        named = [report for report in reports if report.venue_order_id]
        taken = [report for report in named if report.exec_type is not ExecType.REJECTED]
        last = next(reversed(taken or named), None)
        if last is None:
            return reports, None
        end = next((r for r in reports if _ends(r, last)), None)
        return reports, state_of(order_of(last)) if end is None else state_after(end, last)

    def open_orders(self, session: str, until_ns: int) -> list[OrderState]:
        """A session's working orders at a time."""
        records = self._exchange.records
        ended: Iterable[Key] = () if until_ns == FOR_EVER_NS else records.ended
        keys = [key for key in (*records.working, *ended) if key[0] == session]
        states = [self.of_order(*key, until_ns)[1] for key in keys]
        return [state for state in states if state is not None and state.leaves_qty]

    def forget(self, count: int) -> None:
        """The last `count` orders never were."""
        last_exec_no = self._exchange.records.last_exec_no
        for exec_no in range(last_exec_no, 0, -1):
            report = self._ledger.report(exec_no)
            key = (report.session, report.cl_id)
            if report.exec_type is not ExecType.NEW or key in self._forgotten:
                continue
            self._forget(key, last_exec_no)
            count -= 1
            if count == 0:
                return

    def _forget(self, key: Key, last_exec_no: int) -> None:
        for report in self._ledger.reports_of(*key):
            self._traded[report.session] -= self._lots(report)
            self._exchange.records.answered.pop((report.session, report.request_id), None)
        self._forgotten[key] = last_exec_no
        self._exchange.forget(key)

    def _is_known(self, report: Report) -> bool:
        return report.exec_no > self._forgotten.get((report.session, report.cl_id), 0)

    def _lots(self, report: Report) -> int:
        """By how much a report changes its session's position."""
        if not (report.last_qty or report.exec_ref_id) or report.side is None:
            return 0
        undone = 0
        if report.exec_ref_id:
            undone = self._ledger.report(int(report.exec_ref_id[1:])).last_qty
        return report.side.sign * (report.last_qty - undone)


def _ends(report: Report, last: Report) -> bool:
    return report.venue_order_id == last.venue_order_id and report.leaves_qty == 0
