# SPDX-License-Identifier: Apache-2.0
"""WebSocket sessions: requests pipelined in, durable notices and reports streamed out.

Reading and journaling make no task per message, and writing sends what has gathered. A client
that asks for it (`"batch": true`) sends and gets arrays of messages in one frame; the messages
are the same.
"""

import asyncio
import logging
import secrets
import time
from collections.abc import Mapping
from functools import partial
from typing import Any

import msgspec
from starlette.websockets import WebSocket, WebSocketDisconnect

from tradewind.common import trace
from tradewind.common.errors import BusError
from tradewind.gateway import renewals
from tradewind.gateway.auth import Authenticator, Key, Signed
from tradewind.gateway.board import Board
from tradewind.gateway.disconnects import Disconnects
from tradewind.gateway.egress import Egress
from tradewind.gateway.errors import Refusal, refusal
from tradewind.gateway.intake import Intake
from tradewind.gateway.journal import InFlight, Journal
from tradewind.gateway.requests import (
    MAX_BODY_BYTES,
    Cancel,
    CancelAll,
    Hello,
    Renew,
    SessionRequest,
    SignedHello,
    Subscribe,
    TokenHello,
    decode,
    decode_session_request,
    split_frame,
)
from tradewind.gateway.resume import Resume
from tradewind.gateway.watches import Watches

PATH = "/v1/ws"
MAX_QUEUED = 20_000
"""Messages that may wait for one client before it is closed as too slow."""
PAST_QUEUED = 2_000
MAX_FRAME_MESSAGES = 200
HELLO_TIMEOUT_S = 5.0
CLOSE_TIMEOUT_S = 1.0
ENDING_TIMEOUT_S = 1.0
CLOSE_POLICY = 1008
CLOSE_ENDED = 4001
CLOSE_SLOW = 4008
CLOSE_GIVEN_UP = 4009
CLOSE_FLOODED = 4029

CANCELS = (Cancel, CancelAll)

_encode = msgspec.json.Encoder().encode
_hello = msgspec.json.Decoder(SignedHello | TokenHello)
_log = logging.getLogger(__name__)


class Session:
    """One authenticated connection. Listens to its own requests and to its accounts' reports."""

    def __init__(self, socket: WebSocket, key: Key, *, is_batching: bool) -> None:
        self.key = key
        self.socket = socket
        self._is_batching = is_batching
        self._queue: list[bytes] = []
        self._held: list[bytes] | None = None
        self._has_room = asyncio.Event()
        self._filled = asyncio.Event()
        self._board = Board()
        self.offers: asyncio.Queue[str] = asyncio.Queue(1)
        self.ended = asyncio.Event()
        self.closing = (0, "")

    def end(self, close_code: int, reason: str) -> None:
        """From now on nothing is sent, but why: the first reason is told."""
        if not self.ended.is_set():
            self.closing = (close_code, reason)
            self.ended.set()

    def push(self, frame: bytes) -> None:
        """Queues a message for the client; while it is told of the past, after that."""
        queue = self._queue if self._held is None else self._held
        if len(queue) >= MAX_QUEUED:
            self.end(CLOSE_SLOW, "SLOW_CONSUMER")
            return
        queue.append(frame)
        self._filled.set()

    def show(self, name: str, frame: bytes) -> None:
        """Tells how something stands, after all that is queued."""
        self._board.show(name, frame)
        self._filled.set()

    def hold(self) -> None:
        """From now on what is new waits."""
        self._held = []

    def release(self) -> None:
        """The past is told: what is new follows."""
        held, self._held = self._held or [], None
        for frame in held:
            self.push(frame)

    async def push_in_time(self, frame: bytes) -> None:
        """Queues a message of the past."""
        while len(self._queue) >= PAST_QUEUED:
            self._has_room.clear()
            await self._has_room.wait()
        self._queue.append(frame)
        self._filled.set()

    def on_durable(self, request: InFlight) -> None:
        """Tells the client that its request survives from now on."""
        self.push(
            b'{"type":"durable","cl_ord_id":"%b","shard":%d,"seq":%d,"traceparent":"%b"}'
            % (
                request.cl_ord_id.encode(),
                request.shard,
                request.seq,
                request.traceparent.encode(),
            )
        )

    def on_failed(self, request: InFlight, why: Refusal) -> None:
        """Tells the client that its request is not stored, or that nobody knows."""
        self.push_error(why, request.cl_ord_id)

    def on_answered(self, request: InFlight, answer: Any) -> None:
        """Nothing: the report itself is streamed to every session of the account."""

    def push_error(self, why: Refusal, cl_ord_id: str | None = None) -> None:
        """Queues an error, named by the request it belongs to where that is known."""
        body: dict[str, Any] = {"type": "error"}
        if cl_ord_id is not None:
            body["cl_ord_id"] = cl_ord_id
        self.push(_encode(body | why.body()))

    async def write(self) -> None:
        """Sends what is queued, for ever."""
        while True:
            await self._filled.wait()
            self._filled.clear()
            frames, self._queue = self._queue, []
            self._has_room.set()
            await self._send([*frames, *self._board.take()])

    async def _send(self, frames: list[bytes]) -> None:
        if not self._is_batching:
            for frame in frames:
                await self.socket.send({"type": "websocket.send", "text": frame.decode()})
            return
        for start in range(0, len(frames), MAX_FRAME_MESSAGES):
            joined = b",".join(frames[start : start + MAX_FRAME_MESSAGES])
            await self.socket.send({"type": "websocket.send", "text": f"[{joined.decode()}]"})


class Sessions:
    """Accepts connections and runs them."""

    def __init__(
        self,
        *,
        authenticator: Authenticator,
        intake: Intake,
        journal: Journal,
        egress: Egress,
        disconnects: Disconnects,
        resume: Resume,
        watches: Watches,
        sampler: trace.Sampler,
        instance: str,
    ) -> None:
        self._resume = resume
        self._watches = watches
        self._authenticator = authenticator
        self._intake = intake
        self._journal = journal
        self._egress = egress
        self._disconnects = disconnects
        self._sampler = sampler
        self._instance = instance
        self._endings: set[asyncio.Future[None]] = set()
        self.count = 0

    async def endpoint(self, socket: WebSocket) -> None:
        """One connection, from accept to close."""
        await socket.accept()
        try:
            hello = await self._hello(socket)
            if isinstance(hello, Refusal):
                await socket.send_text(_encode({"type": "error", **hello.body()}).decode())
                await socket.close(CLOSE_POLICY, hello.code)
                return
            await self._run(socket, *hello)
        except (WebSocketDisconnect, ConnectionError, TimeoutError):
            return
        except Exception:
            incident = secrets.token_hex(8)
            _log.exception("INTERNAL incident %s in a session", incident)
            await socket.close(1011, f"INTERNAL {incident}")

    async def ended(self) -> None:
        """Waits a while until the orders of closed sessions are cancelled, where they asked so."""
        if self._endings:
            await asyncio.wait(self._endings, timeout=ENDING_TIMEOUT_S)

    async def _hello(self, socket: WebSocket) -> tuple[Key, Hello] | Refusal:
        async with asyncio.timeout(HELLO_TIMEOUT_S):
            text = await _receive(socket)
        hello = decode(text, _hello)
        if isinstance(hello, Refusal):
            return hello
        key = await self._key(hello, socket.client.host if socket.client else "")
        if isinstance(key, Refusal):
            return key
        for account in hello.cancel_on_disconnect:
            refused = key.permits("trade", account)
            if refused is not None:
                return refused
        gone = await self._resume.refusal(hello.resume)
        return (key, hello) if gone is None else gone

    async def _key(self, hello: SignedHello | TokenHello, address: str) -> Key | Refusal:
        if isinstance(hello, TokenHello):
            return await self._authenticator.of_token(hello.token)
        signed = Signed(hello.key, hello.timestamp, hello.nonce, hello.signature, "GET", PATH, b"")
        return self._authenticator.check(signed, address)

    async def _run(self, socket: WebSocket, key: Key, hello: Hello) -> None:
        session = Session(socket, key, is_batching=hello.batch)
        guarded = await self._guard(session, hello.cancel_on_disconnect)
        if isinstance(guarded, Refusal):
            await socket.send_text(_encode({"type": "error", **guarded.body()}).decode())
            await socket.close(CLOSE_POLICY, guarded.code)
            return
        try:
            await self._serve(session, hello.resume)
        finally:
            if guarded:
                ending = asyncio.ensure_future(self._disconnects.close(guarded))
                self._endings.add(ending)
                ending.add_done_callback(self._endings.discard)

    async def _guard(self, session: Session, accounts: list[str]) -> str | Refusal:
        """The id under which the session's end is watched; "" if it did not ask for that."""
        if not accounts:
            return ""
        try:
            end = partial(session.end, CLOSE_GIVEN_UP, "GIVEN_UP")
            return await self._disconnects.open(session.key.client, accounts, end)
        except BusError:
            return refusal("NOT_READY")

    async def _serve(self, session: Session, positions: Mapping[int, int]) -> None:
        socket, key = session.socket, session.key
        self._egress.subscribe(session)
        self.count += 1
        known = dict(self._egress.ordinals)
        ready = {"type": "ready", "instance": self._instance, "accounts": sorted(key.accounts)}
        session.push(_encode({**ready, "ordinals": known}))
        session.hold()
        parts = [
            asyncio.ensure_future(part)
            for part in (
                session.write(),
                self._work(session, positions, known),
                self._end_with_token(session),
                renewals.run(self._authenticator, session),
                session.ended.wait(),
            )
        ]
        try:
            await asyncio.wait(parts, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._egress.unsubscribe(session)
            self._watches.drop(session)
            self.count -= 1
            for part in parts:
                part.cancel()
            ended = await asyncio.gather(*parts, return_exceptions=True)
        if session.ended.is_set():
            async with asyncio.timeout(CLOSE_TIMEOUT_S):
                await socket.close(*session.closing)
        for result in ended:
            if isinstance(result, Exception):
                raise result

    async def _end_with_token(self, session: Session) -> None:
        ended = await self._authenticator.ended(session)
        session.end(CLOSE_ENDED, ended.code)

    async def _work(
        self, session: Session, positions: Mapping[int, int], known: Mapping[int, int]
    ) -> None:
        await self._resume.tell(session, positions, known)
        session.release()
        await self._read(session)

    async def _read(self, session: Session) -> None:
        while True:
            messages = split_frame(await _receive(session.socket))
            await self._journal.room()
            if isinstance(messages, Refusal):
                session.push_error(messages)
                continue
            for message in messages:
                self.handle(session, bytes(message) if not isinstance(message, str) else message)

    def handle(self, session: Session, message: str | bytes) -> None:
        """Journals one message, or says why not."""
        if len(message) > MAX_BODY_BYTES:
            session.push_error(refusal("BODY_TOO_LARGE"))
            return
        request = decode_session_request(message)
        if isinstance(request, Refusal):
            session.push_error(request)
            return
        named = None if isinstance(request, Subscribe | Renew) else request.cl_ord_id
        throttle = self._authenticator.throttle(session.key)
        refused = throttle.take(time.monotonic(), is_cancel=isinstance(request, CANCELS))
        if refused is not None and throttle.is_flooded:
            session.end(CLOSE_FLOODED, "RATE_LIMITED")
        refused = refused or self._carry_out(session, request)
        if refused is not None:
            session.push_error(refused, named)

    def _carry_out(self, session: Session, request: SessionRequest) -> Refusal | None:
        if isinstance(request, Subscribe):
            return self._watches.take(session, request)
        if isinstance(request, Renew):
            return renewals.offer(session, request.token)
        command = self._intake.command(session.key, request)
        if isinstance(command, Refusal):
            return command
        shard = self._journal.shard_of(command.account)
        sent = self._journal.publish(shard, command, session, self._sampler.new())
        return sent if isinstance(sent, Refusal) else None


async def _receive(socket: WebSocket) -> str:
    message = await socket.receive()
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(message.get("code") or 1005)
    text = message.get("text")
    return text if text is not None else (message.get("bytes") or b"").decode("utf-8", "replace")
