# SPDX-License-Identifier: Apache-2.0
"""A node's connection to the simulated broker: the surface of `Bus` that the services use."""

import asyncio
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from contextvars import copy_context
from typing import Any

import msgspec

from tests.simulation.stream import SimStream, Stored, matcher, stamp
from tests.simulation.world import Wire, World, settle
from tradewind.common.errors import Refused, Unknown
from tradewind.common.jetstream import Message, PubAck
from tradewind.common.jetstream.messages import encode_headers
from tradewind.common.subjects import LIVE

NO_MESSAGE_FOUND = 10037
API = "$JS.API."
DIRECT = "$JS.API.DIRECT.GET."
Raw = tuple[bytes | None, bytes]


class Broker:
    """All streams, and whoever listens to what is not stored."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.streams = {
            name: SimStream(world, name) for name in ("JOURNAL_0", "EVENTS_0", "OBJ_SNAPSHOTS")
        }
        self.talk: list[tuple[str, Callable[[Message], Any], Wire]] = []

    def stream_of(self, subject: str) -> SimStream:
        """The stream that a subject is stored in."""
        kind = subject.split(".", 1)[0]
        name = {"journal": "JOURNAL_0", "events": "EVENTS_0", "$O": "OBJ_SNAPSHOTS"}[kind]
        return self.streams[name]


class _Listening:
    """A subscription that can be ended."""

    def __init__(self, end: Callable[[], None]) -> None:
        self._end = end

    async def unsubscribe(self) -> None:
        self._end()


class SimBus:
    """One connection."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._world = broker.world
        self._context = copy_context()
        self._out = Wire(self._world, self._world.loop.world)
        self._open: dict[asyncio.Future[Any], str] = {}
        self._ends: list[Callable[[], None]] = []
        self._failure: BaseException | None = None
        self.on_reconnected: list[Callable[[], None]] = []
        self.is_connected = True

    def check(self) -> None:
        if self._failure is not None:
            raise self._failure

    def fail(self, error: BaseException) -> None:
        self._failure = error

    def disconnect(self, for_s: float) -> None:
        """The connection breaks; what is on its way may arrive, its outcome is not heard of."""
        self._world.saw("disconnected")
        self.is_connected = False
        self._out.cut(self._world.rng.randint(0, len(self._out)))
        self._out = Wire(self._world, self._world.loop.world)
        for future, subject in list(self._open.items()):
            settle(future, Unknown(f"the connection broke before {subject} was answered"))
        self._open.clear()
        self._world.loop.call_later(for_s, self._reconnect, context=self._context)

    def cut_off(self) -> None:
        """The process has died: what its kernel had taken may still arrive."""
        self._out.cut(self._world.rng.randint(0, len(self._out)))
        for end in self._ends:
            end()
        self._ends.clear()

    def _reconnect(self) -> None:
        self.is_connected = True
        for callback in self.on_reconnected:
            callback()

    def publish_nowait(
        self,
        subject: str,
        body: bytes,
        headers: Mapping[str, str] | None = None,
        *,
        expected_last_seq: int | None = None,
        timeout_ms: int = 2000,
    ) -> "asyncio.Future[PubAck]":
        message = Message(subject, body, dict(headers or {}))
        return self._append([message], expected_last_seq, timeout_ms)

    async def publish(
        self,
        subject: str,
        body: bytes,
        headers: Mapping[str, str] | None = None,
        *,
        expected_last_seq: int | None = None,
        timeout_ms: int = 2000,
    ) -> PubAck:
        return await self.publish_nowait(
            subject, body, headers, expected_last_seq=expected_last_seq, timeout_ms=timeout_ms
        )

    async def append_batch(
        self, messages: Sequence[Message], expected_last_seq: int | None, timeout_ms: int
    ) -> PubAck:
        return await self._append(messages, expected_last_seq, timeout_ms)

    def _append(
        self, messages: Sequence[Message], expected: int | None, timeout_ms: int
    ) -> "asyncio.Future[PubAck]":
        self.check()
        world = self._world
        future = self._expect(messages[0].subject, timeout_ms)
        stream = self._broker.stream_of(messages[0].subject)

        def reply(outcome: PubAck | Exception) -> None:
            if world.strikes("lost-acks", 0.08):
                world.saw("ack lost")
            else:
                self._answer(future, outcome)

        if world.strikes("lost-requests", 0.05):
            world.saw("request lost")
        elif world.strikes("late-requests", 0.1):
            world.saw("request late")
            world.loop.later(world.rng.uniform(0, 4), stream.arrive, messages, expected, reply)
        else:
            self._out.send(stream.arrive, messages, expected, reply)
        return future

    def tell(self, subject: str, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        for pattern, callback, wire in list(self._broker.talk):
            if pattern == subject and not self._world.strikes("rough-live", 0.1):
                wire.send(callback, Message(subject, body))

    async def subscribe(self, subject: str, callback: Callable[[Message], Any]) -> _Listening:
        def hear(message: Message) -> None:
            try:
                callback(message)
            except Exception as error:
                self.fail(error)

        entry = (subject, hear, Wire(self._world, self._context))
        self._broker.talk.append(entry)
        return self._until_closed(lambda: self._broker.talk.remove(entry))

    async def subscribe_raw(
        self, subject: str, listener: Callable[[str, str, bytes, bytes | None], None]
    ) -> _Listening:
        stream = self._broker.stream_of(subject.removeprefix(LIVE))
        world, wire = self._world, Wire(self._world, self._context)

        def deliver(stored: Stored) -> None:
            listener(subject, "", stored.record.body, stored.raw)

        def hear(stored: Stored) -> None:
            if not self.is_connected or world.strikes("rough-live", 0.1):
                world.saw("live message lost")
                return
            wire.send(deliver, stored)
            if world.strikes("rough-live", 0.1):
                world.saw("live message again, out of order")
                late_s = world.rng.uniform(0, 0.2)
                world.loop.call_later(late_s, deliver, stored, context=self._context)

        stream.listeners.append(hear)
        return self._until_closed(lambda: stream.listeners.remove(hear))

    async def serve(self, _subject: str, _handler: Any, queue: str = "") -> _Listening:
        return _Listening(lambda: None)

    async def request_many(self, subject: str, body: bytes, timeout_ms: int) -> tuple[int, Any]:
        stream = self._broker.streams[subject.removeprefix(DIRECT)]
        question = msgspec.json.decode(body)
        found = await self._ask(subject, timeout_ms, lambda: _direct(stream, question))
        return 204, found

    async def api(
        self, suffix: str, payload: Mapping[str, Any] | None = None, timeout_s: float = 2.0
    ) -> dict[str, Any]:
        verb, _dot, name = suffix.rpartition(".")
        stream = self._broker.streams.get(name)
        if stream is None:
            return {}
        answer = await self._ask(
            API + suffix, int(timeout_s * 1000), lambda: _administer(stream, verb, payload or {})
        )
        return answer  # type: ignore[no-any-return]

    async def close(self) -> None:
        for end in self._ends:
            end()
        self._ends.clear()

    async def _ask(self, subject: str, timeout_ms: int, look: Callable[[], Any]) -> Any:
        self.check()
        future = self._expect(subject, timeout_ms)

        def arrive() -> None:
            try:
                answer = look()
            except Refused as error:
                answer = error
            self._answer(future, answer)

        if self._world.strikes("lost-requests", 0.03):
            self._world.saw("question lost")
        else:
            self._out.send(arrive)
        return await future

    def _expect(self, subject: str, timeout_ms: int) -> "asyncio.Future[Any]":
        if not self.is_connected:
            raise Refused(f"not connected: {subject} was not sent")
        loop = self._world.loop
        future: asyncio.Future[Any] = loop.create_future()
        self._open[future] = subject
        late = Unknown(f"no answer on {subject} within {timeout_ms} ms")
        timer = loop.call_later(timeout_ms / 1000, settle, future, late)

        def done(_future: "asyncio.Future[Any]") -> None:
            timer.cancel()
            self._open.pop(future, None)

        future.add_done_callback(done)
        return future

    def _answer(self, future: "asyncio.Future[Any]", outcome: Any) -> None:
        delay_s = self._world.delay()
        self._world.loop.call_later(delay_s, settle, future, outcome, context=self._context)

    def _until_closed(self, end: Callable[[], None]) -> _Listening:
        self._ends.append(end)
        return _Listening(lambda: None)


def _direct(stream: SimStream, question: Mapping[str, Any]) -> list[Raw]:
    seen = stream.stored[: stream.visible(at_leader=False)]
    if "multi_last" in question:
        matches = matcher(question["multi_last"][0])
        last = {s.record.subject: s for s in seen if s is not None and matches(s.record.subject)}
        return [(stored.raw, stored.record.body) for stored in last.values()]
    matches = matcher(question.get("next_by_subj", ">"))
    rest = seen[int(question["seq"]) - 1 :]
    found = [s for s in rest if s is not None and matches(s.record.subject)]
    return [(stored.raw, stored.record.body) for stored in found[: int(question["batch"])]]


def _administer(stream: SimStream, verb: str, question: Mapping[str, Any]) -> dict[str, Any]:
    if verb == "STREAM.PURGE":
        stream.purge(matcher(question["filter"]))
        return {}
    last = stream.visible(at_leader=True)
    if verb == "STREAM.INFO":
        return {"state": {"first_seq": 1, "last_seq": last}}
    seq = int(question.get("seq", last))
    stored = stream.stored[seq - 1] if 1 <= seq <= last else None
    if stored is None:
        raise Refused("no message found", err_code=NO_MESSAGE_FOUND)
    record = stored.record
    return {
        "message": {
            "seq": record.seq,
            "time": stamp(record.ts_ns),
            "subject": record.subject,
            "hdrs": b64encode(encode_headers(record.headers)).decode(),
            "data": b64encode(record.body).decode(),
        }
    }
