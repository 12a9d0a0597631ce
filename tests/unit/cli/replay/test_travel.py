# SPDX-License-Identifier: Apache-2.0
"""Any entry can be opened, and the state is the one that was there."""

import asyncio
from pathlib import Path

import msgspec
import pytest

from tests.golden import life
from tradewind.cli.replay.journal import CouldNotReplay, FileJournal, Line, export
from tradewind.cli.replay.show import as_json, write_whole
from tradewind.cli.replay.travel import Opened, open_at
from tradewind.common import subjects
from tradewind.common.codec import encode
from tradewind.common.errors import CorruptionError
from tradewind.core.commands import AskSkip
from tradewind.core.machine import StateMachine


def opened_at(path: Path, at: int | None) -> Opened:
    return asyncio.run(open_at(FileJournal(path), 0, at, None, lambda _seq, _last: None))


@pytest.mark.parametrize("at", [1, 5, 40, 77])
def test_the_state_at_an_entry_is_the_one_that_a_machine_had_there(exported: Path, at: int) -> None:
    machine = StateMachine()
    for entry in life.entries():
        if entry.seq <= at:
            machine.step(entry)
    found = opened_at(exported, at)
    assert found.replay.digest() == machine.digest()
    assert found.replay.seq == at


def test_without_a_place_the_last_entry_is_opened(exported: Path) -> None:
    found = opened_at(exported, None)
    assert found.replay.seq == sum(1 for _ in life.entries())


@pytest.mark.parametrize("at", [0, 100_000])
def test_a_place_that_is_not_there_is_refused_with_what_is(exported: Path, at: int) -> None:
    with pytest.raises(CouldNotReplay, match="entries 1 to"):
        opened_at(exported, at)


def test_what_is_shown_has_orders_positions_limits_and_states(exported: Path) -> None:
    plain = as_json(opened_at(exported, 12), None)
    assert {row["cl_ord_id"] for row in plain["orders"]} == {"open", "stop"}
    assert plain["limits"][0]["max_order_qty"] == 100
    assert plain["seq"] == 12
    assert as_json(opened_at(exported, 12), "nobody")["orders"] == []


def test_the_whole_state_goes_to_a_file(exported: Path, tmp_path: Path) -> None:
    found = opened_at(exported, 30)
    write_whole(found, tmp_path / "state.json")
    assert found.replay.digest() in (tmp_path / "state.json").read_text()


def test_a_hole_in_the_file_is_corruption(exported: Path) -> None:
    lines = exported.read_bytes().splitlines(keepends=True)
    exported.write_bytes(b"".join(lines[:20] + lines[21:]))
    with pytest.raises(CorruptionError, match="jumps to 22 from 20"):
        opened_at(exported, 50)


def test_an_entry_that_cannot_be_applied_is_named(exported: Path) -> None:
    exported.write_bytes(exported.read_bytes().replace(b"TakeSession", b"TakeNothing", 1))
    with pytest.raises(CorruptionError, match="entry 5 cannot be applied"):
        opened_at(exported, 50)


def test_a_file_that_is_no_journal_is_named_with_the_line(tmp_path: Path) -> None:
    path = tmp_path / "other.jsonl"
    path.write_text("{}\n")
    with pytest.raises(CouldNotReplay, match="line 1"):
        opened_at(path, 1)


def test_an_export_of_an_export_is_the_same(exported: Path, tmp_path: Path) -> None:
    journal = FileJournal(exported)
    _first, last = asyncio.run(journal.bounds())
    count = asyncio.run(export(journal, tmp_path / "again.jsonl", last))
    assert count == last
    assert (tmp_path / "again.jsonl").read_bytes() == exported.read_bytes()


def test_an_entry_that_two_people_decided_to_skip_is_a_no_op(exported: Path) -> None:
    exported.write_bytes(exported.read_bytes().replace(b"TakeSession", b"TakeNothing", 1))
    last = opened_at(exported, 4).replay.seq
    _first, end = asyncio.run(FileJournal(exported).bounds())
    for place, actor in enumerate(("one", "two"), 1):
        with pytest.raises(CorruptionError, match="cannot be applied"):
            opened_at(exported, 5)
        word = AskSkip(seq=5, actor=actor, reason="unreadable")
        line = Line(
            seq=end + place,
            ts_ns=2**61,
            subject=subjects.journal_subject(0, word),
            headers={},
            body=encode(word).decode(),
        )
        with exported.open("ab") as file:
            file.write(msgspec.json.encode(line) + b"\n")
    assert opened_at(exported, 5).replay.state.seq == last + 1
    assert opened_at(exported, 5).replay.state.sessions == {}
