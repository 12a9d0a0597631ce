# SPDX-License-Identifier: Apache-2.0
"""A real warehouse: the embedded database, which belongs to one process and dies with it.

Or, if TRADEWIND_TEST_WAREHOUSE says `container`, a ClickHouse server in a container.
"""

import os
import socket
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

PASSWORD = "secret"
START_TIMEOUT_S = 40.0
LOOK_AGAIN_S = 0.02
_opener = build_opener(ProxyHandler({}))


class Database(ABC):
    """A database that may be killed and started again, where it answers and who may ask."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as held:
            held.bind(("127.0.0.1", 0))
            self.port = held.getsockname()[1]
        self.password_file = folder.parent / "warehouse.password"
        self.password_file.write_text(f"{PASSWORD}\n")

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def dsn(self) -> str:
        """Where an archiver finds it."""
        return f"http://default@127.0.0.1:{self.port}/default"

    def answers(self) -> bool:
        """Whether it is there."""
        try:
            with _opener.open(f"{self.url}/ping", timeout=5) as answer:
                return bool(answer.status == 200)
        except (URLError, OSError):
            return False

    @abstractmethod
    def start(self) -> None:
        """Starts it, for the first time or again, and waits until it answers."""

    @abstractmethod
    def kill(self) -> None:
        """Kill -9."""

    @abstractmethod
    def remove(self) -> None:
        """Ends it for good."""


@contextmanager
def running_database(folder: Path) -> Iterator[Database]:
    """A warehouse of the kind that TRADEWIND_TEST_WAREHOUSE asks for, for the time of a block."""
    warehouse: Database = WarehouseProcess(folder)
    if os.environ.get("TRADEWIND_TEST_WAREHOUSE") == "container":
        from tests.integration.archiver.server_container import ServerContainer

        warehouse = ServerContainer(folder)
    try:
        warehouse.start()
        yield warehouse
    finally:
        warehouse.remove()


class WarehouseProcess(Database):
    """One database folder and the process on it."""

    def __init__(self, folder: Path, name: str = "warehouse") -> None:
        super().__init__(folder)
        self._log = folder.parent / f"{name}.log"
        self._env = {
            **os.environ,
            "TRADEWIND_STATE_DIR": str(folder),
            "TRADEWIND_HTTP_PORT": str(self.port),
            "TRADEWIND_WAREHOUSE_PASSWORD_FILE": str(self.password_file),
        }
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> str:
        """What it has written so far."""
        return self._log.read_text()

    def start(self) -> None:
        """Starts it, for the first time or again, and waits until it answers."""
        deadline_s = time.monotonic() + START_TIMEOUT_S
        self._spawn()
        while not self.answers():
            assert time.monotonic() < deadline_s, self.log
            if self.exit_code is not None:  # the engine may refuse what a killed one had open
                self._spawn()
            time.sleep(LOOK_AGAIN_S)

    @property
    def exit_code(self) -> int | None:
        """How it ended; None while it runs."""
        assert self._process is not None
        return self._process.poll()

    def run(self) -> int:
        """Starts it and waits until it ends by itself."""
        self._spawn()
        assert self._process is not None
        return self._process.wait(START_TIMEOUT_S)

    def kill(self) -> None:
        """Kill -9."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def remove(self) -> None:
        """Ends it for good; what it stored goes with the test's folder."""
        self.kill()

    def _spawn(self) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tradewind.warehouse"], env=self._env, stdout=log, stderr=log
            )
