# SPDX-License-Identifier: Apache-2.0
"""What is seen of orders at a ccxt exchange -> reports, by whatever way it is seen.

Streams, answers and questions show the same order many times, in no certain order. Each time it is
told what was not told before: that it was taken, its fills, its end. The end comes after all its
fills, which are fetched if they were not seen.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from tradewind.common import subjects
from tradewind.common.grid import Grid
from tradewind.core.commands import ApplyVenueReport
from tradewind.core.types import ExecType
from tradewind.venue.adapter import VenueGone
from tradewind.venue.ccxt_orders import ENDS, Plain, Reporter, lots, ours, unified
from tradewind.venue.instruments import Instruments

log = logging.getLogger(__name__)

PAGE = 1000
DAY_MS = 86_400_000
KEPT = 100_000
PAUSES_S = (0.0, 0.1, 0.2, 0.4, 0.8, 1.6)
Fetch = Callable[..., Awaitable[list[Plain]]]


class _Seen:
    """What was told of one order."""

    def __init__(self, order_id: str) -> None:
        self.order_id = order_id
        self.told: set[str] = set()
        self.filled = 0


class Teller:
    """Everything that one shard's connection has seen."""

    def __init__(
        self,
        client: Any,
        reporter: Reporter,
        instruments: Instruments,
        shard: int,
        say: Callable[[ApplyVenueReport], None],
    ) -> None:
        self._client = client
        self._reporter = reporter
        self._instruments = instruments
        self._shard = shard
        self._say = say
        self._seen: OrderedDict[tuple[str, str], _Seen] = OrderedDict()
        self._live: dict[tuple[str, str], None] = {}

    async def order(
        self, order: Plain, *, order_id: str = "", request_id: str = "", is_again: bool = False
    ) -> None:
        """Tells what is new of an order; all of it, if `is_again`.

        Raises:
            VenueGone: if the exchange does not show fills that it says there are.
        """
        order_id = order_id or order["clientOrderId"] or ""
        grid = self._instruments.grid(ours(order["symbol"]))
        if grid is None or not self._is_ours(order_id):
            return
        seen = self._note(order, order_id)
        if is_again:
            seen.told.clear()
            seen.filled = 0
        end = ENDS.get(order["status"])
        name = f"{order['symbol']}-{order['id']}"
        if end is not ExecType.REJECTED:
            self._tell(seen, order, grid, ExecType.NEW, f"N-{name}")
        self._fills(seen, order, order.get("trades") or [], grid)
        await self._until_filled(seen, order, grid)
        if order["status"] == "open":
            self._live[order["symbol"], order["id"]] = None
        else:
            self._live.pop((order["symbol"], order["id"]), None)
        if end is not None:
            self._tell(seen, order, grid, end, f"E-{name}", request_id)

    async def prove(self, order: Plain, order_id: str, exec_id: str) -> None:
        """Tells all of an order again, and that it works at this very moment."""
        await self.order(order, order_id=order_id, is_again=True)
        grid = self._instruments.grid(ours(order["symbol"]))
        if grid is not None:
            self._say(self._reporter.state(order_id, order, grid, ExecType.NEW, exec_id))

    async def sync(self, since_ms: int, now_ms: int, *, with_ended: bool) -> None:
        """Tells what has happened since then, whether or not any stream has told it.

        `with_ended`: orders that ended since, although this connection has never seen them work.
        """
        for symbol in map(unified, self._instruments.symbols):
            if symbol not in self._client.markets:
                continue
            found = {}
            if with_ended:
                made = self._since(self._client.fetch_orders, symbol, since_ms - DAY_MS, now_ms)
                found = {
                    o["id"]: o async for o in made if (o["lastUpdateTimestamp"] or 0) >= since_ms
                }
            found |= {o["id"]: o for o in await self._client.fetch_open_orders(symbol)}
            trades: dict[str, list[Plain]] = {}
            async for trade in self._since(self._client.fetch_my_trades, symbol, since_ms, now_ms):
                trades.setdefault(trade["order"], []).append(trade)
            gone = [number for where, number in self._live if where == symbol]
            for number in {*trades, *gone} - found.keys():
                if number in gone or not self._is_told(symbol, number, trades[number]):
                    found[number] = await self._client.fetch_order(number, symbol)
            for number, order in found.items():
                await self.order({**order, "trades": trades.get(number, [])})

    def _is_told(self, symbol: str, number: str, trades: list[Plain]) -> bool:
        seen = self._seen.get((symbol, number))
        return seen is not None and all(f"T-{symbol}-{t['id']}" in seen.told for t in trades)

    async def _since(
        self, fetch: Fetch, symbol: str, since_ms: int, now_ms: int
    ) -> AsyncIterator[Plain]:
        """All items since a time, a day and a page at once."""
        for begin_ms in range(since_ms, now_ms + 1, DAY_MS):
            page: list[Plain] = []
            had: set[str] = set()
            first_ms = begin_ms
            while True:
                until = {"until": begin_ms + DAY_MS}
                page = await fetch(symbol, first_ms, PAGE, until)
                for item in page:
                    if item["id"] not in had:
                        had.add(item["id"])
                        yield item
                if len(page) < PAGE or page[-1]["timestamp"] == first_ms:
                    break
                first_ms = page[-1]["timestamp"]

    async def _until_filled(self, seen: _Seen, order: Plain, grid: Grid) -> None:
        """Fetches the fills that were not seen. Lists may be behind the order itself."""
        filled = lots(order["filled"], grid)
        for pause_s in PAUSES_S:
            if seen.filled >= filled:
                return
            await asyncio.sleep(pause_s)
            trades = await self._client.fetch_order_trades(order["id"], order["symbol"], None, PAGE)
            self._fills(seen, order, trades, grid)
        if seen.filled < filled:
            raise VenueGone(f"fills of order {seen.order_id} are missing at the venue")

    def _fills(self, seen: _Seen, order: Plain, trades: list[Plain], grid: Grid) -> None:
        for trade in trades:
            if trade["id"] is None:
                continue
            report = self._reporter.fill(seen.order_id, trade, order, grid)
            if report.exec_id not in seen.told:
                seen.told.add(report.exec_id)
                seen.filled += report.last_qty
                self._say(report)

    def _tell(
        self,
        seen: _Seen,
        order: Plain,
        grid: Grid,
        exec_type: ExecType,
        exec_id: str,
        request_id: str = "",
    ) -> None:
        if exec_id not in seen.told:
            seen.told.add(exec_id)
            self._say(
                self._reporter.state(seen.order_id, order, grid, exec_type, exec_id, request_id)
            )

    def _note(self, order: Plain, order_id: str) -> _Seen:
        key = (order["symbol"], order["id"])
        if key not in self._seen:
            self._seen[key] = _Seen(order_id)
            if len(self._seen) > KEPT:
                self._seen.popitem(last=False)
        return self._seen[key]

    def _is_ours(self, order_id: str) -> bool:
        """Orders of other shards have their own connections; those of nobody's are shard 0's."""
        try:
            return subjects.shard_of_order(order_id) == self._shard
        except ValueError:
            return bool(order_id) and self._shard == 0
