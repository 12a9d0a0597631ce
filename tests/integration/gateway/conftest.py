# SPDX-License-Identifier: Apache-2.0
"""A gateway process before real replicas on a real cluster; no venue, so orders stay pending."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest

from tradewind.cli.client import GatewayClient, GatewayError
from tradewind.cli.credentials import Credentials
from tradewind.common import codec, init_job, subjects
from tradewind.common.errors import Refused
from tradewind.common.jetstream import Bus
from tradewind.common.testing import LocalCluster, eventually
from tradewind.core.commands import SetReferencePrice

SHARDS = 2
READY_TIMEOUT_S = 30.0
TRADER = Credentials("trader", "trader-secret")
OPERATOR = Credentials("operator", "operator-secret")
SUPERVISOR = Credentials("supervisor", "supervisor-secret")
ANYBODY = Credentials("anybody", "anybody-secret")
KEYS = {
    "keys": {
        "trader": {
            "secret": TRADER.secret,
            "accounts": ["BENCH0", "BENCH1"],
            "scopes": ["read", "trade"],
            "client": "test",
        },
        "watcher": {
            "secret": "watcher-secret",
            "accounts": ["BENCH0"],
            "scopes": ["read"],
            "client": "desk",
        },
        "operator": {
            "secret": OPERATOR.secret,
            "accounts": ["*"],
            "scopes": ["read", "admin"],
            "client": "ops",
        },
        "anybody": {
            "secret": ANYBODY.secret,
            "accounts": ["*"],
            "scopes": ["read", "trade", "admin"],
            "client": "anybody",
        },
        "supervisor": {
            "secret": SUPERVISOR.secret,
            "accounts": ["*"],
            "scopes": ["read", "admin"],
            "client": "second",
        },
    }
}


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return int(held.getsockname()[1])


class Platform:
    """The processes, to be killed and started again."""

    def __init__(self, cluster: LocalCluster, bus: Bus, folder: Path) -> None:
        self.cluster = cluster
        self.bus = bus
        self.folder = folder
        self.url, self.other_url = (f"http://127.0.0.1:{free_port()}" for _ in range(2))
        keys_file = folder / "keys.json"
        keys_file.write_text(json.dumps(KEYS))
        self.gateway_env = {
            "TRADEWIND_HTTP_HOST": "127.0.0.1",
            "TRADEWIND_KEYS_FILE": str(keys_file),
            "TRADEWIND_TRACE_RATIO": "0",
            # Longer than a busy machine takes: the answer is what is tested, not its time.
            "TRADEWIND_ANSWER_WAIT_MS": "2000",
        }
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, service: str, instance: str, env: dict[str, str]) -> None:
        """Starts one service process."""
        password = self.folder / f"{service}.password"
        password.write_text(self.cluster.config.passwords[service])
        with (self.folder / f"{instance}.log").open("ab") as log:
            self.processes[instance] = subprocess.Popen(
                [sys.executable, "-m", f"tradewind.{service}"],
                stderr=log,
                env={
                    **os.environ,
                    "TRADEWIND_NATS_URLS": ",".join(self.cluster.urls),
                    "TRADEWIND_NATS_USER": service,
                    "TRADEWIND_NATS_PASSWORD_FILE": str(password),
                    "TRADEWIND_INSTANCE": instance,
                    "TRADEWIND_SHARDS": str(SHARDS),
                    "TRADEWIND_STATE_DIR": str(self.folder),
                    **env,
                },
            )

    def start_replica(self, shard: int) -> None:
        """Starts a replica of a shard."""
        env = {"TRADEWIND_SHARD": str(shard), "TRADEWIND_RANK": "0"}
        self.start("oms", f"oms-{shard}-0", env)

    def start_gateway(self) -> None:
        """Starts the gateway."""
        self._start_gateway("gateway-1", self.url)

    def start_other_gateway(self, url: str = "") -> None:
        """Starts another one, beside it or where it is told to."""
        self._start_gateway("gateway-2", url or self.other_url)

    def _start_gateway(self, instance: str, url: str) -> None:
        port = url.rpartition(":")[2]
        self.start("gateway", instance, self.gateway_env | {"TRADEWIND_HTTP_PORT": port})

    def kill(self, instance: str) -> None:
        """Kill -9."""
        process = self.processes.pop(instance)
        process.send_signal(signal.SIGKILL)
        process.wait()

    def log(self, instance: str) -> str:
        """What a process has written so far."""
        return (self.folder / f"{instance}.log").read_text()

    async def ready(self, url: str = "") -> None:
        """Waits until the gateway serves and every shard answers."""

        async def is_ready() -> bool:
            try:
                async with GatewayClient(url or self.url, OPERATOR) as client:
                    await client.call("GET", "/readyz")
                    status = await client.status()
            except GatewayError:
                return False
            return all(shard["ok"] for shard in status["shards"])

        await eventually(is_ready, READY_TIMEOUT_S, what=f"readiness ({self.folder})")

    async def client_entries(self, account: str) -> int:
        """How many requests of an account are in the journal."""
        shard = subjects.shard_of(account, SHARDS)
        subject = subjects.journal_client(shard, account)
        info = await self.bus.api(
            f"STREAM.INFO.{subjects.journal_stream(shard)}", {"subjects_filter": subject}
        )
        counts: dict[str, int] = info["state"].get("subjects") or {}
        return sum(counts.values())


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def _priced(bus: Bus, shard: int) -> bool:
    """Journals a reference price; a stream may be without a leader just after it was placed."""
    price = SetReferencePrice(symbol="BTC-USD", price=10_000_000)
    try:
        await bus.publish(subjects.journal_subject(shard, price), codec.encode(price))
    except Refused:
        return False
    return True


@asynccontextmanager
async def started_platform(folder: Path, **gateway_env: str) -> AsyncIterator[Platform]:
    """A cluster, prices, replicas and one gateway, told this besides; all gone afterwards."""
    async with LocalCluster(SHARDS) as cluster:
        await init_job.run(
            init_job.Settings(
                bus=cluster.settings("admin"), system=cluster.settings("sys"), shards=SHARDS
            )
        )
        bus = await cluster.bus("admin")
        for shard in range(SHARDS):
            await eventually(partial(_priced, bus, shard), 15.0, what=f"a price in shard {shard}")
        started = Platform(cluster, bus, folder)
        started.gateway_env |= gateway_env
        for shard in range(SHARDS):
            started.start_replica(shard)
        started.start_gateway()
        try:
            await started.ready()
            yield started
        finally:
            for process in started.processes.values():
                process.kill()
            for process in started.processes.values():
                await asyncio.to_thread(process.wait)


@pytest.fixture
async def platform(tmp_path: Path) -> AsyncIterator[Platform]:
    async with started_platform(tmp_path) as started:
        yield started
