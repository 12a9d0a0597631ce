# SPDX-License-Identifier: Apache-2.0
"""A ClickHouse server in a container, started by testcontainers; otherwise like a process."""

import re
import socket
import time
from pathlib import Path
from typing import Any

from testcontainers.core.config import testcontainers_config
from testcontainers.core.container import DockerContainer

from tests.integration.archiver.database import PASSWORD, START_TIMEOUT_S, Database

COMPOSE = Path(__file__).parents[3] / "docker-compose.yml"
HTTP_PORT = "8123/tcp"
LOOK_AGAIN_S = 0.1


def image() -> str:
    """The image of the server that the stack has."""
    (name,) = re.findall(r"^ +image: (clickhouse/\S+)$", COMPOSE.read_text(), re.MULTILINE)
    return str(name)


class ServerContainer(Database):
    """A server whose database lies in the container, which may be killed and started again."""

    def __init__(self, folder: Path) -> None:
        # Whoever started it removes it; no helper has to be fetched for that.
        testcontainers_config.ryuk_disabled = True
        super().__init__(folder)
        self._container = (
            DockerContainer(image())
            .with_env("CLICKHOUSE_USER", "default")
            .with_env("CLICKHOUSE_PASSWORD", PASSWORD)
        )
        ports: dict[str, Any] = self._container.ports
        ports[HTTP_PORT] = (socket.gethostbyname("localhost"), self.port)
        self._is_made = False

    @property
    def log(self) -> str:
        """What it has written so far."""
        return b"".join(self._container.get_logs()).decode()

    def start(self) -> None:
        """Starts it, for the first time or again, and waits until it answers."""
        if self._is_made:
            self._docker.start()
        else:
            self._container.start()
            self._is_made = True
        deadline_s = time.monotonic() + START_TIMEOUT_S
        while not self.answers():
            assert time.monotonic() < deadline_s, self.log
            time.sleep(LOOK_AGAIN_S)

    def kill(self) -> None:
        """Kill -9."""
        if self._is_made and self._docker.status == "running":
            self._docker.kill()
            self._docker.wait()

    def remove(self) -> None:
        """Ends it, and forgets what it stored."""
        if self._is_made:
            self._container.stop()

    @property
    def _docker(self) -> Any:
        found = self._container.get_wrapped_container()
        found.reload()
        return found
