# SPDX-License-Identifier: Apache-2.0
"""Messages of a durable consumer, by overlapping pulls.

nats-py's `fetch` can stall for its whole timeout and swallows what should be heard, so this asks
itself: the next pull is on its way before the last one is used up, and is made again after an
error status, two missed heartbeats, or a reconnect. Delivery is at least once, as always.
"""

import asyncio
from collections import deque
from dataclasses import dataclass

import msgspec

from tradewind.common.errors import BusError, Refused
from tradewind.common.jetstream.bus import Bus, Subscription
from tradewind.common.jetstream.messages import Record, decode_headers, status_of

HEARTBEAT_S = 1.0
EXPIRES_S = 30.0
RETRY_S = 0.1
IDLE_HEARTBEAT = 100
CONSUMER_DELETED = 409


@dataclass(frozen=True, slots=True)
class Delivery:
    """A record with what its delivery says; `deliveries` above 1 means maybe handled before."""

    record: Record
    deliveries: int
    reply: str


class PullLoop:
    """One puller on a durable consumer with explicit acks."""

    def __init__(self, bus: Bus, stream: str, durable: str, *, batch: int = 200) -> None:
        self._bus = bus
        self._stream = stream
        self._durable = durable
        self._batch = batch
        self._inbox = bus.new_inbox()
        self._held: deque[Delivery] = deque()
        self._asked = 0
        self._wake = asyncio.Event()
        self._error: BusError | None = None
        self._subscription: Subscription | None = None

    async def open(self) -> None:
        """Starts pulling."""
        self._subscription = await self._bus.subscribe_raw(self._inbox, self._hear)
        self._bus.on_reconnected.append(self._start_over)
        self._pull()

    async def close(self) -> None:
        """Stops pulling; what was delivered and not acked comes again to whoever pulls next."""
        if self._subscription is not None:
            self._bus.on_reconnected.remove(self._start_over)
            await self._subscription.unsubscribe()
            self._subscription = None

    async def next_batch(self, max_messages: int = 200) -> list[Delivery]:
        """The next messages, at least one; waits for them as long as it takes.

        Raises:
            BusError: if the consumer is gone, or the bus has failed for good.
        """
        while True:
            self._bus.check()
            if self._error is not None:
                raise self._error
            if self._held:
                return [self._held.popleft() for _ in range(min(max_messages, len(self._held)))]
            await self._wait()

    def ack(self, delivery: Delivery) -> None:
        """Tells the consumer that this message is handled.

        Raises:
            Refused: if there is no connection; the message will come again.
        """
        self._bus.tell(delivery.reply, b"+ACK")

    async def _wait(self) -> None:
        self._wake.clear()
        try:
            async with asyncio.timeout(2 * HEARTBEAT_S):
                await self._wake.wait()
        except TimeoutError:
            self._start_over()

    def _start_over(self) -> None:
        self._asked = 0
        self._pull()

    def _pull(self) -> None:
        if self._asked > self._batch // 2:
            return
        question = {
            "batch": self._batch,
            "expires": int(EXPIRES_S * 1e9),
            "idle_heartbeat": int(HEARTBEAT_S * 1e9),
        }
        subject = f"$JS.API.CONSUMER.MSG.NEXT.{self._stream}.{self._durable}"
        try:
            self._bus.ask(subject, self._inbox, msgspec.json.encode(question))
        except Refused:
            return
        self._asked += self._batch

    def _hear(self, subject: str, reply: str, body: bytes, raw: bytes | None) -> None:
        self._wake.set()
        status = status_of(raw)
        if status == 0:
            self._asked -= 1
            self._held.append(_delivery(subject, reply, body, raw))
            self._pull()
        elif status == CONSUMER_DELETED and raw is not None and b"Consumer Deleted" in raw:
            self._error = BusError(
                f"the consumer {self._durable} of {self._stream} is gone: run the init job"
            )
        elif status != IDLE_HEARTBEAT:
            self._asked = 0
            asyncio.get_running_loop().call_later(RETRY_S, self._start_over)


def _delivery(subject: str, reply: str, body: bytes, raw: bytes | None) -> Delivery:
    """`$JS.ACK.<stream>.<consumer>.<deliveries>.<stream seq>.<consumer seq>.<ns>.<pending>`."""
    tokens = reply.split(".")
    deliveries, seq, ts_ns = int(tokens[-5]), int(tokens[-4]), int(tokens[-2])
    headers = {
        name: value for name, value in decode_headers(raw).items() if not name.startswith("Nats-")
    }
    return Delivery(Record(seq, ts_ns, subject, headers, body), deliveries, reply)
