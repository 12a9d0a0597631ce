# SPDX-License-Identifier: Apache-2.0
"""The replica: outbox, confirmation, divergence, poison."""

import pytest

from tradewind.common import codec, subjects
from tradewind.common.errors import CorruptionError
from tradewind.common.jetstream import Record
from tradewind.core.commands import AdvanceTime, Command, OpenSegment
from tradewind.oms.replica import Output, Replica, Tail


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
