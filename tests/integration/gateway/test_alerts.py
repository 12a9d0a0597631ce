# SPDX-License-Identifier: Apache-2.0
"""Alerts with real processes: raised, told, handed on, taken; none missed while risk was gone."""

import time
from typing import Any

import pytest

from tests.unit.notifier.receiver import SECRET, Receiver
from tradewind.cli.client import GatewayClient
from tradewind.common.jetstream import KeyValue
from tradewind.common.testing import eventually

from .conftest import OPERATOR, SHARDS, SUPERVISOR, TRADER, Platform
from .test_gateway import order

pytestmark = [pytest.mark.cluster, pytest.mark.anyio]

PATH = "/v1/admin/alerts"
TOO_MANY = {"order_qty": "1000000"}


def start_risk(platform: Platform, rank: int) -> None:
    env = {"TRADEWIND_VENUE": "SIM", "TRADEWIND_RANK": str(rank)}
    platform.start("risk", f"risk-{rank}", env)


def start_notifier(platform: Platform, url: str) -> None:
    secret = platform.folder / "webhook"
    secret.write_text(SECRET)
    env = {"TRADEWIND_WEBHOOK_URL": url, "TRADEWIND_WEBHOOK_SECRET_FILE": str(secret)}
    platform.start("notifier", "notifier-0", env)


async def is_beating(platform: Platform, key: str) -> bool:
    return await KeyValue(platform.bus, "STATUS").get(key) is not None


async def risk_begins(platform: Platform) -> None:
    """From now on nothing is missed."""

    async def is_written_down() -> bool:
        found = await platform.bus.api("STREAM.INFO.KV_ALERTS")
        return bool(found["state"]["messages"] >= SHARDS)

    await eventually(is_written_down, 30.0)


async def listed(client: GatewayClient) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await client.call("GET", PATH))["alerts"]
    return found


async def test_an_alert_is_raised_handed_on_and_taken(
    platform: Platform, capsys: pytest.CaptureFixture[str]
) -> None:
    for rank in (0, 1):
        start_risk(platform, rank)
    async with Receiver() as receiver:
        start_notifier(platform, receiver.url)
        await risk_begins(platform)
        await eventually(lambda: is_beating(platform, "notifier.notifier-0"), 30.0)
        await raised_handed_on_and_taken(platform, receiver, capsys)


async def raised_handed_on_and_taken(
    platform: Platform, receiver: Receiver, capsys: pytest.CaptureFixture[str]
) -> None:
    async with GatewayClient(platform.url, OPERATOR) as operator:
        async with GatewayClient(platform.url, TRADER) as trader:
            # Whoever listens has seen an order pass, and then one that may not.
            await trader.submit(order("c-1"))
            platform.kill("risk-0")
            began_s = time.monotonic()
            for number in (2, 3):
                denied = await trader.submit(order(f"c-{number}", **TOO_MANY))
                assert denied["outcome"] == "denied"

        async def first() -> dict[str, Any] | None:
            return next(iter(await listed(operator)), None)

        raised = await eventually(first, 15.0)
        raised_s = time.monotonic() - began_s
        await eventually(lambda: receiver.events(raised["alert_id"]), 15.0)
        told_s = receiver.at_s[0] - began_s
        with capsys.disabled():
            print(f"\nraised after {raised_s * 1000:.0f} ms, told after {told_s * 1000:.0f} ms")
        assert len(await listed(operator)) == 1
        assert (raised["owner"], raised["scope"]) == ("operator", "account:BENCH0")
        assert raised["control"].startswith("C")

        async def is_handed_on() -> bool:
            return bool((await listed(operator))[0]["owner"] == "supervisor")

        await eventually(is_handed_on, 15.0)
    async with GatewayClient(platform.url, SUPERVISOR) as supervisor:
        asked = {"alert_id": raised["alert_id"], "note": "a test"}
        taken = await supervisor.call("POST", f"{PATH}/acknowledge", body=asked)
        assert taken["alert"]["acknowledged_by"] == "second"
        assert taken["alert"]["is_escalated"]

        async def is_none_open() -> bool:
            found = await supervisor.call("GET", PATH, query={"open_only": "true"})
            return not found["alerts"]

        # A read may come from a replica of the bucket that is a moment behind.
        await eventually(is_none_open)
    told = ["open", "escalated", "acknowledged"]
    await eventually(lambda: receiver.events(raised["alert_id"]) == told)


async def test_what_happened_without_risk_is_raised_when_it_starts(platform: Platform) -> None:
    start_risk(platform, 0)
    await risk_begins(platform)
    platform.kill("risk-0")
    async with GatewayClient(platform.url, OPERATOR) as operator:
        async with GatewayClient(platform.url, TRADER) as trader:
            await trader.submit(order("never", **TOO_MANY))
        assert await listed(operator) == []
        start_risk(platform, 0)

        async def is_raised() -> bool:
            return len(await listed(operator)) == 1

        await eventually(is_raised, 15.0)
