# SPDX-License-Identifier: Apache-2.0
"""A trading client under chaos: an open loop of requests, and everything it was told on file.

Requests leave at their times whatever became of earlier ones (a closed loop would stop asking
just when it hurts). A request without an answer is asked again with the same id, over any gateway:
that must be harmless.
"""

import asyncio
import contextlib
import random
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from tradewind.cli.chaos.history import Writer
from tradewind.cli.client import GatewayClient, GatewayError, GatewaySocket
from tradewind.cli.credentials import Credentials
from tradewind.cli.demo_strategy.touch import Touch
from tradewind.common.grid import Grid

AGAIN_S = 0.75
"""How long a request waits for its answer before it is asked again; each time twice as long."""
AGAIN_MAX_S = 6.0
"""Not longer: a suite that is down need not be asked a hundred times for each order."""
NERVOUS = 0.02
"""The share of requests that are sent twice whatever the answer is: it must be harmless."""
NERVOUS_AFTER_S = (0.15, 0.6)
RECONNECT_S = 0.01
LOOK_EVERY_S = 0.01
LOOKS_WAITING_MAX = 3
LOOK_FOR_S = 1.0
"""After a fault each shard is asked so often and no longer: the load's own pace, slower than many a
recovery, would be what is measured. The first order that the venue has acknowledged ends it."""
DRAIN_S = 30.0
LOST_AFTER_S = 10.0
"""In a suite that is in step again, what is durable is known to every replica long before."""
QTY_LOTS = 100_000
REMEMBERED = 200
FINAL = frozenset({"FILLED", "CANCELED", "REJECTED", "EXPIRED", "DENIED"})
SETTLED = FINAL | {"NEW", "PARTIALLY_FILLED"}

Message = dict[str, Any]


@dataclass(slots=True)
class Asked:
    """A request that was not answered yet."""

    message: Message
    asked_s: float
    wait_s: float = AGAIN_S


@dataclass(slots=True)
class Working:
    """Orders that can be cancelled or replaced, newest last."""

    ids: deque[tuple[str, str]] = field(default_factory=lambda: deque(maxlen=REMEMBERED))


class Client:
    """One client with some accounts."""

    def __init__(
        self,
        *,
        name: str,
        gateways: list[str],
        credentials: Credentials,
        accounts: list[str],
        touch: Touch,
        grid: Grid,
        symbol: str,
        seed: int,
        history: Writer,
        lookouts: Sequence[str] = (),
    ) -> None:
        """`lookouts` are accounts, one of each shard."""
        self._name = name
        self._gateways = deque(gateways)
        self._credentials = credentials
        self._accounts = accounts
        self._touch = touch
        self._grid = grid
        self._symbol = symbol
        self._random = random.Random(seed)
        self._history = history
        self._lookouts = lookouts
        self._looking: asyncio.Future[None] | None = None
        self._socket: GatewaySocket | None = None
        self._unanswered: dict[tuple[str, str], Asked] = {}
        self._working = Working()
        self._orders: dict[tuple[str, str], str] = {}
        self._status: dict[tuple[str, str], str] = {}
        self._first_id: dict[tuple[str, str], tuple[str, str]] = {}
        self._durable: set[str] = set()
        self._leaving: set[asyncio.Future[None]] = set()
        self._number = 0
        self._looks = 0
        self._answered = asyncio.Event()

    async def run(self, *, rate: float, orders: int, stop: asyncio.Event) -> None:
        """Asks `rate` times a second until `stop`, and for at least `orders` orders."""
        keeper = asyncio.ensure_future(self._keep_connected())
        repeater = asyncio.ensure_future(self._ask_again())
        try:
            await self._open_loop(rate, orders, stop)
            await self._drain()
            await self._ask_how_it_ended()
        finally:
            tasks = [keeper, repeater, *([self._looking] if self._looking else [])]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            if self._socket is not None:
                await self._socket.close()

    async def _open_loop(self, rate: float, orders: int, stop: asyncio.Event) -> None:
        start_s = time.monotonic()
        while not stop.is_set() or len(self._orders) < orders:
            due_s = start_s + self._number / rate
            delay_s = due_s - time.monotonic()
            if delay_s > 0:
                await asyncio.sleep(delay_s)
            if not self._touch.is_fresh and not self._touch.bid:
                await asyncio.sleep(0.05)
                start_s += 0.05
                continue
            self._ask(self._next_request())

    def look_out(self) -> None:
        """Something was broken just now: when does each shard take orders?

        A few orders wait for it, no crowd that whoever takes over would have to serve first.
        """
        if self._looking is None or self._looking.done():
            self._looking = asyncio.ensure_future(self._look_out())

    async def _look_out(self) -> None:
        asked: dict[str, list[tuple[str, str]]] = {account: [] for account in self._lookouts}
        until_s = time.monotonic() + LOOK_FOR_S
        while asked and time.monotonic() < until_s:
            for account, keys in list(asked.items()):
                known = [self._status.get(key) for key in keys]
                if any(status in SETTLED - {"DENIED"} for status in known):
                    del asked[account]
                    continue
                if sum(status not in SETTLED for status in known) >= LOOKS_WAITING_MAX:
                    continue
                self._looks += 1
                request = self._submit(f"{self._name}-look-{self._looks}", account)
                keys.append((account, request["cl_ord_id"]))
                self._ask(request)
            await asyncio.sleep(LOOK_EVERY_S)

    def _next_request(self) -> Message:
        self._number += 1
        cl_ord_id = f"{self._name}-{self._number}"
        draw = self._random.random()
        if draw < 0.15 and self._working.ids:
            account, orig = self._working.ids.popleft()
            return self._about("cancel", account, cl_ord_id, orig)
        if draw < 0.27 and self._working.ids:
            account, orig = self._random.choice(self._working.ids)
            return self._about("replace", account, cl_ord_id, orig)
        return self._submit(cl_ord_id, self._random.choice(self._accounts))

    def _submit(self, cl_ord_id: str, account: str) -> Message:
        """A third trades at once, the rest waits away from the market."""
        side = self._random.choice(("BUY", "SELL"))
        away = 1 if side == "SELL" else -1
        mid = (self._touch.bid + self._touch.ask) // 2
        bps = -50 if self._random.random() < 0.3 else self._random.randint(300, 2000)
        price = max(1, mid + away * mid * bps // 10_000)
        return {
            "type": "submit",
            "account": account,
            "cl_ord_id": cl_ord_id,
            "symbol": self._symbol,
            "side": side,
            "ord_type": "LIMIT",
            "time_in_force": "GTC",
            "order_qty": self._grid.lots_to_text(QTY_LOTS * self._random.randint(1, 5)),
            "price": self._grid.ticks_to_text(price),
            "strategy": "chaos",
        }

    def _about(self, op: str, account: str, cl_ord_id: str, orig: str) -> Message:
        message = {
            "type": op,
            "account": account,
            "cl_ord_id": cl_ord_id,
            "orig_cl_ord_id": orig,
        }
        if op == "replace":
            message["order_qty"] = self._grid.lots_to_text(QTY_LOTS * self._random.randint(2, 6))
            message["price"] = self._orders[account, orig]
        return message

    def _ask(self, message: Message) -> None:
        key = (message["account"], message["cl_ord_id"])
        self._history.write("invoke", op=message["type"], account=key[0], cl_ord_id=key[1])
        self._unanswered[key] = Asked(message, time.monotonic())
        if message["type"] == "submit":
            self._orders[key] = message["price"]
        self._send(message)
        if self._random.random() < NERVOUS:
            asyncio.get_running_loop().call_later(
                self._random.uniform(*NERVOUS_AFTER_S), self._repeat, self._unanswered[key]
            )

    def _send(self, message: Message) -> None:
        if self._socket is not None and self._socket.is_open:
            self._socket.send(message)

    async def _keep_connected(self) -> None:
        """Connects again at once, to the next gateway, for ever; unanswered requests follow."""
        while True:
            url = self._gateways[0]
            self._gateways.rotate(-1)
            try:
                self._socket = await GatewaySocket.connect(url, self._credentials, self._told)
            except GatewayError:
                await asyncio.sleep(RECONNECT_S)
                continue
            self._history.write("connected", gateway=self._socket.instance)
            for asked in self._without_word():
                self._repeat(asked)
            await self._socket.closed()
            self._history.write("lost", gateway=self._socket.instance)
            self._leave(self._socket)

    def _leave(self, socket: GatewaySocket) -> None:
        """Closes without waiting: a gateway that hangs does not answer to that either."""
        leaving = asyncio.ensure_future(socket.close())
        self._leaving.add(leaving)
        leaving.add_done_callback(self._leaving.discard)

    async def _ask_again(self) -> None:
        while True:
            await asyncio.sleep(AGAIN_S / 3)
            now_s = time.monotonic()
            for asked in self._without_word():
                if now_s - asked.asked_s > asked.wait_s:
                    asked.wait_s = min(asked.wait_s * 2, AGAIN_MAX_S)
                    self._repeat(asked)

    def _without_word(self) -> list[Asked]:
        """What was neither answered nor called durable: what is durable need not be asked again."""
        return [
            asked
            for (_account, cl_ord_id), asked in self._unanswered.items()
            if cl_ord_id not in self._durable
        ]

    def _repeat(self, asked: Asked) -> None:
        if self._socket is None or not self._socket.is_open:
            return
        message = asked.message
        asked.asked_s = time.monotonic()
        self._history.write(
            "again",
            op=message["type"],
            account=message["account"],
            cl_ord_id=message["cl_ord_id"],
        )
        self._send(message)

    def _told(self, message: Message) -> None:
        kind = message.get("type", "")
        if kind == "report":
            self._on_report(message.get("report", message))
        elif kind in ("durable", "error"):
            code = message.get("error", {}).get("code", "")
            if kind == "durable":
                self._durable.add(message["cl_ord_id"])
            self._history.write(kind, cl_ord_id=message.get("cl_ord_id", ""), code=code)

    def _on_report(self, report: Message) -> None:
        key = (report["account"], report["cl_ord_id"])
        self._history.write("report", account=key[0], cl_ord_id=key[1], report=report)
        self._unanswered.pop(key, None)
        if not self._without_word():
            self._answered.set()
        order = self._first_id.setdefault((key[0], report["order_id"]), key)
        self._status[order] = report["ord_status"]
        if report["exec_type"] == "NEW" and key in self._orders:
            self._working.ids.append(key)
        if report["ord_status"] in FINAL and key in self._working.ids:
            self._working.ids.remove(key)

    async def _drain(self) -> None:
        """Waits until every request is answered or durable; asks again meanwhile."""
        self._answered.clear()
        if self._without_word():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(DRAIN_S):
                    await self._answered.wait()

    async def _ask_how_it_ended(self) -> None:
        """The gateway's last word, over REST, on every order whose reports leave it open.

        A replica that lags may not know an order that is durable: only what nobody knows until the
        deadline is told as unknown. Without any word at all the order stays unresolved.
        """
        is_open = [key for key in self._orders if self._status.get(key, "") not in SETTLED]
        words: dict[tuple[str, str], Message | None] = {}
        deadline_s = time.monotonic() + LOST_AFTER_S
        while is_open:
            for key in is_open:
                await self._ask_once(key, words)
            is_late = time.monotonic() > deadline_s
            is_open = [] if is_late else [key for key in is_open if not self._is_over(key, words)]
            if is_open:
                await asyncio.sleep(0.2)
        for (account, cl_ord_id), report in words.items():
            self._history.write("final", account=account, cl_ord_id=cl_ord_id, report=report)

    async def _ask_once(
        self, key: tuple[str, str], words: dict[tuple[str, str], Message | None]
    ) -> None:
        try:
            async with GatewayClient(self._gateways[0], self._credentials) as gateway:
                words[key] = await gateway.order(*key)
        except GatewayError as error:
            if error.code == "ORDER_DENIED":
                words[key] = {"ord_status": "DENIED"}
            elif error.code == "UNKNOWN_ORDER":
                words[key] = None
            else:
                self._gateways.rotate(-1)

    def _is_over(self, key: tuple[str, str], words: dict[tuple[str, str], Message | None]) -> bool:
        if key not in words:
            return False
        report = words[key]
        if report is None:
            return key[1] not in self._durable
        return report["ord_status"] in SETTLED


def grid_of(tick_size: str, lot_size: str) -> Grid:
    """The instrument's grid."""
    return Grid(Decimal(tick_size), Decimal(lot_size))
