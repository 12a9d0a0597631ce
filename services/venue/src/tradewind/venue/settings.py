# SPDX-License-Identifier: Apache-2.0
"""What the connector is told."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tradewind.common.settings import ServiceSettings, integer, require
from tradewind.venue.session import EXTERNAL, POSITION_EVERY_MS, UNKNOWN_AFTER_MS


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One connector to one venue.

    `adapter` names the protocol (see `dialers`).
    `url` is the venue's address without a path, as the adapter wants it: `ws://` or `wss://`.
    `session` is the name under which the venue knows us; each shard has its own, and whoever logs
    on with it cuts off the one before. `read_lag_ms` is how long after a logon the venue's answers
    may still lack what an earlier session sent. A request without an answer makes its order
    UNKNOWN after `unknown_after_ms`, and ends the session after `answer_timeout_ms`. The venue is
    asked for our position every `position_every_ms`. Orders at the venue that nobody here asked for
    count against `external_account` (see `subjects.account_in`). `is_cancelling`: the venue cancels
    our orders when it loses the session.
    """

    service: ServiceSettings
    venue: str
    adapter: str
    url: str
    session: str
    key: str = field(repr=False)
    read_lag_ms: int
    answer_timeout_ms: int
    unknown_after_ms: int
    position_every_ms: int
    external_account: str
    is_cancelling: bool

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> "Settings":
        """Reads TRADEWIND_VENUE and TRADEWIND_VENUE_URL, _ADAPTER, _KEY, _SESSION, times."""
        return cls(
            service=ServiceSettings.from_env(env),
            venue=require(env, "TRADEWIND_VENUE"),
            adapter=env.get("TRADEWIND_VENUE_ADAPTER", "") or "sim",
            url=require(env, "TRADEWIND_VENUE_URL").rstrip("/"),
            session=env.get("TRADEWIND_VENUE_SESSION", "") or "TRADEWIND",
            key=env.get("TRADEWIND_VENUE_KEY", ""),
            read_lag_ms=integer(env, "TRADEWIND_VENUE_READ_LAG_MS", 10),
            answer_timeout_ms=integer(env, "TRADEWIND_VENUE_ANSWER_TIMEOUT_MS", 5000),
            unknown_after_ms=integer(env, "TRADEWIND_VENUE_UNKNOWN_AFTER_MS", UNKNOWN_AFTER_MS),
            position_every_ms=integer(env, "TRADEWIND_VENUE_POSITION_EVERY_MS", POSITION_EVERY_MS),
            external_account=env.get("TRADEWIND_VENUE_EXTERNAL_ACCOUNT", "") or EXTERNAL,
            is_cancelling=bool(integer(env, "TRADEWIND_VENUE_CANCEL_ON_DISCONNECT", 0)),
        )
