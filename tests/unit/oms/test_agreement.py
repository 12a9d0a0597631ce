# SPDX-License-Identifier: Apache-2.0
"""Agreement: what replicas tell each other, and what a difference leads to."""

import asyncio
from typing import cast

import msgspec
import pytest

from tests.unit.oms.test_replica import entry
from tradewind.common import codec, subjects
from tradewind.common.errors import CorruptionError, Refused
from tradewind.common.jetstream import Bus, PubAck
from tradewind.core.commands import ApproveBuild, OpenSegment, ReportDivergence
from tradewind.oms.agreement import Agreement, Told
from tradewind.oms.replica import CHECKPOINT_EVERY, Replica, Tail

pytestmark = pytest.mark.anyio


class Bystander:
    """A bus that keeps what is told and published."""

    def __init__(self) -> None:
        self.told: list[bytes] = []
        self.published: list[bytes] = []
        self.refusals = 0

    def tell(self, subject: str, body: bytes) -> None:
        assert subject == subjects.digest(0)
        self.told.append(body)

    async def publish(self, subject: str, body: bytes) -> PubAck:
        assert subject == "journal.0.control.ReportDivergence"
        if self.refusals:
            self.refusals -= 1
            raise Refused("no leader")
        self.published.append(body)
        return PubAck("JOURNAL_0", 1)


def make(instance: str = "oms-0-0", *, build: str = "b1") -> tuple[Agreement, Replica, Bystander]:
    bus, replica = Bystander(), Replica(0, Tail(), build=build)
    replica.apply(entry(1, OpenSegment(segment="seg", shard=0)))
    return Agreement(cast(Bus, bus), replica, instance=instance), replica, bus


def run(replica: Replica, until: int) -> None:
    for seq in range(replica.seq + 1, until + 1):
        replica.apply(entry(seq))


def other(until: int, **changed: object) -> list[bytes]:
    """What a second replica tells, changed in these fields."""
    agreement, replica, bus = make("oms-0-1")
    run(replica, until)
    agreement.tell()
    return [
        msgspec.json.encode(
            msgspec.structs.replace(msgspec.json.decode(body, type=Told), **changed)
        )
        for body in bus.told
    ]


async def test_a_replica_tells_each_fixed_sequence_once() -> None:
    agreement, replica, bus = make()
    run(replica, 2 * CHECKPOINT_EVERY + 5)
    assert agreement.tell()
    assert not agreement.tell()
    told = [msgspec.json.decode(body, type=Told) for body in bus.told]
    assert [one.seq for one in told] == [CHECKPOINT_EVERY, 2 * CHECKPOINT_EVERY]
    assert told[1].digest == replica.checkpoints[2 * CHECKPOINT_EVERY].digest


@pytest.mark.parametrize("is_heard_first", [True, False])
async def test_replicas_that_agree_say_nothing_more(is_heard_first: bool) -> None:
    agreement, replica, _ = make()
    bodies = other(CHECKPOINT_EVERY)
    if is_heard_first:
        agreement.hear(bodies[0])
    run(replica, CHECKPOINT_EVERY)
    agreement.tell()
    if not is_heard_first:
        agreement.hear(bodies[0])
    assert (agreement.compared, agreement.disagreements) == (1, 0)


@pytest.mark.parametrize("changed", [{"digest": "f" * 64}, {"chain": "f" * 64}, {"ordinal": 1}])
@pytest.mark.parametrize("is_heard_first", [True, False])
async def test_a_difference_is_journaled_until_it_is_on_record(
    changed: dict[str, object], is_heard_first: bool
) -> None:
    agreement, replica, bus = make()
    bus.refusals = 1
    bodies = other(CHECKPOINT_EVERY, **changed)
    if is_heard_first:
        agreement.hear(bodies[0])
    run(replica, CHECKPOINT_EVERY)
    agreement.tell()
    agreement.hear(bodies[0])
    async with asyncio.timeout(5):
        await agreement.run()
    command = codec.decode_command(bus.published[0])
    assert command == ReportDivergence(
        seq=CHECKPOINT_EVERY,
        digest=replica.checkpoints[CHECKPOINT_EVERY].digest,
        instance="oms-0-0",
    )


async def test_a_replica_in_shadow_that_differs_stops_itself() -> None:
    agreement, replica, bus = make(build="b2")
    replica.apply(entry(2, ApproveBuild(build="b1", actor="ops")))
    run(replica, CHECKPOINT_EVERY)
    assert replica.is_shadow
    with pytest.raises(CorruptionError) as caught:
        agreement.hear(other(CHECKPOINT_EVERY)[0])
    assert caught.value.code == "SHADOW_DIFFERS"
    assert bus.published == []


async def test_a_shadow_that_differs_halts_nobody_else() -> None:
    agreement, replica, bus = make()
    run(replica, CHECKPOINT_EVERY)
    agreement.hear(other(CHECKPOINT_EVERY, is_shadow=True, digest="f" * 64)[0])
    assert agreement.disagreements == 1
    running = asyncio.ensure_future(agreement.run())
    done, _ = await asyncio.wait({running}, timeout=0.05)
    assert not done
    running.cancel()
    assert bus.published == []


@pytest.mark.parametrize("body", [b"", b"{}", b"nonsense"])
async def test_what_is_no_digest_changes_nothing(body: bytes) -> None:
    agreement, replica, _ = make()
    run(replica, CHECKPOINT_EVERY)
    agreement.hear(body)
    assert agreement.compared == 0


async def test_a_replica_does_not_compare_with_itself() -> None:
    agreement, replica, _ = make("oms-0-1")
    run(replica, CHECKPOINT_EVERY)
    agreement.hear(other(CHECKPOINT_EVERY, digest="f" * 64)[0])
    assert agreement.compared == 0
