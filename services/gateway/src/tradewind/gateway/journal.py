# SPDX-License-Identifier: Apache-2.0
"""Commands into the journal, pipelined, and the requests that wait for what follows from them.

Three answers exist and are never mixed up. Stored: the broker's acknowledgement names the entry.
Not stored: refused before publishing, or on the broker's definite no. Anything else is unknown
and is said so; no broker-side message id is used, so a retry always reaches the core, which
answers it with the original outcome. So a request with a client's id that a later one has overtaken
goes again by itself: acknowledgements come in order, so a leader lost it while it moved. Where
nothing comes later, an entry that changes nothing does.
"""

import asyncio
import time
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

from tradewind.common import codec, subjects, trace
from tradewind.common.errors import Refused
from tradewind.common.jetstream import Bus, PubAck
from tradewind.common.jetstream.messages import NO_RESPONDERS
from tradewind.core.commands import AdvanceTime, Command, FlattenPosition, ReplaceOrder, SubmitOrder
from tradewind.gateway.errors import Refusal, refusal
from tradewind.gateway.latency import Latencies
from tradewind.gateway.silence import Silence

MAX_UNACKED = 2_048
FOR_CANCELS = 256
"""So many more may be under way if they make no risk: no crowd of orders keeps a cancel out."""
MAX_EARLY = 8_192
STALLED_AFTER_NS = 2_000_000_000
FORGOTTEN_AFTER_NS = 6_000_000_000
WATCH_S = 0.05
LATE_NS = 80_000_000
HELD_NS = 120_000_000
"""How long a request goes again and again to a journal whose leader moves: nobody has taken it."""
AGAIN_S = 0.01
SOURCE = "gateway"
OVERTAKING_MS = 60
"""It may be lost too: then there is time for another one before an outcome is called unknown."""
ROOM_LOOK_S = 0.005
ROOM_LOOKS = 30
ADDS_RISK = (SubmitOrder, ReplaceOrder, FlattenPosition)
"""What is refused while nothing is processed; cancels and questions pass."""


Send = Callable[[], "asyncio.Future[PubAck]"]


class Listener(Protocol):
    """Who is told what becomes of a request. Called from the loop; must not block."""

    def on_durable(self, request: "InFlight") -> None:
        """The entry is stored as `request.seq`."""

    def on_failed(self, request: "InFlight", why: Refusal) -> None:
        """The entry is not stored, or nobody knows."""

    def on_answered(self, request: "InFlight", answer: Any) -> None:
        """The first output of the entry, as egress renders it."""


class InFlight:
    """One request between its publication and its first output.

    It has no listener once nobody waits for it any more.
    """

    __slots__ = (
        "attempt",
        "cl_ord_id",
        "is_acked",
        "is_unsure",
        "listener",
        "send",
        "seq",
        "shard",
        "started_ns",
        "traceparent",
    )

    def __init__(
        self,
        shard: int,
        cl_ord_id: str,
        listener: Listener | None,
        traceparent: str,
        started_ns: int,
        send: Send,
    ) -> None:
        self.shard = shard
        self.cl_ord_id = cl_ord_id
        self.listener = listener
        self.traceparent = traceparent
        self.seq = 0
        self.started_ns = started_ns
        self.is_acked = False
        self.is_unsure = False
        self.attempt = 0
        self.send = send


class Journal:
    """Publishes commands and matches outputs to them by the entry's sequence, exactly."""

    def __init__(
        self,
        bus: Bus,
        *,
        shards: int,
        ack_timeout_ms: int,
        now_ns: Callable[[], int] = time.perf_counter_ns,
    ) -> None:
        self._bus = bus
        self._shards = shards
        self._ack_timeout_ms = ack_timeout_ms
        self._now_ns = now_ns
        self._unacked = 0
        self._silence: Silence[InFlight] = Silence(now_ns)
        self._listened_ns = 0
        self._overtaking: dict[int, InFlight] = {}
        self._waiting: dict[tuple[int, int], InFlight] = {}
        self._early: dict[tuple[int, int], Any] = {}
        self._room = asyncio.Event()
        self._room.set()
        self.durable_ack = Latencies()
        self.accepted = Latencies()

    @property
    def unacked(self) -> int:
        """How many publications have no acknowledgement yet."""
        return self._unacked

    def shard_of(self, account: str) -> int:
        """The shard that an account lives in."""
        return subjects.shard_of(account, self._shards)

    def publish(
        self,
        shard: int,
        command: Command,
        listener: Listener,
        traceparent: str,
        *,
        actor: str = "",
        parent: str = "",
    ) -> InFlight | Refusal:
        """Sends a command to the journal; the listener hears the rest.

        `actor` is the operator who asks and `parent` the caller's own span, where there is one:
        kept in the entry's headers. A refusal is definite: nothing was sent.
        """
        refused = self._refuse(shard, command)
        if refused is not None:
            return refused
        headers = {trace.HEADER: traceparent, subjects.HEADER_AT: str(time.time_ns())}
        if parent:
            headers[subjects.HEADER_PARENT] = parent
        if actor:
            headers[subjects.HEADER_ACTOR] = actor
        send = partial(
            self._bus.publish_nowait,
            subjects.journal_subject(shard, command),
            codec.encode(command),
            headers,
            timeout_ms=self._ack_timeout_ms,
        )
        cl_ord_id = getattr(command, "cl_ord_id", "")
        request = InFlight(shard, cl_ord_id, listener, traceparent, self._now_ns(), send)
        return request if self._send(request) else refusal("JOURNAL_UNAVAILABLE")

    async def room(self) -> None:
        """Waits a little while too many are under way, or while the bus is being reached again.

        That pushes back before anything is refused: a planned move to another node takes no longer.
        """
        for _ in range(ROOM_LOOKS):
            if self._room.is_set() and self._bus.is_connected:
                return
            await asyncio.sleep(ROOM_LOOK_S)

    def wants(self, shard: int, entry: int) -> bool:
        """Whether an output of this entry may be somebody's answer."""
        return (shard, entry) in self._waiting or self._unacked > 0

    def on_output(self, shard: int, entry: int, answer: Any) -> None:
        """The first output of an entry answers its request.

        The output may overtake the broker's acknowledgement (they come over different
        connections), so while any is missing outputs are kept for a moment.
        """
        request = self._waiting.pop((shard, entry), None)
        if request is not None:
            self._answer(request, answer)
        elif self._unacked and (shard, entry) not in self._early:
            if len(self._early) >= MAX_EARLY:
                self._early.pop(next(iter(self._early)))
            self._early[shard, entry] = answer

    async def watch(self) -> None:
        """Tells whoever waits for a silent journal that the outcome is unknown, within 250 ms.

        Not when this process itself did not listen: what has come meanwhile is read first.
        """
        while True:
            began_ns = self._now_ns()
            await asyncio.sleep(WATCH_S)
            if self._now_ns() - began_ns > LATE_NS:
                continue
            self._listened_ns = self._now_ns()
            for request in self._silence.overdue():
                listener, request.listener = request.listener, None
                if listener is not None:
                    listener.on_failed(request, refusal("OUTCOME_UNKNOWN"))
            for shard in self._silence.quiet_shards():
                self._overtake(shard)

    def sweep(self) -> None:
        """Forgets requests that nobody waits for any more."""
        horizon_ns = self._now_ns() - FORGOTTEN_AFTER_NS
        while self._waiting:
            oldest = next(iter(self._waiting))
            if self._waiting[oldest].started_ns > horizon_ns:
                break
            del self._waiting[oldest]
        if not self._unacked:
            self._early.clear()

    @property
    def is_stalled(self) -> bool:
        """Whether a stored entry has had no output for too long."""
        if not self._waiting:
            return False
        oldest = self._waiting[next(iter(self._waiting))]
        return self._now_ns() - oldest.started_ns > STALLED_AFTER_NS

    def _refuse(self, shard: int, command: Command) -> Refusal | None:
        if not self._bus.is_connected:
            return refusal("JOURNAL_UNAVAILABLE")
        most = MAX_UNACKED if isinstance(command, ADDS_RISK) else MAX_UNACKED + FOR_CANCELS
        if self._unacked >= most:
            return refusal("OVERLOADED")
        if self.is_stalled and isinstance(command, ADDS_RISK):
            return refusal("NOT_PROCESSING")
        if self._is_silent(shard) and isinstance(command, ADDS_RISK):
            return None if self._silence.may_try(shard) else refusal("JOURNAL_UNAVAILABLE")
        return None

    def _is_silent(self, shard: int) -> bool:
        """Whether the journal says nothing although this process listens."""
        if self._listened_ns and self._now_ns() - self._listened_ns > LATE_NS:
            return False
        return self._silence.is_silent(shard)

    def _send(self, request: InFlight) -> bool:
        """Whether it has left."""
        try:
            acked = request.send()
        except Refused:
            return False
        self._silence.sent(request)
        self._unacked += 1
        if self._unacked >= MAX_UNACKED:
            self._room.clear()
        acked.add_done_callback(partial(self._on_acked, request, request.attempt))
        return True

    def _overtake(self, shard: int) -> None:
        """Sends an entry that changes nothing, one at a time; nobody waits for it."""
        before = self._overtaking.get(shard)
        if before is not None and not before.is_acked:
            return
        command = AdvanceTime(source=SOURCE)
        send = partial(
            self._bus.publish_nowait,
            subjects.journal_subject(shard, command),
            codec.encode(command),
            {},
            timeout_ms=OVERTAKING_MS,
        )
        request = InFlight(shard, "", None, "", self._now_ns(), send)
        if self._send(request):
            self._overtaking[shard] = request

    def _repeat(self, request: InFlight) -> None:
        """Sends it again if that is harmless, although nobody has said that it is not stored."""
        if request.cl_ord_id and request.listener is not None:
            request.is_unsure = True
            self._send_again(request, request.attempt)

    def _send_again(self, request: InFlight, attempt: int) -> None:
        """Unless that was done since `attempt`."""
        if request.is_acked or request.attempt != attempt:
            return
        request.attempt += 1
        try:
            acked = request.send()
        except Refused as error:
            acked = asyncio.get_running_loop().create_future()
            acked.set_exception(error)
        acked.add_done_callback(partial(self._on_acked, request, request.attempt))

    def _is_held(self, request: InFlight, error: BaseException | None) -> bool:
        """Nobody listened, and it is early: a planned move takes some tens of milliseconds."""
        is_untaken = isinstance(error, Refused) and error.err_code == NO_RESPONDERS
        return is_untaken and self._now_ns() - request.started_ns < HELD_NS

    def _on_acked(self, request: InFlight, attempt: int, acked: "asyncio.Future[PubAck]") -> None:
        error = None if acked.cancelled() else acked.exception()
        is_stored = not acked.cancelled() and error is None
        if request.is_acked or (attempt != request.attempt and not is_stored):
            return
        if self._is_held(request, error):
            asyncio.get_running_loop().call_later(AGAIN_S, self._send_again, request, attempt)
            return
        request.is_acked = True
        self._unacked -= 1
        if self._unacked <= MAX_UNACKED // 2:
            self._room.set()
        if is_stored:
            for lost in self._silence.overtaken_by(request):
                self._repeat(lost)
        self._silence.ended(request, is_answered=is_stored or isinstance(error, Refused))
        listener = request.listener
        if listener is None:
            return
        if not is_stored:
            is_definite = isinstance(error, Refused) and not request.is_unsure
            code = "JOURNAL_UNAVAILABLE" if is_definite else "OUTCOME_UNKNOWN"
            listener.on_failed(request, refusal(code))
            return
        request.seq = acked.result().seq
        self.durable_ack.add(self._now_ns() - request.started_ns)
        listener.on_durable(request)
        early = self._early.pop((request.shard, request.seq), None)
        if early is not None:
            self._answer(request, early)
        else:
            self._waiting[request.shard, request.seq] = request

    def _answer(self, request: InFlight, answer: Any) -> None:
        self.accepted.add(self._now_ns() - request.started_ns)
        if request.listener is not None:
            request.listener.on_answered(request, answer)
