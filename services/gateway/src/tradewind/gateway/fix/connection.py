# SPDX-License-Identifier: Apache-2.0
"""One client's connection, from its Logon to its end."""

import asyncio
import secrets
from contextlib import suppress
from typing import Any

import msgspec

from tradewind.fix import tags
from tradewind.fix.link import Link, LinkDown
from tradewind.fix.message import Body, Message
from tradewind.fix.session import Ends
from tradewind.gateway.auth import Key
from tradewind.gateway.egress import Egress
from tradewind.gateway.fix.desk import Desk, Means
from tradewind.gateway.fix.numbers import Numbers
from tradewind.gateway.fix.outlet import Inlet, Outlet
from tradewind.gateway.fix.words import BadField

HEARTBEAT_S = 30

_decode = msgspec.json.Decoder().decode


class Connection:
    """A session that is logged on. To egress it is one more listener for reports."""

    def __init__(
        self, ends: Ends, key: Key, means: Means, egress: Egress, inlet: Inlet, outlet: Outlet
    ) -> None:
        """`key` may read, too: a client is always told what becomes of its own orders."""
        self.key = key
        self.ended = asyncio.Event()
        """Set by whoever runs the connection, when all that it leaves behind is done."""
        self._egress = egress
        self._link = Link(inlet, outlet, ends, Numbers(), self._hear)
        self._desk = Desk(means, key, f"{ends.peer}-{secrets.token_hex(4)}", self._tell)

    async def run(self, first: bytes) -> None:
        """Serves until the connection ends; `first` is what was read of it before."""
        try:
            with suppress(LinkDown):
                await self._link.run(first)
        finally:
            self._egress.unsubscribe(self)
            self._desk.close()

    def push(self, frame: bytes) -> None:
        """Tells a report, as it is told on a WebSocket, in FIX's fields."""
        told: dict[str, Any] = _decode(frame)
        if told["type"] == "report":
            self._desk.report(told["shard"], told["report"])

    def log_out(self, text: str) -> None:
        """Says goodbye, and why."""
        self._link.log_out(text)

    def cut(self, why: str) -> None:
        """Stops at once: nothing more is read or said."""
        self._link.session.cut(why)
        self._link.close()

    def _hear(self, message: Message) -> None:
        if message.msg_type == tags.LOGON:
            self._egress.subscribe(self)
        elif message.msg_type != tags.REJECT and self._link.is_up:
            self._handle(message)

    def _handle(self, message: Message) -> None:
        try:
            self._desk.handle(message)
        except BadField as error:
            self._link.session.reject(message, error.reason, error.tag, error.text)
        if self._desk.is_flooded:
            self.log_out("RATE_LIMITED")

    def _tell(self, msg_type: str, body: Body) -> None:
        """Whoever has gone is told nothing."""
        with suppress(LinkDown):
            self._link.tell(msg_type, body)
