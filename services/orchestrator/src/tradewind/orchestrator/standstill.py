# SPDX-License-Identifier: Apache-2.0
"""Copies that stay behind although their node is well.

After a cut a node may hold records that nobody else has agreed to, and the broker may then refuse
what the leader sends, again and again: for half a minute or minutes, whether or not it is started
again. Made anew, the copy is there within a second. One that catches up moves, however much it
lacks, and is left alone.
"""

from collections.abc import Sequence

from tradewind.orchestrator.copies import Copy

STANDS_STILL_S = 10.0
"""The broker tries again every two seconds."""


class Standstill:
    """Remembers since when each copy that is behind has not moved."""

    def __init__(self) -> None:
        self._since: dict[tuple[str, str], tuple[int, float]] = {}

    def found(self, copies: Sequence[Copy], now_s: float) -> list[Copy]:
        """Those that follow a leader, lack records that all others have, and got none for a while.

        A copy that knows no leader is cut off: its time begins when it knows one again.
        """
        behind = {
            (each.node, each.stream): each
            for each in copies
            if each.leader not in ("", each.node) and _is_last(each, copies)
        }
        self._since = {key: self._unmoved(key, copy, now_s) for key, copy in behind.items()}
        return [
            copy for key, copy in behind.items() if now_s - self._since[key][1] >= STANDS_STILL_S
        ]

    def _unmoved(self, key: tuple[str, str], copy: Copy, now_s: float) -> tuple[int, float]:
        """Where it is, and since when."""
        before = self._since.get(key)
        if before is not None and before[0] == copy.last_seq:
            return before
        return copy.last_seq, now_s


def _is_last(copy: Copy, copies: Sequence[Copy]) -> bool:
    """Only then nothing is lost with it."""
    others = [each for each in copies if each.stream == copy.stream and each is not copy]
    return bool(others) and all(each.last_seq > copy.last_seq for each in others)
