# SPDX-License-Identifier: Apache-2.0
"""One order through the stack is one trace, and whoever keeps traces shows it."""

import json
import secrets
from collections.abc import Iterator
from typing import Any

import pytest
from aiohttp import ClientSession

from tests.integration.containers.faults import URL, operator
from tests.integration.containers.load import order
from tradewind.common.testing import eventually

pytestmark = [
    pytest.mark.usefixtures("running_stack"),
    pytest.mark.anyio,
    pytest.mark.chaos,
    pytest.mark.slow,
]

TRACES = "http://127.0.0.1:16686/api/traces"
WHOLE = {
    ("tradewind-gateway", "request"),
    ("tradewind-gateway", "journal"),
    ("tradewind-oms", "decide"),
    ("tradewind-venue", "send"),
    ("tradewind-venue", "venue"),
    ("tradewind-venue", "report"),
    ("tradewind-archiver", "archive"),
}


def told(trace: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Each span: its service, its name, its tags."""
    for span in trace["spans"]:
        service = trace["processes"][span["processID"]]["serviceName"]
        yield service, span["operationName"], {each["key"]: each["value"] for each in span["tags"]}


async def test_an_order_is_one_trace_from_the_call_to_the_fill_and_its_row() -> None:
    trace_id, key = secrets.token_hex(16), operator()
    body = json.dumps(order(1) | {"cl_ord_id": trace_id}).encode()
    traced = {"traceparent": f"00-{trace_id}-{secrets.token_hex(8)}-01"}
    headers = key.headers("POST", "/v1/orders", body) | traced
    async with ClientSession() as session:
        async with session.post(f"{URL}/v1/orders", data=body, headers=headers) as answer:
            assert answer.status == 200, await answer.text()

        async def whole() -> list[tuple[str, str, dict[str, Any]]]:
            async with session.get(f"{TRACES}/{trace_id}") as answer:
                found = (await answer.json())["data"] if answer.status == 200 else []
            spans = list(told(found[0])) if found else []
            return spans if {span[:2] for span in spans} >= WHOLE else []

        spans = await eventually(whole, 20, what=f"the whole trace {trace_id}")
    assert {span[:2] for span in spans} == WHOLE
    decided = [tags["tradewind.exec_type"] for _, name, tags in spans if name == "decide"]
    assert "TRADE" in decided
    assert len([name for _, name, _ in spans if name == "archive"]) == len(decided)
