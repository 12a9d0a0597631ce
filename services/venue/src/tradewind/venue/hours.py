# SPDX-License-Identifier: Apache-2.0
"""When a venue's sessions are open: days of the week, a time of the day, in a time zone."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tradewind.common.errors import SettingsError

DAYS = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")
_HOURS = re.compile(
    r"(?P<first>[A-Z]{3})-(?P<last>[A-Z]{3}) "
    r"(?P<opens>[0-9]{2}:[0-9]{2})-(?P<closes>[0-9]{2}:[0-9]{2})(?: (?P<zone>[A-Za-z0-9_+/-]+))?"
)


@dataclass(frozen=True, slots=True)
class Hours:
    """`days` have 0 for Monday. If it closes before it opens, it is open over midnight."""

    days: frozenset[int]
    opens: time
    closes: time
    zone: ZoneInfo

    def is_open(self, moment: datetime) -> bool:
        """Whether the session may be used at this time (with a time zone)."""
        local = moment.astimezone(self.zone)
        now = local.time()
        if self.opens < self.closes:
            return local.weekday() in self.days and self.opens <= now < self.closes
        is_evening = local.weekday() in self.days and now >= self.opens
        return is_evening or ((local.weekday() - 1) % 7 in self.days and now < self.closes)


def parse_hours(text: str) -> Hours | None:
    """Hours such as `MON-FRI 08:00-17:30 Europe/London`; UTC without a zone; "" is always.

    Raises:
        SettingsError: if they cannot be read.
    """
    if not text:
        return None
    found = _HOURS.fullmatch(text)
    try:
        if found is None:
            raise ValueError("it is not of the form")
        first, last = DAYS.index(found["first"]), DAYS.index(found["last"])
        return Hours(
            days=frozenset((first + step) % 7 for step in range((last - first) % 7 + 1)),
            opens=time.fromisoformat(found["opens"]),
            closes=time.fromisoformat(found["closes"]),
            zone=ZoneInfo(found["zone"] or "UTC"),
        )
    except (ValueError, ZoneInfoNotFoundError) as error:
        raise SettingsError(
            f"TRADEWIND_VENUE_HOURS was {text!r} ({error}): "
            "write it as MON-FRI 08:00-17:30 Europe/London"
        ) from error


def is_open(hours: Hours | None) -> bool:
    """Whether it is open now."""
    return hours is None or hours.is_open(datetime.now(UTC))
