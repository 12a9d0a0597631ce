# SPDX-License-Identifier: Apache-2.0
"""What risk is told."""

from collections.abc import Mapping
from dataclasses import dataclass

from tradewind.common.settings import ServiceSettings, integer, require


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Which venue's quotes are the reference, and how often the reference is journaled.

    `rank` staggers the patience of several processes: 0 acts at once.
    """

    service: ServiceSettings
    venue: str
    rank: int
    reference_interval_ms: int
    reference_move_bps: int

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> "Settings":
        """Reads TRADEWIND_VENUE, _RANK, _REFERENCE_INTERVAL_MS and _REFERENCE_MOVE_BPS."""
        return cls(
            service=ServiceSettings.from_env(env),
            venue=require(env, "TRADEWIND_VENUE"),
            rank=integer(env, "TRADEWIND_RANK", 0),
            reference_interval_ms=integer(env, "TRADEWIND_REFERENCE_INTERVAL_MS", 1000),
            reference_move_bps=integer(env, "TRADEWIND_REFERENCE_MOVE_BPS", 10),
        )
