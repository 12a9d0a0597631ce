# SPDX-License-Identifier: Apache-2.0
"""Orders per second through one gateway's WebSocket, counted by the reports that come back."""

import asyncio
import secrets
import time
from decimal import Decimal
from itertools import count
from typing import Any

from tradewind.cli.bench import orders
from tradewind.cli.client import GatewayError, GatewaySocket
from tradewind.cli.credentials import Credentials
from tradewind.common.grid import Grid
from tradewind.common.init_job.defaults import BENCH_ACCOUNTS, INSTRUMENTS

WINDOW = 1000
BURST = 64
STALLED_S = 10.0


async def gateway_orders_per_s(
    url: str, credentials: Credentials, reference: int, seconds: float
) -> float:
    """Accepted orders per second of one pipelined WebSocket.

    Raises:
        GatewayError: if the gateway takes no WebSocket, or drops it.
    """
    return await _GatewayLoad(reference).run(url, credentials, seconds)


class _GatewayLoad:
    def __init__(self, reference: int) -> None:
        instrument = INSTRUMENTS[0]
        grid = Grid(Decimal(instrument.tick_size), Decimal(instrument.lot_size))
        self._template: dict[str, Any] = {
            "type": "submit",
            "symbol": instrument.symbol,
            "side": "BUY",
            "ord_type": "LIMIT",
            "time_in_force": "GTC",
            "order_qty": grid.lots_to_text(orders.ORDER_QTY),
            "price": grid.ticks_to_text(reference // 2),
            "strategy": "bench",
        }
        self._sent = 0
        self._accepted = 0
        self._other = 0
        self._wake = asyncio.Event()

    async def run(self, url: str, credentials: Credentials, seconds: float) -> float:
        """Keeps a window of orders under way for the time."""
        socket = await GatewaySocket.connect(url, credentials, self._on_message)
        run, numbers = secrets.token_hex(4), count()
        start_s = time.perf_counter()
        end_s = start_s + seconds
        try:
            while time.perf_counter() < end_s:
                if not socket.is_open:
                    raise GatewayError("the gateway closed the WebSocket under load")
                room = min(BURST, WINDOW - (self._sent - self._accepted - self._other))
                for _ in range(room):
                    number = next(numbers)
                    account = BENCH_ACCOUNTS[number % len(BENCH_ACCOUNTS)]
                    order = {"account": account, "cl_ord_id": f"{run}-{number}", **self._template}
                    socket.send(order)
                    self._sent += 1
                if room <= 0:
                    await self._until_room()
                await asyncio.sleep(0)
            return round(self._accepted / (time.perf_counter() - start_s), 1)
        finally:
            await socket.close()

    def _on_message(self, message: dict[str, Any]) -> None:
        kind = message.get("type")
        if kind == "report":
            exec_type = message.get("report", message).get("exec_type")
            self._accepted += exec_type == "PENDING_NEW"
            self._other += exec_type == "DENIED"
        elif kind == "error":
            self._other += 1
        self._wake.set()

    async def _until_room(self) -> None:
        self._wake.clear()
        try:
            async with asyncio.timeout(STALLED_S):
                await self._wake.wait()
        except TimeoutError:
            return
