# SPDX-License-Identifier: Apache-2.0
"""What the venue remembers of a FIX session: one append-only file, written before bytes leave.

It survives a kill of the venue. A torn last line is a message that never left.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import msgspec

from tradewind.common.errors import CorruptionError
from tradewind.fix import tags
from tradewind.fix.message import Sent

LINE_BYTES_MAX = 16 * 1024


class Line(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A message that was sent (`out` is its number), what is expected next, or a new beginning.

    `exec_no` is the number of the execution that a report told, or of the last that none is to.
    """

    out: int = 0
    msg_type: str = ""
    body: tuple[tuple[int, str], ...] = ()
    sending_time: str = ""
    exec_no: int = 0
    expects: int = 0
    is_reset: bool = False


_decoder = msgspec.json.Decoder(Line)
_encoder = msgspec.json.Encoder()


class Numbers:
    """The store of one session (see `tradewind.fix.store`). `telling` is the execution told now."""

    def __init__(self, path: Path) -> None:
        """Goes on where the file ends, or begins with 1.

        Raises:
            CorruptionError: if a line that is not the last one is damaged.
        """
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        self._size = 0
        self._offsets: dict[int, int] = {}
        self.next_out = 1
        self.next_in = 1
        self.telling = 0
        self.last_exec_no = 0
        with path.open("rb") as file:
            lines = file.readlines()
        for number, raw in enumerate(lines, 1):
            try:
                line = _decoder.decode(raw if raw.endswith(b"\n") else b"")
            except msgspec.MsgspecError as error:
                if number < len(lines):
                    raise CorruptionError(f"{path} line {number} is damaged: {error}") from error
                break
            self._note(line, len(raw))
        os.ftruncate(self._fd, self._size)

    def close(self) -> None:
        """Closes the file."""
        os.close(self._fd)

    def sent(self, sent: Sent) -> None:
        """Writes what leaves; of the session's own messages only that there was one."""
        if sent.msg_type in tags.ADMIN:
            self._write(Line(out=sent.seq, msg_type=sent.msg_type))
            return
        self._write(
            Line(
                out=sent.seq,
                msg_type=sent.msg_type,
                body=sent.body,
                sending_time=sent.sending_time,
                exec_no=self.telling,
            )
        )

    def expect(self, number: int) -> None:
        """Writes what is expected next."""
        self._write(Line(expects=number))

    def reset(self) -> None:
        """Both sides begin with 1. Which executions were told is not forgotten."""
        self._write(Line(is_reset=True))

    def skip(self, exec_no: int) -> None:
        """Executions up to this one count as told."""
        self._write(Line(exec_no=exec_no))

    def replay(self, begin: int, end: int) -> Iterator[Sent]:
        """Every message of the application, as it was sent."""
        for number in range(begin, end + 1):
            offset = self._offsets.get(number)
            if offset is not None:
                raw = os.pread(self._fd, LINE_BYTES_MAX, offset)
                line = _decoder.decode(raw[: raw.index(b"\n")])
                yield Sent(line.out, line.msg_type, line.body, line.sending_time)

    def _write(self, line: Line) -> None:
        data = _encoder.encode(line) + b"\n"
        if os.write(self._fd, data) != len(data):
            raise CorruptionError("a line of a FIX session was not written: disk full?")
        self._note(line, len(data))

    def _note(self, line: Line, length: int) -> None:
        if line.is_reset:
            self.next_out = self.next_in = 1
            self._offsets.clear()
        if line.expects:
            self.next_in = line.expects
        self.last_exec_no = max(self.last_exec_no, line.exec_no)
        if line.out:
            self.next_out = line.out + 1
            if line.msg_type not in tags.ADMIN:
                self._offsets[line.out] = self._size
        self._size += length
