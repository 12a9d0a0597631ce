# SPDX-License-Identifier: Apache-2.0
"""Records become rows without loss, and blocks without holes."""

import pytest

from tradewind.archiver.batches import Portion, build_block
from tradewind.archiver.rows import decoded_row, record_row, type_of
from tradewind.archiver.schema import INSTRUMENTS, ORDER_REPORTS, RECORDS
from tradewind.common import codec
from tradewind.common.errors import CorruptionError
from tradewind.common.fingerprint import fingerprint
from tradewind.common.jetstream import Record
from tradewind.core.events import Event, InstrumentDefined, OrderReport, TimeAdvanced
from tradewind.core.types import ExecType, OrdStatus, OrdType, Reason, Side, TimeInForce

REPORT = OrderReport(
    account="ALPHA",
    order_id="seg-0-7",
    cl_ord_id="c1",
    orig_cl_ord_id="",
    exec_id="7.0",
    venue_exec_id="",
    venue_order_id="",
    exec_type=ExecType.PENDING_NEW,
    ord_status=OrdStatus.PENDING_NEW,
    symbol="BTC-USD",
    side=Side.BUY,
    ord_type=OrdType.LIMIT,
    time_in_force=TimeInForce.GTC,
    order_qty=100,
    price=4200001,
    cum_qty=0,
    leaves_qty=100,
    cum_notional=10**25,
    last_qty=0,
    last_px=0,
    reason=Reason.NONE,
    text="",
    client="desk",
    strategy="s",
    transact_time_ns=9,
)
INSTRUMENT = InstrumentDefined(
    symbol="BTC-USD", venue="SIM", tick_size="0.01", lot_size="0.00000001", currency="USD"
)


def record(seq: int, event: Event, **headers: str) -> Record:
    return Record(seq, 1_000 + seq, "events.0.x", headers, codec.encode(event))


def test_a_record_row_has_a_value_for_every_column() -> None:
    stored = record(7, REPORT, **{"Tw-Entry": "5", "Tw-Index": "1", "Tw-Chain": "ab", "Tw-By": "o"})
    row = dict(zip(RECORDS.column_names, record_row("EVENTS_0", "seg", stored), strict=True))
    assert row == {
        "stream": "EVENTS_0",
        "segment": "seg",
        "seq": 7,
        "ts_ns": 1_007,
        "subject": "events.0.x",
        "type": "OrderReport",
        "body": stored.body,
        "fingerprint": fingerprint(stored),
        "entry_seq": 5,
        "idx": 1,
        "chain": "ab",
        "traceparent": "",
        "headers": '{"Tw-By":"o"}',
    }


def test_an_order_report_is_decoded_into_its_own_table() -> None:
    decoded = decoded_row("EVENTS_0", "seg", record(7, REPORT))
    assert decoded is not None
    table, values = decoded
    assert table == ORDER_REPORTS.name
    row = dict(zip(ORDER_REPORTS.column_names, values, strict=True))
    assert (row["seq"], row["account"], row["cum_notional"]) == (7, "ALPHA", 10**25)


def test_an_instrument_is_decoded_into_its_own_table() -> None:
    assert decoded_row("EVENTS_0", "seg", record(2, INSTRUMENT)) == (
        INSTRUMENTS.name,
        ("EVENTS_0", "seg", 2, "BTC-USD", "SIM", "0.01", "0.00000001", "USD"),
    )


def test_other_events_have_no_decoded_row() -> None:
    assert decoded_row("EVENTS_0", "seg", record(2, TimeAdvanced(ts_ns=1))) is None


@pytest.mark.parametrize(
    "body", [b"", b"\xff\x00", b"{", b"[]", b'{"type":1}', b'{"type":"OrderReport"}']
)
def test_bytes_that_are_no_message_are_archived_as_they_are(body: bytes) -> None:
    stored = Record(1, 1, "journal.0.cmd.A", {"Tw-Entry": "not a number"}, body)
    assert decoded_row("JOURNAL_0", "seg", stored) is None
    assert record_row("JOURNAL_0", "seg", stored)[6] == body


def test_the_type_is_read_from_the_body() -> None:
    assert type_of(codec.encode(INSTRUMENT)) == "InstrumentDefined"


@pytest.mark.parametrize(
    "changed",
    [
        Record(8, 2, "s", {}, b"body"),
        Record(7, 3, "s", {}, b"body"),
        Record(7, 2, "t", {}, b"body"),
        Record(7, 2, "s", {"Tw-Entry": "1"}, b"body"),
        Record(7, 2, "s", {"Tw-Chain": "c"}, b"body"),
        Record(7, 2, "s", {}, b"bodY"),
    ],
)
def test_whatever_changes_in_a_record_changes_its_fingerprint(changed: Record) -> None:
    assert fingerprint(changed) != fingerprint(Record(7, 2, "s", {}, b"body"))


def test_a_block_holds_portions_of_several_streams() -> None:
    block = build_block(
        "life:1",
        [
            Portion("JOURNAL_0", "seg", [record(4, INSTRUMENT)]),
            Portion("EVENTS_0", "seg", [record(1, INSTRUMENT), record(2, REPORT)]),
            Portion("JOURNAL_0", "seg", [record(5, TimeAdvanced(ts_ns=1))]),
        ],
        {"JOURNAL_0": 3, "EVENTS_0": 0},
    )
    assert block.last == {"JOURNAL_0": 5, "EVENTS_0": 2}
    assert block.size == 4
    assert [len(block.rows[name]) for name in ("order_reports", "instruments")] == [1, 2]


@pytest.mark.parametrize("sequences", [[5], [4, 6], [4, 4], [3, 4]])
def test_a_block_with_a_hole_is_refused(sequences: list[int]) -> None:
    records = [record(seq, INSTRUMENT) for seq in sequences]
    with pytest.raises(CorruptionError, match="JOURNAL_0 sequence"):
        build_block("life:1", [Portion("JOURNAL_0", "seg", records)], {"JOURNAL_0": 3})


def test_a_hole_between_two_portions_is_refused() -> None:
    portions = [Portion("JOURNAL_0", "seg", [record(seq, INSTRUMENT)]) for seq in (4, 6)]
    with pytest.raises(CorruptionError, match="where 5 comes next"):
        build_block("life:1", portions, {"JOURNAL_0": 3})
