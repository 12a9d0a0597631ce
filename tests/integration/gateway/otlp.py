# SPDX-License-Identifier: Apache-2.0
"""A receiver of OTLP over HTTP, that keeps what it is sent."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span


@dataclass
class Received:
    """Spans by trace, each with its service's name; and the names of metrics."""

    url: str = ""
    traces: dict[str, list[tuple[str, Span]]] = field(default_factory=dict)
    metrics: set[str] = field(default_factory=set)

    def take_traces(self, body: bytes) -> None:
        """Spans have come."""
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            named = {each.key: each.value.string_value for each in resource.resource.attributes}
            for scope in resource.scope_spans:
                for span in scope.spans:
                    found = self.traces.setdefault(span.trace_id.hex(), [])
                    found.append((named["service.name"], span))

    def take_metrics(self, body: bytes) -> None:
        """Metrics have come."""
        for resource in ExportMetricsServiceRequest.FromString(body).resource_metrics:
            for scope in resource.scope_metrics:
                self.metrics |= {metric.name for metric in scope.metrics}


@asynccontextmanager
async def receiver() -> AsyncIterator[Received]:
    """One on a port of its own."""
    received = Received()
    takers = {"traces": received.take_traces, "metrics": received.take_metrics}

    async def take(request: web.Request) -> web.Response:
        takers[request.match_info["kind"]](await request.read())
        return web.Response(content_type="application/x-protobuf")

    application = web.Application()
    application.add_routes([web.post("/v1/{kind}", take)])
    runner = web.AppRunner(application)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        received.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield received
    finally:
        await asyncio.shield(runner.cleanup())
