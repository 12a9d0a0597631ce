# SPDX-License-Identifier: Apache-2.0
"""UTCTimestamp fields: milliseconds, or nanoseconds where they matter."""

import re
from datetime import UTC, datetime

NS = 1_000_000_000
NS_PER_MS = 1_000_000
_STAMP = re.compile(r"([0-9]{8}-[0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.([0-9]{3}|[0-9]{6}|[0-9]{9}))?")
_SECONDS = "%Y%m%d-%H:%M:%S"


def stamp(time_ns: int) -> str:
    """The field for a time; it has nanoseconds only where there are some."""
    seconds, rest = divmod(time_ns, NS)
    head = datetime.fromtimestamp(seconds, UTC).strftime(_SECONDS)
    ms, below = divmod(rest, NS_PER_MS)
    return f"{head}.{rest:09d}" if below else f"{head}.{ms:03d}"


def time_ns(text: str) -> int:
    """The time that a field says.

    Raises:
        ValueError: if it says none.
    """
    found = _STAMP.fullmatch(text)
    if found is None:
        raise ValueError(f"{text[:40]!r} is not a UTCTimestamp")
    moment = datetime.strptime(found[1], _SECONDS).replace(tzinfo=UTC)
    return int(moment.timestamp()) * NS + int((found[2] or "").ljust(9, "0"))
