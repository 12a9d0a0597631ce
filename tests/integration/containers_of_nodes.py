# SPDX-License-Identifier: Apache-2.0
"""Nodes of the bus in containers, started by testcontainers; otherwise like processes.

They use the machine's network and the test's own folder, so that addresses and files are the same.
"""

import os
import re
from pathlib import Path
from typing import Any

from testcontainers.core.config import testcontainers_config
from testcontainers.core.container import DockerContainer

DOCKERFILE = Path(__file__).parents[2] / "Dockerfile"
STOP_S = 10


def image() -> str:
    """The image of the nodes that the stack has."""
    (version,) = re.findall(r"^ARG NATS_VERSION=(\S+)$", DOCKERFILE.read_text(), re.MULTILINE)
    return f"nats:{version}-alpine"


def as_container(config: Path, log: Path) -> "NodeContainer":
    """Runs a node's container."""
    return NodeContainer(config, log)


class NodeContainer:
    """A node in a container, with what a process can do."""

    def __init__(self, config: Path, log: Path) -> None:
        # Each container is removed by whoever started it; no helper has to be fetched for that.
        testcontainers_config.ryuk_disabled = True
        folder = str(config.parent)
        self._log = log
        self._status: int | None = None
        self._container = (
            DockerContainer(image())
            .with_kwargs(network_mode="host", user=f"{os.getuid()}:{os.getgid()}")
            .with_volume_mapping(folder, folder, "rw")
            .with_command(["nats-server", "-c", str(config)])
            .start()
        )

    def poll(self) -> int | None:
        """Its exit status, None while it runs."""
        if self._status is not None:
            return self._status
        state = self._docker.attrs["State"]
        return None if state["Running"] else int(state["ExitCode"])

    def send_signal(self, sig: int) -> None:
        """Sends it a signal."""
        self._docker.kill(int(sig))

    def kill(self) -> None:
        """Ends it at once."""
        if self.poll() is None:
            self.send_signal(9)

    def wait(self) -> int:
        """Waits for its end, keeps what it said, and removes it."""
        if self._status is None:
            self._status = int(self._docker.wait(timeout=STOP_S)["StatusCode"])
            with self._log.open("ab") as log:
                log.write(b"".join(self._container.get_logs()))
            self._container.stop()
        return self._status

    @property
    def _docker(self) -> Any:
        found = self._container.get_wrapped_container()
        found.reload()
        return found
