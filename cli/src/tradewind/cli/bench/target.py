# SPDX-License-Identifier: Apache-2.0
"""What a benchmark must know of the suite that it measures."""

from dataclasses import dataclass
from pathlib import Path

from tradewind.cli.credentials import Credentials
from tradewind.common.permissions import SYSTEM_USER
from tradewind.common.settings import BusSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A running suite.

    `password_dir` holds one file per bus user, named like the user. `venue_log` is the simulated
    venue's own file; None: venue latencies are not measured. `gateway_url` and `credentials` may be
    None: then nothing goes through the gateway.
    """

    urls: tuple[str, ...]
    password_dir: Path
    shards: int
    venue_log: Path | None = None
    gateway_url: str | None = None
    credentials: Credentials | None = None

    def bus(self, user: str) -> BusSettings:
        """How `user` reaches the bus."""
        password = (self.password_dir / user).read_text().strip()
        return BusSettings(urls=self.urls, user=user, password=password)

    @property
    def system(self) -> BusSettings:
        """How the system account's user reaches the bus."""
        return self.bus(SYSTEM_USER)
