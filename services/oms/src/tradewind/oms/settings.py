# SPDX-License-Identifier: Apache-2.0
"""What a replica is told."""

from collections.abc import Mapping
from dataclasses import dataclass

from tradewind.common.settings import ServiceSettings, integer


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One replica of one shard.

    `rank` staggers take-overs; `patience_ms` is how long outputs may be missing from EVENTS before
    a standby appends them; `time_interval_ms` is how long a shard may be idle before time is
    journaled; `snapshot_every` is how many entries a restart may have to replay.
    """

    service: ServiceSettings
    shard: int
    rank: int
    patience_ms: int
    time_interval_ms: int
    snapshot_every: int

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> "Settings":
        """Reads TRADEWIND_SHARD, _RANK, _PATIENCE_MS, _TIME_INTERVAL_MS and _SNAPSHOT_EVERY."""
        return cls(
            service=ServiceSettings.from_env(env),
            shard=integer(env, "TRADEWIND_SHARD"),
            rank=integer(env, "TRADEWIND_RANK"),
            patience_ms=integer(env, "TRADEWIND_PATIENCE_MS", 50),
            time_interval_ms=integer(env, "TRADEWIND_TIME_INTERVAL_MS", 1000),
            snapshot_every=integer(env, "TRADEWIND_SNAPSHOT_EVERY", 20_000),
        )
