# SPDX-License-Identifier: Apache-2.0
"""A replay gives outputs, and a record that is not one of them in every part is told."""

from dataclasses import replace

import pytest

from tradewind.cli.verify_replay import Replay, difference
from tradewind.common import codec, subjects
from tradewind.common.errors import CorruptionError
from tradewind.common.jetstream import Record
from tradewind.core.commands import OpenSegment

OPENING = Record(
    1, 10, "journal.0.control.OpenSegment", {}, codec.encode(OpenSegment(segment="seg", shard=0))
)
(OUTPUT,) = Replay(0).apply(OPENING)
HEADERS = {
    subjects.HEADER_ENTRY: "1",
    subjects.HEADER_INDEX: "0",
    subjects.HEADER_CHAIN: OUTPUT.chain,
}
STORED = Record(1, 11, OUTPUT.subject, HEADERS, OUTPUT.body)


def test_the_right_record_has_no_difference() -> None:
    assert difference(OUTPUT, STORED) == ""


@pytest.mark.parametrize(
    ("stored", "text"),
    [
        (replace(STORED, seq=2), "where 1 comes next"),
        (replace(STORED, body=STORED.body.replace(b"seg", b"sog")), "another body"),
        (replace(STORED, subject="events.0.order.A"), "subject"),
        (replace(STORED, headers={**HEADERS, subjects.HEADER_ENTRY: "2"}), "Tw-Entry 2"),
        (replace(STORED, headers={**HEADERS, subjects.HEADER_INDEX: "1"}), "Tw-Index 1"),
        (replace(STORED, headers={**HEADERS, subjects.HEADER_CHAIN: "0"}), "Tw-Chain 0"),
        (replace(STORED, headers={}), "Tw-Entry missing"),
    ],
)
def test_every_part_of_a_record_counts(stored: Record, text: str) -> None:
    assert text in difference(OUTPUT, stored)


def test_the_segment_is_the_first_entrys() -> None:
    replay = Replay(0)
    replay.apply(OPENING)
    assert (replay.segment, replay.seq, replay.ordinal) == ("seg", 1, 1)


@pytest.mark.parametrize("body", [b"", b"{}", b'{"v":1,"type":"Nonsense","data":{}}'])
def test_an_entry_that_cannot_be_applied_is_corruption(body: bytes) -> None:
    with pytest.raises(CorruptionError, match="cannot be applied"):
        Replay(0).apply(replace(OPENING, body=body))
