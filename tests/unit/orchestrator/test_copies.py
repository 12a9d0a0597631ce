# SPDX-License-Identifier: Apache-2.0
"""Which copies of a log lack records that others have."""

from pathlib import Path
from typing import Any

from tradewind.orchestrator.copies import copies_of, damaged


def told(*, first: int = 1, last: int = 100, records: int = 100) -> dict[str, Any]:
    """What a node says of one log."""
    return {
        "config": {"store_dir": "/store/jetstream"},
        "account_details": [
            {
                "name": "APP",
                "stream_detail": [
                    {
                        "name": "JOURNAL_0",
                        "cluster": {"leader": "n1"},
                        "stream_raft_group": "S-R3F-x",
                        "state": {"first_seq": first, "last_seq": last, "messages": records},
                    }
                ],
            }
        ],
    }


def found(**nodes: dict[str, Any]) -> list[str]:
    """The nodes whose copy is damaged."""
    copies = [copy for name, body in nodes.items() for copy in copies_of(name, body, ["JOURNAL_0"])]
    return [copy.node for copy in damaged(copies)]


def test_copies_that_are_whole_are_not_damaged_although_one_is_behind() -> None:
    assert found(n1=told(), n2=told(last=90, records=90)) == []


def test_a_copy_with_a_hole_is_damaged() -> None:
    assert found(n1=told(), n2=told(records=60), n3=told()) == ["n2"]


def test_a_copy_that_lost_its_beginning_is_damaged() -> None:
    assert found(n1=told(), n2=told(first=41, records=60)) == ["n2"]


def test_a_copy_that_has_nothing_yet_is_only_behind() -> None:
    assert found(n1=told(), n2=told(first=0, last=0, records=0)) == []


def test_a_copy_knows_where_it_lies_and_other_streams_are_left_out() -> None:
    ((copy),) = copies_of("n1", told(), ["JOURNAL_0"])
    assert copy.folders == (
        Path("/store/jetstream/APP/streams/JOURNAL_0"),
        Path("/store/jetstream/SYS/_js_/S-R3F-x"),
    )
    assert copies_of("n1", told(), ["EVENTS_0"]) == []


def test_a_node_without_a_store_has_no_copies() -> None:
    assert copies_of("n1", {"disabled": True}, ["JOURNAL_0"]) == []
