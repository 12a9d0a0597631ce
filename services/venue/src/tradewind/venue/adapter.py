# SPDX-License-Identifier: Apache-2.0
"""What a venue must be able to do, whatever it speaks; and the ports of the bus used here."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Mapping
from dataclasses import dataclass
from typing import Protocol

from tradewind.common.errors import TradewindError
from tradewind.common.jetstream import PubAck, Record
from tradewind.core.commands import ApplyVenueReport, SetTradingSession, StatePosition
from tradewind.core.events import VenueRequest

ForJournal = ApplyVenueReport | SetTradingSession | StatePosition
"""What a venue says, as journal entries. Of a statement the session fills in the epoch.

A report carries `symbol` and `side` if the venue says them: an order that nobody here asked for is
adopted with them. Those of our own orders are left out again further on.
"""


@dataclass(frozen=True, slots=True)
class NotDone:
    """The venue refuses a request for now (too many of them) and has certainly not done it."""

    request_id: str
    retry_s: float


@dataclass(frozen=True, slots=True)
class InDoubt:
    """The venue answers a request with an error that leaves open whether it was done."""

    request_id: str


FromVenue = ForJournal | NotDone | InDoubt
"""What a venue says."""


class VenueGone(TradewindError):
    """The venue cannot be reached or does not answer: connect again, as a new session."""

    code = "VENUE_GONE"


class SessionLost(TradewindError):
    """Another connector has the session now: this one stops for good."""

    code = "SESSION_TAKEN"


class VenueAdapter(Protocol):
    """One connection to a venue. Every method may raise VenueGone or SessionLost."""

    async def fence(self) -> None:
        """Logs on. When this returns, nothing that an earlier session sent can be done any more."""

    async def ask_reports(self, after: int, back: int) -> None:
        """Has the session's reports sent: those after a number, `back` before it, all new ones."""

    async def send(self, request: VenueRequest) -> None:
        """Puts a request on the wire. A repeated cancel or replace must be harmless."""

    def query(self, request: VenueRequest) -> Awaitable[bool]:
        """Asks at once, answers later: whether the venue ever had the order, open or closed.

        A "no" is proof only if the question was asked after the fence and the venue's read lag.
        """

    def ask(self, request: VenueRequest) -> None:
        """Asks about a request's order: everything about it is told again, among the reports.

        If it works, a NEW report with an execution id of its own proves it, the last of them.
        """

    async def ask_position(self, *, is_complete: bool) -> None:
        """Has the venue state its position of the session, in its place among the reports.

        The statement repeats `is_complete`. A venue that cannot say so does nothing.
        """

    def reports(self) -> AsyncIterator[FromVenue]:
        """Reports as they come, in the venue's order; ends by raising."""

    async def close(self) -> None:
        """Leaves."""


class VenueDialer(Protocol):
    """Makes connections."""

    async def dial(self, shard: int) -> VenueAdapter:
        """Reaches the venue without logging on: nobody is fenced yet.

        Raises:
            VenueGone: if it cannot be reached.
        """


class Journal(Protocol):
    """Where commands are journaled."""

    def publish_nowait(
        self, subject: str, body: bytes, headers: Mapping[str, str] | None = None
    ) -> "asyncio.Future[PubAck]":
        """Publishes; the future ends with an ack, Refused or Unknown."""


class Outputs(Protocol):
    """A shard's outputs, in order."""

    async def next_batch(self) -> list[Record]:
        """The next records, without a gap."""
