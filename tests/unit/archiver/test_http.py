# SPDX-License-Identifier: Apache-2.0
"""The read endpoint, on a real embedded database."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from tests.unit.archiver.test_rows import INSTRUMENT, REPORT, record
from tradewind.archiver.batches import Portion, build_block
from tradewind.archiver.clickhouse import Warehouse
from tradewind.archiver.http import Endpoint
from tradewind.common.http import PortTaken, listen
from tradewind.core.events import Event
from tradewind.core.types import ExecType

pytestmark = pytest.mark.anyio


@pytest.fixture
def client(warehouse: Warehouse) -> httpx.AsyncClient:
    archiver: Any = SimpleNamespace(
        is_ready=True, problem="", archived={"S": 7}, segments={"S": "seg"}
    )
    application = Endpoint(archiver, warehouse).app()
    transport = httpx.ASGITransport(app=application)
    return httpx.AsyncClient(transport=transport, base_url="http://archiver")


@pytest.fixture(scope="module", autouse=True)
def two_orders(warehouse: Warehouse) -> None:
    """One that is filled for more than 64 bits can say, and one of another account."""
    filled = replace(REPORT, exec_type=ExecType.TRADE, last_qty=100, last_px=5, transact_time_ns=10)
    events: list[Event] = [
        INSTRUMENT,
        REPORT,
        filled,
        replace(REPORT, account="BETA", order_id="seg-0-8"),
    ]
    records = [record(seq, event) for seq, event in enumerate(events, start=1)]
    warehouse.write(build_block("http:1", [Portion("EVENTS_9", "seg", records)], {"EVENTS_9": 0}))


async def test_orders_are_the_latest_reports(client: httpx.AsyncClient) -> None:
    answer = (await client.get("/v1/orders?account=ALPHA")).json()
    (found,) = answer["reports"]
    assert (found["order_id"], found["exec_type"], found["seq"]) == ("seg-0-7", "TRADE", 3)
    assert found["cum_notional"] == 10**25
    assert answer["instruments"]["BTC-USD"] == {"tick_size": "0.01", "lot_size": "0.00000001"}


async def test_orders_of_all_accounts_are_bounded_by_the_limit(client: httpx.AsyncClient) -> None:
    assert len((await client.get("/v1/orders")).json()["reports"]) == 2
    assert len((await client.get("/v1/orders?limit=1")).json()["reports"]) == 1


async def test_fills_are_trades_only(client: httpx.AsyncClient) -> None:
    found = (await client.get("/v1/fills?limit=10")).json()["reports"]
    assert [(fill["last_qty"], fill["last_px"]) for fill in found] == [(100, 5)]


async def test_the_summary_names_every_stream(client: httpx.AsyncClient) -> None:
    streams = {
        found["stream"]: found for found in (await client.get("/v1/summary")).json()["streams"]
    }
    held = streams["EVENTS_9"]
    assert (held["segment"], held["count"], held["first"], held["last"]) == ("seg", 4, 1, 4)


async def test_positions_are_the_archivers_own(client: httpx.AsyncClient) -> None:
    answer = (await client.get("/v1/positions")).json()
    assert answer == {"streams": [{"stream": "S", "segment": "seg", "last": 7}]}


async def test_a_query_is_answered(client: httpx.AsyncClient) -> None:
    sql = "select order_id, tick_size from fills where account = 'ALPHA'"
    answer = await client.post("/v1/query", json={"sql": sql})
    assert answer.json() == {"columns": ["order_id", "tick_size"], "rows": [["seg-0-7", "0.01"]]}


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b'{"sql":"drop table records"}', "application/json", 400),
        (b'{"sql":"select nonsense"}', "application/json", 400),
        (b'{"sql":"select nan"}', "application/json", 400),
        (b'{"sql":1}', "application/json", 400),
        (b'{"sql":"select 1","more":1}', "application/json", 400),
        (b"\xff", "application/json", 400),
        (b'{"sql":"select 1"}', "text/plain", 415),
        (b" " * 70_000, "application/json", 413),
    ],
)
async def test_a_bad_query_is_refused_with_a_code(
    client: httpx.AsyncClient, body: bytes, kind: str, status: int
) -> None:
    answer = await client.post("/v1/query", content=body, headers={"content-type": kind})
    assert answer.status_code == status
    assert set(answer.json()["error"]) == {"code", "text"}


@pytest.mark.parametrize("path", ["/v1/orders?limit=x", "/v1/sums?first=0", "/v1/sums?last=-1"])
async def test_a_bad_parameter_is_refused_with_a_code(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "BAD_QUESTION")


def test_a_taken_port_is_a_sentence() -> None:
    with listen("127.0.0.1", 0) as held:
        held.listen()
        with pytest.raises(PortTaken, match="set TRADEWIND_HTTP_PORT to a free port"):
            listen("127.0.0.1", held.getsockname()[1])
