# SPDX-License-Identifier: Apache-2.0
"""What the orchestrator is told."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tradewind.common.permissions import SYSTEM_PASSWORD_FILE, system_from_env
from tradewind.common.settings import BusSettings, ServiceSettings, require


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The plan to carry out, and the environment that its processes inherit.

    Logs and the table of processes lie in the state folder. With `system`, the leader of JetStream
    itself is kept in its place too.
    """

    service: ServiceSettings
    system: BusSettings | None
    plan_file: Path
    env: Mapping[str, str] = field(repr=False)

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> "Settings":
        """Reads the service settings, TRADEWIND_PLAN_FILE and SYSTEM_PASSWORD_FILE (optional)."""
        inherited = {name: text for name, text in env.items() if name != SYSTEM_PASSWORD_FILE}
        return cls(
            service=ServiceSettings.from_env(env),
            system=system_from_env(env),
            plan_file=Path(require(env, "TRADEWIND_PLAN_FILE")),
            env=inherited,
        )

    @property
    def log_dir(self) -> Path:
        """Where every process's log is."""
        return self.service.state_dir / "logs"

    @property
    def table_path(self) -> Path:
        """Where the table of processes is."""
        return self.service.state_dir / "run" / "processes.json"
