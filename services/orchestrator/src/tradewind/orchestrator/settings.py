# SPDX-License-Identifier: Apache-2.0
"""What the orchestrator is told."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tradewind.common.settings import ServiceSettings, require


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The plan to carry out, and the environment that its processes inherit.

    Logs and the table of processes lie in the state folder.
    """

    service: ServiceSettings
    plan_file: Path
    env: Mapping[str, str] = field(repr=False)

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> "Settings":
        """Reads the service settings and TRADEWIND_PLAN_FILE."""
        return cls(
            service=ServiceSettings.from_env(env),
            plan_file=Path(require(env, "TRADEWIND_PLAN_FILE")),
            env=dict(env),
        )

    @property
    def log_dir(self) -> Path:
        """Where every process's log is."""
        return self.service.state_dir / "logs"

    @property
    def table_path(self) -> Path:
        """Where the table of processes is."""
        return self.service.state_dir / "run" / "processes.json"
