# SPDX-License-Identifier: Apache-2.0
"""What telemetry is told."""

from collections.abc import Mapping
from dataclasses import dataclass

from tradewind.common.errors import SettingsError
from tradewind.common.settings import ServiceSettings, integer, require


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Where to send what was seen: `endpoint` is an OTLP receiver's address for HTTP, without path.

    An order that took longer than `slow_ms` until it was accepted, or that its venue answered later
    than that, is shown, sampled or not.
    Some receivers take traces only: `has_metrics` says whether this one gets metrics.
    """

    service: ServiceSettings
    endpoint: str
    slow_ms: int
    has_metrics: bool

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> "Settings":
        """Reads OTEL_EXPORTER_OTLP_ENDPOINT and the service settings.

        Optional: OTEL_METRICS_EXPORTER ("none" for no metrics), TRADEWIND_SLOW_MS.
        """
        endpoint = require(env, "OTEL_EXPORTER_OTLP_ENDPOINT").rstrip("/")
        if not endpoint.startswith(("http://", "https://")):
            raise SettingsError(
                f"OTEL_EXPORTER_OTLP_ENDPOINT was {endpoint!r}: use http://host:4318"
            )
        return cls(
            service=ServiceSettings.from_env(env),
            endpoint=endpoint,
            slow_ms=integer(env, "TRADEWIND_SLOW_MS", 250),
            has_metrics=env.get("OTEL_METRICS_EXPORTER") != "none",
        )
