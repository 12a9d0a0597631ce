# SPDX-License-Identifier: Apache-2.0
"""A poison entry stops every replica, and only the journaled decision of two people helps."""

from pathlib import Path

import pytest

from tests.integration.oms.shard import Shard, opened, order
from tradewind.common import codec
from tradewind.core.commands import AskSkip, SetLogic
from tradewind.core.events import EntrySkipped

pytestmark = [pytest.mark.cluster, pytest.mark.anyio]

NONSENSE = b'{"v":1,"type":"Nonsense","data":{}}'
UNKNOWN_FLAG = codec.encode(SetLogic(flag="from-the-future", actor="ops"))


def word(actor: str, seq: int) -> AskSkip:
    return AskSkip(seq=seq, actor=actor, reason="of a newer release")


async def stopped_at(shard: Shard, body: bytes) -> int:
    """Two replicas, both stopped at a poison entry."""
    names = [shard.start(0), shard.start(1)]
    await shard.put(order("before"))
    await shard.until_accepted(1)
    seq = await shard.put_raw(body)
    await shard.put(order("behind"))
    for name in names:
        await shard.end(name, code=70)
        assert f"JOURNAL_0 sequence {seq} cannot be applied" in shard.log(name)
    return seq


@pytest.mark.parametrize("body", [NONSENSE, UNKNOWN_FLAG])
async def test_a_skipped_poison_entry_lets_every_replica_go_on(tmp_path: Path, body: bytes) -> None:
    async with opened(tmp_path) as shard:
        seq = await stopped_at(shard, body)
        await shard.put(word("ann", seq))
        await shard.put(word("bob", seq))
        names = [shard.start(0), shard.start(1)]
        await shard.until_accepted(2)
        assert shard.accepted() == ["before", "behind"]
        (first, digest), (second, other_digest) = await shard.digests()
        assert (first, digest) == (second, other_digest)
        events = [codec.decode_event(record.body) for record in shard.records]
        skipped = [event for event in events if isinstance(event, EntrySkipped)]
        assert [event.seq for event in skipped] == [seq]
        assert all("skipped by ann and bob: of a newer release" in shard.log(it) for it in names)


async def test_neither_one_person_nor_a_decision_about_another_entry_helps(tmp_path: Path) -> None:
    async with opened(tmp_path) as shard:
        seq = await stopped_at(shard, NONSENSE)
        for actor in ("ann", "bob"):
            await shard.put(word(actor, seq + 1))
        await shard.put(word("ann", seq))
        await shard.put(word("ann", seq))
        name = shard.start(0)
        await shard.end(name, code=70)
        assert "ann has asked for it: another person has to" in shard.log(name)
        assert shard.accepted() == ["before"]


async def test_an_entry_that_can_be_applied_is_applied_whatever_was_decided(tmp_path: Path) -> None:
    async with opened(tmp_path) as shard:
        seq = await shard.put(order("good"))
        for actor in ("ann", "bob"):
            await shard.put(word(actor, seq))
        shard.start(0)
        await shard.until_accepted(1)
        assert shard.accepted() == ["good"]
