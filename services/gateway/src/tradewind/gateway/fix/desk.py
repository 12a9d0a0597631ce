# SPDX-License-Identifier: Apache-2.0
"""What a logged-on client asks for, and what it is told.

A key that may trade is told of its client's own orders. One that may only read has a drop copy: it
is told of every order in its accounts, whoever's it is, and asks for nothing but the working ones.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from itertools import count
from typing import Any

import msgspec

from tradewind.core.types import ExecType
from tradewind.fix import tags
from tradewind.fix.message import Body, Message
from tradewind.fix.stamps import time_ns
from tradewind.gateway.auth import Key
from tradewind.gateway.calls import Calls
from tradewind.gateway.egress import Answer
from tradewind.gateway.errors import Refusal, RefusedRequest, refusal
from tradewind.gateway.fix import words
from tradewind.gateway.intake import Intake
from tradewind.gateway.journal import InFlight
from tradewind.gateway.pages import page_of
from tradewind.gateway.queries import Queries
from tradewind.gateway.requests import OrderRequest, decode_order_request
from tradewind.gateway.resume import Resume

Tell = Callable[[str, Body], bool]
"""Says a message; whether it was said, or there is nobody any more."""
ALL_ORDERS = "7"
NOT_NOW = frozenset({429, 503})
UNKNOWN = 504
CANCELS = (tags.ORDER_CANCEL_REQUEST, tags.ORDER_MASS_CANCEL_REQUEST)
TOLD_TO_ONE = (tags.ORDER_STATUS_REQUEST, tags.ORDER_MASS_CANCEL_REQUEST)
MAKES_RISK = (tags.NEW_ORDER_SINGLE, tags.ORDER_CANCEL_REPLACE_REQUEST)

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


@dataclass(frozen=True, slots=True)
class Means:
    """What every desk works with, as the REST side does."""

    calls: Calls
    intake: Intake
    queries: Queries
    resume: Resume


class Pending:
    """One request that is under way."""

    def __init__(self, desk: "Desk", message: Message) -> None:
        self._desk = desk
        self._message = message

    def on_durable(self, request: InFlight) -> None:
        """FIX has no message that says so; the client need not send it again."""
        self._desk.settle(self._message)

    def on_failed(self, request: InFlight, why: Refusal) -> None:
        """The entry is not stored, or nobody knows."""
        self._desk.refuse(self._message, why)

    def on_answered(self, request: InFlight, answer: Any) -> None:
        """A question is answered to who asked; all else is told to every session of the client."""
        self._desk.settle(self._message)
        if self._message.msg_type in TOLD_TO_ONE:
            self._desk.answer(self._message, answer)


class Desk:
    """One session's requests."""

    def __init__(self, means: Means, key: Key, name: str, tell: Tell) -> None:
        """`name` is the connection's: what the gateway itself says is numbered under it."""
        self._means = means
        self._key = key
        self._name = name
        self._tell = tell
        self._own = count(1)
        self._throttle = means.calls.authenticator.throttle(key)
        self._asking: set[asyncio.Future[None]] = set()
        self._is_copy = key.permits("trade") is not None
        self.unsettled: set[int] = set()
        """Numbers of requests that are neither stored nor answered yet."""

    @property
    def is_flooded(self) -> bool:
        """Whether the client asks so fast that its session should end."""
        return self._throttle.is_flooded

    def handle(self, message: Message) -> None:
        """Does what a message asks for.

        Raises:
            BadField: it breaks the standard's rules.
        """
        if message.msg_type not in words.REQUIRED:
            text = "this message type is not supported"
            self._tell(*words.business_reject(message, words.UNSUPPORTED, text))
            return
        words.check(message)
        is_cancel = message.msg_type in CANCELS
        limited = self._throttle.take(time.monotonic(), is_cancel=is_cancel)
        if limited is not None:
            self.refuse(message, limited)
        elif words.is_request(message):
            self._request(message)
        else:
            self._mass_status(message)

    def report(self, shard: int, view: words.View) -> None:
        """Tells what happened to an order, if it is the client's, or if this is a drop copy."""
        if view["exec_type"] == ExecType.ORDER_STATUS:
            return
        if self._is_copy:
            self._tell(*words.report(view, shard, *words.copied(view)))
        elif view["client"] == self._key.client:
            self._tell(*words.report(view, shard))

    def answer(self, message: Message, answer: Answer) -> None:
        """Tells who asked: an order's status, or how many orders are asked to end."""
        if message.msg_type == tags.ORDER_MASS_CANCEL_REQUEST:
            self._tell(*words.mass_canceled(message, _decode(answer.report)))
            return
        question = (tags.ORD_STATUS_REQ_ID, message.get(tags.ORD_STATUS_REQ_ID))
        self._tell(*words.report(_decode(answer.report), answer.shard, question))

    def refuse(self, message: Message, why: Refusal) -> None:
        """Says why nothing follows; where something still might, that the order is not rejected."""
        text = f"{why.code}: {why.text}"
        if why.http_status in NOT_NOW:
            answer = words.business_reject(message, words.UNAVAILABLE, text)
        elif why.http_status == UNKNOWN:
            answer = words.business_reject(message, words.OTHER, text)
        else:
            answer = words.refused(message, why, self._own_id())
        self._finish(message, answer)

    def settle(self, message: Message) -> None:
        """A request is stored, or the client was told what it asked for, or why not."""
        self.unsettled.discard(message.seq)

    def put_off(self, message: Message) -> None:
        """Nobody answers it here any more: it will be asked for again."""
        self.unsettled.add(message.seq)

    def close(self) -> None:
        """The session is over."""
        for asking in self._asking:
            asking.cancel()

    def _request(self, message: Message) -> None:
        late = self._late(message)
        if late is not None:
            self.refuse(message, late)
            return
        fields = words.request_of(message, self._account(message))
        request = decode_order_request(_encode(fields))
        if isinstance(request, Refusal):
            self.refuse(message, request)
            return
        refused = self._enter(message, request)
        if refused is None:
            return
        if refused.code == "ORDER_NOT_KNOWN_HERE":
            self._ask(message, self._learn_and_enter(message, request))
        else:
            self.refuse(message, refused)

    def _enter(self, message: Message, request: OrderRequest) -> Refusal | None:
        command = self._means.intake.command(self._key, request)
        if isinstance(command, Refusal):
            return command
        journal = self._means.calls.journal
        shard = journal.shard_of(command.account)
        pending = Pending(self, message)
        self.unsettled.add(message.seq)
        sent = journal.publish(shard, command, pending, self._means.calls.sampler.new())
        if isinstance(sent, Refusal):
            self.settle(message)
            return sent
        return None

    def _late(self, message: Message) -> Refusal | None:
        """Why a request makes no risk any more. Nobody knows what kept it: a line, or this gateway.

        One that is sent again may have arrived the first time.
        """
        if message.msg_type not in MAKES_RISK:
            return None
        is_recent = self._means.intake.is_recent
        sent_ns = _moment_ns(message, tags.SENDING_TIME)
        if not message.is_poss_dup:
            return None if is_recent(sent_ns) else refusal("SENDING_TIME_OUT_OF_WINDOW")
        first_ns = _moment_ns(message, tags.ORIG_SENDING_TIME)
        if first_ns > sent_ns:
            text = "OrigSendingTime (122) is after SendingTime (52)"
            raise words.BadField(tags.ORIG_SENDING_TIME, words.WRONG_TIME, text)
        is_new = is_recent(sent_ns) and is_recent(first_ns)
        return None if is_new else refusal("RESENT_TOO_LATE")

    def _finish(self, message: Message, answer: tuple[str, Body]) -> None:
        """The last that is said to a request; if nobody hears it, the request comes again."""
        if self._tell(*answer):
            self.settle(message)

    async def _learn_and_enter(self, message: Message, request: OrderRequest) -> None:
        """Asks which instrument an order is in that was never seen here."""
        await self._means.queries.order(request.account, message.get(tags.ORIG_CL_ORD_ID))
        refused = self._enter(message, request)
        if refused is not None:
            raise RefusedRequest(refused)

    def _mass_status(self, message: Message) -> None:
        if message.get(tags.MASS_STATUS_REQ_TYPE) != ALL_ORDERS:
            text = "of MassStatusReqType (585) only 7, all orders, is known here"
            raise words.BadField(tags.MASS_STATUS_REQ_TYPE, words.WRONG_VALUE, text)
        self._ask(message, self._tell_orders(message))

    async def _tell_orders(self, message: Message) -> None:
        account = message.get(tags.ACCOUNT) or None
        refused = self._key.permits("read", account)
        if refused is not None:
            raise RefusedRequest(refused)
        found = await self._working(account)
        mine = [each for each in found if self._is_copy or each["client"] == self._key.client]
        named = (tags.MASS_STATUS_REQ_ID, message.get(tags.MASS_STATUS_REQ_ID))
        total = (tags.TOT_NUM_REPORTS, str(len(mine)))
        for number, order in enumerate(mine, 1):
            last = (tags.LAST_RPT_REQUESTED, "Y" if number == len(mine) else "N")
            copied = words.copied(order) if self._is_copy else ()
            self._finish(
                message, words.order_status(order, self._own_id(), named, total, last, *copied)
            )
        if not mine:
            last = (tags.LAST_RPT_REQUESTED, "Y")
            self._finish(message, words.no_orders(self._own_id(), named, total, last))

    async def _working(self, account: str | None) -> list[dict[str, Any]]:
        """All working orders, page by page."""
        found: list[dict[str, Any]] = []
        query: dict[str, str] = {}
        while True:
            orders, cursor = await self._means.queries.orders(
                self._key, account, is_open_only=True, page=page_of(query)
            )
            found += orders
            if cursor is None:
                return found
            query = {"cursor": cursor}

    def _account(self, message: Message) -> str:
        """The account that is named; where none is, the only one that the key may use."""
        named = message.get(tags.ACCOUNT)
        if named or len(self._key.accounts) != 1:
            return named
        return next(iter(self._key.accounts))

    def _ask(self, message: Message, question: Coroutine[Any, Any, None]) -> None:
        self.unsettled.add(message.seq)
        asking = asyncio.ensure_future(self._asked(message, question))
        self._asking.add(asking)
        asking.add_done_callback(self._asking.discard)

    async def _asked(self, message: Message, question: Coroutine[Any, Any, None]) -> None:
        try:
            await question
        except RefusedRequest as error:
            self.refuse(message, error.refusal)

    def _own_id(self) -> str:
        return f"{self._name}-{next(self._own)}"


def _moment_ns(message: Message, tag: int) -> int:
    text = message.get(tag)
    if not text:
        raise words.BadField(tag, words.NO_TAG, f"required tag {tag} is missing")
    try:
        return time_ns(text)
    except ValueError as error:
        raise words.BadField(tag, words.WRONG_FORMAT, str(error)) from error
