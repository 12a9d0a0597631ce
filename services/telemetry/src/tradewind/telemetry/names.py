# SPDX-License-Identifier: Apache-2.0
"""Every name that telemetry uses: spans with their service and attributes, metrics with theirs."""

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


@dataclass(frozen=True, slots=True)
class Meter:
    """A metric: its unit, its meaning, its attributes."""

    unit: str
    meaning: str
    attributes: frozenset[str]


_SHARD = frozenset({"tradewind.shard"})
_INSTANCE = frozenset({"tradewind.instance"})

METRICS = {
    "tradewind.order.accepted": Meter(
        "ms", "from a request at the gateway to its first output", _SHARD
    ),
    "tradewind.venue.answered": Meter(
        "ms", "from a request on the wire to the venue's report", _SHARD
    ),
    "tradewind.orders": Meter(
        "{order}",
        "requests that were decided, by their first output",
        _SHARD | {"tradewind.exec_type"},
    ),
    "tradewind.spans.lost": Meter("{span}", "spans that the receiver did not take", frozenset()),
    "tradewind.traces.withheld": Meter(
        "{trace}", "traces of slow orders that were too many to be shown", frozenset()
    ),
    "tradewind.service.up": Meter(
        "1",
        "1 for each process whose heart beats",
        _INSTANCE | {"tradewind.service", "tradewind.role"},
    ),
    "tradewind.oms.seq": Meter("{entry}", "the last entry that a replica has applied", _INSTANCE),
    "tradewind.oms.live_orders": Meter("{order}", "orders that a replica holds as live", _INSTANCE),
    "tradewind.venue.unknown": Meter(
        "{order}",
        "orders whose state at the venue is not known",
        _SHARD | {"tradewind.venue"},
    ),
    "tradewind.gateway.unacked": Meter(
        "{request}", "requests that the journal has not acknowledged", _INSTANCE
    ),
}
"""Every metric, by its name."""
