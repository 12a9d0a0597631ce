# SPDX-License-Identifier: Apache-2.0
"""An engine that others have written, before a real gateway, journal and core."""

from pathlib import Path

import pytest

from tests.integration.venue.test_quickfix import quickfix
from tradewind.cli.client import GatewayClient

from .conftest import TRADER, Platform, free_port

pytestmark = [pytest.mark.cluster, pytest.mark.anyio]

NOW = "60=20260302-10:00:00"
ORDER = f"35=D|1=BENCH0|11={{}}|55=BTC-USD|54=1|{NOW}|38={{}}|40=2|44=99999.99|59=1|5005=test"


async def test_quickfix_enters_orders_and_goes_to_another_gateway(
    platform: Platform, tmp_path: Path
) -> None:
    first, second = free_port(), free_port()
    platform.kill("gateway-1")
    platform.gateway_env["TRADEWIND_FIX_PORT"] = str(first)
    platform.start_gateway()
    platform.gateway_env["TRADEWIND_FIX_PORT"] = str(second)
    platform.start_other_gateway()
    await platform.ready()
    await platform.ready(platform.other_url)
    async with quickfix("trader", tmp_path / "quick", first) as peer:
        await peer.until("logon")
        peer.send(ORDER.format("q-1", "0.01"))
        await peer.until("app", "|150=A|")
        peer.send(ORDER.format("q-2", "1000000"))
        await peer.until("app", "|150=8|")
        peer.send(f"35=F|1=BENCH0|11=x-1|41=never|55=BTC-USD|54=1|{NOW}")
        await peer.until("app", "|35=9|")
        peer.send("35=H|1=BENCH0|11=q-1|55=BTC-USD|54=1|790=question")
        await peer.until("app", "|790=question|")
        platform.kill("gateway-1")
        await peer.until("logout")
    async with quickfix("trader", tmp_path / "quick", second) as peer:
        await peer.until("logon")
        peer.send("35=AF|584=all|585=7")
        await peer.until("app", "|11=q-1|")
        peer.send(ORDER.format("q-1", "0.01"))
        await peer.until("app", "|58=DUPLICATE_CL_ORD_ID|")
        peer.send(f"35=G|1=BENCH0|11=q-3|41=q-1|55=BTC-USD|54=1|{NOW}|38=0.02|40=2|44=99999.98")
        await peer.until("app", "|11=q-3|")
        async with GatewayClient(platform.other_url, TRADER) as client:
            order = await client.order("BENCH0", "q-1")
            await client.cancel("BENCH0", "q-1", "x-2")
        assert order["client"] == "test"
        await peer.until("app", "|11=x-2|")
        assert not peer.texts("admin", "|35=3|")
    assert await platform.client_entries("BENCH0") >= 6
