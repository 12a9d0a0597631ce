# SPDX-License-Identifier: Apache-2.0
"""Real archiver processes."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.request import ProxyHandler, build_opener

from tests.integration.archiver.database import Database
from tradewind.common.testing import LocalCluster, eventually

START_TIMEOUT_S = 40.0
_opener = build_opener(ProxyHandler({}))


class ArchiverProcess:
    """An archiver of a warehouse, which may be killed and started again."""

    def __init__(
        self,
        cluster: LocalCluster,
        warehouse: Database,
        folder: Path,
        name: str = "archiver-1",
    ) -> None:
        with socket.socket() as held:
            held.bind(("127.0.0.1", 0))
            self.port = held.getsockname()[1]
        self._log = folder / f"{name}.log"
        password_file = folder / "archiver.password"
        password_file.write_text(cluster.config.passwords["archiver"])
        self._env = {
            **os.environ,
            "TRADEWIND_NATS_URLS": ",".join(cluster.urls),
            "TRADEWIND_NATS_USER": "archiver",
            "TRADEWIND_NATS_PASSWORD_FILE": str(password_file),
            "TRADEWIND_INSTANCE": name,
            "TRADEWIND_SHARDS": str(cluster.shards),
            "TRADEWIND_STATE_DIR": str(folder),
            "TRADEWIND_HTTP_PORT": str(self.port),
            "TRADEWIND_CLICKHOUSE_DSN": warehouse.dsn,
            "TRADEWIND_CLICKHOUSE_PASSWORD_FILE": str(warehouse.password_file),
        }
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it answers reads."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        """What it has written so far."""
        return self._log.read_text()

    def start(self) -> None:
        """Starts it, for the first time or again."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tradewind.archiver"], env=self._env, stdout=log, stderr=log
            )

    def kill(self) -> None:
        """Kill -9."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def pause(self) -> None:
        """SIGSTOP."""
        self._signal(signal.SIGSTOP)

    def wake(self) -> None:
        """SIGCONT."""
        self._signal(signal.SIGCONT)

    def terminate(self) -> None:
        """Asks it to stop."""
        assert self._process is not None
        self._process.terminate()

    async def ended(self, timeout_s: float) -> int | None:
        """Its exit code, or None if it still runs after `timeout_s`."""
        assert self._process is not None
        try:
            return await asyncio.to_thread(self._process.wait, timeout_s)
        except subprocess.TimeoutExpired:
            return None

    async def ready(self) -> None:
        """Waits until it follows every stream."""
        check: Callable[[], bool | Awaitable[bool]] = self._is_ready
        await eventually(check, START_TIMEOUT_S, what=f"readiness ({self._log})")

    async def get(self, path: str) -> dict[str, Any]:
        """What it answers."""
        return await asyncio.to_thread(self._get, path)

    async def held(self, stream: str) -> dict[str, Any]:
        """What it says it holds of a stream."""
        for found in (await self.get("/v1/summary"))["streams"]:
            if found["stream"] == stream:
                return dict(found)
        return {"rows": 0, "count": 0, "first": 0, "last": 0, "segment": ""}

    async def has_archived(self, stream: str, last: int) -> None:
        """Waits until it holds a stream up to `last`."""

        async def is_there() -> bool:
            return bool((await self.held(stream))["last"] >= last)

        check: Callable[[], bool | Awaitable[bool]] = is_there
        await eventually(check, START_TIMEOUT_S, what=f"{stream} up to {last}")

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    async def _is_ready(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self.log
        try:
            return bool((await self.get("/readyz"))["ready"])
        except OSError:
            return False

    def _get(self, path: str) -> dict[str, Any]:
        with _opener.open(self.url + path, timeout=10) as answer:
            found: dict[str, Any] = json.loads(answer.read())
            return found
