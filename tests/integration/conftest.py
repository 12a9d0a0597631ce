# SPDX-License-Identifier: Apache-2.0
"""One real bus for the whole session; each test has its own connections and scratch streams."""

import asyncio
import os
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

import pytest

from tradewind.common.jetstream import Bus
from tradewind.common.testing import LocalCluster, RunNode, as_process

Connect = Callable[..., Awaitable[Bus]]
Scratch = Callable[..., Awaitable[str]]


@pytest.fixture(scope="session")
def run_node() -> RunNode:
    """Nodes are containers if TRADEWIND_TEST_NODES says so, else processes."""
    if os.environ.get("TRADEWIND_TEST_NODES") != "containers":
        return as_process
    from tests.integration.containers_of_nodes import as_container

    return as_container


@pytest.fixture(scope="session")
def cluster(run_node: RunNode) -> Iterator[LocalCluster]:
    """Three nodes with every stream of two shards, and leaders in their places."""
    nodes = LocalCluster(shards=2, run_node=run_node)

    async def prepare() -> None:
        await nodes.start()
        await nodes.create_streams()
        await nodes.close_buses()

    try:
        asyncio.run(prepare())
        yield nodes
    finally:
        nodes.stop()


@pytest.fixture
async def connect(cluster: LocalCluster) -> AsyncIterator[Connect]:
    """`await connect("oms")`: a connection as a user, closed after the test."""
    yield cluster.bus
    await cluster.close_buses()


@pytest.fixture
async def scratch(connect: Connect) -> AsyncIterator[Scratch]:
    """`await scratch(max_msgs=5)`: a stream T<hex> on t<hex>.>, gone after the test."""
    admin = await connect("admin")
    made: list[str] = []

    async def make(**settings: object) -> str:
        name = f"T{secrets.token_hex(4)}"
        config = {
            "name": name,
            "subjects": [f"{name.lower()}.>"],
            "storage": "file",
            "num_replicas": 3,
            "allow_direct": True,
            "allow_atomic": True,
            "republish": {"src": ">", "dest": "live.>"},
            **settings,
        }
        await admin.api(f"STREAM.CREATE.{name}", config, timeout_s=10)
        made.append(name)
        return name

    yield make
    for name in made:
        await admin.api(f"STREAM.DELETE.{name}", timeout_s=10)
