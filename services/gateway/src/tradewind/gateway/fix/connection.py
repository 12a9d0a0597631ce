# SPDX-License-Identifier: Apache-2.0
"""One client's connection, from its Logon to its end.

A session is told everything that happens, in order and once: first what came while nobody was
connected, read from the outputs, then what comes. Where it has got to is stored with its numbers.
"""

import asyncio
import logging
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

import msgspec

from tradewind.common.errors import BusError, TradewindError
from tradewind.fix import tags
from tradewind.fix.link import BROKEN, Link, LinkDown
from tradewind.fix.message import Body, Message
from tradewind.fix.session import Ends
from tradewind.gateway.auth import Key
from tradewind.gateway.egress import Egress
from tradewind.gateway.errors import Refusal
from tradewind.gateway.fix.desk import Desk, Means
from tradewind.gateway.fix.history import History, SessionTaken
from tradewind.gateway.fix.numbers import Numbers
from tradewind.gateway.fix.outlet import Inlet, Outlet
from tradewind.gateway.fix.scribe import Scribe
from tradewind.gateway.fix.words import BadField

log = logging.getLogger(__name__)

HEARTBEAT_S = 30
LEAVE_TIMEOUT_S = 1.0
"""How long the end of a connection waits until its last words are stored."""
NEW_WAITING_MAX = 10_000
"""As much waits while a client is told what it has missed. Who gets more logs on again."""

_decode = msgspec.json.Decoder().decode


class Connection:
    """A session that is logged on. To egress it is one more listener for reports."""

    def __init__(
        self,
        ends: Ends,
        key: Key,
        means: Means,
        egress: Egress,
        history: History,
        inlet: Inlet,
        outlet: Outlet,
    ) -> None:
        """`key` may read, too: a client is always told what becomes of its own orders."""
        self.key = replace(key, scopes=key.scopes | {"read"})
        self.ended = asyncio.Event()
        """Set by whoever runs the connection, when all that it leaves behind is done."""
        self._name = ends.peer
        self._means = means
        self._egress = egress
        self._history = history
        self._numbers = Numbers()
        self._scribe = Scribe(outlet, self._numbers, history, self._standing)
        self._link = Link(inlet, self._scribe, ends, self._numbers, self._hear)
        self._desk = Desk(means, key, f"{ends.peer}-{secrets.token_hex(4)}", self._tell)
        self._begun: Mapping[int, int] = {}
        self._heard: dict[int, int] = {}
        self._waiting: list[bytes] | None = []
        self._catching_up: asyncio.Future[None] | None = None

    async def open(self, *, is_new: bool) -> Refusal | None:
        """Takes the session from whoever had it; None, or why it cannot go on from there.

        Raises:
            BusError: it cannot be taken now.
            CorruptionError: what is kept of it is damaged.
        """
        standing = await self._history.open(self._egress.ordinals, is_new=is_new)
        self._numbers.begin(standing)
        self._begun = standing.heard
        self._heard = dict(standing.heard)
        return await self._means.resume.refusal(self._missed())

    async def run(self, first: bytes) -> None:
        """Serves until the connection ends; `first` is what was read of it before."""
        writing = asyncio.ensure_future(self._scribe.run())
        try:
            with suppress(LinkDown):
                await self._link.run(first)
        finally:
            self._egress.unsubscribe(self)
            self._desk.close()
            if self._catching_up is not None:
                self._catching_up.cancel()
            await asyncio.wait({writing}, timeout=LEAVE_TIMEOUT_S)
            writing.cancel()
            with suppress(asyncio.CancelledError, *BROKEN):
                await self._written(writing)

    def push(self, frame: bytes) -> None:
        """Tells a report; one that comes while older ones are told waits."""
        if self._waiting is None:
            self._report(_decode(frame))
        elif len(self._waiting) < NEW_WAITING_MAX:
            self._waiting.append(frame)
        else:
            self.log_out("SLOW_CONSUMER")

    async def push_in_time(self, frame: bytes) -> None:
        """Tells a report of the past."""
        self._report(_decode(frame))
        await self._scribe.drain()

    def log_out(self, text: str) -> None:
        """Says goodbye, and why."""
        self._link.log_out(text)

    def cut(self, why: str) -> None:
        """Stops at once: nothing more is read or said."""
        self._link.session.cut(why)
        self._link.close()

    def _hear(self, message: Message) -> None:
        if message.msg_type == tags.LOGON:
            self._begin()
        elif message.msg_type == tags.REJECT:
            return
        elif self._link.is_up:
            self._handle(message)
        else:
            self._desk.put_off(message)

    def _begin(self) -> None:
        self._egress.subscribe(self)
        missed = self._missed()
        if missed:
            # Up to here from the past; what comes from now on waits, and is not told from there.
            until = {shard: self._egress.ordinals[shard] for shard in missed}
            self._catching_up = asyncio.ensure_future(self._catch_up(missed, until))
        else:
            self._go_live()

    def _missed(self) -> dict[int, int]:
        """From which outputs of which shards on there is something that was not told."""
        now = self._egress.ordinals
        return {shard: heard for shard, heard in self._heard.items() if heard < now[shard]}

    async def _catch_up(self, missed: Mapping[int, int], until: dict[int, int]) -> None:
        try:
            await self._means.resume.tell(self, missed, until)
        except TradewindError as error:
            log.error("FIX session %s cannot be told what it has missed: %s", self._name, error)
            self.log_out("NOT_READY")
            return
        if self._link.is_up:
            self._heard |= until
            self._go_live()

    def _go_live(self) -> None:
        for frame in self._waiting or ():
            self._report(_decode(frame))
        self._waiting = None

    def _report(self, told: dict[str, Any]) -> None:
        """Tells a report, as it is told on a WebSocket, in FIX's fields.

        Who has been told goodbye is told it at the next Logon. This gateway may be behind the one
        that told the client before.
        """
        shard, ordinal = told["shard"], told["ordinal"]
        if not self._link.is_up or ordinal <= self._begun.get(shard, 0):
            return
        self._heard[shard] = ordinal
        if told["type"] == "report":
            self._desk.report(shard, told["report"])

    def _standing(self) -> tuple[int, Mapping[int, int]]:
        """With which number the client may begin again, and which outputs it has been told."""
        next_in = min(self._desk.unsettled, default=self._numbers.next_in)
        if self._waiting is None and self._link.is_up:
            for shard, ordinal in self._egress.ordinals.items():
                self._heard[shard] = max(ordinal, self._begun.get(shard, 0))
        return next_in, dict(self._heard)

    def _handle(self, message: Message) -> None:
        try:
            self._desk.handle(message)
        except BadField as error:
            self._link.session.reject(message, error.reason, error.tag, error.text)
        if self._desk.is_flooded:
            self.log_out("RATE_LIMITED")

    def _tell(self, msg_type: str, body: Body) -> bool:
        """Whether it was told; whoever has gone is told nothing."""
        try:
            self._link.tell(msg_type, body)
        except LinkDown:
            return False
        return True

    async def _written(self, writing: "asyncio.Future[None]") -> None:
        try:
            await writing
        except (SessionTaken, BusError) as error:
            log.info("FIX session %s: %s", self._name, error)
