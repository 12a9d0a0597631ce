# SPDX-License-Identifier: Apache-2.0
"""What the venue remembers of a FIX session is the same after a kill."""

from pathlib import Path

import pytest

from tradewind.common.errors import CorruptionError
from tradewind.fix.message import Sent
from tradewind.simvenue.fix.numbers import Numbers

REPORT = Sent(2, "8", ((17, "E9"), (58, "words")), "20260302-10:00:00.000")


def filled(path: Path) -> Numbers:
    """A Logon, a report of execution 9, a heartbeat; the peer's next is 4."""
    numbers = Numbers(path)
    numbers.sent(Sent(1, "A", (), "x"))
    numbers.telling = 9
    numbers.sent(REPORT)
    numbers.telling = 0
    numbers.sent(Sent(3, "0", (), "x"))
    numbers.expect(4)
    return numbers


def state(numbers: Numbers) -> tuple[int, int, int, list[Sent]]:
    """All that is remembered."""
    replay = list(numbers.replay(1, numbers.next_out - 1))
    return numbers.next_out, numbers.next_in, numbers.last_exec_no, replay


def test_a_new_life_knows_what_the_last_one_knew(tmp_path: Path) -> None:
    path = tmp_path / "session.jsonl"
    expected = (4, 4, 9, [REPORT])
    assert state(filled(path)) == expected
    assert state(Numbers(path)) == expected


def test_a_message_that_was_not_written_whole_never_left(tmp_path: Path) -> None:
    path = tmp_path / "session.jsonl"
    filled(path).close()
    with path.open("ab") as file:
        file.write(b'{"out":4,"msg_ty')
    numbers = Numbers(path)
    assert numbers.next_out == 4
    numbers.sent(Sent(4, "8", (), "x"))
    numbers.close()
    assert Numbers(path).next_out == 5


def test_damage_anywhere_else_is_not_read_over(tmp_path: Path) -> None:
    path = tmp_path / "session.jsonl"
    filled(path).close()
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([lines[0], b"{damage}\n", *lines[1:]]))
    with pytest.raises(CorruptionError, match="line 2"):
        Numbers(path)


def test_a_reset_begins_with_one_and_forgets_no_execution(tmp_path: Path) -> None:
    path = tmp_path / "session.jsonl"
    numbers = filled(path)
    numbers.reset()
    assert state(numbers) == (1, 1, 9, [])
    assert state(Numbers(path)) == (1, 1, 9, [])
