# SPDX-License-Identifier: Apache-2.0
"""What market data is told."""

from collections.abc import Mapping
from dataclasses import dataclass

from tradewind.common.settings import ServiceSettings, integer, require


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One feed of one instrument. Silence longer than `stale_ms` makes it stale."""

    service: ServiceSettings
    venue: str
    symbol: str
    feed_url: str
    stale_ms: int

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> "Settings":
        """Reads TRADEWIND_VENUE, _SYMBOL, _FEED_URL and _STALE_MS."""
        return cls(
            service=ServiceSettings.from_env(env),
            venue=require(env, "TRADEWIND_VENUE"),
            symbol=env.get("TRADEWIND_SYMBOL", "") or "BTC-USD",
            feed_url=require(env, "TRADEWIND_FEED_URL"),
            stale_ms=integer(env, "TRADEWIND_STALE_MS", 3000),
        )
