# SPDX-License-Identifier: Apache-2.0
"""Nonces that were used, at whichever gateway: the same signed bytes pass once among all of them.

A gateway says a nonce on a plain subject before it does what was asked, so what a killed gateway
did its peers have heard of. One that starts, or comes back to the bus, asks them for all they
know. What may have been used before anybody listened is refused: a lone gateway that starts takes
nothing that was signed before it did. ADR 16 says why this is no store.

Ages go over the bus, never times of day: gateways need not agree on the time.
"""

import asyncio
import logging
import time
from collections.abc import Callable

import msgspec

from tradewind.common import subjects
from tradewind.common.errors import BusError
from tradewind.common.jetstream import Bus, Message

RECV_WINDOW_MS = 5_000
AHEAD_MS = 1_000
"""How far a client's clock may be ahead. A lone gateway waits for so long when it starts."""
GENERATION_MS = 2 * RECV_WINDOW_MS
MAX_NONCES = 100_000
"""Per key and generation: memory is bounded, and a key that floods is refused, not others."""
TOLD_AT_ONCE = 5_000
ASK_WAIT_MS = 200
ASK_AGAIN_S = 0.2

log = logging.getLogger(__name__)


class Used(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Nonces with which a key has signed."""

    key_id: str
    nonces: list[str]


class Heard(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """For how long a gateway has known of every nonce that was used."""

    for_ms: int


_used = msgspec.json.Decoder(Used)
_heard = msgspec.json.Decoder(Heard)


class Nonces:
    """The used nonces of all keys, each kept for at least a generation."""

    def __init__(
        self,
        tell: Callable[[Used], None] = lambda _used: None,
        monotonic_ms: Callable[[], int] = lambda: time.monotonic_ns() // 1_000_000,
    ) -> None:
        self._tell = tell
        self._monotonic_ms = monotonic_ms
        self._current: dict[str, set[str]] = {}
        self._previous: dict[str, set[str]] = {}
        self._turned_ms = monotonic_ms()
        self._heard_from_ms: int | None = None

    @property
    def heard_for_ms(self) -> int:
        """For how long every use has been known here."""
        return 0 if self._heard_from_ms is None else self._monotonic_ms() - self._heard_from_ms

    @property
    def is_ready(self) -> bool:
        """Whether what is signed now is known to be unused."""
        return self.heard_for_ms > AHEAD_MS

    def heard_for(self, for_ms: int) -> None:
        """Every use since so long ago is known; a shorter time than before changes nothing."""
        since_ms = self._monotonic_ms() - for_ms
        known_ms = self._heard_from_ms
        self._heard_from_ms = since_ms if known_ms is None else min(known_ms, since_ms)

    def take(self, key_id: str, nonce: str, age_ms: int) -> str | None:
        """None if the nonce is fresh (it is used up by this), else the code of the refusal.

        `age_ms` is how long ago the client says it signed.
        """
        if not self.is_ready:
            return "NOT_READY"
        if age_ms + AHEAD_MS >= self.heard_for_ms:
            return "SIGNED_TOO_EARLY"
        self._turn()
        current = self._current.setdefault(key_id, set())
        if nonce in current or nonce in self._previous.get(key_id, ()):
            return "REPLAYED_NONCE"
        if len(current) >= MAX_NONCES:
            return "TOO_MANY_REQUESTS"
        current.add(nonce)
        self._tell(Used(key_id, [nonce]))
        return None

    def hear(self, used: Used) -> None:
        """Another gateway has let these pass; its own bound holds for them."""
        self._turn()
        self._current.setdefault(used.key_id, set()).update(used.nonces)

    def all(self) -> list[Used]:
        """What is known, in parts that fit into messages."""
        parts = []
        for generation in (self._previous, self._current):
            for key_id, nonces in generation.items():
                known = list(nonces)
                parts += [
                    Used(key_id, known[first : first + TOLD_AT_ONCE])
                    for first in range(0, len(known), TOLD_AT_ONCE)
                ]
        return parts

    def _turn(self) -> None:
        age_ms = self._monotonic_ms() - self._turned_ms
        if age_ms >= GENERATION_MS:
            self._previous = self._current if age_ms < 2 * GENERATION_MS else {}
            self._current = {}
            self._turned_ms += age_ms


class SharedNonces:
    """Keeps the nonces of this gateway and those of the others the same."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self.nonces = Nonces(self._say)
        self._is_behind = asyncio.Event()

    async def run(self) -> None:
        """Listens and answers from now on, and asks whenever something may have been missed."""
        await self._bus.subscribe(subjects.nonce_used(), self._hear)
        self.nonces.heard_for(0)
        await self._bus.serve(subjects.query_gateway("nonces"), self._answer)
        self._bus.on_reconnected.append(self._is_behind.set)
        self._is_behind.set()
        while True:
            await self._is_behind.wait()
            self._is_behind.clear()
            try:
                await self._catch_up()
            except BusError as error:
                log.info("the other gateways' nonces were not asked for: %s", error)
                self._is_behind.set()
                await asyncio.sleep(ASK_AGAIN_S)

    async def _catch_up(self) -> None:
        """Says all again, since some of it may be lost, and hears all that the others know."""
        self._say_all()
        question = subjects.query_gateway("nonces")
        for answer in await self._bus.request_all(question, b"", ASK_WAIT_MS):
            self.nonces.heard_for(_heard.decode(answer).for_ms)

    async def _answer(self, _body: bytes) -> bytes:
        """Says all where everybody listens; on the same connection the answer comes after it."""
        for_ms = self.nonces.heard_for_ms
        self._say_all()
        return msgspec.json.encode(Heard(for_ms))

    def _say_all(self) -> None:
        for used in self.nonces.all():
            self._publish(used)

    def _say(self, used: Used) -> None:
        """Without the bus nothing that was asked is done either; then all is said again."""
        try:
            self._publish(used)
        except BusError:
            self._is_behind.set()

    def _publish(self, used: Used) -> None:
        self._bus.tell(subjects.nonce_used(), msgspec.json.encode(used))

    def _hear(self, message: Message) -> None:
        try:
            self.nonces.hear(_used.decode(message.body))
        except msgspec.MsgspecError as error:
            log.error("used nonces were not understood: %s", error)
