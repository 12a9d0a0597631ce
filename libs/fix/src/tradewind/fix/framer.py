# SPDX-License-Identifier: Apache-2.0
"""Cuts a stream of bytes into messages. What is no message is passed over, never buffered."""

import re

from tradewind.fix.message import BEGIN, SOH

MESSAGE_BYTES_MAX = 64 * 1024
_TRAILER_BYTES = len(b"10=000\x01")
_START = re.compile(re.escape(BEGIN) + rb"9=([0-9]{1,6})\x01")
_START_BYTES_MAX = len(BEGIN) + len(b"9=000000\x01")


class TooLong(ValueError):
    """The peer announces a message that nobody here would read: end the connection."""


class Framer:
    """What has come and is not cut yet."""

    def __init__(self) -> None:
        self._buffer = b""

    def feed(self, data: bytes) -> list[bytes]:
        """The messages that are complete now.

        Raises:
            TooLong: a message is longer than MESSAGE_BYTES_MAX.
        """
        buffer = self._buffer + data
        found = []
        while True:
            buffer = buffer[_begin(buffer) :]
            start = _START.match(buffer)
            if start is None:
                if len(buffer) >= _START_BYTES_MAX:
                    buffer = buffer[1:]
                    continue
                break
            end = start.end() + int(start[1]) + _TRAILER_BYTES
            if end > MESSAGE_BYTES_MAX:
                raise TooLong(f"a message of {end} bytes")
            following = buffer.find(SOH + BEGIN, start.end(), end)
            if following >= 0:  # its length is wrong: it must not take the next message along
                buffer = buffer[following + 1 :]
                continue
            if len(buffer) < end:
                break
            found.append(buffer[:end])
            buffer = buffer[end:]
        self._buffer = buffer
        return found


def _begin(buffer: bytes) -> int:
    """Where the next message may begin."""
    found = buffer.find(BEGIN)
    if found >= 0:
        return found
    for length in range(min(len(BEGIN) - 1, len(buffer)), 0, -1):
        if buffer.endswith(BEGIN[:length]):
            return len(buffer) - length
    return len(buffer)
