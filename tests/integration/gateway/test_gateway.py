# SPDX-License-Identifier: Apache-2.0
"""The gateway as clients meet it: real processes, real journal, real core."""

from typing import Any

import pytest

from tradewind.cli.client import GatewayClient, GatewayError, GatewaySocket, Message
from tradewind.cli.credentials import Credentials
from tradewind.common import subjects
from tradewind.common.jetstream import KeyValue
from tradewind.common.testing import eventually

from .conftest import OPERATOR, SHARDS, TRADER, Platform

pytestmark = [pytest.mark.cluster, pytest.mark.anyio]


def order(cl_ord_id: str, **changes: Any) -> Message:
    return {
        "account": "BENCH0",
        "cl_ord_id": cl_ord_id,
        "symbol": "BTC-USD",
        "side": "BUY",
        "ord_type": "LIMIT",
        "time_in_force": "GTC",
        "order_qty": "0.01",
        "price": "99999.99",
        "strategy": "test",
    } | changes


async def test_an_order_is_accepted_repeated_and_listed(platform: Platform) -> None:
    async with GatewayClient(platform.url, TRADER) as client:
        first = await client.submit(order("c-1"))
        assert first["outcome"] == "accepted"
        assert first["report"]["price"] == "99999.99"
        again = await client.submit(order("c-1"))
        assert again["outcome"] == "duplicate"
        assert again["report"]["order_id"] == first["report"]["order_id"]
        reused = await client.submit(order("c-1", order_qty="0.02"))
        assert (reused["outcome"], reused["report"]["reason"]) == ("denied", "CL_ORD_ID_REUSED")
        await client.submit(order("c-2", account="BENCH1", side="SELL"))
        found = await client.orders()
        assert {(item["account"], item["cl_ord_id"]) for item in found} == {
            ("BENCH0", "c-1"),
            ("BENCH1", "c-2"),
        }
        one = await client.order("BENCH0", "c-1")
        assert (one["order_qty"], one["ord_status"]) == ("0.01", "PENDING_NEW")
        with pytest.raises(GatewayError) as caught:
            await client.order("BENCH0", "never")
        assert caught.value.code == "UNKNOWN_ORDER"
        denied = await client.submit(order("c-3", order_qty="1000000"))
        assert denied["outcome"] == "denied"
        with pytest.raises(GatewayError, match=denied["report"]["reason"]) as caught:
            await client.order("BENCH0", "c-3")
        assert caught.value.code == "ORDER_DENIED"
        missing = await client.cancel("BENCH0", "never", "x-1")
        assert (missing["outcome"], missing["report"]["reason"]) == ("denied", "UNKNOWN_ORDER")
        late = await client.cancel("BENCH0", "c-1", "x-2")
        assert late["report"]["orig_cl_ord_id"] == "c-1"
        (position,) = await client.positions("BENCH0")
        assert (position["qty"], position["buy_working"]) == ("0", "0.01")


async def test_a_list_comes_in_pages_that_new_orders_do_not_move(platform: Platform) -> None:
    async with GatewayClient(platform.url, TRADER) as client:
        for number in range(6):
            await client.submit(order(f"page-{number}", account=f"BENCH{number % 2}"))
        everything = await client.orders()
        assert {"page-0", "page-5"} <= {item["cl_ord_id"] for item in everything}
        paged: list[Message] = []
        cursor = None
        while cursor is not None or not paged:
            page = await client.call("GET", "/v1/orders", query={"limit": "4", "cursor": cursor})
            assert len(page["orders"]) == 4 or page["next_cursor"] is None
            paged, cursor = paged + page["orders"], page["next_cursor"]
            await client.submit(order(f"meanwhile-{len(paged)}", account=f"BENCH{len(paged) % 2}"))
        met = [item for item in paged if not item["cl_ord_id"].startswith("meanwhile")]
        assert [item["cl_ord_id"] for item in met] == [item["cl_ord_id"] for item in everything]
        assert await client.orders(limit=5) == (await client.orders())[:5]
        with pytest.raises(GatewayError, match="next_cursor"):
            await client.call("GET", "/v1/orders", query={"cursor": "x"})


async def test_what_is_refused_leaves_no_entry(platform: Platform) -> None:
    bad: list[tuple[Message, str]] = [
        (order("b-1", price="1.001"), "OFF_GRID"),
        (order("b-2", order_qty="NaN"), "BAD_NUMBER"),
        (order("b-3", order_qty="-1"), "NOT_POSITIVE"),
        (order("b" * 37), "INVALID_FIELD"),
        (order("b-5", extra=1), "UNKNOWN_FIELD"),
        (order("b-6", account="DEMO"), "ACCOUNT_NOT_ALLOWED"),
    ]
    async with GatewayClient(platform.url, TRADER) as client:
        for body, code in bad:
            with pytest.raises(GatewayError) as caught:
                await client.submit(body)
            assert caught.value.code == code
    for credentials in (Credentials("trader", "wrong"), Credentials("nobody", "x"), OPERATOR):
        async with GatewayClient(platform.url, credentials) as client:
            with pytest.raises(GatewayError) as caught:
                await client.submit(order("b-7"))
            assert caught.value.code in ("BAD_SIGNATURE", "UNKNOWN_KEY", "SCOPE_MISSING")
    assert await platform.client_entries("BENCH0") == 0
    assert await platform.client_entries("DEMO") == 0


async def test_a_client_that_comes_back_is_told_what_it_missed(platform: Platform) -> None:
    before: list[Message] = []
    first = await GatewaySocket.connect(platform.url, TRADER, before.append)
    first.send({"type": "submit", **order("r-1")})
    await eventually(lambda: of_type(before, "report"), 20)
    await first.close()
    async with GatewayClient(platform.url, TRADER) as client:
        for number in range(2, 52):
            await client.submit(order(f"r-{number}", account=f"BENCH{number % 2}"))
    heard: list[Message] = []
    again = await GatewaySocket.connect(platform.url, TRADER, heard.append, resume=first.ordinals)
    again.send({"type": "submit", **order("r-new")})
    reports = await eventually(
        lambda: found if len(found := of_type(heard, "report")) == 51 else None, 20
    )
    assert [r["report"]["cl_ord_id"] for r in reports if r["shard"] == reports[0]["shard"]]
    assert {r["report"]["cl_ord_id"] for r in reports} == {
        "r-new",
        *(f"r-{number}" for number in range(2, 52)),
    }
    for shard in {report["shard"] for report in reports}:
        told = [report["ordinal"] for report in reports if report["shard"] == shard]
        assert told == sorted(set(told))
    await again.close()
    with pytest.raises(GatewayError) as caught:
        await GatewaySocket.connect(platform.url, TRADER, heard.append, resume={99: 1})
    assert caught.value.code == "UNKNOWN_SHARD"


async def test_a_socket_pipelines_and_streams_every_report(platform: Platform) -> None:
    heard: list[Message] = []
    socket = await GatewaySocket.connect(platform.url, TRADER, heard.append)
    watched: list[Message] = []
    operator = await GatewaySocket.connect(platform.url, OPERATOR, watched.append)
    names = [f"w-{number}" for number in range(300)]
    for number, name in enumerate(names):
        socket.send({"type": "submit", **order(name, account=f"BENCH{number % 2}")})
    socket.send({"type": "submit", **order("w-bad", price="0.001")})
    reports = await eventually(
        lambda: found if len(found := of_type(heard, "report")) == len(names) else None, 20
    )
    durable = {item["cl_ord_id"]: item for item in of_type(heard, "durable")}
    assert set(durable) == set(names)
    for message in reports:
        report = message["report"]
        assert report["exec_type"] == "PENDING_NEW"
        stored = durable[report["cl_ord_id"]]
        assert (message["shard"], message["seq"]) == (stored["shard"], stored["seq"])
    (error,) = of_type(heard, "error")
    assert (error["cl_ord_id"], error["error"]["code"]) == ("w-bad", "OFF_GRID")
    await eventually(lambda: len(of_type(watched, "report")) == len(names))
    by_account: dict[str, list[int]] = {}
    for message in reports:
        number = int(message["report"]["cl_ord_id"].removeprefix("w-"))
        by_account.setdefault(message["report"]["account"], []).append(number)
    assert all(numbers == sorted(numbers) for numbers in by_account.values())
    await socket.close()
    await operator.close()


async def test_a_restarted_gateway_answers_a_retry_with_the_original(platform: Platform) -> None:
    heard: list[Message] = []
    socket = await GatewaySocket.connect(platform.url, TRADER, heard.append)
    for number in range(50):
        socket.send({"type": "submit", **order(f"k-{number}")})
    await eventually(lambda: of_type(heard, "durable"))
    platform.kill("gateway-1")
    await socket.closed()
    await socket.close()
    platform.start_gateway()
    await platform.ready()
    again: list[Message] = []
    socket = await GatewaySocket.connect(platform.url, TRADER, again.append)
    for number in range(50):
        socket.send({"type": "submit", **order(f"k-{number}")})
    await eventually(lambda: len(of_type(again, "report")) >= 50)
    async with GatewayClient(platform.url, TRADER) as client:
        orders = await client.orders("BENCH0")
    assert sorted(item["cl_ord_id"] for item in orders) == sorted(f"k-{n}" for n in range(50))
    kinds = {message["report"]["reason"] for message in of_type(again, "report")}
    assert kinds <= {"", "DUPLICATE_CL_ORD_ID"}
    assert "DUPLICATE_CL_ORD_ID" in kinds
    await socket.close()


async def test_a_halt_is_in_force_on_every_shard(platform: Platform) -> None:
    async with GatewayClient(platform.url, OPERATOR) as operator:
        answer = await operator.set_trading_state("firm", "HALTED", "drill")
        assert answer["outcome"] == "accepted"
        assert [item["shard"] for item in answer["shards"]] == list(range(SHARDS))
        async with GatewayClient(platform.url, TRADER) as client:
            denied = await client.submit(order("h-1"))
            assert denied["report"]["reason"] == "TRADING_HALTED"
            await operator.set_trading_state("firm", "ACTIVE", "drill over")
            assert (await client.submit(order("h-2")))["outcome"] == "accepted"


async def test_the_heartbeat_says_how_fast_it_is(platform: Platform) -> None:
    async with GatewayClient(platform.url, TRADER) as client:
        await client.submit(order("s-1"))
        status = await client.status()
    assert status["gateway"]["accepted_us"]["p50"] > 0
    values = KeyValue(platform.bus, "STATUS")
    entry = await eventually(lambda: values.get(subjects.status_key("gateway", "gateway-1")))
    assert b'"durable_ack_us"' in entry.value


async def test_a_taken_port_is_said_in_one_sentence(platform: Platform) -> None:
    platform.start_other_gateway(platform.url)
    process = platform.processes["gateway-2"]
    await eventually(lambda: process.poll() is not None, 20)
    assert process.returncode == 1
    assert "PORT_TAKEN: cannot listen on" in platform.log("gateway-2")
    assert "Traceback" not in platform.log("gateway-2")


def of_type(messages: list[Message], kind: str) -> list[Message]:
    return [message for message in messages if message["type"] == kind]
