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
from collections.abc import AsyncIterator, Awaitable
from contextlib import suppress
from itertools import count
from typing import Any, NoReturn

from tradewind.common.errors import BusError
from tradewind.core.events import VenueRequest
from tradewind.core.types import ExecType
from tradewind.fix import tags
from tradewind.fix.link import Link, LinkDown
from tradewind.fix.message import Body, Message
from tradewind.fix.values import EXEC_TYPES, OTHER, TRY_LATER
from tradewind.venue.adapter import FromVenue, InDoubt, NotDone, VenueGone
from tradewind.venue.fills import Fills
from tradewind.venue.fix_numbers import Numbers
from tradewind.venue.fix_words import NO_ORDER, NoSuchInstrument, Words
from tradewind.venue.hours import Hours, is_open

log = logging.getLogger(__name__)

ANSWER_TIMEOUT_S = 3.0
LOOK_S = 0.2
KEPT = 10_000
GENERATION = 2**32
DUPLICATE = "6"
ALL_ORDERS = "7"
MATCHED = "1"
PROOF = "P"
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
        self._questions = count(1)
        self._sent: OrderedDict[int, VenueRequest] = OrderedDict()
        self._fills = Fills()
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

        If it has lost its numbers, it is asked for all orders that work, and for all trades.
        """
        self._check()
        generation, number = divmod(after, GENERATION)
        has_lost_numbers = self._early is not None and number >= self._logon.result()
        if has_lost_numbers:
            log.warning("%s has lost its numbers: it is asked for everything", self._venue)
            generation, number = generation + 1, 0
        self._generation = max(self._generation, generation)
        early, self._early = self._early, None
        for message in early or ():
            self._hear(message)
        self._link.session.ask_from(max(number - back, 0) + 1, time.monotonic())
        self._put(tags.ORDER_MASS_STATUS_REQUEST, self._all_orders())
        if has_lost_numbers:
            self._put(tags.TRADE_CAPTURE_REPORT_REQUEST, self._trades())

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
        question = f"Q{next(self._questions)}"
        self._queries[question] = answer
        self._put(tags.ORDER_STATUS_REQUEST, self._words.question(request, question))
        return answer

    def ask(self, request: VenueRequest) -> None:
        """Has the trades of an order told again, and its state after them."""
        self._put(tags.TRADE_CAPTURE_REPORT_REQUEST, self._trades(request.order_id))
        question = f"{PROOF}{next(self._questions)}"
        self._put(tags.ORDER_STATUS_REQUEST, self._words.question(request, question))

    async def ask_position(self, *, is_complete: bool) -> None:
        """Positions are not stated in order entry sessions."""

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
        with suppress(LinkDown, OSError):
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
        exec_no = self._generation * GENERATION + message.seq
        try:
            match message.msg_type:
                case tags.EXECUTION_REPORT:
                    self._hear_report(message, exec_no)
                case tags.ORDER_CANCEL_REJECT:
                    self._say(self._words.refusal(message, exec_no))
                case tags.TRADE_CAPTURE_REPORT:
                    self._say_trade(message)
                case tags.TRADING_SESSION_STATUS:
                    session = self._words.trading_session(message)
                    if session is not None:
                        self._say(session)
                case tags.BUSINESS_MESSAGE_REJECT | tags.REJECT:
                    self._hear_refusal(message)
                case _:
                    log.info("%s says a %s", self._venue, message.msg_type)
        except NoSuchInstrument as error:
            log.error("%s tells of %s, which nobody here has traded", self._venue, error)

    def _hear_report(self, message: Message, exec_no: int) -> None:
        kind = EXEC_TYPES.get(message.get(tags.EXEC_TYPE))
        if kind is None:
            log.info("a report of ExecType %s changes nothing", message.get(tags.EXEC_TYPE))
            return
        if kind is ExecType.ORDER_STATUS:
            self._hear_state(message)
            return
        is_duplicate = message.get(tags.ORD_REJ_REASON) == DUPLICATE
        report = self._words.report(message, exec_no)
        if kind is ExecType.REJECTED and is_duplicate:
            log.error("%s: %s was sent again while it works", self._venue, report.order_id)
        elif self._fills.is_missing_some(report, self._words.cum_qty(message)):
            log.warning("%s: a fill of %s is missing at its end", self._venue, report.order_id)
            self._ask_again(message, report.order_id)
        else:
            self._say(report)

    def _hear_state(self, message: Message) -> None:
        question = message.get(tags.ORD_STATUS_REQ_ID)
        answer = self._queries.pop(question, None)
        if answer is not None:
            if not answer.done():
                answer.set_result(message.get(tags.ORDER_ID, NO_ORDER) != NO_ORDER)
            return
        said = self._words.state(message)
        if said is None or said.exec_type is not ExecType.NEW:
            said = self._fills.told_all(message.get(tags.SECONDARY_CL_ORD_ID)) or said
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

    def _say_trade(self, message: Message) -> None:
        report = self._words.trade(message)
        self._fills.is_missing_some(report, 0)
        self._say(report)

    def _ask_again(self, message: Message, order_id: str) -> None:
        self._put(tags.TRADE_CAPTURE_REPORT_REQUEST, self._trades(order_id))
        question = (
            (tags.CL_ORD_ID, order_id),
            (tags.SYMBOL, message.get(tags.SYMBOL)),
            (tags.SIDE, message.get(tags.SIDE)),
            (tags.ORD_STATUS_REQ_ID, f"{PROOF}{next(self._questions)}"),
        )
        self._put(tags.ORDER_STATUS_REQUEST, question)

    def _all_orders(self) -> Body:
        question = f"{PROOF}{next(self._questions)}"
        return ((tags.MASS_STATUS_REQ_ID, question), (tags.MASS_STATUS_REQ_TYPE, ALL_ORDERS))

    def _trades(self, order_id: str = "") -> Body:
        question = (tags.TRADE_REQUEST_ID, f"{PROOF}{next(self._questions)}")
        of_order = ((tags.CL_ORD_ID, order_id),) if order_id else ()
        return (question, (tags.TRADE_REQUEST_TYPE, MATCHED), *of_order)

    def _put(self, msg_type: str, body: Body) -> None:
        """Writes a question; if the connection has ended, whoever waits for answers is told."""
        with suppress(LinkDown):
            self._link.tell(msg_type, body)

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
