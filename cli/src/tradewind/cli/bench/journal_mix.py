# SPDX-License-Identifier: Apache-2.0
"""A seeded journal in its wire form: a busy desk's day, as long as wanted.

All controls are in force, with the bounds that a new installation starts with. Order ids
follow from sequence numbers, so no state machine is needed to make it.
"""

from collections import Counter, deque
from collections.abc import Generator, Iterator
from contextlib import suppress
from dataclasses import replace
from random import Random

from tradewind.common.codec import encode
from tradewind.common.init_job.defaults import controls
from tradewind.core import commands
from tradewind.core.commands import Command
from tradewind.core.types import ExecType, OrdType, Side, TimeInForce

SEED = 20_261_123
START_NS = 1_767_225_600_000_000_000
STEP_NS = 50_000
SEGMENT = "bench"
VENUE = "SIM"
ACCOUNTS = tuple(f"ACCOUNT{number}" for number in range(8))
REFERENCE = 6_000_000
REFERENCE_EVERY = 200
UNBOUNDED = 2**60
AT_ONCE = 50
"""Orders in the middle of their lives at a time, beside those that stay live."""

Life = Generator[Command, int, None]
"""The commands about one order; each is answered with the sequence number that it got."""


class JournalMix:
    """Entries 1, 2, 3 ... as (seq, ts_ns, body); `counts` says how many of each kind so far."""

    def __init__(self, live_orders: int, instruments: int = 1) -> None:
        self._random = Random(SEED)
        self._stay = live_orders
        self._symbols = tuple(f"COIN{number}-USD" for number in range(instruments))
        self._lives: deque[tuple[Life, int]] = deque()
        self._seq = 0
        self._ids = 0
        self._execs = 0
        self.counts: Counter[str] = Counter()

    def entries(self) -> Iterator[tuple[int, int, bytes]]:
        """The journal, for ever."""
        for command in self._commands():
            self._seq += 1
            self.counts[_kind(command)] += 1
            yield self._seq, START_NS + self._seq * STEP_NS, encode(command)

    def _commands(self) -> Iterator[Command]:
        yield from _opening(self._symbols)
        while True:
            if self._seq % REFERENCE_EVERY == 0:
                move = self._random.randint(-500, 500)
                symbol = self._in_turn(self._seq // REFERENCE_EVERY)
                yield commands.SetReferencePrice(symbol=symbol, price=REFERENCE + move)
            if len(self._lives) < AT_ONCE:
                life = self._life()
                yield next(life)
                self._lives.append((life, self._seq))
                continue
            life, seq = self._lives.popleft()
            with suppress(StopIteration):
                yield life.send(seq)
                self._lives.append((life, self._seq))

    def _life(self) -> Life:
        """One order: those that stay are only acknowledged, the others end one way or another."""
        submit = self._submit()
        order_id = f"{SEGMENT}-0-{(yield submit)}"
        yield self._report(order_id, ExecType.NEW)
        if self._stay > 0:
            self._stay -= 1
            return
        draw = self._random.random()
        if draw < 0.5:
            yield self._fill(order_id, submit, submit.order_qty)
            return
        if draw < 0.7:
            yield self._fill(order_id, submit, submit.order_qty // 2)
        elif draw < 0.8:
            request_id = f"{SEGMENT}-0-{(yield self._replace(submit))}"
            yield self._report(
                order_id,
                ExecType.REPLACED,
                request_id=request_id,
                order_qty=submit.order_qty,
                price=submit.price + 1,
            )
        request_id = f"{SEGMENT}-0-{(yield self._cancel(submit))}"
        yield self._report(order_id, ExecType.CANCELED, request_id=request_id)

    def _in_turn(self, number: int) -> str:
        return self._symbols[number % len(self._symbols)]

    def _submit(self) -> commands.SubmitOrder:
        self._ids += 1
        return commands.SubmitOrder(
            account=self._random.choice(ACCOUNTS),
            cl_ord_id=f"order-{self._ids:08}",
            symbol=self._in_turn(self._ids),
            side=self._random.choice((Side.BUY, Side.SELL)),
            ord_type=OrdType.LIMIT,
            time_in_force=TimeInForce.GTC,
            order_qty=2 * self._random.randint(1, 50),
            price=REFERENCE + self._random.randint(-1_000, 1_000),
            client="bench",
            strategy="mix",
            void_after_ns=2**62,
        )

    def _cancel(self, submit: commands.SubmitOrder) -> commands.CancelOrder:
        self._ids += 1
        return commands.CancelOrder(
            account=submit.account,
            cl_ord_id=f"cancel-{self._ids:08}",
            orig_cl_ord_id=submit.cl_ord_id,
            client="bench",
        )

    def _replace(self, submit: commands.SubmitOrder) -> commands.ReplaceOrder:
        self._ids += 1
        return commands.ReplaceOrder(
            account=submit.account,
            cl_ord_id=f"replace-{self._ids:08}",
            orig_cl_ord_id=submit.cl_ord_id,
            order_qty=submit.order_qty,
            price=submit.price + 1,
            client="bench",
            void_after_ns=2**62,
        )

    def _fill(self, order_id: str, submit: commands.SubmitOrder, qty: int) -> Command:
        report = self._report(order_id, ExecType.TRADE)
        return replace(report, last_qty=qty, last_px=submit.price)

    def _report(
        self,
        order_id: str,
        exec_type: ExecType,
        *,
        request_id: str = "",
        order_qty: int = 0,
        price: int = 0,
    ) -> commands.ApplyVenueReport:
        self._execs += 1
        return commands.ApplyVenueReport(
            venue=VENUE,
            order_id=order_id,
            request_id=request_id,
            venue_order_id=f"V{order_id}",
            exec_id=f"S{self._execs}",
            exec_no=self._execs,
            exec_type=exec_type,
            last_qty=0,
            last_px=0,
            order_qty=order_qty,
            price=price,
            text="",
        )


def _opening(symbols: tuple[str, ...]) -> Iterator[Command]:
    yield commands.OpenSegment(segment=SEGMENT, shard=0)
    for symbol in symbols:
        yield commands.DefineInstrument(
            symbol=symbol, venue=VENUE, tick_size="0.01", lot_size="0.001", currency="USD"
        )
        for account in ACCOUNTS:
            yield commands.SetLimits(
                account=account,
                symbol=symbol,
                max_order_qty=UNBOUNDED,
                max_notional=UNBOUNDED,
                max_position=UNBOUNDED,
                collar_bps=1_000,
                max_reference_age_ms=60_000,
                version=1,
            )
    yield from controls()
    for symbol in symbols:
        yield commands.SetReferencePrice(symbol=symbol, price=REFERENCE)


def _kind(command: Command) -> str:
    if isinstance(command, commands.ApplyVenueReport):
        return {"NEW": "ack", "TRADE": "fill"}.get(command.exec_type, command.exec_type.lower())
    name = type(command).__name__
    return {"SubmitOrder": "new", "CancelOrder": "cancel", "ReplaceOrder": "replace"}.get(
        name, "control"
    )
