# SPDX-License-Identifier: Apache-2.0
"""Requests meet their outputs by the entry's sequence, whatever comes first."""

import asyncio
from typing import Any

import pytest

from tradewind.common.errors import CorruptionError, Refused, Unknown
from tradewind.common.jetstream import PubAck, Record
from tradewind.common.jetstream.messages import NO_RESPONDERS
from tradewind.common.testing import eventually
from tradewind.core.commands import AdvanceTime, CancelOrder, SubmitOrder
from tradewind.core.types import OrdType, Side, TimeInForce
from tradewind.gateway import journal
from tradewind.gateway.errors import Refusal
from tradewind.gateway.journal import InFlight, Journal
from tradewind.gateway.silence import QUIET_AFTER_NS

from .conftest import Harness, MemoryBus, report_for

pytestmark = pytest.mark.anyio


class Recorder:
    """Writes down what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, Any]] = []

    def on_durable(self, request: InFlight) -> None:
        self.told.append(("durable", request.seq))

    def on_failed(self, request: InFlight, why: Refusal) -> None:
        self.told.append(("failed", why.code))

    def on_answered(self, request: InFlight, answer: Any) -> None:
        self.told.append(("answered", answer.entry))


def submit(cl_ord_id: str = "c-1") -> SubmitOrder:
    return SubmitOrder(
        account="DEMO",
        cl_ord_id=cl_ord_id,
        symbol="BTC-USD",
        side=Side.BUY,
        ord_type=OrdType.LIMIT,
        time_in_force=TimeInForce.GTC,
        order_qty=1,
        price=1,
        client="t",
        strategy="s",
        void_after_ns=0,
    )


async def turn() -> None:
    """Lets callbacks of finished futures run."""
    for _ in range(3):
        await asyncio.sleep(0)


async def test_an_output_before_the_acknowledgement_is_kept_for_it(harness: Harness) -> None:
    harness.bus.acks_at_once = False
    recorder = Recorder()
    harness.journal.publish(0, submit(), recorder, "t")
    harness.output(0, 7, report_for(submit()))
    assert recorder.told == []
    harness.bus.published[0].acked.set_result(PubAck("JOURNAL_0", 7))
    await turn()
    assert recorder.told == [("durable", 7), ("answered", 7)]


async def test_only_the_output_of_the_own_entry_answers(harness: Harness) -> None:
    harness.bus.acks_at_once = False
    first, second = Recorder(), Recorder()
    harness.journal.publish(0, submit(), first, "t")
    harness.journal.publish(0, submit(), second, "t")
    harness.bus.published[0].acked.set_result(PubAck("JOURNAL_0", 4))
    harness.bus.published[1].acked.set_result(PubAck("JOURNAL_0", 5))
    await turn()
    harness.output(0, 3, report_for(submit()))
    harness.output(0, 5, report_for(submit()))
    harness.output(0, 6, report_for(submit()))
    assert first.told == [("durable", 4)]
    assert second.told == [("durable", 5), ("answered", 5)]


async def test_a_request_that_nobody_took_goes_again_while_a_leader_moves() -> None:
    bus: Any = MemoryBus()
    bus.acks_at_once = False
    now_ns = [0]
    book = Journal(bus, shards=1, ack_timeout_ms=100, now_ns=lambda: now_ns[0])
    recorder = Recorder()
    book.publish(0, submit(), recorder, "t")
    nobody = Refused("nobody listens", err_code=NO_RESPONDERS)
    bus.published[0].acked.set_exception(nobody)
    await eventually(lambda: len(bus.published) == 2)
    assert (recorder.told, book.unacked) == ([], 1)
    bus.published[1].acked.set_result(PubAck("JOURNAL_0", 7))
    await turn()
    assert (recorder.told, book.unacked) == ([("durable", 7)], 0)


async def test_a_request_that_nobody_takes_for_long_and_one_refused_for_cause_fail() -> None:
    bus: Any = MemoryBus()
    bus.acks_at_once = False
    now_ns = [0]
    book = Journal(bus, shards=1, ack_timeout_ms=100, now_ns=lambda: now_ns[0])
    recorder = Recorder()
    book.publish(0, submit(), recorder, "t")
    bus.published[0].acked.set_exception(Refused("no room", err_code=10_047))
    await turn()
    book.publish(0, submit("c-2"), recorder, "t")
    now_ns[0] = journal.HELD_NS
    bus.published[1].acked.set_exception(Refused("nobody listens", err_code=NO_RESPONDERS))
    await turn()
    assert recorder.told == [("failed", "JOURNAL_UNAVAILABLE")] * 2
    assert (len(bus.published), book.unacked) == (2, 0)


async def test_a_request_that_a_later_one_has_overtaken_goes_again() -> None:
    bus: Any = MemoryBus()
    bus.acks_at_once = False
    book = Journal(bus, shards=1, ack_timeout_ms=100)
    lost, later = Recorder(), Recorder()
    book.publish(0, submit("c-1"), lost, "t")
    book.publish(0, submit("c-2"), later, "t")
    bus.published[1].acked.set_result(PubAck("JOURNAL_0", 7))
    await turn()
    assert [each.command.cl_ord_id for each in bus.published] == ["c-1", "c-2", "c-1"]
    bus.published[0].acked.set_exception(Unknown("no answer in time"))
    await turn()
    assert (lost.told, later.told) == ([], [("durable", 7)])
    bus.published[2].acked.set_result(PubAck("JOURNAL_0", 8))
    await turn()
    assert (lost.told, book.unacked) == ([("durable", 8)], 0)


async def test_of_two_copies_of_a_request_the_first_that_is_stored_counts() -> None:
    bus: Any = MemoryBus()
    bus.acks_at_once = False
    book = Journal(bus, shards=1, ack_timeout_ms=100)
    recorder = Recorder()
    book.publish(0, submit("c-1"), recorder, "t")
    book.publish(0, submit("c-2"), Recorder(), "t")
    for place, seq in ((1, 7), (0, 6), (2, 8)):
        bus.published[place].acked.set_result(PubAck("JOURNAL_0", seq))
        await turn()
    assert (recorder.told, book.unacked) == ([("durable", 6)], 0)


async def test_a_quiet_journal_is_sent_what_overtakes_a_lost_request_and_changes_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(journal, "WATCH_S", 0.0)
    bus: Any = MemoryBus()
    bus.acks_at_once = False
    now_ns = [1]
    book = Journal(bus, shards=1, ack_timeout_ms=100, now_ns=lambda: now_ns[0])
    lost = Recorder()
    book.publish(0, submit("c-1"), lost, "t")
    now_ns[0] += QUIET_AFTER_NS + 1
    watching = asyncio.ensure_future(book.watch())
    await eventually(lambda: len(bus.published) > 1)
    await turn()
    assert len(bus.published) == 2, "one at a time"
    bus.published[1].acked.set_exception(Unknown("lost, too"))
    await eventually(lambda: len(bus.published) > 2)
    watching.cancel()
    assert all(each.command == AdvanceTime(source="gateway") for each in bus.published[1:])
    bus.published[2].acked.set_result(PubAck("JOURNAL_0", 7))
    await turn()
    assert bus.published[3].command.cl_ord_id == "c-1", "it was overtaken"
    bus.published[3].acked.set_result(PubAck("JOURNAL_0", 8))
    await turn()
    assert (lost.told, book.unacked) == ([("durable", 8)], 0)


async def test_what_may_be_stored_from_the_first_time_is_not_called_refused_the_second() -> None:
    bus: Any = MemoryBus()
    bus.acks_at_once = False
    book = Journal(bus, shards=1, ack_timeout_ms=100)
    recorder = Recorder()
    book.publish(0, submit("c-1"), recorder, "t")
    book.publish(0, submit("c-2"), Recorder(), "t")
    bus.published[1].acked.set_result(PubAck("JOURNAL_0", 7))
    await turn()
    bus.published[2].acked.set_exception(Refused("no room", err_code=10_047))
    await turn()
    assert recorder.told == [("failed", "OUTCOME_UNKNOWN")]


async def test_too_many_under_way_are_refused_before_publishing() -> None:
    bus: Any = MemoryBus()
    bus.acks_at_once = False
    book = Journal(bus, shards=1, ack_timeout_ms=100, now_ns=lambda: 0)
    recorder = Recorder()
    for number in range(journal.MAX_UNACKED):
        assert isinstance(book.publish(0, submit(str(number)), recorder, "t"), InFlight)
    refused = book.publish(0, submit("one-more"), recorder, "t")
    assert isinstance(refused, Refusal)
    assert refused.code == "OVERLOADED"
    assert len(bus.published) == journal.MAX_UNACKED
    cancel = CancelOrder(account="A", cl_ord_id="x", orig_cl_ord_id="0", client="c")
    for _ in range(journal.FOR_CANCELS):
        assert isinstance(book.publish(0, cancel, recorder, "t"), InFlight), "a cancel passes"
    assert isinstance(book.publish(0, cancel, recorder, "t"), Refusal)


async def test_a_journal_is_not_called_silent_by_who_did_not_listen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(journal, "WATCH_S", 0.0)
    bus: Any = MemoryBus()
    bus.acks_at_once = False
    now_ns, step_ns = 1, 0

    def clock() -> int:
        nonlocal now_ns
        now_ns += step_ns
        return now_ns

    book = Journal(bus, shards=1, ack_timeout_ms=100, now_ns=clock)
    recorder = Recorder()
    watching = asyncio.ensure_future(book.watch())
    await turn()
    assert isinstance(book.publish(0, submit(), recorder, "t"), InFlight)
    step_ns = journal.LATE_NS + 1
    for _ in range(5):
        await turn()
    assert recorder.told == []
    assert isinstance(book.publish(0, submit("c-2"), recorder, "t"), InFlight)
    step_ns = 0
    await turn()
    assert recorder.told == [("failed", "OUTCOME_UNKNOWN")]
    book.publish(0, submit("c-3"), recorder, "t")  # finds out whether the journal is back
    refused = book.publish(0, submit("c-4"), recorder, "t")
    assert isinstance(refused, Refusal)
    assert refused.code == "JOURNAL_UNAVAILABLE"
    watching.cancel()


async def test_entries_without_outputs_stop_new_orders_but_not_cancels() -> None:
    bus: Any = MemoryBus()
    now_ns = [0]
    book = Journal(bus, shards=1, ack_timeout_ms=100, now_ns=lambda: now_ns[0])
    recorder = Recorder()
    first = book.publish(0, submit(), recorder, "t")
    assert isinstance(first, InFlight)
    await turn()
    now_ns[0] = first.started_ns + journal.STALLED_AFTER_NS + 1
    refused = book.publish(0, submit("c-2"), recorder, "t")
    assert isinstance(refused, Refusal)
    assert refused.code == "NOT_PROCESSING"
    cancel = CancelOrder(account="DEMO", cl_ord_id="x", orig_cl_ord_id="c-1", client="t")
    assert isinstance(book.publish(0, cancel, recorder, "t"), InFlight)
    now_ns[0] = 2 * journal.FORGOTTEN_AFTER_NS
    await turn()
    book.sweep()
    assert not book.is_stalled


async def test_a_missing_output_is_never_skipped(harness: Harness) -> None:
    with pytest.raises(CorruptionError, match="output 1 of shard 0 is missing"):
        harness.egress.take(0, Record(2, 0, "events.0.order.DEMO", {"Tw-Entry": "1"}, b""))
