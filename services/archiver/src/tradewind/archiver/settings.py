# SPDX-License-Identifier: Apache-2.0
"""What the archiver is told."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tradewind.common.errors import SettingsError
from tradewind.common.settings import ServiceSettings, integer, require, secret

SCHEMES = ("http://", "https://")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Where to archive to, and where to answer reads.

    `clickhouse_dsn` is `http://user@host:8123/database`, of a ClickHouse server or a warehouse.
    """

    service: ServiceSettings
    clickhouse_dsn: str = field(repr=False)
    clickhouse_password: str = field(repr=False)
    http_host: str
    http_port: int

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> "Settings":
        """Reads TRADEWIND_CLICKHOUSE_DSN, _CLICKHOUSE_PASSWORD_FILE, _HTTP_HOST and _HTTP_PORT."""
        dsn = require(env, "TRADEWIND_CLICKHOUSE_DSN")
        if not dsn.startswith(SCHEMES):
            raise SettingsError(
                "TRADEWIND_CLICKHOUSE_DSN must begin with one of " + ", ".join(SCHEMES)
            )
        return cls(
            service=ServiceSettings.from_env(env),
            clickhouse_dsn=dsn,
            clickhouse_password=secret(env, "TRADEWIND_CLICKHOUSE_PASSWORD_FILE"),
            http_host=env.get("TRADEWIND_HTTP_HOST", "") or "127.0.0.1",
            http_port=integer(env, "TRADEWIND_HTTP_PORT"),
        )
