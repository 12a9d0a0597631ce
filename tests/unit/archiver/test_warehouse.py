# SPDX-License-Identifier: Apache-2.0
"""The warehouse on a real embedded database."""

import pytest

from tradewind.archiver import reads
from tradewind.archiver.batches import Portion, build_block
from tradewind.archiver.clickhouse import Warehouse, WarehouseError
from tradewind.common import codec
from tradewind.common.fingerprint import MODULUS, fingerprint
from tradewind.common.jetstream import Record
from tradewind.core.events import InstrumentDefined

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
        "select 1) into outfile '/tmp/leak' -- ",
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
