# SPDX-License-Identifier: Apache-2.0
"""What each node says of its own copies of the logs, and which of them are damaged.

A log is append-only and never trimmed within: a copy with fewer records than its sequences span has
lost some. The broker does not notice; it lets such a copy lead and serves the hole.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """One node's copy of a stream. `folders` is where it lies, with its consensus group's log."""

    node: str
    stream: str
    leader: str
    first_seq: int
    last_seq: int
    records: int
    folders: tuple[Path, ...]

    @property
    def has_hole(self) -> bool:
        """Records are missing in the middle."""
        return self.records < self.last_seq - self.first_seq + 1


def copies_of(node: str, told: Mapping[str, Any], streams: Iterable[str]) -> list[Copy]:
    """A node's copies of these streams, from its own `/jsz`."""
    wanted, store = set(streams), Path(told.get("config", {}).get("store_dir", ""))
    return [
        _copy(node, store, account["name"], detail)
        for account in told.get("account_details") or []
        for detail in account.get("stream_detail") or []
        if detail["name"] in wanted
    ]


def damaged(copies: Sequence[Copy]) -> list[Copy]:
    """Those that lack records which another copy has: holes, or a lost beginning."""
    first = {
        each.stream: min(other.first_seq for other in copies if other.stream == each.stream)
        for each in copies
    }
    return [each for each in copies if each.has_hole or each.first_seq > first[each.stream]]


def _copy(node: str, store: Path, account: str, detail: Mapping[str, Any]) -> Copy:
    name, state = detail["name"], detail["state"]
    return Copy(
        node=node,
        stream=name,
        leader=detail.get("cluster", {}).get("leader", ""),
        first_seq=state["first_seq"] or 1,
        last_seq=state["last_seq"],
        records=state["messages"],
        folders=(
            store / account / "streams" / name,
            store / "SYS" / "_js_" / detail["stream_raft_group"],
        ),
    )
