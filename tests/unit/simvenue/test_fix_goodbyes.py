# SPDX-License-Identifier: Apache-2.0
"""Whoever logs out, or has a drop copy of others' orders, must not harm who trades meanwhile."""

import asyncio
from collections.abc import AsyncIterator
from itertools import count
from pathlib import Path

import pytest

from tests.integration.simvenue.fix_client import Fields, FixClient
from tests.integration.simvenue.venue_process import COPY_KEY, KEY
from tests.unit.simvenue.test_ledger import new, open_venue
from tradewind.core.types import Side
from tradewind.simvenue.fix.acceptor import Acceptor
from tradewind.simvenue.fix.drop_copy import DropCopies
from tradewind.simvenue.venue import Venue

pytestmark = pytest.mark.anyio
NAME, LOGON, LOGOUT, REPORT, TRADE = "SIMVENUE", "A", "5", "8", "F"
Served = tuple[Venue, int]


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    """A venue, and its FIX port in this very loop."""
    venue = open_venue(tmp_path)
    copies = DropCopies(venue, tmp_path / "copies", NAME, COPY_KEY)
    acceptor = Acceptor(venue, tmp_path / "fix", NAME, KEY, copies)
    yield venue, await acceptor.listen("127.0.0.1", 0)
    await acceptor.close()
    venue.close()


async def logged_on(port: int, key: str, seq: int) -> FixClient:
    """A client with the session RAW, or with a drop copy of that name."""
    client = FixClient(*await asyncio.open_connection("127.0.0.1", port))
    await client.log_on(key=key, seq=seq)
    await client.hear(LOGON)
    return client


@pytest.mark.parametrize("key", [KEY, COPY_KEY])
async def test_trades_while_a_client_logs_out_are_done_and_told_at_its_next_logon(
    served: Served, key: str
) -> None:
    venue, port = served
    client = await logged_on(port, key, 1)
    venue.request("RAW", new("rests", qty=10**6))
    await client.hear(REPORT)
    await client.say(LOGOUT)
    leaving = asyncio.ensure_future(client.until_closed())
    numbers = count(1)
    while not leaving.done():
        venue.request("other", new(f"hit-{next(numbers)}", Side.SELL, 1))
        await asyncio.sleep(0)
    client.writer.close()
    done = next(numbers) - 1
    assert venue.position("other") == -done
    before = fills(leaving.result())
    client = await logged_on(port, key, 3)
    while len(before | fills(client.heard)) < done:
        await client.hear(REPORT)
    client.writer.close()


def fills(heard: list[Fields]) -> set[str]:
    """Execution ids of the resting order's fills."""
    return {said[17] for said in heard if said.get(150) == TRADE and said[11] == "rests"}
