# SPDX-License-Identifier: Apache-2.0
"""A FIX 4.4 session with a venue, as initiator. For what is kept and what is not, see ADR 0011.

`exec_no` of a report is the number of the venue's message, so the journal itself is the memory of
what was received: after a takeover the venue is asked to send everything after it again. Numbers
that the venue begins anew are told apart by the generation in front of them.
"""

import asyncio
import logging
import re
import time
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from typing import Any, NoReturn

from tradewind.common.errors import BusError
from tradewind.core.events import VenueRequest
from tradewind.core.types import ExecType, Side
from tradewind.fix import tags
from tradewind.fix.link import Link, LinkDown
from tradewind.fix.message import Message
from tradewind.fix.values import EXEC_TYPES, OTHER, TRY_LATER
from tradewind.venue.adapter import FromVenue, InDoubt, NotDone, VenueGone
from tradewind.venue.fills import Fills
from tradewind.venue.fix_numbers import Numbers
from tradewind.venue.fix_questions import Question, Questions, is_answer
from tradewind.venue.fix_words import NO_ORDER, NoSuchInstrument, Words
from tradewind.venue.hours import Hours, is_open

log = logging.getLogger(__name__)

ANSWER_TIMEOUT_S = 3.0
LOOK_S = 0.2
KEPT = 10_000
GENERATION = 2**32
DUPLICATE = "6"
OVERLAP_NS = 10_000_000_000
EXPECTED = re.compile(r"too low\W+expect\w*\D{1,20}([0-9]+)", re.IGNORECASE)
"""How engines say which number they had expected; FIX has no field for it in a Logout."""


class FixAdapter:
    """One connection."""

    def __init__(
        self, link: Link, numbers: Numbers, words: Words, venue: str, hours: Hours | None
    ) -> None:
        self._link = link
        self._numbers = numbers
        self._words = words
        self._venue = venue
        self._hours = hours
        self._said: deque[FromVenue] = deque()
        self._wake = asyncio.Event()
        self._end: VenueGone | None = None
        self._logon: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._early: list[Message] | None = []
        self._generation = 0
        self._queries: dict[str, asyncio.Future[bool]] = {}
        self._asked: dict[str, VenueRequest] = {}
        self._questions = Questions()
        self._positions: dict[str, tuple[int, bool]] = {}
        self._sent: OrderedDict[int, VenueRequest] = OrderedDict()
        self._stated: OrderedDict[int, int] = OrderedDict()
        self._fills = Fills()
        self._hearers: dict[str, Callable[[Message], None]] = {
            tags.EXECUTION_REPORT: self._hear_report,
            tags.ORDER_CANCEL_REJECT: self._hear_cancel_reject,
            tags.TRADE_CAPTURE_REPORT: self._hear_trade,
            tags.POSITION_REPORT: self._hear_position,
            tags.TRADING_SESSION_STATUS: self._hear_session,
            tags.BUSINESS_MESSAGE_REJECT: self._hear_refusal,
            tags.REJECT: self._hear_refusal,
            tags.TRADE_CAPTURE_REPORT_REQUEST_ACK: lambda message: None,
        }
        self._running: list[asyncio.Future[NoReturn]] = []

    async def fence(self) -> None:
        """Logs on. A venue that serves a session once has cut off the connection before."""
        try:
            await self._numbers.begin()
            self._running = [asyncio.ensure_future(part) for part in (self._run(), self._care())]
            self._link.session.log_on()
            async with asyncio.timeout(ANSWER_TIMEOUT_S):
                await self._logon
        except VenueGone as gone:
            await self._skip_numbers(gone.text)
            raise
        except BusError as error:
            raise VenueGone(f"no numbers are reserved: {error.text}") from error
        except TimeoutError as error:
            raise VenueGone(f"{self._venue} does not answer a Logon") from error

    async def ask_reports(self, after: int, back: int) -> None:
        """Has the venue send its messages again, from the one after `after` and `back` before it.

        If it has lost its numbers, it is asked for all trades and all orders that work. So it is
        later, when a position differs, for the trades since the statement that `after` is the
        number of: what it never said, it cannot say again.
        """
        self._check()
        if self._early is None:
            self._ask_from(after, back)
            since_ns = max(self._stated.get(after, 0) - OVERLAP_NS, 0)
            self._put(self._questions.trades(since_ns=since_ns))
            self._put(self._questions.orders())
            return
        early, self._early = self._early, None
        has_lost_numbers = after % GENERATION >= self._logon.result()
        if has_lost_numbers:
            log.warning("%s has lost its numbers: it is asked for everything", self._venue)
            after, back = (after // GENERATION + 1) * GENERATION, 0
        self._generation = after // GENERATION
        for message in early:
            self._hear(message)
        self._ask_from(after, back)
        if has_lost_numbers:
            self._put(self._questions.trades())
            self._put(self._questions.orders())

    def _ask_from(self, after: int, back: int) -> None:
        """Messages of an earlier generation are gone: then it begins with the first of this one."""
        number = after - self._generation * GENERATION
        self._link.session.ask_from(max(number - back, 0) + 1, time.monotonic())

    async def send(self, request: VenueRequest) -> None:
        """Writes a request. The venue answers a repeated ClOrdID with the first answer."""
        self._check()
        try:
            msg_type, body = self._words.order(request, time.time_ns())
        except NoSuchInstrument:
            self._say(self._words.no(request, "UNKNOWN_SYMBOL"))
            return
        try:
            number = await self._link.send(msg_type, body)
        except LinkDown as error:
            raise VenueGone(f"{self._venue} has gone: {error.text}") from error
        self._sent[number] = request
        if len(self._sent) > KEPT:
            self._sent.popitem(last=False)

    def query(self, request: VenueRequest) -> Awaitable[bool]:
        """Asks for an order's status."""
        answer: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        if self._end is not None:
            answer.set_exception(self._end)
            return answer
        name = self._questions.name()
        self._queries[name] = answer
        self._put(self._questions.status(request.order_id, request.symbol, request.side, name))
        return answer

    def ask(self, request: VenueRequest) -> None:
        """Has the trades of an order told again, and its state after them."""
        self._ask_order(request.order_id, request.symbol, request.side, request)

    async def ask_position(self, *, is_complete: bool) -> None:
        """Sends a RequestForPositions. A venue that does not know it states nothing."""
        self._check()
        name, now_ns = self._questions.name(), time.time_ns()
        self._positions[name] = (now_ns, is_complete)
        self._put(self._questions.positions(name, now_ns))

    async def reports(self) -> AsyncIterator[FromVenue]:
        """What the venue says until the connection ends, which is raised."""
        while True:
            while self._said:
                yield self._said.popleft()
            self._check()
            self._wake.clear()
            await self._wake.wait()

    async def close(self) -> None:
        """Says goodbye, and leaves without waiting for an answer."""
        self._link.log_out()
        self._finish(VenueGone("closed here"))
        for part in self._running:
            part.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        self._link.close()

    async def _skip_numbers(self, text: str) -> None:
        """The bus knew less than the venue does: the next logon begins where the venue says."""
        expected = EXPECTED.search(text)
        if expected is not None:
            with suppress(BusError):
                await self._numbers.begin(int(expected[1]))

    async def _run(self) -> NoReturn:
        try:
            await self._link.run()
        except LinkDown as error:
            self._finish(VenueGone(f"{self._venue}: {error.text}"))
            raise
        except Exception as error:
            log.exception("the connection ends")
            self._finish(VenueGone(f"{self._venue} says what is not understood: {error!r}"))
            raise

    async def _care(self) -> NoReturn:
        """Keeps numbers reserved, and the venue's hours."""
        while True:
            await asyncio.sleep(LOOK_S)
            if not is_open(self._hours):
                self._link.log_out("the session's hours are over")
            if self._numbers.is_low:
                with suppress(BusError):
                    await self._numbers.extend()

    def deliver(self, message: Message) -> None:
        """Takes what the session layer hands over, in order."""
        if message.msg_type == tags.LOGON:
            self._logon.set_result(message.seq)
        elif self._early is not None:
            self._early.append(message)
        else:
            self._hear(message)

    def _hear(self, message: Message) -> None:
        """An answer that is sent again answers a question of an earlier connection: it is stale."""
        if message.is_poss_dup and is_answer(message):
            return
        hear = self._hearers.get(message.msg_type)
        if hear is None:
            log.info("%s says a %s", self._venue, message.msg_type)
            return
        try:
            hear(message)
        except NoSuchInstrument as error:
            log.error("%s tells of %s, which nobody here has traded", self._venue, error)

    def _exec_no(self, message: Message) -> int:
        return self._generation * GENERATION + message.seq

    def _hear_report(self, message: Message) -> None:
        kind = EXEC_TYPES.get(message.get(tags.EXEC_TYPE))
        if kind is None:
            log.info("a report of ExecType %s changes nothing", message.get(tags.EXEC_TYPE))
            return
        if kind is ExecType.ORDER_STATUS:
            self._hear_state(message)
            return
        is_duplicate = message.get(tags.ORD_REJ_REASON) == DUPLICATE
        report = self._words.report(message, self._exec_no(message))
        if kind is ExecType.REJECTED and is_duplicate:
            log.error("%s: %s was sent again while it works", self._venue, report.order_id)
        elif self._fills.is_missing_some(report, self._words.cum_qty(message)):
            log.warning("%s: a fill of %s is missing at its end", self._venue, report.order_id)
            self._ask_order(report.order_id, report.symbol, report.side)
        else:
            self._say(report)

    def _hear_state(self, message: Message) -> None:
        question = message.get(tags.ORD_STATUS_REQ_ID)
        answer = self._queries.pop(question, None)
        if answer is not None:
            if not answer.done():
                answer.set_result(message.get(tags.ORDER_ID, NO_ORDER) != NO_ORDER)
            return
        said = self._words.state(message, self._asked.pop(question, None))
        if said is None or said.exec_type is not ExecType.NEW:
            said = self._fills.told_all(message.get(tags.SECONDARY_CL_ORD_ID)) or said
        if said is not None:
            self._say(said)

    def _hear_cancel_reject(self, message: Message) -> None:
        self._say(self._words.refusal(message, self._exec_no(message)))

    def _hear_session(self, message: Message) -> None:
        said = self._words.trading_session(message)
        if said is not None:
            self._say(said)

    def _hear_refusal(self, message: Message) -> None:
        """A message of ours was not taken by the session or by the application behind it."""
        number = message.get(tags.REF_SEQ_NUM, "0")
        request = self._sent.get(int(number) if number.isdigit() else 0)
        reason = message.get(tags.BUSINESS_REJECT_REASON)
        text = message.get(tags.TEXT)
        if request is None:
            log.warning("%s has refused message %s: %s", self._venue, number, text)
        elif reason == TRY_LATER:
            retry_ms = message.get(tags.RETRY_AFTER_MS, "0")
            self._say(NotDone(request.request_id, int(retry_ms) / 1000))
        elif reason == OTHER:
            self._say(InDoubt(request.request_id))
        else:
            self._say(self._words.no(request, text))

    def _hear_trade(self, message: Message) -> None:
        report = self._words.trade(message)
        self._fills.is_missing_some(report, 0)
        self._say(report)

    def _hear_position(self, message: Message) -> None:
        asked = self._positions.pop(message.get(tags.POS_REQ_ID), None)
        if asked is None:
            return
        exec_no = self._exec_no(message)
        self._stated[exec_no], is_complete = asked
        if len(self._stated) > KEPT:
            self._stated.popitem(last=False)
        stated = self._words.position(message, exec_no, is_complete=is_complete)
        self._say(self._fills.weighed(stated))

    def _ask_order(
        self, order_id: str, symbol: str, side: Side, request: VenueRequest | None = None
    ) -> None:
        """Its trades first, so that its end is told after them."""
        name = self._questions.name()
        if request is not None:
            self._asked[name] = request
        self._put(self._questions.trades(order_id))
        self._put(self._questions.status(order_id, symbol, side, name))

    def _put(self, question: Question) -> None:
        """Writes a question; if the connection has ended, whoever waits for answers is told."""
        with suppress(LinkDown):
            self._link.tell(*question)

    def _say(self, said: FromVenue) -> None:
        self._said.append(said)
        self._wake.set()

    def _check(self) -> None:
        if self._end is not None:
            raise self._end

    def _finish(self, why: VenueGone) -> None:
        if self._end is not None:
            return
        self._end = why
        _fail(self._logon, why)
        for query in self._queries.values():
            _fail(query, why)
        self._queries.clear()
        self._wake.set()


def _fail(future: "asyncio.Future[Any]", why: Exception) -> None:
    """Ends a future with an error that nobody has to fetch."""
    if not future.done():
        future.set_exception(why)
        future.exception()
