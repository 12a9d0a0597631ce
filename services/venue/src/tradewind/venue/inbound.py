# SPDX-License-Identifier: Apache-2.0
"""Reports of the venue -> the journal: every one, in order, as often as it takes.

Many are on the way at once. If one fails, nothing more is published until all on the way are
settled, and those that failed go again: so at most WINDOW reports after a missing one can be in
the journal, and a successor that asks the venue for WINDOW more than the journal's last misses
nothing. Twice is harmless: the core drops the second report with the same execution id.

The end of an order frees what it reserved, so it waits until all earlier reports of the order are
stored: a fill that comes late into the journal must not find its exposure given to others.

A statement of the position waits for all earlier reports, and is never said twice: it is true only
in its place.
"""

import asyncio
import logging
from collections import deque
from dataclasses import replace

from tradewind.common import codec, subjects
from tradewind.common.errors import BusError
from tradewind.common.jetstream import PubAck
from tradewind.core.commands import ApplyVenueReport, StatePosition
from tradewind.core.types import ExecType
from tradewind.venue.adapter import ForJournal, Journal
from tradewind.venue.traces import Traces

log = logging.getLogger(__name__)

WINDOW = 64
RETRY_S = 0.05
RETRY_MAX_S = 1.0
ENDS = frozenset({ExecType.CANCELED, ExecType.EXPIRED, ExecType.REJECTED})


class Inbound:
    """One shard's way into the journal. It outlives sessions: what it was given, it delivers."""

    def __init__(self, journal: Journal, shard: int, traces: Traces, external: str) -> None:
        """`external` is the account that orders of nobody's are counted against."""
        self._journal = journal
        self._shard = shard
        self._traces = traces
        self._external = external
        self._waiting: deque[ForJournal] = deque()
        self._flying: deque[tuple[ForJournal, asyncio.Future[PubAck]]] = deque()
        self._wake = asyncio.Event()
        self.last_exec_no = 0
        self.journaled = 0
        self.retried = 0

    @property
    def backlog(self) -> int:
        """Reports that the journal does not have for sure."""
        return len(self._waiting) + len(self._flying)

    def offer(self, said: ForJournal) -> None:
        """Takes over what the venue said."""
        if isinstance(said, ApplyVenueReport):
            self.last_exec_no = max(self.last_exec_no, said.exec_no)
            said = self._attributed(said)
        self._waiting.append(said)
        self._wake.set()

    async def run(self) -> None:
        """Delivers for ever."""
        pause_s = RETRY_S
        while True:
            self._wake.clear()
            is_well = self._publish()
            while is_well and self._flying and self._flying[0][1].done():
                is_well = self._flying[0][1].exception() is None
                if is_well:
                    self._flying.popleft()
                    self.journaled += 1
            if not is_well:
                await self._collect_failed()
                await asyncio.sleep(pause_s)
                pause_s = min(pause_s * 2, RETRY_MAX_S)
            elif self._may_publish():
                continue
            else:
                pause_s = RETRY_S
                await self._wake.wait()

    def _publish(self) -> bool:
        """Puts on the way what the window allows; false if the bus takes nothing now."""
        while self._may_publish():
            said = self._waiting[0]
            headers = {}
            if isinstance(said, ApplyVenueReport):
                headers = self._traces.headers(said.order_id)
            subject = subjects.journal_subject(self._shard, said)
            try:
                future = self._journal.publish_nowait(subject, codec.encode(said), headers)
            except BusError as error:
                log.warning("the journal takes nothing now: %s", error)
                return False
            self._waiting.popleft()
            self._flying.append((said, future))
            future.add_done_callback(lambda _future: self._wake.set())
        return True

    def _may_publish(self) -> bool:
        """The window has room, and nothing is on the way that what is next has to wait for."""
        if not self._waiting or len(self._flying) >= WINDOW:
            return False
        said = self._waiting[0]
        if isinstance(said, StatePosition):
            return not self._flying
        if not isinstance(said, ApplyVenueReport) or said.exec_type not in ENDS:
            return True
        return all(
            future.done() and future.exception() is None
            for earlier, future in self._flying
            if isinstance(earlier, ApplyVenueReport) and earlier.order_id == said.order_id
        )

    async def _collect_failed(self) -> None:
        """Waits for all that is on the way; what failed waits again, in its old order."""
        flying, self._flying = self._flying, deque()
        if flying:
            await asyncio.wait([future for _said, future in flying])
        failed = [(said, future) for said, future in flying if future.exception() is not None]
        self.journaled += len(flying) - len(failed)
        self.retried += len(failed)
        if failed:
            log.warning("%d entries go again: %s", len(failed), failed[0][1].exception())
        again = [said for said, _future in failed if not isinstance(said, StatePosition)]
        self._waiting.extendleft(reversed(again))

    def _attributed(self, report: ApplyVenueReport) -> ApplyVenueReport:
        """Terms are for orders that may be nobody's; those have an account to be counted against.

        The core knows which are ours; here it is only known which were asked for in this life.
        """
        if not report.symbol:
            return report
        if self._traces.knows(report.order_id):
            return replace(report, symbol="")
        return replace(report, account=self._external)
