# SPDX-License-Identifier: Apache-2.0
"""What to ask for next: pure decisions from reports and the touch; owns no connection."""

import logging
import random
from dataclasses import dataclass
from decimal import Decimal

from tradewind.cli.client import Message

STRATEGY = "demo"
MAX_WORKING = 4
MAX_POSITION = Decimal("2")
UNIT = Decimal("0.01")
MAX_UNITS = 10
REPEAT_AFTER_S = 2.0
GIVE_UP_AFTER_S = 60.0
FINAL = frozenset({"FILLED", "CANCELED", "REJECTED", "EXPIRED", "DENIED"})
SETTLED = frozenset({"NEW", "PARTIALLY_FILLED"})
PASSING = frozenset({"OUTCOME_UNKNOWN", "JOURNAL_UNAVAILABLE", "NOT_PROCESSING", "OVERLOADED"})
"""Errors after which the same request is sent again."""

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Asked:
    """A request without an answer yet."""

    message: Message
    first_s: float
    last_s: float


class DemoStrategy:
    """Decides what to ask for next, from reports and the touch; owns no connection."""

    def __init__(self, account: str, symbol: str, tick_size: Decimal, seed: int) -> None:
        self._account = account
        self._symbol = symbol
        self._tick_size = tick_size
        self._random = random.Random(seed)
        self._prefix = f"D{seed:x}"
        self._count = 0
        self._first_ids: dict[str, str] = {}
        self.asked: dict[str, Asked] = {}
        self.working: dict[str, Message] = {}
        self.position = Decimal(0)

    def take(self, message: Message) -> None:
        """Learns from one message of the gateway."""
        kind = message.get("type")
        if kind == "report":
            self._take_report(message["report"])
        elif kind == "error" and message["error"]["code"] not in PASSING:
            log.warning("refused: %s", message["error"])
            self.asked.pop(message.get("cl_ord_id", ""), None)

    def resync(self, orders: list[Message], positions: list[Message]) -> None:
        """Starts from what the platform says is so."""
        mine = [order for order in orders if order["strategy"] == STRATEGY]
        self.working = {order["order_id"]: order for order in mine}
        self.position = sum(
            (Decimal(item["qty"]) for item in positions if item["symbol"] == self._symbol),
            Decimal(0),
        )

    def due(self, now_s: float) -> list[Message]:
        """Requests to repeat, unchanged, because nothing was heard of them."""
        repeated = []
        for cl_ord_id, asked in list(self.asked.items()):
            if now_s - asked.first_s > GIVE_UP_AFTER_S:
                del self.asked[cl_ord_id]
            elif now_s - asked.last_s > REPEAT_AFTER_S:
                asked.last_s = now_s
                repeated.append(asked.message)
        return repeated

    def next(self, bid: int, ask: int, now_s: float) -> Message:
        """The next request: mostly new orders, some changes of mind."""
        idle = [order for order in self.working.values() if order["ord_status"] in SETTLED]
        chance = self._random.random()
        if idle and (len(self.working) >= MAX_WORKING or chance < 0.15):
            return self._ask(self._about(idle[0], "cancel"), now_s)
        if idle and chance < 0.35:
            order = self._random.choice(idle)
            ticks = bid if order["side"] == "BUY" else ask
            terms = {"order_qty": order["order_qty"], "price": self._price(ticks)}
            return self._ask(self._about(order, "replace") | terms, now_s)
        return self._ask(self._new(bid, ask), now_s)

    def cancels(self, now_s: float) -> list[Message]:
        """Cancels of everything that works."""
        return [self._ask(self._about(item, "cancel"), now_s) for item in self.working.values()]

    def _new(self, bid: int, ask: int) -> Message:
        lean = float(self.position / MAX_POSITION)
        is_buy = self._random.random() < 0.5 - 0.5 * max(-1.0, min(1.0, lean))
        style = self._random.random()
        near, far = (bid, ask) if is_buy else (ask, bid)
        order: Message = {
            "type": "submit",
            "account": self._account,
            "symbol": self._symbol,
            "side": "BUY" if is_buy else "SELL",
            "ord_type": "LIMIT",
            "time_in_force": "GTC",
            "order_qty": str(UNIT * self._random.randint(1, MAX_UNITS)),
            "strategy": STRATEGY,
        }
        if style < 0.55:
            order["price"] = self._price(near)
        elif style < 0.75:
            order["price"] = self._price(far)
        elif style < 0.9:
            order |= {"time_in_force": "IOC", "price": self._price(far)}
        else:
            order |= {"ord_type": "MARKET", "time_in_force": "IOC"}
        return order

    def _about(self, order: Message, kind: str) -> Message:
        first_id = self._first_ids.get(order["order_id"], order["cl_ord_id"])
        return {"type": kind, "account": self._account, "orig_cl_ord_id": first_id}

    def _ask(self, message: Message, now_s: float) -> Message:
        self._count += 1
        cl_ord_id = f"{self._prefix}-{self._count}"
        named = message | {"cl_ord_id": cl_ord_id}
        self.asked[cl_ord_id] = Asked(named, now_s, now_s)
        return named

    def _price(self, ticks: int) -> str:
        return format(ticks * self._tick_size, "f")

    def _take_report(self, report: Message) -> None:
        self.asked.pop(report["cl_ord_id"], None)
        if report["account"] != self._account or report["strategy"] != STRATEGY:
            return
        order_id = report["order_id"]
        if not order_id:
            return
        self._first_ids.setdefault(order_id, report["cl_ord_id"])
        if report["exec_type"] == "TRADE" and report["last_qty"]:
            sign = 1 if report["side"] == "BUY" else -1
            self.position += sign * Decimal(report["last_qty"])
        if report["ord_status"] in FINAL:
            self.working.pop(order_id, None)
            self._first_ids.pop(order_id, None)
        else:
            self.working[order_id] = report
