# SPDX-License-Identifier: Apache-2.0
"""The venue's drop copies: what they are told, and that they can do nothing."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.integration.simvenue.ccxt_client import SYMBOL, ccxt_client
from tests.integration.simvenue.fix_client import Fields, FixClient, fix_client
from tests.integration.simvenue.venue_process import (
    COPY_KEY,
    Client,
    VenueProcess,
    client,
    venue_process,
)

pytestmark = pytest.mark.anyio

LOGON, REFUSAL, REPORT, POSITION = "A", "j", "8", "AP"
RESET = (141, "Y")
ALL_ORDERS = ((584, "all"), (585, "7"))


@asynccontextmanager
async def drop_copy(
    venue: VenueProcess, *logon: tuple[int, str], seq: int = 1
) -> AsyncIterator[FixClient]:
    """A drop copy that is logged on."""
    async with fix_client(venue, "WATCHER") as copy:
        await copy.log_on(*logon, key=COPY_KEY, seq=seq)
        await copy.hear(LOGON)
        yield copy


async def listed(copy: FixClient) -> list[tuple[str, str]]:
    """Orders that work, and whose they are."""
    await copy.say("AF", *ALL_ORDERS)
    found = []
    while True:
        said = await copy.hear(REPORT)
        if 584 in said:
            found.append((said[526], said[448]))
            if said[912] == "Y":
                return found


async def until_taken(sim: Client, cl_id: str) -> None:
    """The venue has read the order."""
    await sim.say(op="status", cl_id=cl_id)
    assert (await sim.hear())["found"]


async def trades(copy: FixClient, count: int) -> list[Fields]:
    """The next executions that are trades."""
    found: list[Fields] = []
    while len(found) < count:
        said = await copy.hear(REPORT)
        if said[150] == "F":
            found.append(said)
    return found


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    """One loop for all tests here, as they share a venue."""
    return "asyncio"


@pytest.fixture(scope="module")
async def venue(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[VenueProcess]:
    async with venue_process(tmp_path_factory.mktemp("venue") / "sim") as venue:
        yield venue


async def test_every_execution_is_told_whichever_way_its_order_came(venue: VenueProcess) -> None:
    async with drop_copy(venue, RESET) as copy:
        await copy.say("AF", *ALL_ORDERS)
        nothing = await copy.hear(REPORT)
        assert (nothing[37], nothing[911]) == ("NONE", "0")
        await venue.administer(op="fault", kind="drop_report", count=1000)
        async with (
            client(venue) as sim,
            fix_client(venue, "ORDERS") as fix,
            ccxt_client(venue) as exchange,
        ):
            await sim.log_on("sim")
            await sim.order("s", qty=60_000_000)
            await (await fix.log_on()).order("f", side="2", qty="0.1", price="1")
            await exchange.create_order(SYMBOL, "limit", "sell", 0.5, 1.0)
            told = await trades(copy, 4)
        await venue.administer(op="heal")
        assert {(said[526], said[448], said[32]) for said in told} >= {
            ("s", "sim", "0.1"),
            ("f", "ORDERS", "0.1"),
            ("s", "sim", "0.5"),
        }
        assert all(said[797] == "Y" for said in told)
        await copy.say("AN", (710, "q"), (724, "0"), (715, "20260302"), (60, "20260302-10:00:00"))
        held = await copy.hear(POSITION)
        assert (held[55], held[704], held[705]) == ("BTC-USD", "0", "0")


async def test_a_drop_copy_can_ask_what_works_and_do_nothing(venue: VenueProcess) -> None:
    async with drop_copy(venue, RESET) as copy:
        for name in ("one", "two"):
            async with client(venue) as sim:
                await sim.log_on(name)
                await sim.order(name)
                await until_taken(sim, name)
        assert {("one", "one"), ("two", "two")} <= set(await listed(copy))
        await copy.order("mine")
        refused = await copy.hear(REFUSAL)
        assert (refused[372], refused[380]) == ("D", "3")
        await copy.say("F", (11, "c"), (41, "one"), (55, "BTC-USD"), (54, "1"))
        assert (await copy.hear(REFUSAL))[372] == "F"
        names = {name for name, _session in await listed(copy)}
        assert "one" in names
        assert "mine" not in names


async def test_the_keys_of_orders_and_copies_are_two(venue: VenueProcess) -> None:
    async with client(venue) as sim:
        await sim.say(op="logon", session="sim", key=COPY_KEY)
        assert (await sim.hear())["code"] == "WRONG_KEY"
        async with fix_client(venue, "SAME") as orders, fix_client(venue, "SAME") as copy:
            await orders.log_on()
            await orders.hear(LOGON)
            await copy.log_on(RESET, key=COPY_KEY)
            await copy.hear(LOGON)
            await orders.order("a")
            assert (await orders.hear(REPORT))[11] == "a"
            assert (await copy.hear(REPORT))[797] == "Y"


async def test_what_was_missed_is_told_with_the_numbers_that_come_next(
    venue: VenueProcess,
) -> None:
    async with client(venue) as sim:
        await sim.log_on("sim")
        await sim.order("before")
        await until_taken(sim, "before")
        async with drop_copy(venue, RESET) as copy:
            await sim.order("during")
            assert (await copy.hear(REPORT))[526] == "during"
            await venue.administer(op="cut", session="WATCHER")
            assert await copy.until_closed() == []
            number = copy.seq
        await sim.order("missed")
        await until_taken(sim, "missed")
        async with drop_copy(venue, seq=number) as copy:
            missed = await copy.hear(REPORT)
            assert (missed[526], missed[34]) == ("missed", "4")
        async with drop_copy(venue, RESET) as copy:
            await sim.order("later")
            assert (await copy.hear(REPORT))[526] == "later"


async def test_a_late_copy_is_late_with_everything_and_in_order(venue: VenueProcess) -> None:
    async with client(venue) as sim, drop_copy(venue, RESET) as copy:
        await sim.log_on("sim")
        await venue.administer(op="fault", kind="late_copy", ms=300)
        for name in ("late-1", "late-2"):
            await sim.order(name)
            await until_taken(sim, name)
        assert {("late-1", "sim"), ("late-2", "sim")} <= set(await listed(copy))
        told = [said.get(584, said[526]) for said in copy.heard if said[35] == REPORT]
        assert told[:3] == ["late-1", "late-2", "all"]
        assert (await venue.status())["faults_played"]["late_copy"] == 1
