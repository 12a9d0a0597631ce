# SPDX-License-Identifier: Apache-2.0
"""Cancel on disconnect, with real gateways: closed, killed, and killed without a successor."""

import pytest

from tests.integration.gateway.conftest import TRADER, Platform
from tests.integration.gateway.test_gateway import order
from tradewind.cli.client import GatewayClient, GatewayError, GatewaySocket
from tradewind.common.testing import eventually

pytestmark = [pytest.mark.cluster, pytest.mark.anyio]


async def enter(platform: Platform, name: str, *, url: str = "") -> GatewaySocket:
    """An order of account BENCH0 that ends with the connection, and one of BENCH1 that does not."""
    reports: list[str] = []

    def hear(message: dict[str, object]) -> None:
        report = message.get("report", message)
        if isinstance(report, dict) and report.get("exec_type") == "PENDING_NEW":
            reports.append(str(report["cl_ord_id"]))

    socket = await GatewaySocket.connect(
        url or platform.url, TRADER, hear, cancel_on_disconnect=["BENCH0"]
    )
    for account in ("BENCH0", "BENCH1"):
        socket.send({"type": "submit"} | order(f"{name}-{account}", account=account))
    await eventually(lambda: len(reports) == 2, 10)
    return socket


async def has_ended(url: str, name: str) -> bool:
    """Whether the order that should end is being cancelled; the other one never is."""
    try:
        async with GatewayClient(url, TRADER) as client:
            kept = await client.order("BENCH1", f"{name}-BENCH1")
            assert kept["ord_status"] == "PENDING_NEW"
            guarded = await client.order("BENCH0", f"{name}-BENCH0")
            return bool(guarded["ord_status"] == "PENDING_CANCEL")
    except GatewayError:
        return False


async def test_orders_end_with_the_connection_also_if_its_gateway_dies(platform: Platform) -> None:
    closed = await enter(platform, "closed")
    await closed.close()
    await eventually(lambda: has_ended(platform.url, "closed"), 10)

    platform.start_other_gateway()
    await platform.ready(platform.other_url)
    killed = await enter(platform, "killed")
    platform.kill("gateway-1")
    await eventually(lambda: has_ended(platform.other_url, "killed"), 20)
    await killed.close()

    alone = await enter(platform, "alone", url=platform.other_url)
    platform.kill("gateway-2")
    platform.start_other_gateway()
    await platform.ready(platform.other_url)
    await eventually(lambda: has_ended(platform.other_url, "alone"), 20)
    await alone.close()


async def test_an_account_that_the_key_may_not_use_cannot_be_guarded(platform: Platform) -> None:
    with pytest.raises(GatewayError) as caught:
        await GatewaySocket.connect(
            platform.url, TRADER, lambda _message: None, cancel_on_disconnect=["DEMO"]
        )
    assert caught.value.code == "ACCOUNT_NOT_ALLOWED"
