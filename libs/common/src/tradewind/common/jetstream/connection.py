# SPDX-License-Identifier: Apache-2.0
"""One connection: nats-py for the protocol, reconnects and subscriptions; our own hot path.

nats-py puts each message through a queue, a task and a header dictionary. Here a listener is called
straight from the reading loop with the raw bytes. This replaces the parser of a pinned version
(`_ps`) and hands bytes to its flusher; the tests on a real bus notice a change.
"""

import asyncio
import re
from typing import Any

from nats.aio.client import Client
from nats.errors import Error

from tradewind.common.errors import Refused, Unknown
from tradewind.common.jetstream.parser import FastParser, Listener

OUTBOUND_MAX = 16 * 1024 * 1024
_SUBJECT = re.compile(r"[!-~]+")


class ServerLeaves(Error):
    """The server has said that it is going to stop."""


class Connection(Client):
    """A nats-py client with raw listeners and raw sends."""

    def __init__(self) -> None:
        super().__init__()
        self._listeners: dict[int, Listener] = {}
        self._ps = FastParser(self, self._listeners)
        self._held: list[bytes] | None = None

    async def _connect_to_server(self, server: Any) -> None:
        """Connects, but never after a cancellation.

        nats-py waits with `wait_for`, which drops a cancellation that comes just as the wait ends.
        The attempt to reconnect would then go on for ever, and the process would never end.
        """
        _require_wanted()
        try:
            await super()._connect_to_server(server)
        finally:
            if not _is_wanted() and self._transport:
                self._transport.close()  # type: ignore[no-untyped-call]
            _require_wanted()

    async def listen(self, subject: str, listener: Listener, queue: str = "") -> Any:
        """Subscribes; the listener must not block and must not raise."""
        self._listeners[self._sid + 1] = listener
        return await self.subscribe(subject, queue=queue)

    async def unlisten(self, subscription: Any) -> None:
        """Ends a subscription made by `listen`."""
        self._listeners.pop(subscription._id, None)
        if not self.is_closed:
            await subscription.unsubscribe()

    def send(self, subject: str, reply: str, header: bytes, body: bytes) -> None:
        """Publishes as soon as the loop gets to it.

        Raises:
            Refused: if there is no connection, or too much is waiting to be written. Nothing is
                kept for later: a message that was given up on must not be stored after all.
        """
        if _SUBJECT.fullmatch(subject) is None:
            raise Refused(f"{subject!r} is not a subject")
        if not self.is_connected and not self.is_holding:
            raise Refused("the bus is not connected")
        if self._pending_data_size > OUTBOUND_MAX:
            raise Refused("the bus does not take what is sent: too much is waiting to be written")
        if len(header) + len(body) > self._max_payload:
            raise Refused(f"a message of {len(header) + len(body)} bytes is too long for the bus")
        size = len(header)
        command = (
            f"{subject} {reply} {size} {size + len(body)}\r\n"
            if header
            else (f"{subject} {reply} {len(body)}\r\n")
        )
        self._queue(
            b"".join((b"HPUB " if header else b"PUB ", command.encode(), header, body, b"\r\n"))
        )

    async def confirm(self, timeout_s: float) -> None:
        """Waits until the server has taken everything sent before.

        nats-py's own `flush` lets its PING overtake what waits to be written.

        Raises:
            Unknown: if there is no answer in time.
        """
        future = asyncio.get_running_loop().create_future()
        self._pongs.append(future)
        self._queue(b"PING\r\n")
        try:
            async with asyncio.timeout(timeout_s):
                await asyncio.shield(future)
        except TimeoutError as error:
            raise Unknown(f"the bus did not answer within {timeout_s:.0f} s") from error

    @property
    def is_holding(self) -> bool:
        """What is sent waits."""
        return self._held is not None

    def hold(self) -> None:
        """From now on nothing is written: what is sent waits for `release`, or is dropped."""
        self._held = []

    async def change_server(self) -> None:
        """Leaves this server for another one, as if the connection had broken."""
        await self._process_op_err(ServerLeaves())

    def release(self) -> None:
        """Sends what was held."""
        held, self._held = self._held or [], None
        for data in held:
            self._queue(data)

    def drop(self) -> bool:
        """Forgets what was held; false if nothing was."""
        was_held, self._held = self._held is not None, None
        return was_held

    def _queue(self, data: bytes) -> None:
        if self._held is not None:
            self._held.append(data)
            return
        self._pending.append(data)
        self._pending_data_size += len(data)
        if self._flush_queue is not None and self._flush_queue.empty():
            self._flush_queue.put_nowait(asyncio.get_running_loop().create_future())

    def forget_unwritten(self) -> None:
        """Drops what was not written when the connection broke: its senders are told unknown."""
        self._pending = []
        self._pending_data_size = 0


def _is_wanted() -> bool:
    task = asyncio.current_task()
    return task is None or not task.cancelling()


def _require_wanted() -> None:
    if not _is_wanted():
        raise asyncio.CancelledError
