# SPDX-License-Identifier: Apache-2.0
"""The intake lingers for more, keeps what is not stored, and holds readers back."""

import asyncio

import pytest

from tradewind.archiver.batches import Portion
from tradewind.archiver.intake import BLOCKS_MAX, Intake
from tradewind.common.jetstream import Record

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def portion(first: int, last: int, stream: str = "S") -> Portion:
    records = [Record(seq, 0, "s", {}, b"") for seq in range(first, last + 1)]
    return Portion(stream, "seg", records)


def sequences(intake: Intake) -> list[int]:
    return [record.seq for portion in intake.held() for record in portion.records]


async def test_what_fills_a_block_is_ready_at_once() -> None:
    intake = Intake(block_records=10, linger_ms=60_000)
    await intake.put(portion(1, 10))
    async with asyncio.timeout(5):
        await intake.ready()


async def test_less_than_a_block_is_ready_after_lingering() -> None:
    intake = Intake(block_records=10, linger_ms=1)
    await intake.put(portion(1, 3))
    async with asyncio.timeout(5):
        await intake.ready()


async def test_a_write_is_followed_by_a_pause_also_if_more_has_come_long_ago() -> None:
    intake = Intake(block_records=10, linger_ms=500)
    await intake.put(portion(1, 3))
    await intake.ready()
    intake.forget("S", 1)
    waiting = asyncio.ensure_future(intake.ready())
    await asyncio.wait({waiting}, timeout=0.02)
    assert not waiting.done()
    async with asyncio.timeout(5):
        await waiting


async def test_what_is_stored_is_forgotten_also_in_the_middle_of_a_portion() -> None:
    intake = Intake()
    await intake.put(portion(1, 3))
    await intake.put(portion(4, 6))
    await intake.put(portion(1, 2, "OTHER"))
    intake.forget("S", 4)
    assert sequences(intake) == [5, 6, 1, 2]
    intake.forget("S", 9)
    intake.forget("OTHER", 2)
    assert intake.held() == []


async def test_a_reader_waits_until_something_is_stored_and_forgotten() -> None:
    intake = Intake(block_records=10, linger_ms=1)
    await intake.put(portion(1, 10 * BLOCKS_MAX))
    waiting = asyncio.ensure_future(intake.put(portion(100, 100)))
    await asyncio.wait({waiting}, timeout=0.02)
    assert not waiting.done()
    intake.forget("S", 1)
    async with asyncio.timeout(5):
        await waiting
