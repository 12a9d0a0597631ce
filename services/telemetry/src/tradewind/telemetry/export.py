# SPDX-License-Identifier: Apache-2.0
"""The only user of the OpenTelemetry SDK: spans and metrics to a receiver, over HTTP.

Sending blocks, so it happens in a thread; what a receiver does not take in time is dropped and
counted. Nothing waits for it.
"""

import asyncio
import logging
from collections import Counter, deque
from collections.abc import Iterable, Mapping
from typing import Any

from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.metrics import CallbackOptions, Observation
from opentelemetry.sdk.metrics import AlwaysOffExemplarFilter, MeterProvider
from opentelemetry.sdk.metrics.export import MetricReader, PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, TraceFlags

from tradewind.telemetry.journeys import Decided, Journeys
from tradewind.telemetry.names import METRICS, Spans
from tradewind.telemetry.spans import Span

log = logging.getLogger(__name__)

SCOPE = InstrumentationScope("tradewind")
BATCH_SPANS = 512
WAITING_MAX = 20_000
SEND_EVERY_S = 0.5
METRICS_EVERY_MS = 1_000
TIMEOUT_S = 2.0
GAUGES = {
    "tradewind.oms.seq": ("oms", "seq"),
    "tradewind.oms.live_orders": ("oms", "live_orders"),
    "tradewind.gateway.unacked": ("gateway", "unacked"),
}
"""Metric -> which service's heartbeat has it, under which name."""

Beat = Mapping[str, Any]


class SpanSender:
    """Sends spans in batches."""

    def __init__(self, endpoint: str) -> None:
        self._exporter = OTLPSpanExporter(endpoint=f"{endpoint}/v1/traces", timeout=TIMEOUT_S)
        self._resources = {
            kind.value.service: Resource.create({"service.name": f"tradewind-{kind.value.service}"})
            for kind in Spans
        }
        self._waiting: deque[ReadableSpan] = deque(maxlen=WAITING_MAX)
        self.sent = 0
        self.lost = 0

    def add(self, spans: Iterable[Span]) -> None:
        """Takes spans over; the oldest that wait are lost if there are too many."""
        for span in spans:
            self.lost += len(self._waiting) == WAITING_MAX
            self._waiting.append(self._readable(span))

    async def run(self) -> None:
        """Sends for ever."""
        while True:
            await asyncio.sleep(SEND_EVERY_S)
            while self._waiting:
                count = min(BATCH_SPANS, len(self._waiting))
                batch = [self._waiting.popleft() for _ in range(count)]
                result = await asyncio.to_thread(self._exporter.export, batch)
                if result is SpanExportResult.SUCCESS:
                    self.sent += count
                else:
                    self.lost += count
                    log.warning("the receiver did not take %d spans", count)

    def close(self) -> None:
        """Sends nothing more."""
        self._exporter.shutdown()  # type: ignore[no-untyped-call]

    def _readable(self, span: Span) -> ReadableSpan:
        kind = span.kind.value
        return ReadableSpan(
            name=kind.name,
            context=_context(span.trace_id, span.span_id),
            parent=_context(span.trace_id, span.parent_id) if span.parent_id else None,
            resource=self._resources[kind.service],
            attributes=span.attributes,
            kind=SpanKind[kind.role],
            status=Status(StatusCode.ERROR if span.is_wrong else StatusCode.UNSET),
            start_time=span.start_ns,
            end_time=span.end_ns,
            instrumentation_scope=SCOPE,
        )


class Meters:
    """Metrics: counted from every decision, and told by heartbeats."""

    def __init__(
        self, endpoint: str, spans: SpanSender, journeys: Journeys, *, is_sent: bool
    ) -> None:
        self._spans = spans
        self._journeys = journeys
        self._beats: list[Beat] = []
        resource = Resource.create({"service.name": "tradewind"})
        # Exemplars would join histograms to traces of the SDK's own, which nothing here makes.
        self._provider = MeterProvider(
            [_reader(endpoint)] if is_sent else [],
            resource,
            exemplar_filter=AlwaysOffExemplarFilter(),
        )
        meter = self._provider.get_meter(SCOPE.name)

        def described(name: str) -> dict[str, Any]:
            meter = METRICS[name]
            return {"name": name, "unit": meter.unit, "description": meter.meaning}

        self._accepted = meter.create_histogram(**described("tradewind.order.accepted"))
        self._answered = meter.create_histogram(**described("tradewind.venue.answered"))
        self._orders: Counter[tuple[int, str]] = Counter()
        orders = described("tradewind.orders")
        meter.create_observable_counter(callbacks=[self._decided], **orders)
        lost = described("tradewind.spans.lost")
        meter.create_observable_counter(callbacks=[self._lost], **lost)
        withheld = described("tradewind.traces.withheld")
        meter.create_observable_counter(callbacks=[self._withheld], **withheld)
        up = described("tradewind.service.up")
        meter.create_observable_gauge(callbacks=[self._up], **up)
        unknown = described("tradewind.venue.unknown")
        meter.create_observable_gauge(callbacks=[self._unknown], **unknown)
        for name, (service, fact) in GAUGES.items():
            told = _Told(self, service, fact)
            meter.create_observable_gauge(callbacks=[told], **described(name))

    def count(self, decided: Decided) -> None:
        """An entry's first output is there."""
        shard = {"tradewind.shard": decided.shard}
        if decided.accepted_ns:
            self._accepted.record(decided.accepted_ns / 1e6, shard)
            self._orders[decided.shard, decided.exec_type] += 1
        if decided.answered_ns:
            self._answered.record(decided.answered_ns / 1e6, shard)

    def see(self, beats: list[Beat]) -> None:
        """These hearts beat now."""
        self._beats = beats

    def of(self, service: str) -> list[Beat]:
        """The heartbeats of a service."""
        return [beat for beat in self._beats if beat.get("service") == service]

    def close(self) -> None:
        """Sends what there is, and ends."""
        self._provider.shutdown()

    def _decided(self, _options: CallbackOptions) -> Iterable[Observation]:
        for (shard, exec_type), count in self._orders.copy().items():
            yield Observation(count, {"tradewind.shard": shard, "tradewind.exec_type": exec_type})

    def _lost(self, _options: CallbackOptions) -> Iterable[Observation]:
        yield Observation(self._spans.lost)

    def _withheld(self, _options: CallbackOptions) -> Iterable[Observation]:
        yield Observation(self._journeys.withheld)

    def _up(self, _options: CallbackOptions) -> Iterable[Observation]:
        for beat in self._beats:
            yield Observation(
                1,
                {
                    "tradewind.service": str(beat["service"]),
                    "tradewind.instance": str(beat["instance"]),
                    "tradewind.role": str(beat.get("role", "")),
                },
            )

    def _unknown(self, _options: CallbackOptions) -> Iterable[Observation]:
        for beat in self.of("venue"):
            for row in beat.get("shards", []):
                at = {
                    "tradewind.venue": str(beat.get("venue", "")),
                    "tradewind.shard": row["shard"],
                }
                yield Observation(row.get("unknown", 0), at)


class _Told:
    """A gauge whose value heartbeats tell."""

    def __init__(self, meters: Meters, service: str, fact: str) -> None:
        self._meters, self._service, self._fact = meters, service, fact

    def __call__(self, _options: CallbackOptions) -> Iterable[Observation]:
        for beat in self._meters.of(self._service):
            if self._fact in beat:
                yield Observation(beat[self._fact], {"tradewind.instance": str(beat["instance"])})


def _reader(endpoint: str) -> MetricReader:
    exporter = OTLPMetricExporter(endpoint=f"{endpoint}/v1/metrics", timeout=TIMEOUT_S)
    return PeriodicExportingMetricReader(exporter, METRICS_EVERY_MS, TIMEOUT_S * 1000)


def _context(trace_id: str, span_id: str) -> SpanContext:
    flags = TraceFlags(TraceFlags.SAMPLED)
    return SpanContext(int(trace_id, 16), int(span_id, 16), is_remote=False, trace_flags=flags)
