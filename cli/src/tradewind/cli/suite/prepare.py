# SPDX-License-Identifier: Apache-2.0
"""Prepares a suite's folder: facts, secrets, node configurations. What is there is kept."""

import secrets
from pathlib import Path

import msgspec

from tradewind.cli.suite import edge
from tradewind.cli.suite.facts import (
    ARCHIVERS,
    NODES,
    OPERATOR_KEY,
    STRATEGY_KEY,
    SUPERVISOR_KEY,
    WEBHOOK_SECRET,
    Facts,
    Options,
    read_facts,
    write_facts,
    write_private,
)
from tradewind.cli.suite.ports import free_ports, is_free, require_free
from tradewind.common import permissions
from tradewind.common.server_config import Cluster, Node, render

SINGLE_PORTS = 6
"""Of the edge (two), the console, the venue (two) and the warehouse; gateways have two each."""
KEYS = {
    OPERATOR_KEY: {"accounts": ["*"], "scopes": ["read", "trade", "admin"], "client": "operator"},
    SUPERVISOR_KEY: {"accounts": ["*"], "scopes": ["read", "admin"], "client": "supervisor"},
    STRATEGY_KEY: {"accounts": ["DEMO"], "scopes": ["read", "trade"], "client": "demo"},
}


def prepare(folder: Path, options: Options, *, is_alive: bool = False) -> Facts:
    """The facts of the suite in `folder`, all its files written.

    Ports and secrets of an earlier start are used again where the ports are free, and in any case
    if processes of it are still alive (`is_alive`): those hold the ports.

    Raises:
        SuiteError: if a port that was asked for is taken.
    """
    earlier = read_facts(folder)
    facts = earlier if earlier and is_alive else _choose(folder, earlier, options)
    _write_secrets(facts)
    _write_node_configs(facts, options)
    if facts.edge_port:
        facts.edge_config.write_text(edge.render(facts))
    write_facts(facts)
    return facts


def cluster_of(facts: Facts, options: Options) -> Cluster:
    """The bus of a suite, as the server configuration needs it."""
    names = (*permissions.NAMES, permissions.SYSTEM_USER)
    return Cluster(
        name=f"tradewind-{facts.nonce}",
        nodes=[
            Node(
                name=node_name(facts, number),
                host=place.host,
                client_port=ports["client"],
                monitor_port=ports["monitor"],
                route_port=ports["route"],
                store_dir=place.store or facts.folder / "nats" / f"n{number}",
            )
            for number, (ports, place) in enumerate(
                zip(facts.nodes, options.places, strict=True), start=1
            )
        ],
        passwords={name: facts.secret(name) for name in names},
        shards=facts.shards,
        is_fsync_always=options.is_fsync_always,
    )


def node_name(facts: Facts, number: int) -> str:
    """A node's name, different for every suite."""
    return f"{facts.nonce}-n{number}"


def _choose(folder: Path, earlier: Facts | None, options: Options) -> Facts:
    free = iter(free_ports(NODES * 3 + ARCHIVERS + SINGLE_PORTS + 2 * options.gateways))
    has_edge = options.gateways > 1 and edge.binary() is not None

    def port(wanted: int, earlier_port: int, what: str, option: str) -> int:
        if wanted:
            require_free(wanted, what, option)
            return wanted
        return earlier_port if earlier_port and is_free(earlier_port) else next(free)

    return Facts(
        nonce=earlier.nonce if earlier else secrets.token_hex(4),
        home=str(folder.absolute()),
        shards=earlier.shards if earlier else options.shards,
        replicas=options.replicas,
        nodes=[
            {
                kind: port(0, earlier.nodes[number][kind] if earlier else 0, "bus", "")
                for kind in ("client", "monitor", "route")
            }
            for number in range(NODES)
        ],
        gateway_port=port(
            0 if has_edge else options.gateway_port,
            earlier.gateway_port if earlier else 0,
            "gateway",
            "--gateway-port",
        ),
        edge_port=port(
            options.gateway_port,
            earlier.edge_port if earlier else 0,
            "gateway",
            "--gateway-port",
        )
        if has_edge
        else 0,
        console_port=port(
            options.console_port,
            earlier.console_port if earlier else 0,
            "console",
            "--console-port",
        ),
        venue_port=port(0, earlier.venue_port if earlier else 0, "venue", ""),
        more_gateway_ports=[
            port(0, earlier_port, "gateway", "") for earlier_port in _more(earlier, options)
        ],
        archive_ports=[
            port(0, earlier_port, "archiver", "") for earlier_port in _archive_ports(earlier)
        ],
        fix_port=port(0, earlier.fix_port if earlier else 0, "venue", ""),
        gateway_fix_ports=[
            port(0, earlier_port, "gateway", "") for earlier_port in _fix_ports(earlier, options)
        ],
        edge_fix_port=port(0, earlier.edge_fix_port if earlier else 0, "gateway", "")
        if has_edge
        else 0,
        warehouse_port=port(0, earlier.warehouse_port if earlier else 0, "warehouse", ""),
        protocol=options.protocol,
        node_hosts=tuple(place.host for place in options.places),
    )


def _more(earlier: Facts | None, options: Options) -> list[int]:
    """The ports that gateways beyond the first had before; 0 for one that is new."""
    had = earlier.more_gateway_ports if earlier else []
    return [*had, *[0] * options.gateways][: options.gateways - 1]


def _fix_ports(earlier: Facts | None, options: Options) -> list[int]:
    """The gateways' FIX ports of an earlier start; 0 where there is none."""
    had = earlier.gateway_fix_ports if earlier else []
    return [*had, *[0] * options.gateways][: options.gateways]


def _archive_ports(earlier: Facts | None) -> list[int]:
    """The archivers' ports of an earlier start; 0 where there is none."""
    return [*(earlier.archive_ports if earlier else []), *[0] * ARCHIVERS][:ARCHIVERS]


def _write_secrets(facts: Facts) -> None:
    users = [*permissions.NAMES, permissions.SYSTEM_USER]
    names = [*users, "venue-session", "drop-copy", "warehouse", WEBHOOK_SECRET]
    for name in (*names, *(f"key.{key}" for key in KEYS)):
        path = facts.secrets_dir / name
        if not path.exists():
            write_private(path, secrets.token_hex(24).encode())
    keys = {key: {"secret": facts.secret(f"key.{key}"), **rights} for key, rights in KEYS.items()}
    write_private(facts.secrets_dir / "gateway-keys.json", msgspec.json.encode({"keys": keys}))


def _write_node_configs(facts: Facts, options: Options) -> None:
    cluster = cluster_of(facts, options)
    for number, node in enumerate(cluster.nodes, start=1):
        node.store_dir.mkdir(parents=True, exist_ok=True)
        write_private(facts.folder / "nats" / f"n{number}.conf", render(cluster, node).encode())
