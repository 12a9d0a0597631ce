# SPDX-License-Identifier: Apache-2.0
"""An engine that others have written, before a real gateway, journal and core."""

from pathlib import Path

import pytest

from tests.integration.venue.test_quickfix import quickfix
from tradewind.cli.client import GatewayClient

from .conftest import TRADER, Platform, free_port
from .fix_trader import Trader

pytestmark = [pytest.mark.cluster, pytest.mark.anyio]

NOW = "60=20260302-10:00:00"
ORDERS, KILLED_AFTER = 600, 50
ORDER = f"35=D|1=BENCH0|11={{}}|55=BTC-USD|54=1|{NOW}|38={{}}|40=2|44=99999.99|59=1|5005=test"


async def two_gateways(platform: Platform) -> tuple[int, int]:
    """Two gateways' FIX ports."""
    first, second = free_port(), free_port()
    platform.kill("gateway-1")
    platform.gateway_env["TRADEWIND_FIX_PORT"] = str(first)
    platform.start_gateway()
    platform.gateway_env["TRADEWIND_FIX_PORT"] = str(second)
    platform.start_other_gateway()
    await platform.ready()
    await platform.ready(platform.other_url)
    return first, second


async def test_quickfix_enters_orders_and_goes_on_at_another_gateway(
    platform: Platform, tmp_path: Path
) -> None:
    first, second = await two_gateways(platform)
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
    async with GatewayClient(platform.other_url, TRADER) as client:
        await client.cancel("BENCH0", "q-1", "x-1")
    async with quickfix("trader", tmp_path / "quick", second) as peer:
        await peer.until("logon")
        await peer.until("app", "|11=x-1|")
        assert len(peer.texts("app", "|11=x-1|")) == 1
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
        peer.send(f"35=q|1=BENCH0|11=m-1|530=7|{NOW}")
        await peer.until("app", "|35=r|")
        assert not peer.texts("admin", "|35=3|")
        assert not peer.texts("admin", "|141=Y|")
    assert await platform.client_entries("BENCH0") >= 6


async def test_a_session_goes_on_when_its_gateway_is_killed_under_load(
    platform: Platform,
) -> None:
    first, second = await two_gateways(platform)
    trader = Trader()
    async with trader.connected(first):
        for number in range(ORDERS):
            await trader.order(f"k-{number}")
        await trader.until(lambda: len(trader.told) > KILLED_AFTER)
        platform.kill("gateway-1")
        await trader.until(lambda: trader.is_cut)
    async with trader.connected(second):
        await trader.until(lambda: len(trader.accepted) == ORDERS)
        await trader.order("last")
        await trader.until(lambda: "last" in trader.accepted)
    assert trader.heard == set(range(1, trader.next_in))
    reports = [fields for fields in trader.told.values() if fields[35] == "8"]
    assert len({fields[17] for fields in reports}) == len(reports)
    assert await platform.client_entries("BENCH0") >= ORDERS + 1


async def test_the_latest_logon_has_the_session(platform: Platform) -> None:
    first, second = await two_gateways(platform)
    old, new = Trader(), Trader()
    async with old.connected(first):
        await old.order("a-1")
        await old.until(lambda: "a-1" in old.accepted)
        new.take_over(old)
        async with new.connected(second):
            await new.order("a-2")
            await new.until(lambda: "a-2" in new.accepted)
            await old.until(lambda: old.is_cut)
            assert "a-2" not in old.accepted


async def test_a_drop_copy_has_everybody_s_orders(platform: Platform) -> None:
    first, _second = await two_gateways(platform)
    watcher, trader = Trader("watcher", "watcher-secret"), Trader()
    async with watcher.connected(first), trader.connected(first):
        await trader.order("d-1")
        await watcher.until(lambda: "d-1" in watcher.accepted)
        (copy,) = [fields for fields in watcher.told.values() if fields.get(11) == "d-1"]
        assert (copy[797], copy[448]) == ("Y", "test")
