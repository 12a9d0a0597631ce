# SPDX-License-Identifier: Apache-2.0
"""A venue's hours: days and a time of the day where the venue is."""

from datetime import UTC, datetime

import pytest

from tradewind.common.errors import SettingsError
from tradewind.venue.hours import is_open, parse_hours

MONDAY = "2026-03-02"
SATURDAY, SUNDAY = "2026-03-07", "2026-03-08"


def at(day: str, time: str) -> datetime:
    """A moment in UTC."""
    return datetime.fromisoformat(f"{day}T{time}").replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("hours", "moment", "expected"),
    [
        ("MON-FRI 08:00-17:30", at(MONDAY, "08:00"), True),
        ("MON-FRI 08:00-17:30", at(MONDAY, "07:59"), False),
        ("MON-FRI 08:00-17:30", at(MONDAY, "17:30"), False),
        ("MON-FRI 08:00-17:30", at(SATURDAY, "12:00"), False),
        ("MON-FRI 09:30-16:00 America/New_York", at(MONDAY, "14:30"), True),
        ("MON-FRI 09:30-16:00 America/New_York", at(MONDAY, "14:29"), False),
        ("SUN-THU 22:00-05:00", at(SUNDAY, "23:00"), True),
        ("SUN-THU 22:00-05:00", at(MONDAY, "04:59"), True),
        ("SUN-THU 22:00-05:00", at(MONDAY, "05:00"), False),
        ("SUN-THU 22:00-05:00", at(SATURDAY, "23:00"), False),
        ("SAT-MON 00:00-23:59", at(SUNDAY, "12:00"), True),
        ("MON-SUN 00:00-00:00", at(SATURDAY, "12:00"), True),
    ],
)
def test_a_moment_is_inside_or_outside(hours: str, moment: datetime, expected: bool) -> None:
    parsed = parse_hours(hours)
    assert parsed is not None
    assert parsed.is_open(moment) is expected


def test_without_hours_it_is_always_open() -> None:
    assert parse_hours("") is None
    assert is_open(None)


@pytest.mark.parametrize("text", ["always", "MON-FRI", "MON-NIL 08:00-09:00", "MON-FRI 8-9"])
def test_hours_that_cannot_be_read_are_refused_with_an_example(text: str) -> None:
    with pytest.raises(SettingsError, match="MON-FRI 08:00-17:30 Europe/London"):
        parse_hours(text)


def test_a_time_zone_that_is_not_there_is_refused() -> None:
    with pytest.raises(SettingsError, match="Nowhere"):
        parse_hours("MON-FRI 08:00-09:00 Nowhere/At-All")
