# SPDX-License-Identifier: Apache-2.0
"""Answers on the way: one inbox for a connection, a token and a deadline for each question."""

import asyncio
from collections.abc import Callable
from itertools import count
from typing import Any, Protocol

import msgspec

from tradewind.common.errors import BusError, Refused, Unknown
from tradewind.common.jetstream.messages import NO_RESPONDERS, PubAck, status_of


class _Error(msgspec.Struct):
    description: str = ""
    err_code: int = 0


class _Ack(msgspec.Struct):
    stream: str = ""
    seq: int = 0
    error: _Error | None = None


_ack_decoder = msgspec.json.Decoder(_Ack)


class Take(Protocol):
    """Looks at one reply; returns true once the question is answered (or has failed)."""

    def __call__(self, future: "asyncio.Future[Any]", raw: bytes | None, body: bytes, /) -> bool:
        """Sets the future's result or exception if this reply settles it."""


class _Waiting:
    __slots__ = ("future", "subject", "take", "timer")

    def __init__(
        self, subject: str, future: "asyncio.Future[Any]", take: Take, timer: asyncio.TimerHandle
    ) -> None:
        self.subject = subject
        self.future = future
        self.take = take
        self.timer = timer


class Replies:
    """All questions of a connection that wait for an answer."""

    def __init__(self, inbox: str) -> None:
        self._prefix = inbox + "."
        self._waiting: dict[str, _Waiting] = {}
        self._tokens = count(1)

    @property
    def subject(self) -> str:
        """What to subscribe to."""
        return self._prefix + "*"

    def expect(
        self, subject: str, take: Take, timeout_s: float
    ) -> "tuple[str, asyncio.Future[Any]]":
        """A reply subject for a question on `subject`, and the future of its answer.

        The future always ends: with the answer, with `Refused`, or with `Unknown` at the deadline.
        """
        token = str(next(self._tokens))
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()
        timer = loop.call_later(timeout_s, self._expire, token, timeout_s)
        self._waiting[token] = _Waiting(subject, future, take, timer)
        return self._prefix + token, future

    def abandon(self, reply: str) -> None:
        """Forgets a question that could not be sent."""
        waiting = self._waiting.pop(reply[len(self._prefix) :], None)
        if waiting is not None:
            waiting.timer.cancel()

    def hear(self, subject: str, _reply: str, body: bytes, raw: bytes | None) -> None:
        """A reply has arrived. One that nobody waits for any more is dropped."""
        token = subject[len(self._prefix) :]
        waiting = self._waiting.get(token)
        if waiting is None:
            return
        if waiting.future.done() or waiting.take(waiting.future, raw, body):
            waiting.timer.cancel()
            del self._waiting[token]

    async def settle(self, timeout_s: float, make_error: Callable[[str], BusError]) -> None:
        """Waits for the answers to all that is asked now; what stays open ends with an error."""
        tokens = list(self._waiting)
        if tokens:
            await asyncio.wait([self._waiting[token].future for token in tokens], timeout=timeout_s)
        self._fail([token for token in tokens if token in self._waiting], make_error)

    def fail_all(self, make_error: Callable[[str], BusError]) -> None:
        """Ends every open question, each with an error about its subject."""
        self._fail(list(self._waiting), make_error)

    def fail_subject(self, subject_lower: str, make_error: Callable[[str], BusError]) -> bool:
        """Ends the open questions on a subject (given in lower case); false if there was none."""
        tokens = [
            token
            for token, waiting in self._waiting.items()
            if waiting.subject.lower() == subject_lower
        ]
        self._fail(tokens, make_error)
        return bool(tokens)

    def _fail(self, tokens: list[str], make_error: Callable[[str], BusError]) -> None:
        for token in tokens:
            waiting = self._waiting.pop(token)
            waiting.timer.cancel()
            if not waiting.future.done():
                waiting.future.set_exception(make_error(waiting.subject))

    def _expire(self, token: str, timeout_s: float) -> None:
        waiting = self._waiting.pop(token, None)
        if waiting is not None and not waiting.future.done():
            text = f"no answer on {waiting.subject} within {timeout_s * 1000:.0f} ms"
            waiting.future.set_exception(Unknown(text))


def take_ack(future: "asyncio.Future[PubAck]", raw: bytes | None, body: bytes) -> bool:
    """A stream's answer to a publish."""
    if status_of(raw) == NO_RESPONDERS:
        text = "no stream takes this now: it has no leader, or is missing"
        future.set_exception(Refused(text, err_code=NO_RESPONDERS))
        return True
    try:
        ack = _ack_decoder.decode(body)
    except msgspec.MsgspecError as error:
        future.set_exception(Unknown(f"the ack was not understood: {error}"))
        return True
    if ack.error is not None:
        error_text = ack.error.description
        future.set_exception(Refused(error_text, err_code=ack.error.err_code))
    else:
        future.set_result(PubAck(ack.stream, ack.seq))
    return True


def take_commit(future: "asyncio.Future[PubAck]", raw: bytes | None, body: bytes) -> bool:
    """The answers to a batch: an empty one says that the batch was begun, the other one counts."""
    if not body and status_of(raw) == 0:
        return False
    return take_ack(future, raw, body)


def take_body(future: "asyncio.Future[bytes]", raw: bytes | None, body: bytes) -> bool:
    """One plain answer."""
    if status_of(raw) == NO_RESPONDERS:
        future.set_exception(Refused("nobody answers there now", err_code=NO_RESPONDERS))
    else:
        future.set_result(body)
    return True


class TakeAll:
    """Whatever answers come; who asked decides when there were enough."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []

    def __call__(self, future: "asyncio.Future[Any]", raw: bytes | None, body: bytes, /) -> bool:
        """Collects."""
        if status_of(raw) == NO_RESPONDERS:
            future.set_result(None)
            return True
        self.bodies.append(body)
        return False


class TakeMany:
    """Several answers, ended by one that only has a status."""

    def __init__(self) -> None:
        self._replies: list[tuple[bytes | None, bytes]] = []

    def __call__(self, future: "asyncio.Future[Any]", raw: bytes | None, body: bytes, /) -> bool:
        """Collects; the status and the answers are the result."""
        status = status_of(raw)
        if status == 0:
            self._replies.append((raw, body))
            return False
        if status == NO_RESPONDERS:
            future.set_exception(Refused("nobody answers there now", err_code=NO_RESPONDERS))
        else:
            future.set_result((status, self._replies))
        return True
