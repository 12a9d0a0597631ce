# SPDX-License-Identifier: Apache-2.0
"""Reading the server's protocol, several times faster than nats-py's parser.

Messages for raw listeners are cut straight out of what was read; everything else (control lines,
messages for nats-py's own subscriptions) is left to nats-py.
"""

from collections.abc import Callable
from typing import Any

from nats.errors import ProtocolError
from nats.protocol.parser import Parser

Listener = Callable[[str, str, bytes, bytes | None], None]
"""Called with subject, reply subject, body and raw header block."""

CONTROL_LINE_MAX = 64 * 1024
_MSG, _HMSG = ord("M"), ord("H")


class FastParser(Parser):
    """Takes nats-py's parser's place in a connection."""

    def __init__(self, connection: Any, listeners: dict[int, Listener]) -> None:
        self._listeners = listeners
        self._rest = b""
        super().__init__(connection)

    def reset(self) -> None:
        """Forgets what was read of an unfinished message: the connection is a new one."""
        super().reset()
        self._rest = b""

    async def parse(self, data: bytes = b"") -> None:
        """Takes what was read, handles every whole message in it, and keeps the rest.

        Raises:
            ProtocolError: if this is not the server's protocol.
        """
        buffer = self._rest + data if self._rest else data
        self._rest = b""
        at = 0
        while True:
            end = buffer.find(b"\r\n", at)
            if end < 0:
                break
            if buffer[at] in (_MSG, _HMSG):
                stop = self._message_end(buffer, at, end)
                if stop > len(buffer):
                    break
                await self._deliver(buffer, at, end, stop)
                at = stop
            else:
                await super().parse(buffer[at : end + 2])
                at = end + 2
        self._rest = buffer[at:]
        if end < 0 and len(self._rest) > CONTROL_LINE_MAX:
            raise ProtocolError("nats: a control line without an end")

    def _message_end(self, buffer: bytes, at: int, end: int) -> int:
        try:
            return end + 4 + int(buffer[buffer.rindex(b" ", at, end) + 1 : end])
        except ValueError as error:
            raise ProtocolError("nats: malformed MSG") from error

    async def _deliver(self, buffer: bytes, at: int, end: int, stop: int) -> None:
        """`MSG subject sid [reply] size` or `HMSG subject sid [reply] header-size size`."""
        words = buffer[at:end].split()
        is_plain = buffer[at] == _MSG
        reply = words[3] if len(words) == (5 if is_plain else 6) else b""
        body_at = end + 2
        raw: bytes | None = None
        if not is_plain:
            header_end = body_at + int(words[-2])
            raw = buffer[body_at:header_end]
            body_at = header_end
        body = buffer[body_at : stop - 2]
        listener = self._listeners.get(int(words[2]))
        if listener is not None:
            listener(words[1].decode(), reply.decode(), body, raw)
        else:
            await self.nc._process_msg(int(words[2]), words[1], reply, body, raw)
