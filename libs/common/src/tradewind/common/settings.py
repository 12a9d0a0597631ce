# SPDX-License-Identifier: Apache-2.0
"""Settings: frozen, built from an explicit mapping; only `__main__` hands over the environment."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tradewind.common.errors import SettingsError


def require(env: Mapping[str, str], key: str) -> str:
    """The value of `key`.

    Raises:
        SettingsError: if it is missing or empty.
    """
    value = env.get(key, "")
    if not value:
        raise SettingsError(f"{key} is not set")
    return value


def integer(env: Mapping[str, str], key: str, default: int | None = None) -> int:
    """The whole number under `key`, or `default`.

    Raises:
        SettingsError: if it is missing without a default, or is no whole number.
    """
    value = env.get(key, "")
    if not value and default is not None:
        return default
    try:
        return int(require(env, key))
    except ValueError as error:
        raise SettingsError(f"{key} was {value!r}: a whole number is needed") from error


def secret(env: Mapping[str, str], key: str) -> str:
    """The content of the file that `key` names.

    Raises:
        SettingsError: if the file is not named or cannot be read.
    """
    path = Path(require(env, key))
    try:
        return path.read_text().strip()
    except OSError as error:
        raise SettingsError(f"{key} names {path}, unreadable: {error.strerror}") from error


def optional_secret(env: Mapping[str, str], key: str) -> str:
    """The content of the file that `key` with _FILE names, else the value of `key`, else nothing.

    Raises:
        SettingsError: if the file cannot be read.
    """
    return secret(env, f"{key}_FILE") if env.get(f"{key}_FILE") else env.get(key, "")


@dataclass(frozen=True, slots=True, kw_only=True)
class BusSettings:
    """How to reach the bus, and as whom."""

    urls: tuple[str, ...]
    user: str
    password: str = field(repr=False)

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> "BusSettings":
        """Reads TRADEWIND_NATS_URLS (comma separated), _NATS_USER and _NATS_PASSWORD_FILE."""
        return cls(
            urls=tuple(url.strip() for url in require(env, "TRADEWIND_NATS_URLS").split(",")),
            user=require(env, "TRADEWIND_NATS_USER"),
            password=secret(env, "TRADEWIND_NATS_PASSWORD_FILE"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceSettings:
    """What every service on the bus is told.

    `beat_file` is touched after each heartbeat that the bus took, for whoever looks from outside.
    """

    bus: BusSettings
    instance: str
    shards: int
    state_dir: Path
    status_interval_ms: int
    beat_file: Path | None = None

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> "ServiceSettings":
        """Reads the bus settings and TRADEWIND_INSTANCE, _SHARDS, _STATE_DIR.

        Optional: TRADEWIND_STATUS_INTERVAL_MS, _BEAT_FILE.
        """
        shards = integer(env, "TRADEWIND_SHARDS")
        if shards < 1:
            raise SettingsError(f"TRADEWIND_SHARDS was {shards}: at least 1 is needed")
        beat_file = env.get("TRADEWIND_BEAT_FILE", "")
        return cls(
            bus=BusSettings.from_env(env),
            instance=require(env, "TRADEWIND_INSTANCE"),
            shards=shards,
            state_dir=Path(require(env, "TRADEWIND_STATE_DIR")),
            status_interval_ms=integer(env, "TRADEWIND_STATUS_INTERVAL_MS", 500),
            beat_file=Path(beat_file) if beat_file else None,
        )
