# SPDX-License-Identifier: Apache-2.0
"""The kill switch's short way: what is heard stops at once, and only its own clearing opens it."""

import msgspec
import pytest

from tradewind.common import subjects
from tradewind.common.jetstream import Message
from tradewind.common.kills import Kill, Kills
from tradewind.common.testing import eventually

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


class Listener:
    """A bus on which somebody listens from a given word on."""

    def __init__(self, kills: Kills, deaf_for: int) -> None:
        self.told = 0
        self._kills = kills
        self._deaf_for = deaf_for

    def tell(self, subject: str, body: bytes) -> None:
        self.told += 1
        if self.told > self._deaf_for:
            heard(self._kills, body)


@pytest.mark.anyio
async def test_who_hears_nothing_for_a_moment_hears_it_all_the_same_until_it_is_over() -> None:
    said, found = Kills(), Kills()
    bus = Listener(found, deaf_for=2)
    said.spread(bus, KILL)  # type: ignore[arg-type]
    assert (bus.told, found.scopes) == (1, [])
    await eventually(lambda: found.scopes == ["account:A"], 2.0)
    said.take(msgspec.structs.replace(KILL, is_cleared=True))
    told = bus.told
    said._say_again(bus, KILL)  # type: ignore[arg-type]
    assert bus.told == told


@pytest.mark.parametrize("body", [b"", b"{}", b'{"scope": 1}', b"\xff"])
def test_what_is_not_understood_changes_nothing(body: bytes) -> None:
    kills = Kills()
    kills.take(KILL)
    heard(kills, body)
    assert kills.scopes == ["account:A"]
