# SPDX-License-Identifier: Apache-2.0
"""Three real nodes on free ports, in a temporary folder, gone afterwards."""

import asyncio
import contextlib
import json
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol

from tradewind.common import permissions, placement, streams
from tradewind.common.errors import BusError
from tradewind.common.jetstream import Bus
from tradewind.common.server_config import Cluster, Node, render, server_binary
from tradewind.common.settings import BusSettings

NODES = 3
READY_TIMEOUT_S = 30.0
START_ATTEMPTS = 3
LOOK_AGAIN_S = 0.05


class NodeEnded(AssertionError):
    """A node ended by itself while it was starting."""


class RunningNode(Protocol):
    """A node that was started; what `subprocess.Popen` can do."""

    def poll(self) -> int | None:
        """Its exit status, None while it runs."""

    def send_signal(self, sig: int) -> None:
        """Sends it a signal."""

    def kill(self) -> None:
        """Ends it at once."""

    def wait(self) -> int:
        """Waits for its end."""


RunNode = Callable[[Path, Path], RunningNode]
"""Starts a node with a configuration; what it says goes into a log."""


def as_process(config: Path, log: Path) -> RunningNode:
    """Runs the server that is installed with the tests."""
    with log.open("ab") as opened:
        return subprocess.Popen([str(server_binary()), "-c", config], stdout=opened, stderr=opened)


class LocalCluster:
    """`async with LocalCluster(shards=2) as cluster: bus = await cluster.bus("oms")`."""

    def __init__(
        self, shards: int = 2, *, is_fsync_always: bool = True, run_node: RunNode = as_process
    ) -> None:
        self.shards = shards
        self._run_node = run_node
        self.folder = Path(tempfile.mkdtemp(prefix="tradewind-bus-"))
        nonce = secrets.token_hex(3)
        names = (*permissions.NAMES, permissions.SYSTEM_USER)
        self.config = Cluster(
            name=f"tw-{nonce}",
            nodes=[_node(f"{nonce}-n{number}", self.folder) for number in range(1, NODES + 1)],
            passwords={name: secrets.token_hex(16) for name in names},
            shards=shards,
            is_fsync_always=is_fsync_always,
        )
        self._processes: dict[str, RunningNode] = {}
        self._buses: list[Bus] = []

    async def __aenter__(self) -> "LocalCluster":
        try:
            await self.start()
        except BaseException:
            self.stop()
            raise
        return self

    async def __aexit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        await self.close_buses()
        self.stop()

    async def start(self) -> None:
        """Starts all nodes and waits until they are ready.

        A free port may be taken by somebody else before its node listens: then others are tried.
        """
        for _attempt in range(START_ATTEMPTS - 1):
            try:
                await self._start_once()
            except NodeEnded:
                self._kill()
                self.config = self._with_other_ports()
            else:
                return
        await self._start_once()

    def stop(self) -> None:
        """Kills the nodes and removes what they stored."""
        self._kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    async def close_buses(self) -> None:
        """Closes the connections made by `bus`."""
        while self._buses:
            with contextlib.suppress(BusError):
                await self._buses.pop().close()

    @property
    def urls(self) -> tuple[str, ...]:
        """Addresses for clients, in the order of the nodes."""
        return tuple(node.url for node in self.config.nodes)

    def settings(self, user: str, *, node: int | None = None) -> BusSettings:
        """How `user` connects: to any node, or to one (from 0)."""
        urls = self.urls if node is None else (self.urls[node],)
        return BusSettings(urls=urls, user=user, password=self.config.passwords[user])

    async def bus(self, user: str = "admin", *, node: int | None = None) -> Bus:
        """A connection as `user`, closed with the cluster at the latest."""
        bus = await Bus.connect(self.settings(user, node=node), name=f"test-{user}")
        self._buses.append(bus)
        return bus

    async def create_streams(self) -> None:
        """Creates everything in the stream table, and places the leaders."""
        admin = await self.bus("admin")
        system = await self.bus(permissions.SYSTEM_USER)
        await streams.create_all(admin, self.shards)
        await placement.place_leaders(admin, system, self.shards)

    def start_node(self, name: str) -> None:
        """Starts a node, for the first time or again."""
        node = self._find(name)
        config = self.folder / f"{name}.conf"
        config.write_text(render(self.config, node))
        self._processes[name] = self._run_node(config, self.folder / f"{name}.log")

    def signal_node(self, name: str, number: signal.Signals) -> None:
        """Sends a signal to a node: SIGKILL, SIGSTOP, SIGCONT."""
        self._processes[name].send_signal(number)
        if number == signal.SIGKILL:
            self._processes[name].wait()

    async def ready(self) -> None:
        """Waits until every node answers and all agree on a meta leader.

        Raises:
            AssertionError: if that takes too long; the nodes' logs are quoted.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + READY_TIMEOUT_S
        while not await self._is_ready():
            ended = [name for name, it in self._processes.items() if it.poll() is not None]
            if ended or loop.time() > deadline:
                logs = [path.read_text()[-1500:] for path in sorted(self.folder.glob("*.log"))]
                kind = NodeEnded if ended else AssertionError
                raise kind("the nodes did not get ready:\n" + "\n".join(logs))
            await asyncio.sleep(LOOK_AGAIN_S)

    async def _start_once(self) -> None:
        for node in self.config.nodes:
            self.start_node(node.name)
        await self.ready()

    def _kill(self) -> None:
        for process in self._processes.values():
            process.kill()
            process.wait()
        self._processes.clear()

    def _with_other_ports(self) -> Cluster:
        nodes = [_node(node.name, self.folder) for node in self.config.nodes]
        return replace(self.config, nodes=nodes)

    async def _is_ready(self) -> bool:
        try:
            answers = [await monitor(node, "/jsz") for node in self.config.nodes]
        except (OSError, ValueError):
            return False
        return any(
            leads_all(answer.get("meta_cluster", {}), node.name, len(answers))
            for node, answer in zip(self.config.nodes, answers, strict=True)
        )

    def _find(self, name: str) -> Node:
        return next(node for node in self.config.nodes if node.name == name)


def leads_all(meta: dict[str, Any], name: str, count: int) -> bool:
    """The node of this name is the meta leader, and sees all others up to date."""
    peers = meta.get("replicas") or []
    in_sync = [peer for peer in peers if peer.get("current") and not peer.get("offline")]
    return meta.get("leader") == name and len(in_sync) == count - 1


async def monitor(node: Node, path: str) -> dict[str, Any]:
    """What a node's monitoring port answers on `path`.

    Raises:
        OSError: if it does not listen.
        ValueError: if the answer is no JSON.
    """
    reader, writer = await asyncio.open_connection(node.host, node.monitor_port)
    try:
        writer.write(f"GET {path} HTTP/1.0\r\nHost: {node.host}\r\n\r\n".encode())
        answer: dict[str, Any] = json.loads((await reader.read()).partition(b"\r\n\r\n")[2])
        return answer
    finally:
        writer.close()


def _node(name: str, folder: Path) -> Node:
    with contextlib.ExitStack() as stack:
        held = [stack.enter_context(socket.socket()) for _ in range(3)]
        for held_socket in held:
            held_socket.bind(("127.0.0.1", 0))
        client, monitoring, route = (held_socket.getsockname()[1] for held_socket in held)
    return Node(
        name=name,
        host="127.0.0.1",
        client_port=client,
        monitor_port=monitoring,
        route_port=route,
        store_dir=folder / name,
    )
