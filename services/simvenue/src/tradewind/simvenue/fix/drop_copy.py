# SPDX-License-Identifier: Apache-2.0
"""Drop copies: sessions that are told every execution of the member's, and can do nothing.

Their Password is a key of their own. It does not matter by which session or protocol an order came,
nor what its own session was told of it: faults of reports are not played here. A Logon that resets
the numbers is told what happens from now on, any other one also what happened since the last one.
What works and what is held can be asked for; everything else is refused.
"""

import asyncio
import hmac
import re
import time
from collections import deque
from contextlib import suppress
from pathlib import Path

from tradewind.fix import tags
from tradewind.fix.link import Link, LinkDown
from tradewind.fix.message import Body, Message
from tradewind.fix.session import Ends
from tradewind.simvenue.faults import Kind
from tradewind.simvenue.fix import words
from tradewind.simvenue.fix.desk import ALL_ORDERS, UNSUPPORTED, Desk
from tradewind.simvenue.fix.numbers import Numbers
from tradewind.simvenue.fix.outlet import Outlet
from tradewind.simvenue.fix.words import BadField, need
from tradewind.simvenue.ledger import FOR_EVER_NS
from tradewind.simvenue.orders import Report
from tradewind.simvenue.venue import Venue

COMP_ID = re.compile(r"[A-Za-z0-9_.-]{1,64}")
HEARTBEAT_S = 30
OWN_CODE, ORIGINATOR = "D", "13"
"""PartyIDSource "proprietary" and PartyRole "order origination firm"."""
Said = tuple[str, Body, int]
"""A message, and the number of the execution that it tells."""


class DropCopies:
    """Which connection has which drop copy."""

    def __init__(self, venue: Venue, folder: Path, name: str, key: str) -> None:
        """`name` is the venue's CompID; without a `key` there are no drop copies."""
        folder.mkdir(parents=True, exist_ok=True)
        self.venue = venue
        self.name = name
        self._folder = folder
        self._key = key
        self._numbers: dict[str, Numbers] = {}
        self._owners: dict[str, Connection] = {}
        venue.copies.append(self._tell)
        venue.faults.cutters.append(self._cut)

    def is_welcome(self, logon: Message) -> bool:
        """Whether a first message is the Logon of somebody who may have a drop copy."""
        key = logon.get(tags.PASSWORD).encode("latin-1")
        return (
            bool(self._key)
            and logon.msg_type == tags.LOGON
            and logon.get(tags.TARGET_COMP_ID) == self.name
            and COMP_ID.fullmatch(logon.get(tags.SENDER_COMP_ID)) is not None
            and hmac.compare_digest(key, self._key.encode())
        )

    async def serve(
        self, reader: asyncio.StreamReader, outlet: Outlet, logon: Message, first: bytes
    ) -> None:
        """Serves until the connection ends, which is raised as LinkDown."""
        session = logon.get(tags.SENDER_COMP_ID)
        owner = self._owners.pop(session, None)
        if owner is not None:
            owner.cut_off()
        if session not in self._numbers:
            self._numbers[session] = Numbers(self._folder / f"{session}.jsonl")
        connection = Connection(self, session, reader, outlet, self._numbers[session])
        self._owners[session] = connection
        try:
            await connection.run(first)
        finally:
            if self._owners.get(session) is connection:
                del self._owners[session]

    def render(self, report: Report) -> Said:
        """An execution, as every drop copy tells it."""
        said: list[tuple[str, Body]] = []
        Desk(self.venue, report.session, lambda *message: said.append(message)).report(report)
        msg_type, body = said[0]
        return msg_type, (*body, *copied(report.session)), report.exec_no

    def close(self) -> None:
        """Ends everything: the venue stops."""
        for numbers in self._numbers.values():
            numbers.close()

    def _tell(self, report: Report) -> None:
        owners = [owner for owner in self._owners.values() if owner.is_up]
        if not owners:
            return
        is_late = self.venue.faults.strikes(Kind.LATE_COPY)
        said = self.render(report)
        for owner in owners:
            if is_late:
                owner.hold(self.venue.faults.ms(Kind.LATE_COPY))
            owner.say(said)

    def _cut(self, session: str) -> None:
        for owner in list(self._owners.values()):
            if session in ("", owner.session):
                owner.outlet.abort()


class Connection:
    """One drop copy's connection."""

    def __init__(
        self,
        copies: DropCopies,
        session: str,
        reader: asyncio.StreamReader,
        outlet: Outlet,
        numbers: Numbers,
    ) -> None:
        self.session = session
        self.outlet = outlet
        self.is_up = False
        self._copies = copies
        self._venue = copies.venue
        self._numbers = numbers
        self._held: deque[Said] = deque()
        self._holding: asyncio.TimerHandle | None = None
        self._desk = Desk(copies.venue, "", self._answer)
        ends = Ends(copies.name, session, is_initiator=False, heartbeat_s=HEARTBEAT_S)
        self._link = Link(reader, outlet, ends, numbers, self._hear)

    async def run(self, first: bytes) -> None:
        """Serves until the connection ends, which is raised as LinkDown."""
        try:
            await self._link.run(first)
        finally:
            self.is_up = False
            if self._holding is not None:
                self._holding.cancel()

    def cut_off(self) -> None:
        """The session is another's now."""
        self.is_up = False
        self._link.session.cut("the session was taken by another logon")
        self.outlet.abort()

    def hold(self, ms: int) -> None:
        """From now on says nothing for so long; then all that waits, in its order."""
        if self._holding is None:
            self._holding = asyncio.get_running_loop().call_later(ms / 1000, self._let_go)

    def say(self, said: Said) -> None:
        """Tells an execution, or gives an answer. Who has logged out is told at the next logon."""
        if self._holding is not None:
            self._held.append(said)
        elif not self.outlet.is_closed:
            msg_type, body, self._numbers.telling = said
            with suppress(LinkDown):
                self._link.tell(msg_type, body)
            self._numbers.telling = 0

    def _let_go(self) -> None:
        self._holding = None
        while self._held:
            self.say(self._held.popleft())

    def _answer(self, msg_type: str, body: Body) -> None:
        self.say((msg_type, body, 0))

    def _hear(self, message: Message) -> None:
        if self.outlet.is_closed:
            return
        try:
            match message.msg_type:
                case tags.LOGON:
                    self._welcome(is_reset=message.get(tags.RESET_SEQ_NUM_FLAG) == "Y")
                case tags.ORDER_MASS_STATUS_REQUEST:
                    self._mass_status(message)
                case tags.REQUEST_FOR_POSITIONS:
                    statement = self._venue.statement("")
                    question = need(message, tags.POS_REQ_ID)
                    body = words.position_body(statement, question, time.time_ns())
                    self._answer(tags.POSITION_REPORT, body)
                case _:
                    self._desk.refuse(message, UNSUPPORTED, "a drop copy only tells")
        except BadField as error:
            self._desk.refuse(message, str(error.reason), error.text, error.tag)

    def _welcome(self, *, is_reset: bool) -> None:
        last = self._venue.exchange.records.last_exec_no
        if is_reset:
            self._numbers.skip(last)
        self.is_up = True
        for exec_no in range(self._numbers.last_exec_no + 1, last + 1):
            self.say(self._copies.render(self._venue.ledger.report(exec_no)))

    def _mass_status(self, message: Message) -> None:
        """Every order that works, of every session."""
        named = (tags.MASS_STATUS_REQ_ID, need(message, tags.MASS_STATUS_REQ_ID))
        if need(message, tags.MASS_STATUS_REQ_TYPE) != ALL_ORDERS:
            raise BadField(tags.MASS_STATUS_REQ_TYPE, "only 7, all orders, is known here")
        memory = self._venue.memory
        sessions = {session for session, _cl_id in self._venue.exchange.records.working}
        found = [
            (session, state)
            for session in sorted(sessions)
            for state in memory.open_orders(session, FOR_EVER_NS)
        ]
        total = (tags.TOT_NUM_REPORTS, str(len(found)))
        for number, (session, state) in enumerate(found, 1):
            last = (tags.LAST_RPT_REQUESTED, "Y" if number == len(found) else "N")
            reports, _state = memory.of_order(session, state.cl_id, FOR_EVER_NS)
            desk = Desk(self._venue, session, self._answer)
            desk.state(reports, state, named, total, last, *copied(session))
        if not found:
            nothing = self._desk.nothing(message, "NONE", "")
            self._answer(tags.EXECUTION_REPORT, (*nothing, named, total))


def copied(session: str) -> Body:
    """What a drop copy says besides: that it is one, and whose session the order is of."""
    return (
        (tags.COPY_MSG_INDICATOR, "Y"),
        (tags.NO_PARTY_IDS, "1"),
        (tags.PARTY_ID, session),
        (tags.PARTY_ID_SOURCE, OWN_CODE),
        (tags.PARTY_ROLE, ORIGINATOR),
    )
