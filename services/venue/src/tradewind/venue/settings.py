# SPDX-License-Identifier: Apache-2.0
"""What the connector is told."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tradewind.common.settings import ServiceSettings, integer, optional_secret, require
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

    Of a crypto exchange `exchange` is ccxt's name, `key` and `secret` are an API key of this
    replica alone, `url` is empty unless it is somewhere else than ccxt believes, and a request is
    refused by the exchange `expiry_ms` after it was made.

    Of a FIX session `session` and the shard are our CompID and `peer` is the venue's; `key` is the
    Password of the Logon, `url` may have backup addresses, and outside `hours` nobody logs on.
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
    exchange: str = ""
    secret: str = field(default="", repr=False)
    expiry_ms: int = 5000
    peer: str = ""
    hours: str = ""

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> "Settings":
        """Reads TRADEWIND_VENUE and TRADEWIND_VENUE_URL, _ADAPTER, _KEY, _SESSION, times."""
        exchange = env.get("TRADEWIND_VENUE_EXCHANGE", "")
        url = (
            env.get("TRADEWIND_VENUE_URL", "") if exchange else require(env, "TRADEWIND_VENUE_URL")
        )
        venue = require(env, "TRADEWIND_VENUE")
        return cls(
            service=ServiceSettings.from_env(env),
            venue=venue,
            adapter=env.get("TRADEWIND_VENUE_ADAPTER", "") or "sim",
            url=url.rstrip("/"),
            session=env.get("TRADEWIND_VENUE_SESSION", "") or "TRADEWIND",
            key=optional_secret(env, "TRADEWIND_VENUE_KEY"),
            read_lag_ms=integer(env, "TRADEWIND_VENUE_READ_LAG_MS", 10),
            answer_timeout_ms=integer(env, "TRADEWIND_VENUE_ANSWER_TIMEOUT_MS", 5000),
            unknown_after_ms=integer(env, "TRADEWIND_VENUE_UNKNOWN_AFTER_MS", UNKNOWN_AFTER_MS),
            position_every_ms=integer(env, "TRADEWIND_VENUE_POSITION_EVERY_MS", POSITION_EVERY_MS),
            external_account=env.get("TRADEWIND_VENUE_EXTERNAL_ACCOUNT", "") or EXTERNAL,
            is_cancelling=bool(integer(env, "TRADEWIND_VENUE_CANCEL_ON_DISCONNECT", 0)),
            exchange=exchange,
            secret=optional_secret(env, "TRADEWIND_VENUE_SECRET"),
            expiry_ms=integer(env, "TRADEWIND_VENUE_EXPIRY_MS", 5000),
            peer=env.get("TRADEWIND_VENUE_PEER", "") or venue,
            hours=env.get("TRADEWIND_VENUE_HOURS", ""),
        )
