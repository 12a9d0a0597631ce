# SPDX-License-Identifier: Apache-2.0
"""What the simulated venue is told."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tradewind.common.errors import SettingsError
from tradewind.common.settings import integer, optional_secret, require

FLOWS = ("recorded", "synthetic", "none")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One simulated venue with one instrument.

    `flow_dir` is the folder in which the distribution with the recording is installed. `key` is
    what clients log on with; empty: anyone may. `fee_bps` is charged on every fill.
    On `fix_port` FIX clients arrive; None: there are none. Who says `drop_copy_key` there is given
    a drop copy; empty: nobody is.
    """

    host: str
    port: int
    state_dir: Path
    symbol: str
    flow: str
    flow_dir: Path | None
    flow_speed: float
    flow_seed: int
    fee_bps: int
    fix_port: int | None
    key: str = field(repr=False)
    drop_copy_key: str = field(default="", repr=False)

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> "Settings":
        """Reads TRADEWIND_HTTP_HOST, _HTTP_PORT, _STATE_DIR, _VENUE_*, _SYMBOL and _FLOW*.

        Also _FIX_PORT and _DROP_COPY_KEY.
        """
        flow = env.get("TRADEWIND_FLOW", "") or "recorded"
        if flow not in FLOWS:
            raise SettingsError(f"TRADEWIND_FLOW was {flow!r}: use one of {', '.join(FLOWS)}")
        folder = env.get("TRADEWIND_FLOW_DIR", "")
        return cls(
            host=env.get("TRADEWIND_HTTP_HOST", "") or "127.0.0.1",
            port=integer(env, "TRADEWIND_HTTP_PORT"),
            state_dir=Path(require(env, "TRADEWIND_STATE_DIR")),
            symbol=env.get("TRADEWIND_SYMBOL", "") or "BTC-USD",
            flow=flow,
            flow_dir=Path(folder) if folder else None,
            flow_speed=_speed(env.get("TRADEWIND_FLOW_SPEED", "") or "1"),
            flow_seed=integer(env, "TRADEWIND_FLOW_SEED", 1),
            fee_bps=integer(env, "TRADEWIND_VENUE_FEE_BPS", 1),
            fix_port=integer(env, "TRADEWIND_FIX_PORT") if "TRADEWIND_FIX_PORT" in env else None,
            key=optional_secret(env, "TRADEWIND_VENUE_KEY"),
            drop_copy_key=optional_secret(env, "TRADEWIND_DROP_COPY_KEY"),
        )


def _speed(text: str) -> float:
    try:
        speed = float(text)
    except ValueError:
        speed = 0.0
    if not 0 < speed <= 1000:
        raise SettingsError(f"TRADEWIND_FLOW_SPEED was {text!r}: use a number above 0, up to 1000")
    return speed
