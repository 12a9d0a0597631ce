# SPDX-License-Identifier: Apache-2.0
"""A warehouse that fails makes the archiver wait and say so; it loses nothing."""

import asyncio
from typing import Any

import pytest

from tradewind.archiver import consumer
from tradewind.archiver.batches import Block, Portion
from tradewind.archiver.clickhouse import WarehouseError
from tradewind.archiver.consumer import Archiver
from tradewind.common.errors import CorruptionError
from tradewind.common.jetstream import Record
from tradewind.common.testing import eventually

pytestmark = pytest.mark.anyio


class FailingWarehouse:
    """Refuses until it is told to work."""

    def __init__(self) -> None:
        self.works = False
        self.attempts: list[Block] = []
        self.written: list[Block] = []

    def write(self, block: Block) -> None:
        self.attempts.append(block)
        if not self.works:
            raise WarehouseError("ClickHouse refused: no space left on device")
        self.written.append(block)


def archiver_on(warehouse: Any) -> Archiver:
    no_bus: Any = None
    archiver = Archiver(bus=no_bus, warehouse=warehouse, shards=0, instance="archiver-0")
    archiver.archived["S"] = 0
    return archiver


def portion(first: int, last: int) -> Portion:
    records = [Record(seq, seq, "s", {}, b"{}") for seq in range(first, last + 1)]
    return Portion("S", "seg", records)


async def test_a_failed_insert_is_repeated_as_the_same_block_until_it_is_stored(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(consumer, "RETRY_FIRST_S", 0.001)
    warehouse = FailingWarehouse()
    archiver = archiver_on(warehouse)
    assert archiver.is_ready
    writing = asyncio.ensure_future(archiver.write_blocks())
    await archiver.intake.put(portion(1, 3))
    await eventually(lambda: len(warehouse.attempts) >= 3)
    assert not archiver.is_ready
    assert "no space left" in archiver.problem
    assert archiver.archived == {"S": 0}
    await archiver.intake.put(portion(4, 5))
    warehouse.works = True
    await eventually(lambda: archiver.archived == {"S": 5})
    writing.cancel()
    assert archiver.is_ready
    assert len({attempt.token for attempt in warehouse.attempts[:-1]}) == 1
    stored = [row[2] for block in warehouse.written for row in block.rows["records"]]
    assert stored == [1, 2, 3, 4, 5]


async def test_a_hole_in_what_is_read_stops_the_archiver() -> None:
    archiver = archiver_on(FailingWarehouse())
    await archiver.intake.put(portion(2, 3))
    with pytest.raises(CorruptionError, match="S sequence 2 was read where 1 comes next"):
        await archiver.write_blocks()
