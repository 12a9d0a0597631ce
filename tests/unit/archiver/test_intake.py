# SPDX-License-Identifier: Apache-2.0
"""The intake lingers for more, hands over full blocks at once, and holds readers back."""

import asyncio

import pytest

from tradewind.archiver.batches import Portion
from tradewind.archiver.intake import Intake
from tradewind.common.jetstream import Record

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def portion(size: int) -> Portion:
    return Portion("S", "seg", [Record(seq, 0, "s", {}, b"") for seq in range(size)])


async def test_what_fills_a_block_is_taken_at_once() -> None:
    intake = Intake(block_records=10, linger_ms=60_000)
    await intake.put(portion(10))
    async with asyncio.timeout(5):
        assert [len(taken.records) for taken in await intake.take()] == [10]


async def test_less_than_a_block_is_taken_after_lingering() -> None:
    intake = Intake(block_records=10, linger_ms=1)
    await intake.put(portion(3))
    async with asyncio.timeout(5):
        assert [len(taken.records) for taken in await intake.take()] == [3]


async def test_a_reader_waits_while_a_block_is_full() -> None:
    intake = Intake(block_records=10, linger_ms=1)
    await intake.put(portion(10))
    waiting = asyncio.ensure_future(intake.put(portion(1)))
    await asyncio.wait({waiting}, timeout=0.02)
    assert not waiting.done()
    await intake.take()
    async with asyncio.timeout(5):
        await waiting
        assert [len(taken.records) for taken in await intake.take()] == [1]
