# SPDX-License-Identifier: Apache-2.0
"""The replica: outbox, confirmation, divergence, poison."""

import pytest

from tradewind.common import codec, snapshots, subjects
from tradewind.common.errors import CorruptionError
from tradewind.common.jetstream import Record
from tradewind.common.snapshots import Snapshot
from tradewind.core.commands import (
    AdvanceTime,
    ApproveBuild,
    Command,
    OpenSegment,
    RevokeBuild,
    SkipEntry,
)
from tradewind.core.events import EntrySkipped
from tradewind.oms.replica import CHECKPOINT_EVERY, Output, Replica, Tail


def entry(seq: int, command: Command | None = None, body: bytes | None = None) -> Record:
    command = command or AdvanceTime(source="test")
    return Record(
        seq=seq,
        ts_ns=seq * 1000,
        subject=subjects.journal_subject(0, command),
        headers={"traceparent": f"00-{seq:032x}-{seq:016x}-00"},
        body=codec.encode(command) if body is None else body,
    )


def stored(output: Output, *, by: str = "other", body: bytes | None = None) -> Record:
    return Record(
        seq=output.ordinal,
        ts_ns=0,
        subject=output.subject,
        headers={
            subjects.HEADER_ENTRY: str(output.entry_seq),
            subjects.HEADER_CHAIN: output.chain,
            subjects.HEADER_BY: by,
        },
        body=output.body if body is None else body,
    )


def computed(count: int) -> list[Output]:
    """The outputs of a journal of `count` entries, as any replica computes them."""
    replica = Replica(0, Tail())
    replica.apply(entry(1, OpenSegment(segment="seg", shard=0)))
    for seq in range(2, count + 1):
        replica.apply(entry(seq))
    return list(replica.outbox)


def test_every_entry_leaves_an_output_with_the_next_ordinal() -> None:
    outputs = computed(3)
    assert [output.ordinal for output in outputs] == [1, 2, 3]
    assert [output.entry_seq for output in outputs] == [1, 2, 3]
    assert outputs[1].traceparent == f"00-{2:032x}-{2:016x}-00"


def test_an_output_that_another_replica_appended_leaves_the_outbox() -> None:
    replica = Replica(0, Tail())
    replica.apply(entry(1, OpenSegment(segment="seg", shard=0)))
    replica.apply(entry(2))
    replica.confirm(stored(computed(2)[0]))
    assert [output.ordinal for output in replica.outbox] == [2]
    assert replica.appended_by == "other"


def test_an_output_that_was_stored_before_it_was_computed_here_is_compared_later() -> None:
    outputs = computed(2)
    replica = Replica(0, Tail())
    replica.confirm(stored(outputs[0]))
    replica.apply(entry(1, OpenSegment(segment="seg", shard=0)))
    replica.apply(entry(2))
    assert [output.ordinal for output in replica.outbox] == [2]


def test_an_output_that_differs_from_what_was_computed_here_stops_the_replica() -> None:
    replica = Replica(0, Tail())
    replica.apply(entry(1, OpenSegment(segment="seg", shard=0)))
    with pytest.raises(CorruptionError, match="EVENTS_0 sequence 1"):
        replica.confirm(stored(replica.outbox[0], body=b"{}"))


def test_a_replica_that_starts_again_checks_the_chain_at_the_tail_it_found() -> None:
    outputs = computed(3)
    tail = Tail(2, outputs[1].chain)
    replica = Replica(0, tail)
    replica.apply(entry(1, OpenSegment(segment="seg", shard=0)))
    replica.apply(entry(2))
    replica.apply(entry(3))
    assert [output.ordinal for output in replica.outbox] == [3]


def test_a_replica_that_starts_again_on_another_history_stops() -> None:
    replica = Replica(0, Tail(2, "f" * 64))
    replica.apply(entry(1, OpenSegment(segment="seg", shard=0)))
    with pytest.raises(CorruptionError, match="EVENTS_0 sequence 2"):
        replica.apply(entry(2))


def test_a_jump_in_the_stored_outputs_stops_the_replica() -> None:
    replica = Replica(0, Tail())
    with pytest.raises(CorruptionError, match="jumps to 2 from 0"):
        replica.confirm(stored(computed(2)[1]))


@pytest.mark.parametrize(
    "body", [b"", b"{", b'{"v":1,"type":"Nonsense","data":{}}', b'{"v":9,"type":"AdvanceTime"}']
)
def test_a_poison_entry_stops_the_replica_and_names_its_sequence(body: bytes) -> None:
    replica = Replica(1, Tail())
    replica.apply(entry(1, OpenSegment(segment="seg", shard=1)))
    with pytest.raises(CorruptionError, match="JOURNAL_1 sequence 2 cannot be applied"):
        replica.apply(entry(2, body=body))
    assert replica.seq == 1


def test_a_missing_entry_stops_the_replica() -> None:
    replica = Replica(0, Tail())
    with pytest.raises(CorruptionError, match="JOURNAL_0 sequence 2"):
        replica.apply(entry(2))


def begun(count: int) -> Snapshot:
    """A snapshot after `count` entries."""
    replica = Replica(0, Tail())
    replica.apply(entry(1, OpenSegment(segment="seg", shard=0)))
    for seq in range(2, count + 1):
        replica.apply(entry(seq))
    content = snapshots.encode(replica.machine, chain=replica.chain, build="", instance="")
    return snapshots.decode(content)


def test_a_replica_that_begins_at_a_snapshot_goes_on_with_the_same_outputs() -> None:
    replica = Replica(0, Tail(2, computed(2)[1].chain), start=begun(2))
    replica.apply(entry(3))
    assert list(replica.outbox) == computed(3)[2:]


def test_a_replica_that_begins_at_a_snapshot_checks_the_chain_at_the_tail() -> None:
    replica = Replica(0, Tail(3, "f" * 64), start=begun(2))
    with pytest.raises(CorruptionError, match="EVENTS_0 sequence 3"):
        replica.apply(entry(3))


def test_a_snapshot_ahead_of_the_outputs_is_refused() -> None:
    with pytest.raises(CorruptionError, match="EVENTS_0 only 1"):
        Replica(0, Tail(1, computed(1)[0].chain), start=begun(2))


def test_an_entry_before_the_snapshot_or_beyond_the_next_stops_the_replica() -> None:
    for seq in (2, 4):
        replica = Replica(0, Tail(2, computed(2)[1].chain), start=begun(2))
        with pytest.raises(CorruptionError, match=f"JOURNAL_0 sequence {seq}"):
            replica.apply(entry(seq))


def test_outputs_are_this_builds_to_append_only_where_the_journal_approves_it() -> None:
    replica = Replica(0, Tail(), build="b1")
    replica.apply(entry(1, OpenSegment(segment="seg", shard=0)))
    assert not replica.is_shadow, "no build is named: any may append"
    replica.apply(entry(2, ApproveBuild(build="b1", actor="ops")))
    replica.apply(entry(3, ApproveBuild(build="b2", actor="ops")))
    replica.apply(entry(4, RevokeBuild(build="b1", actor="ops")))
    replica.apply(entry(5))
    assert replica.is_shadow
    assert [output.entry_seq for output in replica.appendable()] == [1, 2, 3]
    replica.apply(entry(6, ApproveBuild(build="b1", actor="ops")))
    assert [output.entry_seq for output in replica.appendable()] == [1, 2, 3, 4, 5, 6]


def test_a_poison_entry_that_two_people_decided_to_skip_leaves_that_as_its_output() -> None:
    skip = SkipEntry(seq=2, actor="a", second_actor="b", reason="of a newer gateway")
    replica = Replica(0, Tail(), skips={2: skip})
    replica.apply(entry(1, OpenSegment(segment="seg", shard=0)))
    replica.apply(entry(2, body=b"{"))
    replica.apply(entry(3))
    assert [output.entry_seq for output in replica.outbox] == [1, 2, 3]
    assert codec.decode_event(replica.outbox[1].body) == EntrySkipped(
        seq=2, actor="a", second_actor="b", reason="of a newer gateway"
    )


def test_the_digest_and_the_chain_are_noted_at_fixed_sequences() -> None:
    replica = Replica(0, Tail())
    replica.apply(entry(1, OpenSegment(segment="seg", shard=0)))
    for seq in range(2, CHECKPOINT_EVERY + 1):
        replica.apply(entry(seq))
    point = replica.checkpoints[CHECKPOINT_EVERY]
    assert point.digest == replica.machine.digest()
    assert (point.ordinal, point.chain) == (replica.ordinal, replica.chain)
