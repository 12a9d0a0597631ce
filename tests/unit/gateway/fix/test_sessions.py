# SPDX-License-Identifier: Apache-2.0
"""The session layer at a gateway, over sockets."""

import asyncio
import random

import pytest

from tests.integration.simvenue.fix_client import AT, FixClient, wire
from tests.unit.gateway.conftest import Harness, answer_all, report_for
from tradewind.common.testing import eventually
from tradewind.core.commands import CancelOrder
from tradewind.gateway.fix import scribe
from tradewind.gateway.fix.acceptor import Acceptor

from .conftest import RESET, Client, Guards
from .test_orders import order

pytestmark = pytest.mark.anyio


async def refused(client: FixClient) -> str:
    """Why a Logon is refused: the Text of the only message."""
    (goodbye,) = await client.until_closed()
    assert goodbye[35] == "5"
    return goodbye[58].partition(":")[0]


async def test_a_logon_is_answered(dial: Client, acceptor: Acceptor) -> None:
    async with dial(is_logged_on=False) as client:
        await client.log_on(RESET, key="s3cret")
        answer = await client.hear()
        assert (answer[35], answer[34], answer[141], answer[108]) == ("A", "1", "Y", "30")
        assert (answer[49], answer[56]) == ("TRADEWIND", "k1")
        assert acceptor.count == 1
    await eventually(lambda: acceptor.count == 0)


async def test_who_is_not_known_or_may_not_trade_is_told_why(dial: Client) -> None:
    cases = {
        ("k1", "wrong", RESET): "BAD_PASSWORD",
        ("nobody", "s3cret", RESET): "UNKNOWN_KEY",
        ("stop", "s3cret", RESET): "SCOPE_MISSING",
        ("far", "s3cret", RESET): "ADDRESS_NOT_ALLOWED",
        ("k1", "s3cret", (553, "k2")): "UNKNOWN_KEY",
    }
    for (name, secret, more), code in cases.items():
        async with dial(name, is_logged_on=False) as client:
            await client.log_on(more, key=secret)
            assert await refused(client) == code


async def test_heartbeats_have_to_be_agreed_on(dial: Client) -> None:
    for seconds in ("0", "61", "\xb2"):
        async with dial(is_logged_on=False) as client:
            head = [(35, "A"), (49, "k1"), (56, "TRADEWIND"), (34, "1"), (52, AT), (98, "0")]
            text = [(108, seconds), (554, "s3cret"), RESET]
            await client.put(wire([*head, *text]))
            assert await refused(client) == "INVALID_FIELD"


async def test_who_asks_for_another_or_says_something_else_is_dropped(dial: Client) -> None:
    async with dial(is_logged_on=False) as client:
        client.target = "OTHER"
        await client.log_on(RESET, key="s3cret")
        assert await client.until_closed() == []
    async with dial(is_logged_on=False) as client:
        await order(client)
        assert await client.until_closed() == []


async def test_a_test_request_is_answered(dial: Client) -> None:
    async with dial() as client:
        await client.say("1", (112, "there?"))
        answer = await client.hear()
        assert (answer[35], answer[112]) == ("0", "there?")


async def test_a_message_of_somebody_else_ends_the_session(dial: Client) -> None:
    async with dial() as client:
        client.name = "k2"
        await client.say("0")
        told = await client.until_closed()
    assert [message[35] for message in told] == ["3", "5"]
    assert told[0][373] == "9"


async def test_garbled_bytes_are_passed_over(harness: Harness, dial: Client) -> None:
    async with dial() as client:
        head = [(35, "1"), (49, "k1"), (56, "TRADEWIND"), (34, "2"), (52, AT)]
        good = wire([*head, (112, "still there")])
        await client.put(b"rubbish" + good[:-4] + b"999\x01" + good)
        assert (await client.hear())[112] == "still there"


async def test_a_number_that_was_used_ends_the_session_unless_it_is_a_duplicate(
    dial: Client,
) -> None:
    async with dial() as client:
        await client.say("0", (43, "Y"), (122, AT), seq=1)
        await client.say("1", (112, "here"), seq=2)
        assert (await client.hear())[112] == "here"
        await client.say("0", seq=1)
        (goodbye,) = await client.until_closed()
        assert goodbye[58] == "MsgSeqNum too low, expecting 3 but received 1"


async def test_a_hole_is_asked_for_and_nothing_overtakes_it(harness: Harness, dial: Client) -> None:
    answer_all(harness)
    async with dial() as client:
        client.seq = 3
        await order(client, t11="late")
        asked = await client.hear()
        assert (asked[35], asked[7], asked[16]) == ("2", "2", "0")
        assert harness.bus.published == []
        await client.say("4", (43, "Y"), (122, AT), (123, "Y"), (36, "3"), seq=2)
        assert (await client.hear())[11] == "late"


async def test_reports_are_sent_again_and_the_rest_is_filled(
    harness: Harness, dial: Client
) -> None:
    answer_all(harness)
    async with dial() as client:
        first = []
        for number in range(3):
            await order(client, t11=f"c-{number}")
            first.append(await client.hear())
        await client.say("2", (7, "1"), (16, "0"))
        fill = await client.hear()
        assert (fill[35], fill[34], fill[36], fill[43], fill[123]) == ("4", "1", "2", "Y", "Y")
        for report in first:
            again = await client.hear()
            assert again[43] == "Y"
            assert again[122] == report[52]
            assert [again[tag] for tag in (34, 17, 11)] == [report[tag] for tag in (34, 17, 11)]


async def test_a_second_logon_takes_the_session(
    harness: Harness, dial: Client, guards: Guards
) -> None:
    answer_all(harness)
    async with dial(is_logged_on=False) as first:
        await first.log_on(RESET, (5001, "Y"), key="s3cret")
        await first.hear()
        async with dial() as second:
            assert guards.closed == ["session-1"]
            assert await first.until_closed() == []
            await order(second)
            assert (await second.hear())[11] == "c-1"


async def test_orders_end_with_the_session_where_it_asked_for_that(
    dial: Client, guards: Guards
) -> None:
    async with dial(is_logged_on=False) as client:
        await client.log_on(RESET, (5001, "Y"), key="s3cret")
        await client.hear()
        assert (guards.opened, guards.closed) == ([("tester", ["DEMO"])], [])
    await eventually(lambda: guards.closed == ["session-1"])


async def test_a_session_that_others_have_ended_is_logged_out(dial: Client, guards: Guards) -> None:
    async with dial(is_logged_on=False) as client:
        await client.log_on(RESET, (5001, "Y"), key="s3cret")
        await client.hear()
        guards.give_up()
        assert (await client.hear("5"))[58] == "GIVEN_UP"


async def test_a_gateway_that_stops_says_goodbye(dial: Client, acceptor: Acceptor) -> None:
    async with dial() as client:
        closing = asyncio.ensure_future(acceptor.close())
        assert (await client.hear())[35] == "5"
        await client.say("5")
        await closing


async def test_a_client_that_reads_too_slowly_is_cut_off(
    harness: Harness, dial: Client, acceptor: Acceptor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scribe, "UNREAD_BYTES_MAX", 1_000)
    command = CancelOrder(account="DEMO", cl_ord_id="c", orig_cl_ord_id="", client="tester")
    async with dial() as client:
        client.reader._transport.pause_reading()  # type: ignore[attr-defined]
        shard = harness.journal.shard_of("DEMO")
        for number in range(1_000):
            harness.output(shard, number, report_for(command, text="x" * 20_000))
        await eventually(lambda: acceptor.count == 0)


async def test_whatever_bytes_come_the_next_client_is_served(
    harness: Harness, dial: Client, caplog: pytest.LogCaptureFixture
) -> None:
    answer_all(harness)
    fuzz = random.Random(44)
    values = ["", "0", "-1", "\xb2", "9" * 5_000, "Y", "x" * 200, "1e9", "20260302-10:00:00", "="]
    kinds = ["0", "1", "2", "3", "4", "5", "A", "D", "F", "G", "H", "AF", "q", "j", "zz"]
    known = [7, 11, 16, 34, 36, 38, 40, 41, 43, 44, 54, 55, 59, 60, 112, 123, 126, 584, 585, 0]
    for _ in range(60):
        async with dial() as client:
            for seq in range(2, 12):
                head = [(49, "k1"), (56, "TRADEWIND"), (34, str(seq)), (52, AT)]
                body = [(fuzz.choice(known), fuzz.choice(values)) for _ in range(fuzz.randrange(9))]
                message = wire([(35, fuzz.choice(kinds)), *head, *body])
                if fuzz.random() < 0.3:
                    cut = fuzz.randrange(len(message))
                    message = message[:cut] + fuzz.randbytes(3) + message[cut + 1 :]
                client.writer.write(message)
    async with dial() as client:
        await order(client, t11="after all")
        assert (await client.hear("8"))[11] == "after all"
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []
