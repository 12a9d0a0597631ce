# SPDX-License-Identifier: Apache-2.0
"""What risk is told of the venue's drop copy."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tradewind.common.settings import integer, optional_secret
from tradewind.risk.reconcile.grades import Patience


@dataclass(frozen=True, slots=True, kw_only=True)
class DropCopySettings:
    """Where the drop copy is, and how patient one is with differences.

    `session` is our CompID, this process's alone; `peer` the venue's; `key` the Password.
    """

    url: str
    session: str
    peer: str
    patience: Patience
    key: str = field(default="", repr=False)

    @classmethod
    def from_env(cls, env: Mapping[str, str], venue: str, instance: str) -> "DropCopySettings":
        """Reads TRADEWIND_DROP_COPY_URL, _SESSION, _PEER and _KEY.

        Also TRADEWIND_RECONCILE_ALERT_MS, _REDUCING_MS, _HALTED_MS, _AWAY_MS, _TOLERANCE_LOTS.
        """
        return cls(
            url=env["TRADEWIND_DROP_COPY_URL"],
            session=env.get("TRADEWIND_DROP_COPY_SESSION", "") or f"COPY-{instance}",
            peer=env.get("TRADEWIND_DROP_COPY_PEER", "") or venue,
            key=optional_secret(env, "TRADEWIND_DROP_COPY_KEY"),
            patience=Patience(
                alert_ms=integer(env, "TRADEWIND_RECONCILE_ALERT_MS", 5_000),
                reducing_ms=integer(env, "TRADEWIND_RECONCILE_REDUCING_MS", 10_000),
                halted_ms=integer(env, "TRADEWIND_RECONCILE_HALTED_MS", 20_000),
                away_ms=integer(env, "TRADEWIND_RECONCILE_AWAY_MS", 60_000),
                tolerance=integer(env, "TRADEWIND_RECONCILE_TOLERANCE_LOTS", 0),
            ),
        )
