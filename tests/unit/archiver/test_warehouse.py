# SPDX-License-Identifier: Apache-2.0
"""The warehouse on a real embedded database."""

from dataclasses import replace
from typing import Any

import pytest

from tests.unit.archiver.test_rows import REPORT
from tradewind.archiver import reads
from tradewind.archiver.batches import Portion, build_block
from tradewind.archiver.clickhouse import Warehouse, WarehouseError
from tradewind.archiver.schema import ORDER_REPORTS
from tradewind.common import codec
from tradewind.common.fingerprint import MODULUS, fingerprint
from tradewind.common.jetstream import Record
from tradewind.core.events import InstrumentDefined
from tradewind.core.types import ExecType

INSTRUMENT = InstrumentDefined(
    symbol="BTC-USD", venue="SIM", tick_size="0.01", lot_size="0.00000001", currency="USD"
)


def records(first: int, last: int) -> list[Record]:
    bodies = [codec.encode(INSTRUMENT), b"\xff\x00 not a message", b""]
    headers = {"Tw-Entry": "3", "Tw-Index": "1", "Tw-Chain": "c0de", "Tw-By": "oms-0-1"}
    return [
        Record(seq, 10**18 + seq, "events.0.x", headers, bodies[seq % 3])
        for seq in range(first, last + 1)
    ]


def test_a_block_that_is_written_twice_is_there_once(warehouse: Warehouse) -> None:
    block = build_block("life:1", [Portion("S1", "seg", records(1, 50))], {"S1": 0})
    warehouse.write(block)
    warehouse.write(block)
    held = warehouse.held("S1", "seg")
    assert (held.first, held.last, held.count, held.is_contiguous) == (1, 50, 50, True)
    (row,) = warehouse.query("SELECT count() FROM records WHERE stream = 'S1'")[1]
    assert row[0] == 50


def test_rows_that_another_process_wrote_again_count_once_when_read(warehouse: Warehouse) -> None:
    for life in ("life-a:1", "life-b:1"):
        warehouse.write(build_block(life, [Portion("S2", "seg", records(1, 20))], {"S2": 0}))
    (block,) = reads.sums(warehouse, "S2", "seg", 1, 20, 100)["blocks"]
    assert block["count"] == 20


def test_a_position_belongs_to_a_segment(warehouse: Warehouse) -> None:
    warehouse.write(build_block("life:3", [Portion("S3", "seg", records(1, 5))], {"S3": 0}))
    assert warehouse.held("S3", "other").last == 0


def report(seq: int, **changes: Any) -> Record:
    event = replace(REPORT, exec_id=f"E{seq}", account="FILLS", **changes)
    return Record(seq, 10**18 + seq, "events.0.order.FILLS", {}, codec.encode(event))


def test_fills_are_those_that_stand_and_a_parents_are_its_childrens(warehouse: Warehouse) -> None:
    trade, bust, correct = ExecType.TRADE, ExecType.TRADE_CANCEL, ExecType.TRADE_CORRECT
    told = [
        report(1, exec_type=trade, venue_exec_id="S1", last_qty=5),
        report(2, exec_type=trade, venue_exec_id="S1", last_qty=5, order_id="P", is_parent=True),
        report(3, exec_type=trade, venue_exec_id="S2", last_qty=7),
        report(4, exec_type=trade, venue_exec_id="S3", last_qty=9),
        report(5, exec_type=correct, venue_exec_id="S4", venue_exec_ref_id="S2", last_qty=6),
        report(6, exec_type=bust, venue_exec_id="S5", venue_exec_ref_id="S3"),
    ]
    warehouse.write(build_block("life:f", [Portion("S6", "seg", told)], {"S6": 0}))
    found = reads.fills(warehouse, "FILLS", 10)["reports"]
    assert [(row["venue_exec_id"], row["last_qty"]) for row in found] == [("S4", 6), ("S1", 5)]
    viewed = warehouse.query("SELECT sum(last_qty) FROM fills WHERE account = 'FILLS'")[1]
    assert viewed == [(11,)]


def test_a_table_of_an_earlier_release_gets_the_columns_it_lacks(warehouse: Warehouse) -> None:
    now = replace(ORDER_REPORTS, name="upgraded")
    earlier = replace(now, columns=now.columns[: now.column_names.index("stop_px")])
    warehouse._writer.command(earlier.ddl)
    warehouse._writer.command(now.additions)
    rows = warehouse.query("SELECT name FROM system.columns WHERE table = 'upgraded'")[1]
    assert {name for (name,) in rows} >= set(now.column_names)


def test_a_missing_sequence_shows(warehouse: Warehouse) -> None:
    warehouse.write(build_block("life:4", [Portion("S4", "seg", records(1, 5))], {"S4": 0}))
    warehouse.write(build_block("life:5", [Portion("S4", "seg", records(7, 9))], {"S4": 6}))
    assert not warehouse.held("S4", "seg").is_contiguous


def test_the_archive_computes_the_same_fingerprints(warehouse: Warehouse) -> None:
    stored = records(1, 10)
    warehouse.write(build_block("life:6", [Portion("S5", "seg", stored)], {"S5": 0}))
    blocks = reads.sums(warehouse, "S5", "seg", 1, 10, 4)["blocks"]
    expected = [
        sum(fingerprint(record) for record in part) % MODULUS
        for part in (stored[0:4], stored[4:8], stored[8:10])
    ]
    assert [int(block["fingerprint_sum"], 16) for block in blocks] == expected


def test_a_select_is_answered(warehouse: Warehouse) -> None:
    answer = reads.select(warehouse, "select symbol from instruments -- all of them", 1)
    assert answer == {"columns": ("symbol",), "rows": [("BTC-USD",)]}


@pytest.mark.parametrize(
    "sql",
    [
        "drop table records",
        "insert into records (seq) values (1)",
        "select 1; drop table records",
        "select 1) into outfile 'leak.csv' -- ",
        "select * from file('/etc/passwd', 'LineAsString')",
        "select * from url('http://127.0.0.1:1/', 'LineAsString')",
        "select 1 settings readonly = 0",
        "select * from (select * from file('/etc/passwd', 'LineAsString') settings readonly = 0)",
        "with 1 as x insert into records (seq) select x",
    ],
)
def test_a_query_can_only_read_tables(warehouse: Warehouse, sql: str) -> None:
    with pytest.raises((reads.BadQuestion, WarehouseError)):
        reads.select(warehouse, sql, 10)
