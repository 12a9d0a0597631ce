# SPDX-License-Identifier: Apache-2.0
"""The venue's session protocol over a real WebSocket, against a real process."""

import json
from pathlib import Path

import pytest
from aiohttp import ClientSession, WSMsgType

from tests.integration.simvenue.venue_process import KEY, client, venue_process

pytestmark = pytest.mark.anyio


async def test_an_order_is_taken_filled_and_reported_in_order(tmp_path: Path) -> None:
    async with venue_process(tmp_path) as venue, client(venue) as one:
        assert await one.log_on() == 1
        await one.say(op="reports", after=0)
        assert await one.hear() == {"op": "reports_end", "last": 0}
        await one.order("a")
        await one.order("b", side="SELL", qty=4)
        reports = [await one.hear() for _ in range(4)]
        assert [(r["exec_no"], r["cl_id"], r["exec_type"]) for r in reports] == [
            (1, "a", "NEW"),
            (2, "b", "NEW"),
            (3, "b", "TRADE"),
            (4, "a", "TRADE"),
        ]
        await one.say(op="status", cl_id="b")
        answer = await one.hear()
        assert (answer["found"], answer["order"]["ord_status"]) == (True, "FILLED")
        await one.say(op="status", cl_id="never")
        assert not (await one.hear())["found"]


async def test_a_second_logon_cuts_the_first_off(tmp_path: Path) -> None:
    async with venue_process(tmp_path) as venue, client(venue) as one, client(venue) as two:
        await one.log_on()
        await one.order("a")
        await one.say(op="status", cl_id="a")
        assert (await one.hear())["found"]
        assert await two.log_on() == 2
        end = await one.socket.receive(timeout=10)
        assert (end.type, end.data) == (WSMsgType.CLOSE, 4001)
        await two.say(op="reports", after=0)
        assert (await two.hear())["cl_id"] == "a"


async def test_a_killed_venue_goes_on_with_orders_and_numbers(tmp_path: Path) -> None:
    async with venue_process(tmp_path) as venue, client(venue) as one:
        await one.log_on()
        await one.order("a")
        await one.say(op="status", cl_id="a")
        await one.hear()
        await venue.kill()
    async with venue_process(tmp_path) as venue, client(venue) as one:
        assert (await venue.status())["working_orders"] == 1
        assert await one.log_on() == 2
        await one.order("b", side="SELL")
        await one.say(op="reports", after=1)
        reports = [await one.hear() for _ in range(3)]
        assert [(r["exec_no"], r["cl_id"], r["exec_type"]) for r in reports] == [
            (2, "b", "NEW"),
            (3, "b", "TRADE"),
            (4, "a", "TRADE"),
        ]


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("{", "BAD_MESSAGE"),
        ('{"op":"new","cl_id":"a"}', "BAD_MESSAGE"),
        ('{"op":"status","cl_id":"a"}', "NOT_LOGGED_ON"),
        ('{"op":"logon","session":"s","key":"wrong"}', "WRONG_KEY"),
    ],
)
async def test_what_is_not_understood_or_allowed_ends_the_connection(
    tmp_path: Path, message: str, code: str
) -> None:
    async with venue_process(tmp_path) as venue, client(venue) as one:
        await one.socket.send_str(message)
        assert (await one.hear())["code"] == code
        assert (await one.socket.receive(timeout=10)).type is WSMsgType.CLOSE
        assert (await venue.status())["last_exec_no"] == 0


async def test_the_feed_shows_quotes_depth_and_trades(tmp_path: Path) -> None:
    async with venue_process(tmp_path, flow="synthetic") as venue:
        assert (await venue.status())["flow"] == "synthetic"
        seen: dict[str, dict[str, object]] = {}
        async with ClientSession() as http, client(venue) as one:
            async with http.ws_connect(f"{venue.http}/feed") as feed:
                await one.log_on()
                await one.order("a", ord_type="MARKET", price=0)
                while set(seen) != {"quote", "depth", "trade"}:
                    message = json.loads(await feed.receive_str(timeout=10))
                    seen[message["type"]] = message
            async with http.get(f"{venue.http}/v1/trades?after=0") as answer:
                trades = json.loads(await answer.read())["trades"]
            async with http.get(f"{venue.http}/v1/book?depth=x") as answer:
                assert answer.status == 400
        assert seen["quote"]["bid_px"] < seen["quote"]["ask_px"]  # type: ignore[operator]
        assert trades[0]["px"] == seen["trade"]["px"]


async def test_orders_end_with_the_connection_if_their_client_wanted_that(tmp_path: Path) -> None:
    logon = {"op": "logon", "session": "tester", "key": KEY, "cancel_on_disconnect": True}
    async with venue_process(tmp_path) as venue:
        async with client(venue) as first, client(venue) as second:
            await first.say(**logon)
            await first.order("a", price=90)
            await first.say(op="status", cl_id="a")
            assert [(await first.hear())["op"] for _ in range(2)] == ["logged_on", "status"]
            await second.say(**logon)
            assert (await second.hear())["op"] == "logged_on"
            await venue.administer(op="cut", session="tester")
            assert (await second.socket.receive(timeout=10)).type is WSMsgType.CLOSED
        async with client(venue) as third:
            await third.log_on()
            await third.say(op="reports", after=0)
            told = [await third.hear() for _ in range(2)]
            assert [(r["exec_type"], r["text"]) for r in told] == [
                ("NEW", ""),
                ("CANCELED", "CANCEL_ON_DISCONNECT"),
            ]


async def test_a_session_hears_refusals_and_its_position(tmp_path: Path) -> None:
    async with venue_process(tmp_path) as venue, client(venue) as one:
        await one.log_on()
        await venue.administer(op="fault", kind="rate_limit", ms=50)
        await one.order("a")
        assert await one.hear() == {
            "op": "refused",
            "code": "RATE_LIMITED",
            "retry_ms": 50,
            "cl_id": "a",
            "request_id": "a",
        }
        await venue.administer(op="drift", session="tester", qty=3)
        await one.say(op="position", request_id="p")
        answer = await one.hear()
        assert (answer["symbol"], answer["qty"], answer["request_id"]) == ("BTC-USD", 3, "p")
        assert (await venue.status())["faults_played"] == {"rate_limit": 1}
