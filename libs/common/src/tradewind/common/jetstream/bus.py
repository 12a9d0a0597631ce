# SPDX-License-Identifier: Apache-2.0
"""The bus as services see it: publish, append, ask, listen, answer.

Two outcomes are told apart everywhere: `Refused` (nothing was stored) and `Unknown` (no answer).
"""

import asyncio
import contextlib
import inspect
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import msgspec

from tradewind.common.errors import Refused, TradewindError, Unknown
from tradewind.common.jetstream.batch import batch_messages
from tradewind.common.jetstream.connection import Connection
from tradewind.common.jetstream.messages import (
    NO_RESPONDERS,
    Message,
    PubAck,
    decode_headers,
    encode_headers,
)
from tradewind.common.jetstream.replies import (
    TakeAll,
    TakeMany,
    take_ack,
    take_body,
    take_commit,
)
from tradewind.common.jetstream.session import FORBIDDEN, Session

log = logging.getLogger(__name__)

PUBLISH_TIMEOUT_MS = 2000
API_RETRY_S = 0.05
API_ASK_AGAIN_MS = 1500
CONFIRM_S = 5.0
API_UNAVAILABLE = 503

Callback = Callable[[Message], Any]
"""Called with each message heard; may be a coroutine function (then one after the other)."""
Handler = Callable[[bytes], Awaitable[bytes]]


class Subscription:
    """Something listened to."""

    def __init__(self, connection: Connection, subscription: Any, worker: Any = None) -> None:
        self._connection = connection
        self._subscription = subscription
        self._worker = worker

    async def unsubscribe(self) -> None:
        """Stops listening."""
        await self._connection.unlisten(self._subscription)
        if self._worker is not None:
            self._worker.cancel()


class Bus(Session):
    """One connection to the bus. Make it with `Bus.connect`."""

    def publish_nowait(
        self,
        subject: str,
        body: bytes,
        headers: Mapping[str, str] | None = None,
        *,
        expected_last_seq: int | None = None,
        timeout_ms: int = PUBLISH_TIMEOUT_MS,
    ) -> "asyncio.Future[PubAck]":
        """Publishes to a stream without waiting; many may be on the way, in order.

        The future ends with the ack, `Refused` or `Unknown`.

        Raises:
            Refused: if it cannot even be sent.
        """
        self.check()
        all_headers = dict(headers) if headers else {}
        if expected_last_seq is not None:
            all_headers["Nats-Expected-Last-Sequence"] = str(expected_last_seq)
        header = encode_headers(all_headers)
        reply, future = self._replies.expect(subject, take_ack, timeout_ms / 1000)
        self._send(subject, reply, header, body)
        return future

    async def publish(
        self,
        subject: str,
        body: bytes,
        headers: Mapping[str, str] | None = None,
        *,
        expected_last_seq: int | None = None,
        timeout_ms: int = PUBLISH_TIMEOUT_MS,
    ) -> PubAck:
        """Publishes to a stream and waits until a quorum has it on disk.

        Raises:
            Refused: nothing was stored.
            Unknown: no answer in time, or the connection broke first.
        """
        return await self.publish_nowait(
            subject, body, headers, expected_last_seq=expected_last_seq, timeout_ms=timeout_ms
        )

    async def append_batch(
        self, messages: Sequence[Message], expected_last_seq: int | None, timeout_ms: int
    ) -> PubAck:
        """Appends all messages or none; only after sequence `expected_last_seq`, if one is given.

        Raises:
            Refused: nothing was stored (`err_code` 10071: the tail is not what was expected).
            Unknown: no answer in time, or the connection broke first.
        """
        if len(messages) == 1:
            return await self.publish(
                messages[0].subject,
                messages[0].body,
                messages[0].headers,
                expected_last_seq=expected_last_seq,
                timeout_ms=timeout_ms,
            )
        self.check()
        batch = batch_messages(messages, expected_last_seq)
        reply, future = self._replies.expect(batch[-1][0], take_commit, timeout_ms / 1000)
        for place, (subject, header, body) in enumerate(batch, start=1):
            is_answered = place in (1, len(batch))
            self._send(subject, reply if is_answered else "", header, body, reply)
        return await future  # type: ignore[no-any-return]

    def tell(self, subject: str, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        """Says something to whoever listens now. Nothing is stored, nothing is answered."""
        self.check()
        self.nc.send(subject, "", encode_headers(headers or {}), body)

    def ask(self, subject: str, reply: str, body: bytes) -> None:
        """Asks for answers on `reply`, which the caller listens to."""
        self.check()
        self.nc.send(subject, reply, b"", body)

    async def request(self, subject: str, body: bytes = b"", timeout_ms: int = 2000) -> bytes:
        """Asks a service and returns its answer.

        Raises:
            Refused: nobody serves the subject now.
            Unknown: no answer in time.
        """
        self.check()
        reply, future = self._replies.expect(subject, take_body, timeout_ms / 1000)
        self._send(subject, reply, b"", body)
        return await future  # type: ignore[no-any-return]

    async def request_many(
        self, subject: str, body: bytes, timeout_ms: int
    ) -> tuple[int, list[tuple[bytes | None, bytes]]]:
        """Asks for several messages, as (header block, body); the first item is the closing status.

        Raises:
            Refused: nobody serves the subject now.
            Unknown: the answers did not end in time.
        """
        self.check()
        reply, future = self._replies.expect(subject, TakeMany(), timeout_ms / 1000)
        self._send(subject, reply, b"", body)
        return await future  # type: ignore[no-any-return]

    async def request_all(self, subject: str, body: bytes, wait_ms: int) -> list[bytes]:
        """Asks everyone who serves the subject; returns what was answered within the wait."""
        self.check()
        take = TakeAll()
        reply, future = self._replies.expect(subject, take, wait_ms / 1000)
        self._send(subject, reply, b"", body)
        with contextlib.suppress(Unknown):
            await future
        return take.bodies

    async def api(
        self, suffix: str, payload: Mapping[str, Any] | None = None, timeout_s: float = 2.0
    ) -> dict[str, Any]:
        """Asks JetStream's own API `$JS.API.<suffix>`, again and again while it has no leader.

        Raises:
            Refused: JetStream says no (`err_code`), or has no leader until the timeout.
            Unknown: no answer in time.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout_s
        body = b"" if payload is None else msgspec.json.encode(payload)
        while True:
            left_ms = max(1, int((deadline - loop.time()) * 1000))
            ask_ms = min(left_ms, API_ASK_AGAIN_MS)
            try:
                answer = msgspec.json.decode(
                    await self.request(f"$JS.API.{suffix}", body, ask_ms), type=dict[str, Any]
                )
                error = answer.get("error")
                if error is None:
                    return answer
                refusal = Refused(
                    f"{suffix}: {error.get('description')}", err_code=error.get("err_code")
                )
                is_passing = error.get("code") == API_UNAVAILABLE
            except Refused as caught:
                refusal, is_passing = caught, caught.err_code == NO_RESPONDERS
            except Unknown:
                # A server without a meta leader drops the question; asking twice changes nothing.
                if ask_ms == left_ms:
                    raise
                continue
            if not is_passing or loop.time() + API_RETRY_S >= deadline:
                raise refusal
            await asyncio.sleep(API_RETRY_S)

    async def subscribe(self, subject: str, callback: Callback, queue: str = "") -> Subscription:
        """Listens. A plain function is called straight from the reading loop: it must be quick.

        Raises:
            Refused: if this user may not listen there.
        """
        if inspect.iscoroutinefunction(callback):
            arrived: asyncio.Queue[Message] = asyncio.Queue()
            worker = self._start(_work(arrived, callback))
            return await self.subscribe_raw(
                subject,
                lambda heard, _reply, body, raw: arrived.put_nowait(
                    Message(heard, body, decode_headers(raw))
                ),
                queue,
                worker,
            )

        def listener(heard: str, _reply: str, body: bytes, raw: bytes | None) -> None:
            try:
                callback(Message(heard, body, decode_headers(raw)))
            except Exception as error:
                self.fail(error)

        return await self.subscribe_raw(subject, listener, queue)

    async def subscribe_raw(
        self,
        subject: str,
        listener: Callable[[str, str, bytes, bytes | None], None],
        queue: str = "",
        worker: Any = None,
    ) -> Subscription:
        """Listens, with subject, reply, body and header block as bytes.

        Raises:
            Refused: if this user may not listen there.
        """
        self.check()
        subscription = await self.nc.listen(subject, listener, queue)
        await self.nc.confirm(CONFIRM_S)
        if subject.lower() in self._refused_subscriptions:
            refusal = Refused(f"the bus user {self.user} may not subscribe to {subject}")
            refusal.code = FORBIDDEN
            raise refusal
        return Subscription(self.nc, subscription, worker)

    async def serve(self, subject: str, handler: Handler, queue: str = "") -> Subscription:
        """Answers requests on `subject`, each in a task of its own."""

        async def answer(reply: str, body: bytes) -> None:
            result = await handler(body)
            try:
                self.nc.send(reply, "", b"", result)
            except Refused as error:
                log.info("an answer on %s was not sent: %s", subject, error)

        def listener(_subject: str, reply: str, body: bytes, _raw: bytes | None) -> None:
            if reply:
                self._start(answer(reply, body))

        return await self.subscribe_raw(subject, listener, queue)

    def _send(
        self, subject: str, reply: str, header: bytes, body: bytes, question: str = ""
    ) -> None:
        try:
            self.nc.send(subject, reply, header, body)
        except TradewindError:
            self._replies.abandon(question or reply)
            raise


async def _work(arrived: "asyncio.Queue[Message]", callback: Callback) -> None:
    while True:
        await callback(await arrived.get())
