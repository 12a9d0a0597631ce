# SPDX-License-Identifier: Apache-2.0
"""The kill switch's short way: what is heard stops at once, and only its own clearing opens it."""

import msgspec
import pytest

from tradewind.common import subjects
from tradewind.common.jetstream import Message
from tradewind.common.kills import Kill, Kills

KILL = Kill(scope="account:A", kill_id="k1", actor="ann", reason="drill")


def heard(kills: Kills, body: bytes) -> None:
    kills._hear(Message(subjects.kill(), body))


def test_a_scope_that_was_heard_of_is_stopped_until_it_is_cleared() -> None:
    found: list[Kill] = []
    kills = Kills(found.append)
    assert not kills.stop(("firm", "account:A"))
    for _ in range(2):
        heard(kills, msgspec.json.encode(KILL))
    assert kills.stop(("firm", "account:A"))
    assert not kills.stop(("firm", "account:B"))
    assert found == [KILL]
    cleared = msgspec.structs.replace(KILL, is_cleared=True)
    kills.take(msgspec.structs.replace(cleared, kill_id="k2"))
    assert kills.scopes == ["account:A"]
    kills.take(cleared)
    kills.take(cleared)
    assert kills.scopes == []


@pytest.mark.parametrize("body", [b"", b"{}", b'{"scope": 1}', b"\xff"])
def test_what_is_not_understood_changes_nothing(body: bytes) -> None:
    kills = Kills()
    kills.take(KILL)
    heard(kills, body)
    assert kills.scopes == ["account:A"]
