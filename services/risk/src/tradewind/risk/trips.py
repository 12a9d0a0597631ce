# SPDX-License-Identifier: Apache-2.0
"""Which outputs are alerts (C36): a control that trips, and whatever a person has to look at."""

import re

from tradewind.common.alerts import Alert
from tradewind.core.controls import CONTROL_OF
from tradewind.core.events import (
    DivergenceReported,
    EntrySkipped,
    Event,
    OrderAdopted,
    OrderReport,
    ReportIgnored,
    ScopeKilled,
    TradingStateSet,
)
from tradewind.core.types import ExecType, TradingState
from tradewind.risk.reconcile.breaker import ACTOR as RECONCILED

KILL, RECONCILIATION = "C28", "C35"


def alert_of(shard: int, ordinal: int, ts_ns: int, event: Event, owner: str) -> Alert | None:
    """The alert that an output is, if it is one.

    Some are one alert until it is acknowledged, and open anew afterwards: denials of one account
    for one reason, a kill, a state of a scope, however often and in how many shards they are said.
    The first tells a person what to look at, the thousandth keeps him from it.
    """
    found = _denial(shard, event) if isinstance(event, OrderReport) else _other(event)
    if found is None:
        return None
    name, control, scope, text = found
    return Alert(
        alert_id=name or f"{type(event).__name__}-{shard}-{ordinal}",
        control=control,
        scope=scope,
        text=text,
        owner=owner,
        raised_ns=ts_ns,
    )


_Found = tuple[str, str, str, str]
"""An id where it is not the output's own, the control, the scope, the text."""


def _denial(shard: int, event: OrderReport) -> _Found | None:
    control = CONTROL_OF.get(event.reason)
    if event.exec_type is not ExecType.DENIED or control is None:
        return None
    name = f"denied-{shard}-{event.account}-{event.reason.name}"
    text = f"{control.name}: order {event.cl_ord_id} in {event.symbol} denied: {event.text}"
    return name, control.code, f"account:{event.account}", text


def _other(event: Event) -> _Found | None:
    match event:
        case TradingStateSet() if event.state is not TradingState.ACTIVE:
            text = f"{event.state.name} by {event.actor}: {event.reason}"
            control = RECONCILIATION if event.actor == RECONCILED else ""
            return f"{event.state.name}-{_plain(event.scope)}", control, event.scope, text
        case ScopeKilled():
            text = f"killed by {event.actor}: {event.reason}"
            return f"killed-{_plain(event.kill_id)}", KILL, event.scope, text
        case OrderAdopted():
            text = f"{event.venue} works order {event.venue_order_id} that nobody here asked for"
            return "", RECONCILIATION, f"account:{event.account}", text
        case ReportIgnored() if not event.order_id:
            text = f"{event.venue} reports of no order of ours: {event.text}"
            return "", RECONCILIATION, f"venue:{event.venue}", text
        case DivergenceReported():
            text = f"replica {event.instance} has another state at entry {event.seq}"
            return "", "", "shard", text
        case EntrySkipped():
            text = f"entry {event.seq} is a no-op by {event.actor} and {event.second_actor}"
            return "", "", "shard", f"{text}: {event.reason}"
        case _:
            return None


def _plain(name: str) -> str:
    """A name in letters that an alert's id may have; different ones stay different."""
    return re.sub(r"[^A-Za-z0-9-]", lambda found: f"_{ord(found[0]):02x}", name)
