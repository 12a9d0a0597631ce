# SPDX-License-Identifier: Apache-2.0
"""What a venue does to its clients, played by script: the next so many times, or at given rates.

There are three places, whatever protocol an edge speaks:

- at a request (`at_request`): it is refused undone, or done and not answered well;
- at a report on its way out (`deliver`): lost, late, twice, or after a later one;
- at a question (`as_of_ns`): answered as things were a while ago.

`until_answering` is for what an edge writes, whatever it is: nothing leaves while the venue hangs.
`strikes` is for faults that only one protocol has. What truly happened is in the ledger, always; so
is, ahead of it, that a fault is played.
"""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable, Mapping
from enum import StrEnum

from tradewind.common.errors import TradewindError
from tradewind.core.types import ExecType
from tradewind.simvenue.ledger import FOR_EVER_NS
from tradewind.simvenue.orders import Report
from tradewind.simvenue.requests import Cancel, New, Replace

NS_PER_MS = 1_000_000
MS_DEFAULT = 200
Deliver = Callable[[Report], None]


class Kind(StrEnum):
    """What can go wrong. The ids are those of the list of failure classes in docs/venues.md."""

    DROP_REPLY = "drop_reply"
    """F1, F3: a new order is taken (or refused), and nobody is told."""
    AMBIGUOUS = "ambiguous"
    """F1: a request is done, and answered with an error that leaves open whether it was."""
    RATE_LIMIT = "rate_limit"
    """A request is refused and not done: too many of them."""
    HANG = "hang"
    """F1: requests are done, but nothing is answered for `ms`."""
    DROP_CANCEL_ACK = "drop_cancel_ack"
    """F8: a cancel or replace is done (or refused), and nobody is told."""
    FILL_AFTER_CANCEL = "fill_after_cancel"
    """F9: an order trades just before it is cancelled; the trade is told `ms` after the cancel."""
    CUT = "cut"
    """F10, F11: a request is done, and the connection breaks before the answer."""
    DROP_FILL = "drop_fill"
    """F4: a trade is not told."""
    DROP_REPORT = "drop_report"
    """F1, F4, F8: a report is not told, whatever it says."""
    LATE_FILL = "late_fill"
    """A trade is told `ms` late, after whatever came since."""
    LATE_REPORT = "late_report"
    """The same with any report."""
    DUPLICATE_REPORT = "duplicate_report"
    """F5: a report is told twice."""
    REORDER_REPORTS = "reorder_reports"
    """A report is told after the next one of its session, or after `ms`."""
    READ_LAG = "read_lag"
    """F7: a question is answered as things were `ms` ago: a young order is not found."""
    SEQUENCE_RESET = "sequence_reset"
    """F10: of protocols that number their messages: the numbers begin again."""
    LATE_COPY = "late_copy"
    """Drop copies tell a report `ms` late, and after it, in order, whatever they say besides."""


AT_NEW = (Kind.RATE_LIMIT, Kind.AMBIGUOUS, Kind.CUT, Kind.DROP_REPLY)
AT_REPLACE = (Kind.RATE_LIMIT, Kind.AMBIGUOUS, Kind.CUT, Kind.DROP_CANCEL_ACK)
AT_CANCEL = (*AT_REPLACE, Kind.FILL_AFTER_CANCEL)
REQUEST_FAULTS = {New: AT_NEW, Replace: AT_REPLACE, Cancel: AT_CANCEL}
REPORT_FAULTS = (
    Kind.DROP_REPORT,
    Kind.LATE_REPORT,
    Kind.DUPLICATE_REPORT,
    Kind.REORDER_REPORTS,
)
FILL_FAULTS = (Kind.DROP_FILL, Kind.LATE_FILL, *REPORT_FAULTS)
UNTOLD = frozenset({Kind.AMBIGUOUS, Kind.CUT, Kind.DROP_REPLY, Kind.DROP_CANCEL_ACK})
"""After these a request's own answer is not among the reports."""
CODES = {Kind.RATE_LIMIT: "RATE_LIMITED", Kind.AMBIGUOUS: "UNKNOWN_OUTCOME"}


class Misanswered(TradewindError):
    """A request is not answered as it should be: what an edge has to say instead.

    `code` is RATE_LIMITED (it was not done; try again after `retry_ms`), UNKNOWN_OUTCOME (an error
    of the venue's: it may have been done), or NO_ANSWER: then the edge says nothing at all.
    """

    def __init__(self, kind: Kind, retry_ms: int) -> None:
        super().__init__(f"a fault is played: {kind}", code=CODES.get(kind, "NO_ANSWER"))
        self.kind = kind
        self.retry_ms = retry_ms


class Faults:
    """The faults that are to be played. `cutters` break a session's connection ("": every one)."""

    def __init__(self, note: Callable[[Kind], None] = lambda _kind: None) -> None:
        """`note` is told of each fault as it is played."""
        self._note = note
        self._counts: Counter[Kind] = Counter()
        self._rates: Mapping[Kind, float] = {}
        self._ms: dict[Kind, int] = {}
        self._random = random.Random(0)
        self._held: dict[str, list[tuple[Report, Deliver]]] = {}
        self._answering = asyncio.Event()
        self._answering.set()
        self._silence: asyncio.TimerHandle | None = None
        self.played: Counter[Kind] = Counter()
        self.cutters: list[Callable[[str], None]] = []

    def arm(self, kind: Kind, count: int, ms: int) -> None:
        """The next `count` times."""
        self._counts[kind] = count
        self._ms[kind] = ms

    def set_rates(self, rates: Mapping[Kind, float], seed: int, ms: Mapping[Kind, int]) -> None:
        """From now on each with its probability, drawn from a seed."""
        self._rates = rates
        self._ms.update(ms)
        self._random.seed(seed)

    def heal(self) -> None:
        """Ends all faults. What is late already still comes, and a silence is over."""
        self._counts.clear()
        self._rates = {}
        self._answering.set()

    def strikes(self, kind: Kind) -> bool:
        """Whether this fault is played now."""
        is_due = self._counts[kind] > 0
        if is_due:
            self._counts[kind] -= 1
        elif self._random.random() >= self._rates.get(kind, 0.0):
            return False
        self.played[kind] += 1
        self._note(kind)
        return True

    def ms(self, kind: Kind) -> int:
        """How long this fault lasts."""
        return self._ms.get(kind) or MS_DEFAULT

    def cut(self, session: str) -> None:
        """Breaks the connection of a session, or with "" of all."""
        for cutter in self.cutters:
            cutter(session)

    def at_request(self, request: New | Cancel | Replace) -> Kind | None:
        """What is done to a request, if anything; a silence of the venue begins here too."""
        if self.strikes(Kind.HANG):
            self._hang()
        return next((kind for kind in REQUEST_FAULTS[type(request)] if self.strikes(kind)), None)

    def as_of_ns(self) -> int:
        """The time whose state answers a question; as a rule it is the newest."""
        if not self.strikes(Kind.READ_LAG):
            return FOR_EVER_NS
        return time.time_ns() - self.ms(Kind.READ_LAG) * NS_PER_MS

    def deliver(self, report: Report, deliver: Deliver) -> None:
        """Hands a report to its session's connection, or does something else with it."""
        kinds = FILL_FAULTS if report.exec_type is ExecType.TRADE else REPORT_FAULTS
        match next((kind for kind in kinds if self.strikes(kind)), None):
            case Kind.DROP_REPORT | Kind.DROP_FILL:
                return
            case Kind.LATE_REPORT | Kind.LATE_FILL as kind:
                self.deliver_late(report, deliver, self.ms(kind))
                return
            case Kind.REORDER_REPORTS:
                self._held.setdefault(report.session, []).append((report, deliver))
                loop = asyncio.get_running_loop()
                loop.call_later(self.ms(Kind.REORDER_REPORTS) / 1000, self._flush, report.session)
                return
            case Kind.DUPLICATE_REPORT:
                deliver(report)
            case _:
                pass
        deliver(report)
        self._flush(report.session)

    def deliver_late(self, report: Report, deliver: Deliver, ms: int) -> None:
        """Hands a report over after a while."""
        asyncio.get_running_loop().call_later(ms / 1000, deliver, report)

    async def until_answering(self) -> None:
        """Waits while the venue hangs: before anything is written."""
        await self._answering.wait()

    def _hang(self) -> None:
        if self._silence is not None:
            self._silence.cancel()
        self._answering.clear()
        loop = asyncio.get_running_loop()
        self._silence = loop.call_later(self.ms(Kind.HANG) / 1000, self._answering.set)

    def _flush(self, session: str) -> None:
        for report, deliver in self._held.pop(session, []):
            deliver(report)
