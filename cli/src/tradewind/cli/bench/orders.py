# SPDX-License-Identifier: Apache-2.0
"""The benchmark's orders, built and published exactly as a gateway does it."""

import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count

from tradewind.common import codec, subjects, trace
from tradewind.common.errors import TradewindError
from tradewind.common.init_job.defaults import BENCH_ACCOUNTS, INSTRUMENTS
from tradewind.common.jetstream import Bus, read_last
from tradewind.core.commands import SubmitOrder
from tradewind.core.events import ReferencePriceSet
from tradewind.core.types import OrdType, Side, TimeInForce

SYMBOL = INSTRUMENTS[0].symbol
ORDER_QTY = 1000
TTL_NS = 60_000_000_000
SAMPLER = trace.Sampler(0.01)
ACCEPTED = b'"exec_type":"PENDING_NEW"'
DENIED = b'"exec_type":"DENIED"'
FILLED = b'"ord_status":"FILLED"'


@dataclass(frozen=True, slots=True)
class Request:
    """One command, ready to publish."""

    cl_ord_id: str
    shard: int
    subject: str
    body: bytes
    headers: dict[str, str]


async def reference_price(bus: Bus, shards: int) -> int:
    """The instrument's reference price that every shard has been told, in ticks.

    Raises:
        TradewindError: if a shard has none: without one every order would be denied.
    """
    price = 0
    for shard in range(shards):
        stream = subjects.events_stream(shard)
        subject = f"events.{shard}.risk.{ReferencePriceSet.__name__}"
        last = await read_last(bus, stream, subject)
        event = None if last is None else codec.decode_event(last.body)
        if not isinstance(event, ReferencePriceSet):
            raise TradewindError(
                f"shard {shard} has no reference price yet: see whether risk and market data run",
                code="NO_REFERENCE_PRICE",
            )
        price = event.price
    return price


def new_run() -> str:
    """What the client order ids of one run begin with."""
    return secrets.token_hex(4)


def resting(run: str, price: int, shards: int) -> Iterator[Request]:
    """Buy orders far below the market: accepted, sent, and left alone by everybody."""
    yield from _requests(run, shards, ((Side.BUY, price // 2),))


def crossing(run: str, price: int, shards: int) -> Iterator[Request]:
    """Buys and sells in turn that cross whatever is there, the market or one another."""
    reach = price // 20
    yield from _requests(run, shards, ((Side.BUY, price + reach), (Side.SELL, price - reach)))


def _requests(run: str, shards: int, turns: tuple[tuple[Side, int], ...]) -> Iterator[Request]:
    places = [(account, subjects.shard_of(account, shards)) for account in BENCH_ACCOUNTS]
    for number in count():
        account, shard = places[number % len(places)]
        side, price = turns[number // len(places) % len(turns)]
        command = SubmitOrder(
            account=account,
            cl_ord_id=f"{run}-{number}",
            symbol=SYMBOL,
            side=side,
            ord_type=OrdType.LIMIT,
            time_in_force=TimeInForce.GTC,
            order_qty=ORDER_QTY,
            price=price,
            client="bench",
            strategy="bench",
            void_after_ns=time.time_ns() + TTL_NS,
        )
        yield Request(
            command.cl_ord_id,
            shard,
            subjects.journal_subject(shard, command),
            codec.encode(command),
            {trace.HEADER: SAMPLER.new(), subjects.HEADER_AT: str(time.time_ns())},
        )
