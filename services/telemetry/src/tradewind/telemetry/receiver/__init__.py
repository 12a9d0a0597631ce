# SPDX-License-Identifier: Apache-2.0
"""A small receiver of OTLP over HTTP, where no other is at hand: it keeps the last it was sent.

POST /v1/traces, /v1/metrics, /v1/logs as every receiver. GET /api/traces/{id} tells a trace as
Jaeger does; /metrics and /logs say what else came.
"""

import json
from base64 import b64encode
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from google.protobuf.json_format import ParseDict
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

Endpoint = Callable[[Request], Awaitable[Response]]

TRACES_MAX = 10_000
LOGS_MAX = 10_000


@dataclass
class Received:
    """Spans by trace and log records, each with its service's name; metrics' names and labels."""

    traces: OrderedDict[str, list[tuple[str, Span]]] = field(default_factory=OrderedDict)
    metrics: dict[str, set[str]] = field(default_factory=dict)
    logs: deque[tuple[str, LogRecord]] = field(default_factory=lambda: deque(maxlen=LOGS_MAX))

    def take_traces(self, body: bytes) -> None:
        """Spans have come; the oldest traces are forgotten."""
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            for scope in resource.scope_spans:
                for span in scope.spans:
                    found = self.traces.setdefault(span.trace_id.hex(), [])
                    found.append((_service(resource.resource), span))
        while len(self.traces) > TRACES_MAX:
            self.traces.popitem(last=False)

    def take_metrics(self, body: bytes) -> None:
        """Metrics have come."""
        for resource in ExportMetricsServiceRequest.FromString(body).resource_metrics:
            for scope in resource.scope_metrics:
                for metric in scope.metrics:
                    data = getattr(metric, metric.WhichOneof("data") or "gauge")
                    labels = {each.key for point in data.data_points for each in point.attributes}
                    self.metrics.setdefault(metric.name, set()).update(labels)

    def take_logs(self, body: bytes) -> None:
        """Log records have come, as JSON; the oldest are forgotten."""
        for resource in _logs(body).resource_logs:
            for scope in resource.scope_logs:
                service = _service(resource.resource)
                self.logs.extend((service, record) for record in scope.log_records)

    def app(self) -> Starlette:
        """What it serves."""

        def taker(take: Callable[[bytes], None]) -> Endpoint:
            async def answer(request: Request) -> Response:
                take(await request.body())
                return Response(media_type="application/x-protobuf")

            return answer

        async def trace(request: Request) -> Response:
            trace_id = request.path_params["id"]
            spans = [_told(*each) for each in self.traces.get(trace_id, [])]
            names = sorted({span["processID"] for span in spans})
            processes = {name: {"serviceName": name} for name in names}
            found = {"traceID": trace_id, "spans": spans, "processes": processes}
            return JSONResponse({"data": [found] if spans else []})

        async def metrics(_request: Request) -> Response:
            return JSONResponse({name: sorted(labels) for name, labels in self.metrics.items()})

        async def logs(_request: Request) -> Response:
            return JSONResponse([_said(service, record) for service, record in self.logs])

        async def ready(_request: Request) -> Response:
            return Response()

        return Starlette(
            routes=[
                Route("/v1/traces", taker(self.take_traces), methods=["POST"]),
                Route("/v1/metrics", taker(self.take_metrics), methods=["POST"]),
                Route("/v1/logs", taker(self.take_logs), methods=["POST"]),
                Route("/api/traces/{id}", trace),
                Route("/metrics", metrics),
                Route("/logs", logs),
                Route("/readyz", ready),
            ]
        )


def attributes(pairs: Any) -> dict[str, str | int]:
    """What OTLP's pairs say: texts and whole numbers."""
    return {pair.key: _value(pair) for pair in pairs}


def _value(pair: KeyValue) -> str | int:
    is_number = pair.value.WhichOneof("value") == "int_value"
    return pair.value.int_value if is_number else pair.value.string_value


def _logs(body: bytes) -> ExportLogsServiceRequest:
    """OTLP writes ids in JSON as hexadecimal, unlike Protobuf's own JSON."""
    told = json.loads(body)
    for resource in told["resourceLogs"]:
        for scope in resource["scopeLogs"]:
            for record in scope["logRecords"]:
                for name in {"traceId", "spanId"} & record.keys():
                    record[name] = b64encode(bytes.fromhex(record[name])).decode()
    found = ExportLogsServiceRequest()
    ParseDict(told, found)
    return found


def _service(resource: Resource) -> str:
    return str(attributes(resource.attributes).get("service.name", ""))


def _told(service: str, span: Span) -> dict[str, Any]:
    return {
        "processID": service,
        "operationName": span.name,
        "spanID": span.span_id.hex(),
        "references": [{"refType": "CHILD_OF", "spanID": span.parent_span_id.hex()}],
        "startTime": span.start_time_unix_nano // 1000,
        "duration": (span.end_time_unix_nano - span.start_time_unix_nano) // 1000,
        "tags": [{"key": key, "value": it} for key, it in attributes(span.attributes).items()],
    }


def _said(service: str, record: LogRecord) -> dict[str, Any]:
    return {
        "service": service,
        "level": record.severity_text,
        "text": record.body.string_value,
        "trace_id": record.trace_id.hex(),
        "attributes": attributes(record.attributes),
    }
