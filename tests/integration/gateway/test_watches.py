# SPDX-License-Identifier: Apache-2.0
"""A WebSocket session sees quotes that are published, and positions as replicas have them."""

import json
from typing import Any

import pytest

from tradewind.cli.client import GatewayClient, GatewaySocket
from tradewind.common import subjects
from tradewind.common.testing import eventually

from .conftest import OPERATOR, TRADER, Platform
from .test_gateway import order

pytestmark = [pytest.mark.cluster, pytest.mark.anyio]


async def test_a_session_sees_the_market_and_its_positions_move(platform: Platform) -> None:
    heard: list[dict[str, Any]] = []
    socket = await GatewaySocket.connect(platform.url, TRADER, heard.append)

    def positions() -> list[dict[str, Any]]:
        return [each["position"] for each in heard if each["type"] == "position"]

    socket.send({"type": "subscribe", "quotes": ["BTC-USD"], "positions": ["BENCH0"]})
    await eventually(lambda: any(each["type"] == "subscribed" for each in heard))
    quote = {"symbol": "BTC-USD", "bid_px": 9_999_999, "bid_qty": 1, "ask_px": 0, "ask_qty": 0}
    body = json.dumps(quote | {"is_crossed": False, "ts_ns": 1}).encode()

    async def is_quoted() -> bool:
        """What is published before the gateway listens is not heard."""
        await platform.bus.publish(subjects.market_data("SIM", "BTC-USD", "quote"), body)
        return any(each["type"] == "quote" and each["bid_px"] == "99999.99" for each in heard)

    await eventually(is_quoted)
    socket.send({"type": "submit", **order("w-1")})
    await eventually(lambda: any(row["buy_working"] != "0" for row in positions()))
    async with GatewayClient(platform.url, OPERATOR) as operator:
        booked = {"account": "BENCH0", "cl_ord_id": "w-2", "symbol": "BTC-USD", "qty": "2"}
        await operator.operate("positions/adjust", booked | {"price": "100000", "reason": "drill"})
    await eventually(lambda: any(row["qty"] == "2" for row in positions()))
    assert {row["account"] for row in positions()} == {"BENCH0"}
    await socket.close()
