# SPDX-License-Identifier: Apache-2.0
"""The bus as services see it: publish, append, ask, listen, answer.

Two outcomes are told apart everywhere: `Refused` (nothing was stored) and `Unknown` (no answer).
An error in a handler ends the bus for its owner: `failed()` raises it, and so does every later
call.
"""

import asyncio
import contextlib
import inspect
import logging
import re
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import msgspec

from tradewind.common import permissions
from tradewind.common.errors import BusError, Refused, TradewindError, Unknown
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
    Replies,
    TakeAll,
    TakeMany,
    take_ack,
    take_body,
    take_commit,
)
from tradewind.common.settings import BusSettings

log = logging.getLogger(__name__)

PUBLISH_TIMEOUT_MS = 2000
API_RETRY_S = 0.05
CONFIRM_S = 5.0
CLOSE_S = 1.0
API_UNAVAILABLE = 503
FORBIDDEN = "BUS_FORBIDDEN"
_VIOLATION = re.compile(r'permissions violation for (publish|subscription) to "([^"]+)"')

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


class Bus:
    """One connection to the bus. Make it with `Bus.connect`."""

    def __init__(self, settings: BusSettings) -> None:
        self.nc = Connection()
        self.user = settings.user
        self._replies = Replies(self.new_inbox())
        self._failure: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._refused_subscriptions: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_closing = False
        self.on_disconnected: list[Callable[[], None]] = []
        self.on_reconnected: list[Callable[[], None]] = []

    @classmethod
    async def connect(cls, settings: BusSettings, *, name: str, timeout_s: float = 10.0) -> "Bus":
        """Connects as `settings.user`; `name` is what operators see in the server's list.

        Raises:
            BusError: code BUS_UNREACHABLE or BUS_UNAUTHORIZED.
        """
        bus = cls(settings)
        connecting = asyncio.ensure_future(bus._connect(settings, name))
        await asyncio.wait(
            {connecting, bus._failure}, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED
        )
        if connecting.done():
            connecting.result()
            await bus.nc.listen(bus._replies.subject, bus._replies.hear)
            return bus
        connecting.cancel()
        await bus.close()
        bus.check()
        where = ", ".join(settings.urls)
        raise BusError(
            f"no server of the bus at {where} took the connection within {timeout_s:.0f} s: "
            "see whether the nodes run",
            code="BUS_UNREACHABLE",
        )

    @property
    def is_connected(self) -> bool:
        """There is a connection now."""
        return bool(self.nc.is_connected)

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

    def new_inbox(self) -> str:
        """A subject of this user's own to receive on."""
        return f"{permissions.inbox_prefix(self.user)}.{secrets.token_hex(6)}"

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
            try:
                answer = msgspec.json.decode(
                    await self.request(f"$JS.API.{suffix}", body, left_ms), type=dict[str, Any]
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

    def fail(self, error: BaseException) -> None:
        """Ends this bus with an error for its owner."""
        if not self._failure.done():
            self._failure.set_exception(error)
            self._failure.exception()

    def check(self) -> None:
        """Raises what the bus failed with, if it failed."""
        if self._failure.done():
            self._failure.result()

    async def failed(self) -> None:
        """Waits until the bus fails, and raises the reason."""
        await asyncio.shield(self._failure)

    async def close(self) -> None:
        """Sends what is on its way and disconnects."""
        self._is_closing = True
        if self.nc.is_connected:
            try:
                await self.nc.confirm(CLOSE_S)
            except Unknown:
                log.info("the last messages may not have been sent")
        await self.nc.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._replies.fail_all(lambda subject: Unknown(f"closed before {subject} was answered"))

    async def _connect(self, settings: BusSettings, name: str) -> None:
        await self.nc.connect(
            servers=list(settings.urls),
            user=settings.user,
            password=settings.password,
            name=name,
            inbox_prefix=permissions.inbox_prefix(settings.user),
            pending_size=0,
            ping_interval=1,
            max_outstanding_pings=2,
            connect_timeout=1,
            reconnect_time_wait=0.05,  # type: ignore[arg-type]
            max_reconnect_attempts=-1,
            error_cb=self._on_error,
            disconnected_cb=self._on_disconnected,
            reconnected_cb=self._on_reconnected,
            closed_cb=self._on_closed,
        )

    def _send(
        self, subject: str, reply: str, header: bytes, body: bytes, question: str = ""
    ) -> None:
        try:
            self.nc.send(subject, reply, header, body)
        except TradewindError:
            self._replies.abandon(question or reply)
            raise

    def _start(self, work: Any) -> "asyncio.Task[None]":
        task: asyncio.Task[None] = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self.fail(error)

    async def _on_error(self, error: Exception) -> None:
        found = _VIOLATION.search(str(error))
        if found is None:
            if "authorization violation" in str(error).lower():
                text = f"the bus user {self.user} was not let in: its password is wrong"
                self.fail(BusError(text, code="BUS_UNAUTHORIZED"))
            log.debug("bus: %s", error or type(error).__name__)
            return
        verb, subject = found.groups()
        if verb == "subscription":
            self._refused_subscriptions.add(subject)
            return
        if not self._replies.fail_subject(subject, self._not_permitted):
            log.error("%s", self._not_permitted(subject))

    def _not_permitted(self, subject: str) -> Refused:
        refusal = Refused(f"the bus user {self.user} may not publish on {subject}")
        refusal.code = FORBIDDEN
        return refusal

    async def _on_disconnected(self) -> None:
        if not self._is_closing:
            log.warning("the connection to the bus broke; trying again")
        self.nc.forget_unwritten()
        self._replies.fail_all(
            lambda subject: Unknown(f"the connection broke before {subject} was answered")
        )
        for callback in self.on_disconnected:
            callback()

    async def _on_reconnected(self) -> None:
        log.warning("connected to the bus again")
        for callback in self.on_reconnected:
            callback()

    async def _on_closed(self) -> None:
        if not self._is_closing:
            self.fail(BusError(f"the bus closed the connection: {self.nc.last_error}"))


async def _work(arrived: "asyncio.Queue[Message]", callback: Callback) -> None:
    while True:
        await callback(await arrived.get())
