# SPDX-License-Identifier: Apache-2.0
"""A process's log: lines on standard error, and records for a receiver of OTLP over HTTP.

Records are sent by a thread of their own. Whoever logs never waits: of too many, and of what a
receiver does not take in time, nothing is kept.
"""

import logging
import queue
import sys
import threading
import urllib.request
from collections.abc import Mapping
from http.client import HTTPException
from typing import Any

import msgspec

from tradewind.common import trace

log = logging.getLogger(__name__)

FORMAT = "%(asctime)s %(levelname)s %(name)s %(message)s"
WAITING_MAX = 1_000
BATCH_MAX = 200
SEND_EVERY_S = 0.5
TIMEOUT_S = 2.0
CLOSE_S = 1.0
SEVERITIES = {"DEBUG": 5, "INFO": 9, "WARNING": 13, "ERROR": 17, "CRITICAL": 21}


def begin(env: Mapping[str, str]) -> None:
    """Sends this process's log where the environment says.

    Reads OTEL_EXPORTER_OTLP_LOGS_ENDPOINT (a full address) or OTEL_EXPORTER_OTLP_ENDPOINT (without
    a path), OTEL_LOGS_EXPORTER ("none" for standard error alone) and TRADEWIND_INSTANCE.
    """
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format=FORMAT)
    base = env.get("OTEL_EXPORTER_OTLP_ENDPOINT", "").rstrip("/")
    url = env.get("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT") or (f"{base}/v1/logs" if base else "")
    if url and env.get("OTEL_LOGS_EXPORTER") != "none":
        logging.getLogger().addHandler(LogSender(url, env.get("TRADEWIND_INSTANCE", "")))


class LogSender(logging.Handler):
    """Sends records in batches; `lost` were not, since the last one that was."""

    def __init__(self, url: str, instance: str) -> None:
        super().__init__()
        service = f"tradewind-{instance.partition('-')[0]}"
        told = {"service.name": service, "service.instance.id": instance}
        self._url = url
        self._resource = {"attributes": _attributes(told)}
        self._waiting: queue.Queue[dict[str, Any]] = queue.Queue(WAITING_MAX)
        self._is_closing = threading.Event()
        self._thread = threading.Thread(target=self._send_all, name="logs", daemon=True)
        self._thread.start()
        self.lost = 0

    def emit(self, record: logging.LogRecord) -> None:
        """Takes a record over, or loses it."""
        try:
            self._waiting.put_nowait(_record(record, self.format(record)))
        except queue.Full:
            self.lost += 1

    def close(self) -> None:
        """Sends what waits, if that is quick."""
        self._is_closing.set()
        self._thread.join(CLOSE_S)
        super().close()

    def _send_all(self) -> None:
        while not self._is_closing.wait(SEND_EVERY_S):
            self._send_waiting()
        self._send_waiting()

    def _send_waiting(self) -> None:
        while count := min(BATCH_MAX, self._waiting.qsize()):
            records = [self._waiting.get() for _ in range(count)]
            try:
                self._send(records)
            except (OSError, HTTPException):
                self.lost += count
                continue
            if self.lost:
                log.warning("%d records of this log were not sent", self.lost)
                self.lost = 0

    def _send(self, records: list[dict[str, Any]]) -> None:
        scope = {"scope": {"name": "tradewind"}, "logRecords": records}
        body = {"resourceLogs": [{"resource": self._resource, "scopeLogs": [scope]}]}
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(self._url, msgspec.json.encode(body), headers)
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:
            answer.read()


def _record(record: logging.LogRecord, text: str) -> dict[str, Any]:
    """A log record of OTLP; whoever logs of one trace gives `extra={"traceparent": ...}`."""
    told = {
        "timeUnixNano": str(int(record.created * 1e9)),
        "severityNumber": SEVERITIES.get(record.levelname, 0),
        "severityText": record.levelname,
        "body": {"stringValue": text},
        "attributes": _attributes({"tradewind.logger": record.name}),
    }
    context = trace.read(getattr(record, trace.HEADER, None))
    return (
        told if context is None else told | {"traceId": context.trace_id, "spanId": context.span_id}
    )


def _attributes(pairs: Mapping[str, str]) -> list[dict[str, Any]]:
    return [{"key": key, "value": {"stringValue": text}} for key, text in pairs.items()]
