# SPDX-License-Identifier: Apache-2.0
"""What the gateway is told at start."""

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path

from tradewind.common.errors import SettingsError
from tradewind.common.settings import ServiceSettings, integer, require
from tradewind.gateway.tls import Certificate


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewaySettings:
    """Where the gateway listens, whom it knows, and how long it waits."""

    service: ServiceSettings
    http_host: str
    http_port: int
    fix_port: int | None
    """Where FIX clients arrive; None: there are none."""
    keys_file: Path
    people_file: Path | None
    """Whose tokens are taken, and what people may do by them; None: nobody's."""
    certificate: Certificate | None
    """What HTTP and FIX clients are shown; None: both are plain."""
    trusted_proxies: tuple[str, ...]
    """Whose word for where a client is (X-Forwarded-For) is taken: addresses and networks."""
    ack_timeout_ms: int
    """Without the broker's acknowledgement for this long, the outcome is called unknown."""
    answer_wait_ms: int
    """How long a REST call waits for the output; after that it says that the entry is stored."""
    order_ttl_ms: int
    """An order whose entry is stamped later than this after its receipt is denied."""
    trace_ratio: float
    """The share of requests whose traces are shown whatever becomes of them."""

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> "GatewaySettings":
        """Reads the service settings and TRADEWIND_HTTP_HOST, _HTTP_PORT and _KEYS_FILE.

        Optional: TRADEWIND_FIX_PORT, _PEOPLE_FILE, _TLS_CERT_FILE and _TLS_KEY_FILE,
        _TRUSTED_PROXIES, _ACK_TIMEOUT_MS, _ANSWER_WAIT_MS, _ORDER_TTL_MS, _TRACE_RATIO.
        """
        return cls(
            service=ServiceSettings.from_env(env),
            http_host=env.get("TRADEWIND_HTTP_HOST", "") or "127.0.0.1",
            http_port=integer(env, "TRADEWIND_HTTP_PORT"),
            fix_port=integer(env, "TRADEWIND_FIX_PORT") if "TRADEWIND_FIX_PORT" in env else None,
            keys_file=Path(require(env, "TRADEWIND_KEYS_FILE")),
            people_file=_path(env.get("TRADEWIND_PEOPLE_FILE", "")),
            certificate=_certificate(env),
            trusted_proxies=_networks(env.get("TRADEWIND_TRUSTED_PROXIES", "")),
            ack_timeout_ms=integer(env, "TRADEWIND_ACK_TIMEOUT_MS", 2_000),
            answer_wait_ms=integer(env, "TRADEWIND_ANSWER_WAIT_MS", 200),
            order_ttl_ms=integer(env, "TRADEWIND_ORDER_TTL_MS", 5_000),
            trace_ratio=_ratio(env.get("TRADEWIND_TRACE_RATIO", "") or "0.01"),
        )


def _path(text: str) -> Path | None:
    return Path(text) if text else None


def _certificate(env: Mapping[str, str]) -> Certificate | None:
    found = [env.get(name, "") for name in ("TRADEWIND_TLS_CERT_FILE", "TRADEWIND_TLS_KEY_FILE")]
    if not any(found):
        return None
    if not all(found):
        raise SettingsError("TRADEWIND_TLS_CERT_FILE and TRADEWIND_TLS_KEY_FILE go together")
    return Certificate(*map(Path, found))


def _networks(text: str) -> tuple[str, ...]:
    try:
        return tuple(str(ip_network(each.strip())) for each in text.split(",") if each.strip())
    except ValueError as error:
        raise SettingsError(f"TRADEWIND_TRUSTED_PROXIES was {text!r}: {error}") from error


def _ratio(text: str) -> float:
    try:
        ratio = float(text)
    except ValueError:
        ratio = -1.0
    if not 0 <= ratio <= 1:
        raise SettingsError(f"TRADEWIND_TRACE_RATIO was {text!r}: use a number from 0 to 1")
    return ratio
