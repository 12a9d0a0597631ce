# SPDX-License-Identifier: Apache-2.0
"""One client as a process of its own: `python -m tradewind.cli.chaos.client_process`.

Told everything as one JSON object on stdin; SIGUSR1 tells of a fault; SIGTERM ends the load, then
it drains and leaves.
"""

import asyncio
import signal
import sys
from pathlib import Path

import msgspec

from tradewind.cli.chaos.client import Client, grid_of
from tradewind.cli.chaos.history import Writer
from tradewind.cli.credentials import Credentials
from tradewind.cli.demo_strategy.touch import Touch


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What a client process is told."""

    name: str
    gateways: list[str]
    key_id: str
    secret: str
    accounts: list[str]
    symbol: str
    tick_size: str
    lot_size: str
    feed_url: str
    rate: float
    orders: int
    seed: int
    history: str
    lookouts: list[str]


async def main(told: Told) -> None:
    """Runs the client until SIGTERM, and until everything it asked is answered."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    touch = Touch(told.feed_url, told.symbol)
    history = Writer(Path(told.history))
    following = asyncio.ensure_future(touch.follow())
    client = Client(
        name=told.name,
        gateways=told.gateways,
        credentials=Credentials(told.key_id, told.secret),
        accounts=told.accounts,
        touch=touch,
        grid=grid_of(told.tick_size, told.lot_size),
        symbol=told.symbol,
        seed=told.seed,
        history=history,
        lookouts=told.lookouts,
    )
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, client.look_out)
    try:
        await client.run(rate=told.rate, orders=told.orders, stop=stop)
    finally:
        following.cancel()
        history.close()


if __name__ == "__main__":
    asyncio.run(main(msgspec.json.decode(sys.stdin.buffer.read(), type=Told)))
