# SPDX-License-Identifier: Apache-2.0
"""What the demo strategy is told."""

from collections.abc import Mapping
from dataclasses import dataclass

from tradewind.cli.credentials import Credentials
from tradewind.common.settings import require, secret


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoSettings:
    """Whom to trade with, as whom, and where the quotes come from."""

    gateway_url: str
    credentials: Credentials
    account: str
    feed_url: str
    symbol: str = "BTC-USD"
    orders_per_s: float = 5.0

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> "DemoSettings":
        """Reads the variables that the package's docstring names."""
        return cls(
            gateway_url=require(env, "TRADEWIND_GATEWAY_URL"),
            credentials=Credentials(
                require(env, "TRADEWIND_KEY_ID"), secret(env, "TRADEWIND_KEY_SECRET_FILE")
            ),
            account=require(env, "TRADEWIND_ACCOUNT"),
            feed_url=require(env, "TRADEWIND_FEED_URL"),
        )
