# SPDX-License-Identifier: Apache-2.0
"""Orders over one FIX session at a time, which goes on wherever the edge takes it."""

import asyncio
import contextlib
import secrets
import time

from tests.integration.containers.load import AGAIN_S, GIVE_UP_S, Seen, order
from tests.integration.gateway.fix_trader import Trader
from tests.integration.simvenue.fix_client import Fields
from tradewind.cli.credentials import Credentials
from tradewind.common.testing import eventually

NOT_NOW = "j"


class FixSession:
    """One session. Every number of it has to come once, over whatever connections."""

    def __init__(self, port: int, key: Credentials) -> None:
        self._port = port
        self._trader = Trader(key.key_id, key.secret, self._hear)
        self._open: dict[str, tuple[dict[int, str], float]] = {}
        self._again: set[asyncio.Future[None]] = set()
        self.seen = Seen()

    async def run(self, rate: float, seconds: float) -> Seen:
        """Sends at `rate`, then waits for what is open."""
        keeping = asyncio.ensure_future(self._keep())
        try:
            await self._send(rate, seconds, keeping)
        finally:
            keeping.cancel()
            await asyncio.gather(keeping, *self._again, return_exceptions=True)
        assert self._trader.heard == set(range(1, self._trader.next_in)), "a number is missing"
        return self.seen

    async def _send(self, rate: float, seconds: float, keeping: asyncio.Future[None]) -> None:
        await eventually(lambda: self._trader.is_logged_on)
        for number in range(int(rate * seconds)):
            cl_ord_id = f"fix-{secrets.token_hex(6)}"
            terms = _terms(number)
            self._open[cl_ord_id] = (terms, time.monotonic())
            await self._trader.order(cl_ord_id, terms)
            await asyncio.sleep(1 / rate)
        with contextlib.suppress(AssertionError):
            await eventually(lambda: not self._open or keeping.done(), GIVE_UP_S)
        self.seen.errors = len(self._open)
        if keeping.done():
            keeping.result()

    def _hear(self, message: Fields) -> None:
        if message[35] == NOT_NOW:
            again = asyncio.ensure_future(self._order_again(message[379]))
            self._again.add(again)
            again.add_done_callback(self._again.discard)
        elif message.get(11) in self._open:
            _terms, began_s = self._open.pop(message[11])
            self.seen.answer(began_s, is_denied=message[39] == "8")

    async def _order_again(self, cl_ord_id: str) -> None:
        await asyncio.sleep(AGAIN_S)
        if cl_ord_id in self._open:
            self.seen.retries += 1
            await self._trader.order(cl_ord_id, self._open[cl_ord_id][0])

    async def _keep(self) -> None:
        is_first = True
        while True:
            with contextlib.suppress(OSError):
                async with self._trader.connected(self._port, is_new=is_first):
                    is_first = is_first and not self._trader.is_logged_on
                    await self._trader.until(lambda: self._trader.is_cut, GIVE_UP_S * 10)
            await asyncio.sleep(AGAIN_S)


def _terms(number: int) -> dict[int, str]:
    """The same orders as over REST."""
    asked = order(number)
    side = "1" if asked["side"] == "BUY" else "2"
    qty = asked["order_qty"]
    return {1: asked["account"], 55: asked["symbol"], 54: side, 38: qty, 40: "1", 59: "3"}
