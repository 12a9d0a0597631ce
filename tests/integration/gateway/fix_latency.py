# SPDX-License-Identifier: Apache-2.0
"""What FIX costs: `python -m tests.integration.gateway.fix_latency [ORDERS]`.

From a NewOrderSingle to its first report, one order after the other, on a bus, replicas and gateway
of its own; and the same over a WebSocket, whose reports wait for nothing.
"""

import asyncio
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from tests.integration.gateway.conftest import TRADER, free_port, started_platform
from tests.integration.gateway.fix_trader import Trader
from tests.integration.gateway.test_gateway import order
from tradewind.cli.client import GatewaySocket, Message

ORDERS = 500


async def measured(send: Callable[[str], Awaitable[None]], told: "asyncio.Queue[str]") -> str:
    """Percentiles over many orders, in ms."""
    took = []
    for number in range(ORDERS if len(sys.argv) < 2 else int(sys.argv[1])):
        began_s = time.perf_counter()
        await send(f"lat-{number}")
        await told.get()
        took.append((time.perf_counter() - began_s) * 1000)
    took.sort()
    shown = {share: took[len(took) * share // 100] for share in (50, 90, 99)}
    return ", ".join(f"p{share} {value:.2f} ms" for share, value in shown.items())


async def main() -> None:
    """Measures both."""
    told: asyncio.Queue[str] = asyncio.Queue()
    with tempfile.TemporaryDirectory() as folder:
        async with started_platform(Path(folder)) as platform:
            port = free_port()
            platform.kill("gateway-1")
            platform.gateway_env["TRADEWIND_FIX_PORT"] = str(port)
            platform.start_gateway()
            await platform.ready()
            trader = Trader(on_told=lambda message: told.put_nowait(message[11]))
            async with trader.connected(port):
                print("FIX      ", await measured(trader.order, told))

            def hear(message: Message) -> None:
                if message["type"] == "report":
                    told.put_nowait(message["report"]["cl_ord_id"])

            socket = await GatewaySocket.connect(platform.url, TRADER, hear)

            async def submit(cl_ord_id: str) -> None:
                socket.send({"type": "submit", **order(f"ws-{cl_ord_id}")})

            print("WebSocket", await measured(submit, told))
            await socket.close()


if __name__ == "__main__":
    asyncio.run(main())
