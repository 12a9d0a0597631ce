# SPDX-License-Identifier: Apache-2.0
"""What a webhook is told: one shape that a chat shows and an incident service understands.

`text` is what Slack and its like show. The rest is an event as PagerDuty's Events API v2 takes it,
but for the routing key, which is a bridge's to add.
"""

from datetime import UTC, datetime
from enum import StrEnum

import msgspec

from tradewind.common.alerts import Alert
from tradewind.common.kills import Kill
from tradewind.common.lease import Holder

SOURCE = "tradewind"
TEXT_MAX = 1024
"""Characters of a summary: as many as PagerDuty takes."""
_CHAT = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
"""A client's words may hold what a chat takes for a link, or for a call to everybody."""


class Action(StrEnum):
    """What an incident service makes of it."""

    TRIGGER = "trigger"
    ACKNOWLEDGE = "acknowledge"
    RESOLVE = "resolve"


class Severity(StrEnum):
    """How bad it is."""

    CRITICAL = "critical"
    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


class Summary(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The event itself. `timestamp` is when it was raised, where that is known; ISO 8601, UTC."""

    summary: str
    source: str
    severity: Severity
    custom_details: dict[str, str]
    timestamp: str = ""


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to tell. `notice_id` is the same however often it is told.

    `dedup_key` is what it is about: notices of one alert share it. `event` is one of open,
    escalated, acknowledged, killed, cleared, ended, undeliverable.
    """

    notice_id: str
    event: str
    text: str
    event_action: Action
    dedup_key: str
    payload: Summary

    @property
    def body(self) -> bytes:
        """As it is sent."""
        return msgspec.json.encode(self)


class Undeliverable(msgspec.Struct, frozen=True, kw_only=True):
    """What of the bucket cannot be told as it is, `key`, and why. `code` is stable."""

    code: str
    key: str
    revision: int
    reason: str


def of_alert(alert: Alert, revision: int) -> Notice:
    """How an alert stands: a revision of its key is one notice."""
    if not alert.is_open:
        event, action, severity = "acknowledged", Action.ACKNOWLEDGE, Severity.INFO
        text = f"alert {alert.alert_id} taken by {alert.acknowledged_by}: {alert.note}"
    elif alert.is_escalated:
        event, action, severity = "escalated", Action.TRIGGER, Severity.CRITICAL
        text = f"nobody took it, now with {alert.owner}: {alert.scope}: {alert.text}"
    else:
        event, action, severity = "open", Action.TRIGGER, Severity.ERROR
        text = f"alert for {alert.owner}: {alert.scope}: {alert.text}"
    raised = datetime.fromtimestamp(alert.raised_ns / 1e9, UTC)
    return _notice(
        f"{alert.alert_id}.{revision}",
        event,
        action,
        severity,
        alert.alert_id,
        text,
        {
            "alert_id": alert.alert_id,
            "control": alert.control,
            "scope": alert.scope,
            "owner": alert.owner,
            "text": alert.text,
            "acknowledged_by": alert.acknowledged_by,
            "note": alert.note,
        },
        timestamp=raised.isoformat(timespec="milliseconds"),
    )


def of_kill(kill: Kill) -> Notice:
    """A kill as it is heard, before any journal has it; or that it is over."""
    name = f"kill-{kill.scope}-{kill.kill_id}"
    details = msgspec.structs.asdict(kill) | {"is_cleared": str(kill.is_cleared).lower()}
    if kill.is_cleared:
        text = f"kill {kill.kill_id} of {kill.scope} cleared by {kill.actor}: {kill.reason}"
        action, severity = Action.RESOLVE, Severity.INFO
        return _notice(f"{name}-cleared", "cleared", action, severity, name, text, details)
    text = f"{kill.scope} killed by {kill.actor}: {kill.reason}"
    return _notice(name, "killed", Action.TRIGGER, Severity.CRITICAL, name, text, details)


def of_end(ended: Holder) -> Notice:
    """A process that its supervisor saw end; it starts it again, unless that goes on and on."""
    name = f"ended-{ended.instance}"
    text = f"{ended.instance} (process {ended.pid}) ended"
    details = {"instance": ended.instance, "pid": str(ended.pid)}
    notice_id = f"{name}-{ended.pid}"
    return _notice(notice_id, "ended", Action.TRIGGER, Severity.WARNING, name, text, details)


def of_undeliverable(lost: Undeliverable) -> Notice:
    """That there is something which cannot be told, and where it can be looked at."""
    name = f"undeliverable-{lost.revision}"
    text = f"{lost.code}: {lost.key}, revision {lost.revision}: {lost.reason}"
    details = msgspec.structs.asdict(lost) | {"revision": str(lost.revision)}
    return _notice(name, "undeliverable", Action.TRIGGER, Severity.ERROR, name, text, details)


def _notice(
    notice_id: str,
    event: str,
    action: Action,
    severity: Severity,
    dedup_key: str,
    text: str,
    details: dict[str, str],
    *,
    timestamp: str = "",
) -> Notice:
    short = text if len(text) <= TEXT_MAX else f"{text[: TEXT_MAX - 3]}..."
    return Notice(
        notice_id=notice_id,
        event=event,
        text=short.translate(_CHAT),
        event_action=action,
        dedup_key=dedup_key,
        payload=Summary(
            summary=short,
            source=SOURCE,
            severity=severity,
            custom_details=details,
            timestamp=timestamp,
        ),
    )
