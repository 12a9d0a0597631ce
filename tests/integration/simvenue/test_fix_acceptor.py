# SPDX-License-Identifier: Apache-2.0
"""The venue's FIX sessions, over sockets, as any client meets them."""

import asyncio
from collections.abc import AsyncIterator
from itertools import count
from pathlib import Path

import pytest

from tests.integration.simvenue.fix_client import AT, FixClient, fix_client, wire
from tests.integration.simvenue.venue_process import VenueProcess, venue_process

pytestmark = pytest.mark.anyio

LOGON, LOGOUT, REJECT, BUSINESS_REJECT, REPORT = "A", "5", "3", "j", "8"
SIDE = [(55, "BTC-USD"), (54, "1")]
_numbers = count(1)


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    """One loop for all tests here, as they share a venue."""
    return "asyncio"


@pytest.fixture(scope="module")
async def venue(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[VenueProcess]:
    async with venue_process(tmp_path_factory.mktemp("venue") / "sim") as venue:
        yield venue


@pytest.fixture
async def client(venue: VenueProcess) -> AsyncIterator[FixClient]:
    """A client with a session of its own, logged on."""
    async with fix_client(venue, f"RAW{next(_numbers)}") as client:
        await client.log_on()
        await client.hear(LOGON)
        yield client


async def test_a_logon_is_answered(venue: VenueProcess) -> None:
    async with fix_client(venue, "HELLO") as client:
        await client.log_on()
        answer = await client.hear()
        assert (answer[35], answer[34], answer[108]) == (LOGON, "1", "30")
        assert (answer[49], answer[56]) == ("SIMVENUE", "HELLO")


async def test_who_does_not_know_the_key_or_the_venue_is_dropped(venue: VenueProcess) -> None:
    for name, changes in (("WRONG1", {"key": "no"}), ("WRONG2", {"target": "OTHER"})):
        async with fix_client(venue, name) as client:
            client.target = changes.get("target", client.target)
            await client.log_on(key=changes.get("key", "venue-key"))
            assert await client.until_closed() == []


async def test_who_does_not_log_on_is_dropped(venue: VenueProcess) -> None:
    async with fix_client(venue, "EAGER") as eager, fix_client(venue, "SILENT") as silent:
        await eager.order("too-early")
        assert await eager.until_closed() == []
        assert await silent.until_closed() == []


async def test_an_order_is_taken_traded_and_cancelled(
    venue: VenueProcess, client: FixClient
) -> None:
    await client.order("life", price="7")
    taken = await client.hear(REPORT)
    assert (taken[150], taken[39], taken[11], taken[151]) == ("0", "0", "life", "0.0000001")
    async with fix_client(venue, f"OTHER-{client.name}") as other:
        await other.log_on()
        await other.order("hit", side="2", qty="0.00000004", price="7")
        fill = await client.hear(REPORT)
    assert (fill[150], fill[39], fill[32], fill[31]) == ("F", "1", "0.00000004", "7")
    assert (fill[14], fill[151], fill[6]) == ("0.00000004", "0.00000006", "7.00")
    now = (60, AT)
    terms = [(38, "0.00000008"), (40, "2"), (44, "7")]
    await client.say("G", (11, "less"), (41, "life"), *SIDE, now, *terms)
    replaced = await client.hear(REPORT)
    assert (replaced[150], replaced[11], replaced[41]) == ("5", "less", "life")
    await client.say("F", (11, "end"), (41, "less"), *SIDE, now)
    ended = await client.hear(REPORT)
    assert (ended[150], ended[39], ended[11], ended[41]) == ("4", "4", "end", "less")
    assert (ended[526], ended[151]) == ("life", "0")
    await client.say("F", (11, "late"), (41, "less"), *SIDE, now)
    refused = await client.hear("9")
    assert (refused[102], refused[434], refused[58]) == ("0", "1", "TOO_LATE")


async def test_questions_are_answered(client: FixClient) -> None:
    await client.order("asked")
    await client.hear(REPORT)
    await client.say("H", (11, "asked"), (55, "BTC-USD"), (54, "1"), (790, "q1"))
    state = await client.hear(REPORT)
    assert (state[150], state[39], state[790]) == ("I", "0", "q1")
    await client.say("H", (11, "never"), (55, "BTC-USD"), (54, "1"), (790, "q2"))
    unknown = await client.hear(REPORT)
    assert (unknown[150], unknown[39], unknown[37]) == ("I", "8", "NONE")
    await client.say("AF", (584, "all"), (585, "7"))
    one = await client.hear(REPORT)
    assert (one[584], one[911], one[912], one[11]) == ("all", "1", "Y", "asked")
    await client.say("AN", (710, "p1"), (724, "0"), (715, "20260302"), (60, AT))
    position = await client.hear("AP")
    assert (position[710], position[704], position[5003]) == ("p1", "0", "0.0000001")
    await client.say("AD", (568, "t1"), (569, "1"))
    trades = await client.hear("AQ")
    assert (trades[748], trades[749]) == ("0", "0")


@pytest.mark.parametrize(
    ("body", "tag"),
    [
        ([(11, "x"), (55, "BTC-USD"), (54, "9"), (38, "1"), (40, "2"), (44, "1")], "54"),
        ([(11, "x"), (55, "BTC-USD"), (54, "1"), (38, "-1"), (40, "2"), (44, "1")], "38"),
        ([(11, "x"), (55, "BTC-USD"), (54, "1"), (38, "1"), (40, "2"), (44, "1.001")], "44"),
        ([(11, "x"), (54, "1"), (38, "1"), (40, "2"), (44, "1")], "55"),
        ([(55, "BTC-USD"), (54, "1"), (38, "1"), (40, "2"), (44, "1")], "11"),
        (
            [(11, "x"), (55, "BTC-USD"), (54, "1"), (38, "1"), (40, "2"), (59, "6"), (44, "1")],
            "126",
        ),
    ],
)
async def test_an_order_that_cannot_be_read_is_refused_by_its_field(
    client: FixClient, body: list[tuple[int, str]], tag: str
) -> None:
    await client.say("D", *body)
    answer = await client.hear()
    assert (answer[35], answer[371], answer[372], answer[45]) == (BUSINESS_REJECT, tag, "D", "2")


async def test_a_message_of_another_kind_is_refused(client: FixClient) -> None:
    await client.say("V", (262, "md"))
    answer = await client.hear()
    assert (answer[35], answer[380], answer[372]) == (BUSINESS_REJECT, "3", "V")


async def test_bytes_that_are_no_message_are_passed_over(client: FixClient) -> None:
    head = [(35, "1"), (49, client.name), (56, "SIMVENUE"), (34, "2"), (52, AT)]
    good = wire([*head, (112, "still there")])
    bad = good[:-4] + b"999\x01"[-4:]
    await client.put(b"rubbish" + bad + b"8=FIX.4.4\x019=x\x01" + good)
    answer = await client.hear()
    assert (answer[35], answer[112]) == ("0", "still there")


async def test_a_message_beyond_all_bounds_ends_the_connection(client: FixClient) -> None:
    await client.put(b"8=FIX.4.4\x019=999999\x0135=D\x01")
    assert await client.until_closed() == []


async def test_a_message_that_breaks_a_rule_is_rejected(client: FixClient) -> None:
    await client.say("1", (112, "a"), (112, "b"))
    answer = await client.hear()
    assert (answer[35], answer[373], answer[371], answer[45]) == (REJECT, "13", "112", "2")


async def test_a_number_that_was_used_ends_the_session(client: FixClient) -> None:
    await client.say("0", seq=1)
    [goodbye] = await client.until_closed()
    assert (goodbye[35], goodbye[58]) == (
        LOGOUT,
        "MsgSeqNum too low, expecting 2 but received 1",
    )


async def test_after_a_hole_what_waited_is_done(client: FixClient) -> None:
    await client.order("first-missing")
    await client.hear(REPORT)
    client.seq += 1
    await client.order("after-the-hole")
    request = await client.hear()
    assert (request[35], request[7], request[16]) == ("2", "3", "0")
    await client.say("4", (43, "Y"), (122, AT), (123, "Y"), (36, "4"), seq=3)
    report = await client.hear()
    assert (report[35], report[11]) == (REPORT, "after-the-hole")


async def test_what_was_told_is_told_again_and_the_rest_is_filled(client: FixClient) -> None:
    for number in range(3):
        await client.order(f"again-{number}")
        await client.hear(REPORT)
    await client.say("2", (7, "1"), (16, "0"))
    fill = await client.hear()
    assert (fill[35], fill[34], fill[36], fill[43], fill[123]) == ("4", "1", "2", "Y", "Y")
    for number in range(3):
        report = await client.hear()
        assert (report[34], report[43], report[11]) == (str(2 + number), "Y", f"again-{number}")
        assert report[122] <= report[52]


async def test_a_second_logon_cuts_the_first_one_off(venue: VenueProcess) -> None:
    async with fix_client(venue, "TWICE") as first, fix_client(venue, "TWICE") as second:
        await first.log_on()
        await first.hear(LOGON)
        await second.log_on(seq=2)
        assert (await second.hear())[35] == LOGON
        assert await first.until_closed() == []
        second.seq = 3
        await second.say("AF", (584, "mine"), (585, "7"))
        assert (await second.hear(REPORT))[911] == "0"


async def test_both_sides_begin_again_where_a_logon_asks_for_it(venue: VenueProcess) -> None:
    async with fix_client(venue, "ANEW") as client:
        await client.log_on()
        await client.hear(LOGON)
        await client.say("5")
        assert [message[35] for message in await client.until_closed()] == [LOGOUT]
    async with fix_client(venue, "ANEW") as client:
        await client.log_on((141, "Y"))
        answer = await client.hear()
        assert (answer[35], answer[34], answer[141]) == (LOGON, "1", "Y")


async def test_a_killed_venue_goes_on_with_its_numbers(tmp_path: Path) -> None:
    async with venue_process(tmp_path / "sim") as venue:
        async with fix_client(venue) as client:
            await client.log_on()
            await client.order("kept")
            report = await client.hear(REPORT)
        await venue.kill()
    async with venue_process(tmp_path / "sim") as venue:
        await venue.administer(op="end_day")
        async with fix_client(venue) as client:
            await client.log_on(seq=5)
            logon = await client.hear()
            assert int(logon[34]) > int(report[34])
            client.seq = 6
            await client.say("2", (7, report[34]), (16, report[34]))
            again = await client.hear(REPORT)
            assert (again[34], again[17], again[43]) == (report[34], report[17], "Y")


async def test_what_happened_while_nobody_was_there_is_told_after_the_logon(
    venue: VenueProcess,
) -> None:
    async with fix_client(venue, "AWAY") as client:
        await client.log_on()
        await client.order("away", price="8")
        await client.hear(REPORT)
        await client.say("5")
        await client.until_closed()
    async with fix_client(venue, "HERE") as other:
        await other.log_on()
        await other.order("hit-away", side="2", price="8")
        await other.hear(REPORT)
    async with fix_client(venue, "AWAY") as client:
        await client.log_on(seq=4)
        assert (await client.hear())[35] == LOGON
        fill = await client.hear(REPORT)
        assert (fill[150], fill[11]) == ("F", "away")
        assert 43 not in fill


async def test_a_client_that_is_silent_is_asked_and_given_up(venue: VenueProcess) -> None:
    async with fix_client(venue, "QUIET") as client:
        await client.say("A", (98, "0"), (108, "1"), (554, "venue-key"))
        said = [message[35] for message in await client.until_closed()]
        assert said[0] == LOGON
        assert "1" in said


async def test_64_sessions_at_once(venue: VenueProcess) -> None:
    async def one(number: int) -> str:
        async with fix_client(venue, f"MANY{number}") as client:
            await client.log_on()
            await client.order(f"many-{number}")
            return (await client.hear(REPORT))[11]

    names = await asyncio.gather(*(one(number) for number in range(64)))
    assert set(names) == {f"many-{number}" for number in range(64)}
    assert venue.process.returncode is None
