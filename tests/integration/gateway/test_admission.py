# SPDX-License-Identifier: Apache-2.0
"""Whatever happens to the journal or the shard, every request gets an explicit answer in time."""

import asyncio
import signal
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter

import pytest

from tradewind.cli.client import GatewayClient, GatewayError
from tradewind.common import codec, subjects
from tradewind.common.testing import eventually
from tradewind.core.commands import SetTradingState
from tradewind.core.types import TradingState

from .conftest import SHARDS, TRADER, Platform, started_platform
from .test_gateway import order

pytestmark = [pytest.mark.cluster, pytest.mark.anyio]

LIMIT_MS = 250.0
MEASURING_MS = 100.0
"""Allowed for the client, the HTTP call and a scheduler with more processes than cores."""
EXPLICIT = {
    "accepted",
    "durable",
    "JOURNAL_UNAVAILABLE",
    "OUTCOME_UNKNOWN",
    "NOT_PROCESSING",
    "NOT_READY",
}
TRADERS = 4
PAUSE_S = 0.02
LOAD_S = 8.0
ORDERS_BEFORE = 50


@pytest.fixture
async def platform(tmp_path: Path) -> AsyncIterator[Platform]:
    """Its gateway waits as long as gateways do unless they are told otherwise."""
    async with started_platform(tmp_path, TRADEWIND_ANSWER_WAIT_MS="200") as started:
        yield started


@dataclass
class Answers:
    """What clients were told, and after how long."""

    codes: Counter[str] = field(default_factory=Counter)
    slowest_ms: float = 0.0

    async def submit(self, client: GatewayClient, cl_ord_id: str) -> str:
        started_s = perf_counter()
        try:
            code = str((await client.submit(order(cl_ord_id)))["outcome"])
        except GatewayError as error:
            code = error.code
        self.slowest_ms = max(self.slowest_ms, (perf_counter() - started_s) * 1000)
        self.codes[code] += 1
        return code


async def load(platform: Platform, answers: Answers, seconds: float) -> None:
    """Several clients that send one order after the other."""
    loop = asyncio.get_running_loop()
    until_s = loop.time() + seconds

    async def trade(trader: int) -> None:
        number = 0
        async with GatewayClient(platform.url, TRADER) as client:
            while loop.time() < until_s:
                number += 1
                await answers.submit(client, f"t{trader}-{number}")
                await asyncio.sleep(PAUSE_S)

    await asyncio.gather(*(trade(trader) for trader in range(TRADERS)))


@pytest.mark.parametrize("harm", [signal.SIGKILL, signal.SIGSTOP])
async def test_the_loss_of_the_journals_leader_is_told_in_time(
    platform: Platform, harm: signal.Signals, capsys: pytest.CaptureFixture[str]
) -> None:
    shard = subjects.shard_of("BENCH0", SHARDS)
    info = await platform.bus.api(f"STREAM.INFO.{subjects.journal_stream(shard)}")
    leader = info["cluster"]["leader"]
    answers = Answers()
    loading = asyncio.create_task(load(platform, answers, LOAD_S))
    await eventually(lambda: answers.codes["accepted"] >= ORDERS_BEFORE)
    platform.cluster.signal_node(leader, harm)
    await loading
    with capsys.disabled():
        print(f"\n{harm.name} of the journal's leader: {answers}")
    assert answers.slowest_ms < LIMIT_MS + MEASURING_MS
    assert answers.codes["accepted"] > 0
    assert answers.codes["JOURNAL_UNAVAILABLE"] + answers.codes["OUTCOME_UNKNOWN"] > 0
    assert set(answers.codes) <= EXPLICIT


async def test_a_halted_shard_denies_in_time(platform: Platform) -> None:
    shard = subjects.shard_of("BENCH0", SHARDS)
    halt = SetTradingState(scope="shard", state=TradingState.HALTED, actor="ops", reason="test")
    await platform.bus.publish(subjects.journal_subject(shard, halt), codec.encode(halt))
    answers = Answers()
    async with GatewayClient(platform.url, TRADER) as client:
        for number in range(20):
            assert await answers.submit(client, f"h{number}") == "denied"
    assert answers.slowest_ms < LIMIT_MS + MEASURING_MS


async def test_a_shard_without_replicas_says_so_in_time(platform: Platform) -> None:
    platform.kill(f"oms-{subjects.shard_of('BENCH0', SHARDS)}-0")
    answers = Answers()
    await load(platform, answers, 4.0)
    assert answers.slowest_ms < LIMIT_MS + MEASURING_MS
    assert answers.codes["NOT_PROCESSING"] > 0
