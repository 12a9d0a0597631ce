# SPDX-License-Identifier: Apache-2.0
"""What a connector is told."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tradewind.common.settings import ServiceSettings, integer, require


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One connector to one venue.

    `session_name` is the venue's name for the session: two connectors with the same one can never
    be logged on at once. `read_lag_ms` is how long the venue may not yet know an order it took.
    """

    service: ServiceSettings
    venue: str
    venue_url: str
    venue_key: str = field(repr=False)
    session_name: str
    read_lag_ms: int

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> "Settings":
        """Reads TRADEWIND_VENUE, _VENUE_URL, _VENUE_KEY, _SESSION_NAME and _READ_LAG_MS."""
        return cls(
            service=ServiceSettings.from_env(env),
            venue=require(env, "TRADEWIND_VENUE"),
            venue_url=require(env, "TRADEWIND_VENUE_URL").rstrip("/"),
            venue_key=require(env, "TRADEWIND_VENUE_KEY"),
            session_name=env.get("TRADEWIND_SESSION_NAME", "") or "TRADEWIND",
            read_lag_ms=integer(env, "TRADEWIND_READ_LAG_MS", 100),
        )
