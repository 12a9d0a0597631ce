# SPDX-License-Identifier: Apache-2.0
"""The session with the venue's drop copy, over a connection and with credentials of its own.

It asks what works after each logon, and what is held all the time: an answer shows that everything
before it was told. The numbers of the session live as long as the process. After a short absence
they go on, and the venue tells what was missed; after a long one, or if it does not know them any
more, they begin anew, and so does all that is known.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Mapping
from typing import NoReturn

from tradewind.common.grid import Grid
from tradewind.common.lifecycle import supervise
from tradewind.core.types import ExecType
from tradewind.fix import tags
from tradewind.fix.addresses import dial, parse_addresses
from tradewind.fix.link import Link, LinkDown
from tradewind.fix.message import Message, Sent
from tradewind.fix.session import Ends
from tradewind.risk.reconcile import words
from tradewind.risk.reconcile.matching import Matching
from tradewind.risk.reconcile.settings import DropCopySettings

log = logging.getLogger(__name__)

HEARTBEAT_S = 2
ASK_S = 1.0
DIAL_AGAIN_S = 0.3
ANSWERS_WITHIN_MS = 3_000
ANEW_AFTER_MS = 60_000


class Numbers:
    """The store of one process (see `tradewind.fix.store`): what it asked is never asked again."""

    def __init__(self) -> None:
        self.next_out = 1
        self.next_in = 1

    def sent(self, sent: Sent) -> None:
        """A number is used up."""
        self.next_out = sent.seq + 1

    def expect(self, number: int) -> None:
        """What the venue's next message should have."""
        self.next_in = number

    def reset(self) -> None:
        """Both begin with 1."""
        self.next_out = self.next_in = 1

    def replay(self, begin: int, end: int) -> Iterable[Sent]:
        """Nothing."""
        return ()


class DropCopy:
    """One venue's."""

    def __init__(
        self,
        settings: DropCopySettings,
        matching: Matching,
        grids: Mapping[str, Grid],
        now_ms: Callable[[], int],
    ) -> None:
        """`now_ms` is monotonic."""
        self._settings = settings
        self._addresses = parse_addresses(settings.url, "TRADEWIND_DROP_COPY_URL")
        self._matching = matching
        self._grids = grids
        self._now_ms = now_ms
        self._numbers = Numbers()
        self._is_new = True
        self._link: Link | None = None
        self._left_ms = now_ms()
        self._asked: dict[int, int] = {}
        self._list_name = ""
        self.question = 0

    @property
    def is_up(self) -> bool:
        """Whether it is logged on, and nothing asked waits for its answer too long."""
        oldest_ms = next(iter(self._asked.values()), self._now_ms())
        is_logged_on = self._link is not None and self._link.is_up
        return is_logged_on and self._now_ms() - oldest_ms <= ANSWERS_WITHIN_MS

    @property
    def is_copying(self) -> bool:
        """Whether what is executed now is told here, at once or after a short absence."""
        return not self._is_new

    async def run(self) -> NoReturn:
        """Listens, for ever."""
        while True:
            try:
                await self._connection()
            except LinkDown as error:
                self._leave(error.text)
            await asyncio.sleep(DIAL_AGAIN_S)

    def _leave(self, why: str) -> None:
        """The connection has gone, or there was none."""
        self._asked.clear()
        if self._link is not None:
            log.warning("the drop copy is away: %s", why)
            self._link, self._left_ms = None, self._now_ms()
        elif self._now_ms() - self._left_ms > ANEW_AFTER_MS:
            self._is_new = True

    async def _connection(self) -> None:
        reader, writer = await dial(self._addresses)
        settings, expected = self._settings, self._numbers.next_in
        ends = Ends(
            me=settings.session,
            peer=settings.peer,
            is_initiator=True,
            heartbeat_s=HEARTBEAT_S,
            logon=((tags.PASSWORD, settings.key),) if settings.key else (),
        )

        def hear(message: Message) -> None:
            if message.msg_type == tags.LOGON:
                self._link = link
                self._welcome(link, message, expected)
            else:
                self._hear(message)

        link = Link(reader, writer, ends, self._numbers, hear)
        link.session.log_on(reset=self._is_new)
        try:
            await supervise(link.run(), self._ask(link))
        finally:
            if self._link is not link:
                self._is_new = True

    def _welcome(self, link: Link, logon: Message, expected: int) -> None:
        """What was sent while nobody listened is asked for; what works, anew."""
        if self._is_new:
            self._matching.begin()
        elif logon.seq < expected:
            self._is_new = True
            link.session.cut("the venue has lost the session's numbers")
            return
        elif logon.seq > expected:
            self._numbers.expect(expected)
        log.info("the drop copy tells %s", "from now on" if self._is_new else "what was missed")
        self._is_new = False
        self._list_name = f"L{self._next_question()}"
        self._matching.begin_list()
        link.tell(*words.ask_orders(self._list_name))

    async def _ask(self, link: Link) -> None:
        while True:
            if self._link is link:
                name = self._next_question()
                self._asked[name] = self._now_ms()
                link.tell(*words.ask_position(str(name), time.time_ns()))
            await asyncio.sleep(ASK_S if self._link is link else DIAL_AGAIN_S / 10)

    def _next_question(self) -> int:
        self.question += 1
        return self.question

    def _hear(self, message: Message) -> None:
        """An answer to an earlier connection's question, sent again, is true no more."""
        match message.msg_type:
            case tags.EXECUTION_REPORT if message.get(tags.MASS_STATUS_REQ_ID):
                self._hear_list(message)
            case tags.EXECUTION_REPORT:
                told = words.told_of(message, self._grids)
                if told is not None and told.exec_type is not ExecType.ORDER_STATUS:
                    self._matching.tell(told)
            case tags.POSITION_REPORT:
                name = message.get(tags.POS_REQ_ID)
                asked = int(name) if name.isdecimal() else 0
                if self._asked.pop(asked, None) is not None:
                    held = words.held_of(message, self._grids)
                    self._matching.state(message.get(tags.SYMBOL), held, asked)
            case _:
                log.warning("the drop copy says a %s: %s", message.msg_type, message.fields)

    def _hear_list(self, message: Message) -> None:
        if message.get(tags.MASS_STATUS_REQ_ID) != self._list_name:
            return
        told = words.told_of(message, self._grids)
        if told is not None:
            self._matching.list(told)
        if message.get(tags.LAST_RPT_REQUESTED) == "Y" or told is None:
            self._matching.end_list()
