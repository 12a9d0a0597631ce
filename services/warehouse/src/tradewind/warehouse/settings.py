# SPDX-License-Identifier: Apache-2.0
"""What the warehouse is told."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tradewind.common.settings import integer, require, secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Where the database lies and where it answers. Whoever asks must know `password`."""

    folder: Path
    http_host: str
    http_port: int
    password: str = field(repr=False)

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> "Settings":
        """Reads TRADEWIND_STATE_DIR, _HTTP_HOST, _HTTP_PORT and _WAREHOUSE_PASSWORD_FILE."""
        return cls(
            folder=Path(require(env, "TRADEWIND_STATE_DIR")) / "clickhouse",
            http_host=env.get("TRADEWIND_HTTP_HOST", "") or "127.0.0.1",
            http_port=integer(env, "TRADEWIND_HTTP_PORT"),
            password=secret(env, "TRADEWIND_WAREHOUSE_PASSWORD_FILE"),
        )
