# SPDX-License-Identifier: Apache-2.0
"""What the console is told."""

from collections.abc import Mapping
from dataclasses import dataclass

from tradewind.common.settings import ServiceSettings, integer


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Where the page is served, and which venue's quotes it shows."""

    service: ServiceSettings
    http_host: str
    http_port: int
    venue: str

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> "Settings":
        """Reads TRADEWIND_HTTP_HOST, _HTTP_PORT and _VENUE."""
        return cls(
            service=ServiceSettings.from_env(env),
            http_host=env.get("TRADEWIND_HTTP_HOST", "") or "127.0.0.1",
            http_port=integer(env, "TRADEWIND_HTTP_PORT"),
            venue=env.get("TRADEWIND_VENUE", "") or "SIM",
        )
