# SPDX-License-Identifier: Apache-2.0
"""What is known of a suite: options in, addresses and files out, kept in `suite.json`."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

import msgspec

from tradewind.cli.credentials import Credentials
from tradewind.common.errors import TradewindError
from tradewind.common.settings import BusSettings

HOST = "127.0.0.1"
NODES = 3
ARCHIVERS = 2
OPERATOR_KEY = "operator"
SUPERVISOR_KEY = "supervisor"
STRATEGY_KEY = "strategy"
WEBHOOK_SECRET = "webhook"
"""What notices are signed with. Who has a secret of the receiver's writes it into this file."""
PRESENT = ("ready", "done")
"""Phases of those for whom nobody waits."""


class SuiteError(TradewindError):
    """The suite cannot be prepared, started or found. The text says what to do."""

    code = "SUITE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a node runs: its address, what is put before its command, where it stores."""

    host: str = HOST
    prefix: tuple[str, ...] = ()
    store: Path | None = None


class Protocol(StrEnum):
    """What connectors speak with the simulated venue."""

    SIM = "sim"
    FIX = "fix"


class Size(StrEnum):
    """A full suite, or one with a second one only of what takes over."""

    FULL = "full"
    SMALL = "small"


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What to start. A port of 0 is chosen freely."""

    is_demo: bool = False
    flow: str = "recorded"
    flow_speed: float = 1.0
    flow_dir: Path | None = None
    shards: int = 2
    replicas: int = 2
    gateways: int = 1
    risks: int = 1
    protocol: Protocol = Protocol.SIM
    otlp_endpoint: str = ""
    """Where traces and metrics go; empty: telemetry does not run."""
    webhook_url: str = field(default="", repr=False)
    """Where people are told of alerts; empty: the notifier does not run."""
    instead: Mapping[str, list[str]] = field(default_factory=dict)
    """For some services: the module, with arguments, that is run in place of their own."""
    connector: Mapping[str, str] = field(default_factory=dict)
    """What connectors are told besides."""
    places: tuple[Place, ...] = (Place(),) * NODES
    is_fsync_always: bool = True
    gateway_port: int = 0
    console_port: int = 0


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """One suite. `nonce` is in the name of its bus nodes, so that they are known as its own."""

    nonce: str
    home: str
    shards: int
    replicas: int
    nodes: list[dict[str, int]]
    gateway_port: int
    console_port: int
    venue_port: int
    more_gateway_ports: list[int] = []
    archive_ports: list[int] = []
    warehouse_port: int = 0
    node_hosts: tuple[str, ...] = (HOST,) * NODES
    archive_hosts: tuple[str, ...] = (HOST,) * ARCHIVERS
    venue_host: str = HOST
    warehouse_host: str = HOST
    edge_port: int = 0
    fix_port: int = 0
    gateway_fix_ports: list[int] = []
    edge_fix_port: int = 0
    protocol: Protocol = Protocol.SIM

    @property
    def folder(self) -> Path:
        """Everything of the suite lies here."""
        return Path(self.home)

    @property
    def urls(self) -> tuple[str, ...]:
        """Addresses of the bus."""
        return tuple(
            f"nats://{host}:{node['client']}"
            for host, node in zip(self.node_hosts, self.nodes, strict=True)
        )

    @property
    def gateway_url(self) -> str:
        """Where clients connect: the edge if there is one, else the first gateway."""
        return f"http://{HOST}:{self.edge_port or self.gateway_port}"

    @property
    def gateway_urls(self) -> list[str]:
        """Addresses of the gateways themselves, the first first."""
        ports = [self.gateway_port, *self.more_gateway_ports]
        return [f"http://{HOST}:{port}" for port in ports]

    @property
    def gateway_fix_addresses(self) -> list[str]:
        """Where FIX clients connect: at the edge if there is one, else at any of the gateways."""
        if self.edge_fix_port:
            return [f"{HOST}:{self.edge_fix_port}"]
        return [f"{HOST}:{port}" for port in self.gateway_fix_ports]

    @property
    def console_url(self) -> str:
        """Address of the console."""
        return f"http://{HOST}:{self.console_port}"

    @property
    def archive_urls(self) -> list[str]:
        """Addresses of the archivers' reads: each of them answers all questions."""
        archivers = zip(self.archive_hosts, self.archive_ports, strict=False)
        return [f"http://{host}:{port}" for host, port in archivers]

    @property
    def warehouse_url(self) -> str:
        """Address of ClickHouse."""
        return f"http://{self.warehouse_host}:{self.warehouse_port}"

    @property
    def venue_url(self) -> str:
        """Address of the simulated venue."""
        return f"http://{self.venue_host}:{self.venue_port}"

    @property
    def secrets_dir(self) -> Path:
        """One file per secret, named like the bus user or the key that it belongs to."""
        return self.folder / "secrets"

    @property
    def venue_log(self) -> Path:
        """The simulated venue's own log."""
        return self.folder / "state" / "simvenue" / "venue.jsonl"

    @property
    def edge_config(self) -> Path:
        """The edge's configuration."""
        return self.folder / "edge.cfg"

    @property
    def table_path(self) -> Path:
        """The orchestrator's table of processes."""
        return self.folder / "run" / "processes.json"

    def bus(self, user: str) -> BusSettings:
        """How `user` reaches the bus."""
        return BusSettings(urls=self.urls, user=user, password=self.secret(user))

    def secret(self, name: str) -> str:
        """The content of a secret's file."""
        return (self.secrets_dir / name).read_text().strip()

    def credentials(self, key_id: str = OPERATOR_KEY) -> Credentials:
        """A key of the gateway."""
        return Credentials(key_id, self.secret(f"key.{key_id}"))


def suite_folder(home: Path, name: str) -> Path:
    """Where a suite of this name lies."""
    return home / name


def read_facts(folder: Path) -> Facts | None:
    """What was written when the suite was prepared; None if it never was."""
    try:
        return msgspec.json.decode((folder / "suite.json").read_bytes(), type=Facts)
    except (OSError, msgspec.MsgspecError):
        return None


def write_facts(facts: Facts) -> None:
    """Keeps the facts beside everything else of the suite."""
    write_private(facts.folder / "suite.json", msgspec.json.format(msgspec.json.encode(facts)))


def write_private(path: Path, body: bytes) -> None:
    """Writes a file that only its owner can read."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(body)
