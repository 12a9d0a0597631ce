# SPDX-License-Identifier: Apache-2.0
"""A copy that lacks records is told, and so is a node that does not answer."""

import asyncio
import json
import secrets
from typing import Any

import pytest

from tradewind.cli.chaos import stores
from tradewind.cli.suite.facts import HOST, Facts

pytestmark = pytest.mark.anyio


def told(records: int) -> dict[str, Any]:
    """What a node says of a shard whose journal should have ten records."""
    streams = {"JOURNAL_0": records, "EVENTS_0": 4}
    last = {"JOURNAL_0": 10, "EVENTS_0": 4}
    details = [
        {"name": name, "state": {"messages": count, "last_seq": last[name]}}
        for name, count in streams.items()
    ]
    return {"account_details": [{"stream_detail": details}]}


async def holes_with(*answers: dict[str, Any]) -> list[str]:
    """The holes in a suite whose nodes answer so; nobody listens for those without an answer."""
    servers = [await _server(json.dumps(answer).encode()) for answer in answers]
    ports = [server.sockets[0].getsockname()[1] for server in servers]
    facts = Facts(
        nonce=secrets.token_hex(4),
        home="/nowhere",
        shards=1,
        replicas=1,
        nodes=[{"monitor": port} for port in ports],
        gateway_port=0,
        console_port=0,
        venue_port=0,
        node_hosts=(HOST,) * len(ports),
    )
    try:
        return await asyncio.to_thread(stores.holes, facts)
    finally:
        for server in servers:
            server.close()


async def _server(body: bytes) -> asyncio.Server:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.0 200 OK\r\n\r\n" + body)
        await writer.drain()
        writer.close()

    return await asyncio.start_server(answer, HOST, 0)


async def test_copies_that_have_every_record_have_no_hole() -> None:
    assert await holes_with(told(10), told(10)) == []


async def test_a_copy_that_lacks_records_is_named_with_how_many_it_has() -> None:
    (text,) = await holes_with(told(10), told(7))
    assert "JOURNAL_0 has 7 of 10 records" in text


async def test_a_node_without_its_store_lacks_all() -> None:
    assert len(await holes_with(told(10), {"disabled": True})) == 2
