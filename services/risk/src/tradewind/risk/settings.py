# SPDX-License-Identifier: Apache-2.0
"""What risk is told."""

from collections.abc import Mapping
from dataclasses import dataclass

from tradewind.common.settings import ServiceSettings, integer, require
from tradewind.risk.reconcile.settings import DropCopySettings


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
    alert_owner: str
    """Whose an alert is."""
    alert_escalates_to: str
    """Whose it is when that one does not take it."""
    drop_copy: DropCopySettings | None = None
    """Where the venue's drop copy is; None: nothing is compared with it."""

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> "Settings":
        """Reads TRADEWIND_VENUE, _RANK and the optional ones.

        These are TRADEWIND_REFERENCE_INTERVAL_MS, _REFERENCE_MOVE_BPS, _ALERT_OWNER and
        _ALERT_ESCALATES_TO; and _DROP_COPY_URL with what belongs to it.
        """
        service, venue = ServiceSettings.from_env(env), require(env, "TRADEWIND_VENUE")
        has_copy = bool(env.get("TRADEWIND_DROP_COPY_URL", ""))
        return cls(
            service=service,
            venue=venue,
            rank=integer(env, "TRADEWIND_RANK", 0),
            reference_interval_ms=integer(env, "TRADEWIND_REFERENCE_INTERVAL_MS", 1000),
            reference_move_bps=integer(env, "TRADEWIND_REFERENCE_MOVE_BPS", 10),
            alert_owner=env.get("TRADEWIND_ALERT_OWNER", "") or "operator",
            alert_escalates_to=env.get("TRADEWIND_ALERT_ESCALATES_TO", "") or "supervisor",
            drop_copy=DropCopySettings.from_env(env, venue, service.instance) if has_copy else None,
        )
