# SPDX-License-Identifier: Apache-2.0
"""A real warehouse process: an embedded database belongs to one process, and dies with it."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

START_TIMEOUT_S = 40.0
LOOK_AGAIN_S = 0.02
_opener = build_opener(ProxyHandler({}))


class WarehouseProcess:
    """One database folder and the process on it, which may be killed and started again."""

    def __init__(self, folder: Path, name: str = "warehouse") -> None:
        with socket.socket() as held:
            held.bind(("127.0.0.1", 0))
            self.port = held.getsockname()[1]
        self._log = folder.parent / f"{name}.log"
        self.password_file = folder.parent / "warehouse.password"
        self.password_file.write_text("secret\n")
        self._env = {
            **os.environ,
            "TRADEWIND_STATE_DIR": str(folder),
            "TRADEWIND_HTTP_PORT": str(self.port),
            "TRADEWIND_WAREHOUSE_PASSWORD_FILE": str(self.password_file),
        }
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def dsn(self) -> str:
        """Where an archiver finds it."""
        return f"http://default@127.0.0.1:{self.port}/default"

    @property
    def log(self) -> str:
        """What it has written so far."""
        return self._log.read_text()

    def start(self) -> None:
        """Starts it, for the first time or again, and waits until it answers."""
        deadline_s = time.monotonic() + START_TIMEOUT_S
        self._spawn()
        while not self._answers():
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

    def _spawn(self) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tradewind.warehouse"], env=self._env, stdout=log, stderr=log
            )

    def _answers(self) -> bool:
        try:
            with _opener.open(f"{self.url}/ping", timeout=5) as answer:
                return bool(answer.status == 200)
        except (URLError, OSError):
            return False
