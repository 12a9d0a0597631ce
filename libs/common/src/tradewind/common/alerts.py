# SPDX-License-Identifier: Apache-2.0
"""Alerts as the bucket ALERTS has them: what tripped, whose it is, and who has taken it."""

import msgspec

from tradewind.common.errors import CorruptionError
from tradewind.common.jetstream import KvEntry

BUCKET = "ALERTS"
ALL = "alert.*"


class Alert(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One alert. Open until somebody acknowledges it; escalated if nobody did in time.

    `control` is the id of the control that tripped, where it is one's; `raised_ns` the broker's
    stamp of the output that it follows from; `owner` whose it is now.
    """

    alert_id: str
    control: str
    scope: str
    text: str
    owner: str
    raised_ns: int
    is_escalated: bool = False
    acknowledged_by: str = ""
    note: str = ""

    @property
    def is_open(self) -> bool:
        """Whether nobody has taken it."""
        return not self.acknowledged_by


def key_of(alert_id: str) -> str:
    """The alert's key in the bucket."""
    return f"alert.{alert_id}"


def heard_key(shard: int) -> str:
    """Where it is written up to which output of a shard alerts have been raised."""
    return f"heard.{shard}"


encode = msgspec.json.Encoder().encode
_decoder = msgspec.json.Decoder(Alert)


def decode(entry: KvEntry) -> Alert:
    """The alert under a key.

    Raises:
        CorruptionError: if there is something else.
    """
    try:
        return _decoder.decode(entry.value)
    except msgspec.MsgspecError as error:
        raise CorruptionError(f"{entry.key} is no alert: {error}") from error
