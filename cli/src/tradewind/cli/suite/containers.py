# SPDX-License-Identifier: Apache-2.0
"""What is known of a suite in containers: read from what the engine says of each container.

Containers are reached at their own addresses on the stack's network, which the machine of the
engine is on; these change when a container is started again. Only the edge is at a fixed port.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from tradewind.cli.suite.facts import Facts, SuiteError

NODE_PORTS = {"client": 4222, "monitor": 8222, "route": 6222}
VENUE_PORT = 8070
WAREHOUSE_PORT = 8123
ARCHIVER_PORT = 8090
EDGE_PORT = "8080/tcp"
EDGE_FIX_PORT = "9878/tcp"
CONSOLE_PORT = "8088/tcp"
SERVICE = "com.docker.compose.service"
NUMBER = "com.docker.compose.container-number"
PROJECT = "com.docker.compose.project"
_NUMBERED = re.compile(r".*-\d+")


class _Health(msgspec.Struct, rename="pascal"):
    status: str = ""


class _State(msgspec.Struct, rename="pascal"):
    status: str
    pid: int = 0
    exit_code: int = 0
    health: _Health | None = None


class _Config(msgspec.Struct, rename="pascal"):
    labels: dict[str, str] = {}
    env: list[str] = []


class _Published(msgspec.Struct, rename="pascal"):
    host_port: str


class _Network(msgspec.Struct, rename="pascal"):
    address: str = msgspec.field(default="", name="IPAddress")
    aliases: list[str] | None = None


class _NetworkSettings(msgspec.Struct, rename="pascal"):
    networks: dict[str, _Network] = {}
    ports: dict[str, list[_Published] | None] = {}


class Container(msgspec.Struct, rename="pascal"):
    """One container, of what `docker inspect` says."""

    id: str
    state: _State
    config: _Config
    network_settings: _NetworkSettings
    restarts: int = msgspec.field(default=0, name="RestartCount")

    @property
    def service(self) -> str:
        """What it is in the stack's file."""
        return self.config.labels[SERVICE]

    @property
    def name(self) -> str:
        """What its service calls itself on the bus: a node's name has its number already."""
        service = self.service
        return service if _NUMBERED.fullmatch(service) else f"{service}-{self.number}"

    @property
    def number(self) -> int:
        """Which one of its service, from 1."""
        return int(self.config.labels[NUMBER])

    @property
    def address(self) -> str:
        """Where it is; empty while it does not run or is cut off."""
        found = [network.address for network in self.network_settings.networks.values()]
        return next(filter(None, found), "")

    @property
    def phase(self) -> str:
        """As the orchestrator of `tradewind up` would say it."""
        state = self.state
        if state.status == "exited" and not state.exit_code:
            return "done"
        is_well = state.health is None or state.health.status == "healthy"
        return "ready" if state.status == "running" and is_well else "starting"

    def published(self, port: str) -> int:
        """The port of this machine that leads to one of its own; 0 if there is none."""
        found = self.network_settings.ports.get(port)
        return int(found[0].host_port) if found else 0

    def told(self, name: str) -> str:
        """A setting."""
        prefix = f"{name}="
        found = [each.removeprefix(prefix) for each in self.config.env if each.startswith(prefix)]
        return found[0] if found else ""


def read_containers(inspected: bytes) -> dict[str, Container]:
    """The containers that `docker inspect` tells of, by name."""
    found = msgspec.json.decode(inspected, type=list[Container])
    return {each.name: each for each in sorted(found, key=lambda each: (each.service, each.number))}


def facts_of(containers: Mapping[str, Container], home: Path) -> Facts:
    """The facts of a stack whose secrets lie in `home`.

    Raises:
        SuiteError: NOT_RUNNING, if a part is missing.
    """
    by_service: dict[str, list[Container]] = {}
    for each in containers.values():
        by_service.setdefault(each.service, []).append(each)
    (edge,) = _of("edge", by_service)
    (venue,) = _of("simvenue", by_service)
    (warehouse,) = _of("clickhouse", by_service)
    (first, *_), archivers = (replicas := _of("oms", by_service)), _of("archiver", by_service)
    nodes = [each for name, each in sorted(containers.items()) if name.startswith("nats-")]
    shards = int(first.told("TRADEWIND_SHARDS"))
    console = by_service.get("console", [])
    return Facts(
        nonce=first.config.labels[PROJECT],
        home=str(home),
        shards=shards,
        replicas=len(replicas) // shards,
        nodes=[NODE_PORTS for _ in nodes],
        node_hosts=tuple(node.address for node in nodes),
        gateway_port=edge.published(EDGE_PORT),
        edge_port=edge.published(EDGE_PORT),
        edge_fix_port=edge.published(EDGE_FIX_PORT),
        console_port=console[0].published(CONSOLE_PORT) if console else 0,
        venue_host=venue.address,
        venue_port=VENUE_PORT,
        warehouse_host=warehouse.address,
        warehouse_port=WAREHOUSE_PORT,
        archive_hosts=tuple(archiver.address for archiver in archivers),
        archive_ports=[ARCHIVER_PORT for _ in archivers],
    )


def _of(service: str, by_service: Mapping[str, Sequence[Container]]) -> Sequence[Container]:
    if service not in by_service:
        raise SuiteError(f"the stack has no container of {service}", code="NOT_RUNNING")
    return by_service[service]
