# SPDX-License-Identifier: Apache-2.0
"""Makes the golden journals: `python -m tests.golden.make` writes `life.jsonl` and what follows.

`spine`: a seeded day at a small desk, in the first wire form. Its journal is never written again:
an entry of an older build must go on to mean what it meant. `Day` shows how it was drawn.
`life`: every command there is (`life.py`), in the wire form of today. What follows from a journal
(`*.expected.json`) changes only with a decision to change behaviour: `python -m tests.golden.make
--expected` replays the journals that are there and writes only that.
"""

import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from random import Random
from typing import Any

from tests.golden import life
from tradewind.common.codec import CHAIN_START, decode_command, encode, link
from tradewind.core import commands
from tradewind.core.commands import Command, Entry
from tradewind.core.events import Event
from tradewind.core.machine import StateMachine
from tradewind.core.state import Order
from tradewind.core.types import ExecType, OrdType, Reason, Side, TimeInForce, TradingState

HERE = Path(__file__).parent
NAMES = ("spine", "life")
ENTRIES = 300
SEED = 20_260_101
START_NS = 1_767_225_600_000_000_000
ACCOUNTS = ("DEMO", "ALPHA")
REFERENCES = {"BTC-USD": 6_000_000, "ETH-USD": 300_000}
VENUE_ENDS = (ExecType.CANCELED, ExecType.EXPIRED, ExecType.REJECTED)


class Day:
    """Draws the next command from what the machine knows, so that most of them matter."""

    def __init__(self) -> None:
        self.random = Random(SEED)
        self.machine = StateMachine()
        self.now_ns = START_NS
        self.ids = 0
        self.execs = 0
        self.said: list[Command] = []

    def entries(self) -> Iterator[Entry]:
        """The whole day."""
        opening = self.opening()
        for seq in range(1, ENTRIES + 1):
            self.now_ns += self.random.randint(-20_000_000, 400_000_000)
            command = next(opening, None) or self.next_command()
            entry = Entry(seq=seq, ts_ns=self.now_ns, command=command)
            self.machine.step(entry)
            if not isinstance(command, commands.OpenSegment):
                self.said.append(command)
            yield entry

    def opening(self) -> Iterator[Command]:
        """What a journal starts with."""
        yield commands.OpenSegment(segment="golden", shard=0)
        for symbol, price in REFERENCES.items():
            yield commands.DefineInstrument(
                symbol=symbol, venue="SIM", tick_size="0.01", lot_size="0.00000001", currency="USD"
            )
            yield commands.SetReferencePrice(symbol=symbol, price=price)
        for account in ACCOUNTS:
            yield self.limits(account, "BTC-USD", 1)
        yield commands.TakeSession(venue="SIM", owner="connector-1")

    def limits(self, account: str, symbol: str, version: int) -> Command:
        return commands.SetLimits(
            account=account,
            symbol=symbol,
            max_order_qty=900,
            max_notional=5_000_000_000,
            max_position=1_500,
            collar_bps=500,
            max_reference_age_ms=20_000,
            version=version,
        )

    def next_command(self) -> Command:
        """Mostly clients and the venue, now and then an operator."""
        live = list(self.machine.state.live_orders.values())
        draw = self.random.random()
        if draw < 0.34:
            return self.submit()
        if draw < 0.44 and live:
            return self.cancel(self.random.choice(live))
        if draw < 0.53 and live:
            return self.replace(self.random.choice(live))
        if draw < 0.83 and live:
            return self.report(self.random.choice(live))
        if draw < 0.86 and self.machine.state.orders:
            return self.late_fill()
        if draw < 0.93:
            return self.random.choice(self.said[-12:])  # a retry, or a venue that repeats itself
        return self.operator()

    def submit(self) -> Command:
        random = self.random
        self.ids += 1
        symbol = random.choice(("BTC-USD", "BTC-USD", "BTC-USD", "ETH-USD"))
        is_market = random.random() < 0.2
        reference = REFERENCES[symbol]
        return commands.SubmitOrder(
            account=random.choice(ACCOUNTS),
            cl_ord_id=f"c{self.ids}",
            symbol=symbol,
            side=random.choice(list(Side)),
            ord_type=OrdType.MARKET if is_market else OrdType.LIMIT,
            time_in_force=TimeInForce.IOC if is_market else random.choice(list(TimeInForce)),
            order_qty=random.randint(1, 1_000),
            price=0 if is_market else reference + random.randint(-reference, reference) // 19,
            client="client",
            strategy="größe",
            void_after_ns=self.now_ns + random.choice((-1, *[2_000_000_000] * 9)),
        )

    def cancel(self, order: Order) -> Command:
        self.ids += 1
        return commands.CancelOrder(
            account=order.account,
            cl_ord_id=f"x{self.ids}",
            orig_cl_ord_id=order.cl_ord_id,
            client="client",
        )

    def replace(self, order: Order) -> Command:
        self.ids += 1
        return commands.ReplaceOrder(
            account=order.account,
            cl_ord_id=f"r{self.ids}",
            orig_cl_ord_id=order.cl_ord_id,
            order_qty=self.random.randint(1, 1_000),
            price=order.price + self.random.randint(-100, 100),
            client="client",
            void_after_ns=self.now_ns + 2_000_000_000,
        )

    def report(self, order: Order) -> Command:
        """An acknowledgement, an answer to what is pending, a fill, or the end."""
        pending = order.pendings[0] if order.pendings else None
        draw = self.random.random()
        if not order.is_acked and draw < 0.6:
            return self.venue_says(order, ExecType.NEW)
        if pending is not None and draw < 0.7:
            word = "REPLACE" if pending.action == "REPLACE" else "CANCEL"
            done = ExecType.REPLACED if word == "REPLACE" else ExecType.CANCELED
            answer = done if draw < 0.45 else ExecType(f"{word}_REJECTED")
            return self.venue_says(
                order,
                answer,
                request_id=pending.request_id,
                order_qty=pending.order_qty,
                price=pending.price,
            )
        if draw < 0.9:
            return self.fill(
                order, self.random.choice((order.leaves_qty, order.leaves_qty // 2 + 1))
            )
        return self.venue_says(order, self.random.choice(VENUE_ENDS))

    def late_fill(self) -> Command:
        return self.fill(self.random.choice(list(self.machine.state.orders.values())), 1)

    def fill(self, order: Order, qty: int) -> Command:
        price = order.price or REFERENCES[order.symbol]
        return self.venue_says(order, ExecType.TRADE, last_qty=qty, last_px=price)

    def venue_says(self, order: Order, exec_type: ExecType, **facts: Any) -> Command:
        self.execs += 1
        report: dict[str, Any] = {
            "venue": order.venue,
            "order_id": order.order_id,
            "request_id": "",
            "venue_order_id": f"V{order.seq}",
            "exec_id": f"S{self.execs}",
            "exec_no": self.execs,
            "exec_type": exec_type,
            "last_qty": 0,
            "last_px": 0,
            "order_qty": order.order_qty,
            "price": order.price,
            "text": "",
        }
        return commands.ApplyVenueReport(**report | facts)

    def trading(self, scope: str, state: TradingState) -> Command:
        return commands.SetTradingState(scope=scope, state=state, actor="operator", reason="drill")

    def operator(self) -> Command:
        random = self.random
        for closed in self.machine.state.trading_states.values():
            if closed.state is not TradingState.ACTIVE and random.random() < 0.7:
                return self.trading(closed.scope, TradingState.ACTIVE)
        symbol = random.choice(list(REFERENCES))
        match random.randint(0, 5):
            case 0:
                return commands.TakeSession(venue="SIM", owner=f"connector-{random.randint(2, 9)}")
            case 1:
                scope = random.choice(("firm", "account:ALPHA", "symbol:ETH-USD"))
                return self.trading(scope, random.choice(list(TradingState)))
            case 2:
                return self.limits(random.choice(ACCOUNTS), symbol, random.randint(2, 9))
            case 3:
                return commands.AdvanceTime(source="oms")
            case _:
                move = REFERENCES[symbol] // 1_000
                return commands.SetReferencePrice(
                    symbol=symbol, price=REFERENCES[symbol] + random.randint(-move, move)
                )


def journal(name: str) -> Path:
    """The entries, one a line."""
    return HERE / f"{name}.jsonl"


def expected(name: str) -> Path:
    """What follows from them."""
    return HERE / f"{name}.expected.json"


def write_journal(name: str, entries: Iterable[Entry]) -> None:
    """Writes a journal: one line per entry, its body in the wire form."""
    lines = []
    for entry in entries:
        head = f'{{"seq":{entry.seq},"ts_ns":{entry.ts_ns},"body":'
        lines.append(head + encode(entry.command).decode() + "}\n")
    journal(name).write_text("".join(lines), encoding="utf-8")


def bodies(line: str) -> tuple[int, int, bytes]:
    """Sequence, stamp and the body's own bytes of one line."""
    plain = json.loads(line)
    _head, _, rest = line.rstrip("\n").partition(',"body":')
    return plain["seq"], plain["ts_ns"], rest[:-1].encode()


def replay(name: str) -> dict[str, Any]:
    """What follows from a journal: outputs counted by kind, their chain, and the digest."""
    machine = StateMachine()
    chain = CHAIN_START
    counts: dict[str, int] = {}
    digests: dict[str, str] = {}
    for line in journal(name).read_text(encoding="utf-8").splitlines():
        seq, ts_ns, body = bodies(line)
        for event in machine.step(Entry(seq=seq, ts_ns=ts_ns, command=decode_command(body))):
            chain = link(chain, encode(event))
            kind = " ".join(word for word in _words(event) if word)
            counts[kind] = counts.get(kind, 0) + 1
        if seq % 50 == 0:
            digests[str(seq)] = machine.digest()
    return {
        "entries": machine.state.seq,
        "outputs": machine.state.ordinal,
        "chain": chain,
        "digest": machine.digest(),
        "digests": digests,
        "kinds": dict(sorted(counts.items())),
    }


def _words(event: Event) -> tuple[str, ...]:
    """What kind of event it is: its type, what happened, and why not."""
    reason = getattr(event, "reason", "")
    code = reason if isinstance(reason, Reason) else ""
    return type(event).__name__, getattr(event, "exec_type", ""), code


def main() -> None:
    """Writes the journal of today (unless told `--expected`) and what follows from all."""
    if "--expected" not in sys.argv[1:]:
        write_journal("life", life.entries())
    for name in NAMES:
        expected(name).write_text(json.dumps(replay(name), indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
