# SPDX-License-Identifier: Apache-2.0
"""What a real OTLP receiver gets of orders through real gateways and replicas."""

import json
from itertools import count

import pytest
from aiohttp import ClientSession

from tests.integration.gateway.conftest import TRADER, Platform
from tests.integration.gateway.otlp import receiver
from tests.integration.gateway.test_gateway import order
from tradewind.cli.client import GatewayClient, Message
from tradewind.common.testing import eventually
from tradewind.telemetry.names import METRICS, Spans
from tradewind.telemetry.receiver import Received, attributes

pytestmark = [pytest.mark.cluster, pytest.mark.anyio]


async def watched(platform: Platform, url: str, received: Received) -> None:
    """Telemetry runs: its metrics arrive."""
    platform.start("telemetry", "telemetry-0", {"OTEL_EXPORTER_OTLP_ENDPOINT": url})
    await eventually(
        lambda: "tradewind.service.up" in received.metrics,
        20,
        what=f"metrics ({platform.folder})",
    )


def misnamed(received: Received) -> list[str]:
    """What was sent under a name, or with an attribute, that the tables of names do not have."""
    kinds = {(f"tradewind-{kind.value.service}", kind.value.name): kind.value for kind in Spans}
    return [
        f"span {service} {span.name}"
        for spans in received.traces.values()
        for service, span in spans
        if (service, span.name) not in kinds
        or attributes(span.attributes).keys() != kinds[service, span.name].attributes
    ] + [
        f"metric {name}"
        for name, labels in received.metrics.items()
        if name not in METRICS or not labels <= METRICS[name].attributes
    ]


async def submit_within(traceparent: str, platform: Platform, message: Message) -> None:
    """An order by a client that traces its own calls."""
    body = json.dumps(message).encode()
    headers = TRADER.headers("POST", "/v1/orders", body) | {"traceparent": traceparent}
    url = f"{platform.url}/v1/orders"
    async with ClientSession() as session, session.post(url, data=body, headers=headers) as answer:
        assert answer.status == 200, await answer.text()


async def test_orders_are_traces_with_a_span_for_each_service_that_had_them(
    platform: Platform,
) -> None:
    async with receiver() as (url, received), GatewayClient(platform.url, TRADER) as client:
        await watched(platform, url, received)
        caller = f"00-{'ab' * 16}-{'cd' * 8}-01"
        await submit_within(caller, platform, order("t-1"))
        await client.submit(order("t-2", order_qty="1000000"))
        for number in range(20):
            await client.submit(order(f"n-{number}"))
        await eventually(lambda: len(received.traces) >= 2, 20, what=platform.log("telemetry-0"))
        spans = {span.name: (service, span) for service, span in received.traces["ab" * 16]}
        assert {name: service for name, (service, _span) in spans.items()} == {
            "request": "tradewind-gateway",
            "journal": "tradewind-gateway",
            "decide": "tradewind-oms",
        }
        root = spans["request"][1]
        assert root.parent_span_id.hex() == "cd" * 8
        assert {span.parent_span_id for name, (_, span) in spans.items() if name != "request"} == {
            root.span_id
        }
        (denied,) = (spans for trace, spans in received.traces.items() if trace != "ab" * 16)
        (told,) = (attributes(span.attributes) for _, span in denied if span.name == "request")
        assert (told["tradewind.cl_ord_id"], told["tradewind.exec_type"]) == ("t-2", "DENIED")
        assert {"tradewind.order.accepted", "tradewind.orders"} <= received.metrics.keys()
        assert misnamed(received) == []


async def test_a_receiver_that_is_away_costs_spans_and_nothing_else(platform: Platform) -> None:
    platform.start(
        "telemetry", "telemetry-0", {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"}
    )
    numbers = count()
    async with GatewayClient(platform.url, TRADER) as client:

        async def is_lost() -> bool:
            await client.submit(order(f"a-{next(numbers)}", order_qty="1000000"))
            return "did not take" in platform.log("telemetry-0")

        await eventually(is_lost, 20, what="a lost span")
        again = await client.submit(order("b-1"))
        assert again["outcome"] == "accepted"


async def test_a_services_log_is_sent_with_its_name(platform: Platform) -> None:
    async with receiver() as (url, received):
        told = {"OTEL_EXPORTER_OTLP_ENDPOINT": url, "TRADEWIND_SHARD": "0", "TRADEWIND_RANK": "1"}
        platform.start("oms", "oms-0-1", told)

        def said() -> list[str]:
            return [
                record.body.string_value
                for service, record in received.logs
                if service == "tradewind-oms"
            ]

        await eventually(lambda: any("shard 0 begins" in text for text in said()), 20, what="a log")
