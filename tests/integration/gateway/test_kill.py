# SPDX-License-Identifier: Apache-2.0
"""The kill switch drill: nodes dead, journals without a leader, replicas gone, gateways restarted.

What is proved beside it: `tests/unit/venue/test_kill.py` (connectors) and
`tests/unit/core/test_kill.py` (the state that outlives restarts).
"""

import asyncio
import signal
import time
from contextlib import suppress

import pytest

from tradewind.cli.client import GatewayClient, GatewayError
from tradewind.cli.credentials import Credentials
from tradewind.common import subjects
from tradewind.common.testing import eventually

from .conftest import OPERATOR, SHARDS, SUPERVISOR, TRADER, Platform

pytestmark = [pytest.mark.anyio, pytest.mark.cluster]

ORDER = {
    "account": "BENCH0",
    "symbol": "BTC-USD",
    "side": "BUY",
    "ord_type": "LIMIT",
    "time_in_force": "GTC",
    "order_qty": "1",
    "price": "100000",
    "strategy": "s1",
}
KILL = {"scope": "firm", "kill_id": "k-1", "reason": "drill"}
BOUND_S = 0.1


async def outcome(url: str, key: Credentials, cl_ord_id: str) -> str:
    """accepted, the reason of a denial, or the gateway's code."""
    async with GatewayClient(url, key) as client:
        try:
            answer = await client.submit({**ORDER, "cl_ord_id": cl_ord_id})
        except GatewayError as error:
            return error.code
    return str(answer["report"]["reason"] or answer["outcome"])


async def killed_within(platform: Platform, attempts: str) -> float:
    """Says the kill to one gateway; how long until the other one refuses, in seconds."""

    async def say() -> None:
        """The journal does not answer: what stops is stopped all the same."""
        async with GatewayClient(platform.url, OPERATOR) as operator:
            with suppress(GatewayError):
                await operator.operate("kill", KILL)

    stopped = asyncio.Event()

    async def attempt(trader: GatewayClient, number: int) -> None:
        with suppress(GatewayError):
            await trader.submit({**ORDER, "cl_ord_id": f"{attempts}-{number}"})
            return
        code = await outcome(platform.other_url, TRADER, f"{attempts}-{number}-again")
        if code == "KILLED":
            stopped.set()

    async with GatewayClient(platform.other_url, TRADER) as trader:
        await trader.instruments()
        began = time.monotonic()
        saying = asyncio.ensure_future(say())
        trying = []
        for number in range(1_000):
            trying.append(asyncio.ensure_future(attempt(trader, number)))
            await asyncio.sleep(0.01)
            if stopped.is_set():
                break
        took = time.monotonic() - began
        await asyncio.gather(saying, *trying)
    return took


async def test_a_kill_stops_every_gateway_without_a_stream_leader_and_outlives_everything(
    platform: Platform,
) -> None:
    platform.start_other_gateway()
    await platform.ready(platform.other_url)
    assert await outcome(platform.url, TRADER, "before") == "accepted"
    dead = [node.name for node in platform.cluster.config.nodes[1:]]
    for name in dead:
        platform.cluster.signal_node(name, signal.SIGKILL)
    for shard in range(SHARDS):
        platform.kill(f"oms-{shard}-0")
    await eventually(lambda: is_refused(platform), 20.0, what="gateways on the node that is left")
    took_s = await killed_within(platform, "a")
    assert took_s < BOUND_S, f"{took_s * 1000:.0f} ms"
    for name in dead:
        platform.cluster.start_node(name)
    for shard in range(SHARDS):
        platform.start_replica(shard)
    await eventually(lambda: is_journaled(platform), 60.0, what="the kill in every journal")
    for instance in ("gateway-1", "gateway-2"):
        platform.kill(instance)
    platform.start_gateway()
    await platform.ready()
    assert await outcome(platform.url, TRADER, "after") == "KILLED"
    async with GatewayClient(platform.url, OPERATOR) as operator:
        found = await operator.call("GET", "/v1/admin/kills")
    assert {(row["scope"], row["kill_id"]) for row in found["kills"]} == {("firm", "k-1")}
    assert [order["cl_ord_id"] for order in found["unconfirmed"]] == ["before"]
    await cleared_by_two(platform)


async def is_refused(platform: Platform) -> bool:
    """The other gateway answers again, if only that the journal does not."""
    found = await outcome(platform.other_url, TRADER, f"probe-{time.monotonic_ns()}")
    return found not in ("accepted", "NOT_READY", "GATEWAY_UNREACHABLE")


async def is_journaled(platform: Platform) -> bool:
    counts = []
    for shard in range(SHARDS):
        subject = subjects.journal_control(shard, "KillScope")
        try:
            info = await platform.bus.api(
                f"STREAM.INFO.{subjects.journal_stream(shard)}", {"subjects_filter": subject}
            )
        except Exception:
            return False
        counts.append(sum((info["state"].get("subjects") or {}).values()))
    return all(counts)


async def cleared_by_two(platform: Platform) -> None:
    """One person cannot; two can; then somebody opens the scope."""
    clear = {"scope": "firm", "kill_id": "k-1", "root_cause": "INC-7"}
    async with (
        GatewayClient(platform.url, OPERATOR) as operator,
        GatewayClient(platform.url, SUPERVISOR) as second,
    ):
        assert (await operator.operate("clear-kill", clear))["outcome"] == "accepted"
        alone = await operator.operate("clear-kill", clear)
        assert alone["shards"][0]["report"]["reason"] == "SECOND_PERSON_NEEDED"
        opened = await operator.set_trading_state("firm", "ACTIVE", "drill over")
        assert opened["shards"][0]["report"]["reason"] == "KILLED"
        assert (await second.operate("clear-kill", clear))["outcome"] == "accepted"
        assert await outcome(platform.url, TRADER, "halted") == "TRADING_HALTED"
        await operator.set_trading_state("firm", "ACTIVE", "drill over")
    assert await outcome(platform.url, TRADER, "again") in ("accepted", "STALE_REFERENCE_PRICE")
