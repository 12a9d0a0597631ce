# SPDX-License-Identifier: Apache-2.0
"""Every name that telemetry uses: spans with their service and attributes, and metrics.

Names of attributes follow OpenTelemetry's conventions where it has one (`messaging.*`), and are
Tradewind's own otherwise.
"""

from dataclasses import dataclass
from enum import Enum


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of span: its name, the service that it is of, its role (OpenTelemetry's SpanKind)."""

    name: str
    service: str
    role: str
    attributes: frozenset[str]


_ENTRY = frozenset({"tradewind.shard", "tradewind.seq"})


class Spans(Enum):
    """What a trace of an order consists of, in its order of time."""

    REQUEST = Kind(
        "request",
        "gateway",
        "SERVER",
        _ENTRY | {"tradewind.account", "tradewind.cl_ord_id", "tradewind.exec_type"},
    )
    JOURNAL = Kind("journal", "gateway", "PRODUCER", _ENTRY)
    DECIDE = Kind(
        "decide",
        "oms",
        "CONSUMER",
        _ENTRY | {"tradewind.replica", "tradewind.exec_type", "tradewind.reason"},
    )
    VENUE = Kind("venue", "venue", "CLIENT", _ENTRY | {"tradewind.venue"})
    SEND = Kind("send", "venue", "CONSUMER", _ENTRY | {"tradewind.venue"})
    REPORT = Kind("report", "venue", "PRODUCER", _ENTRY | {"tradewind.venue"})
    ARCHIVE = Kind("archive", "archiver", "CONSUMER", _ENTRY)


METRICS = {
    "tradewind.order.accepted": ("ms", "from a request at the gateway to its first output"),
    "tradewind.venue.answered": ("ms", "from a request on the wire to the venue's report"),
    "tradewind.orders": ("{order}", "requests that were decided, by their first output"),
    "tradewind.spans.lost": ("{span}", "spans that the receiver did not take"),
    "tradewind.service.up": ("1", "1 for each process whose heart beats"),
    "tradewind.oms.seq": ("{entry}", "the last entry that a replica has applied"),
    "tradewind.oms.live_orders": ("{order}", "orders that a replica holds as live"),
    "tradewind.venue.unknown": ("{order}", "orders whose state at the venue is not known"),
    "tradewind.gateway.unacked": ("{request}", "requests that the journal has not acknowledged"),
}
"""Unit and meaning of every metric."""
