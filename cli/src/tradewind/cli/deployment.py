# SPDX-License-Identifier: Apache-2.0
"""`python -m tradewind.cli.deployment FOLDER`: what the stack in containers is given as files.

Secrets, each in a file of its own, and the bus nodes' configurations, which hold passwords. The
folder is its owner's alone. The files in it are readable: a container has another user, and of the
folder it is given only the files that it needs.
"""

import argparse
import secrets
from hashlib import sha256
from pathlib import Path

import msgspec

from tradewind.cli.suite.facts import WEBHOOK_SECRET
from tradewind.cli.suite.prepare import KEYS
from tradewind.common import permissions
from tradewind.common.server_config import Cluster, Node, render

NODES = ("nats-1", "nats-2", "nats-3")
USERS = (*permissions.NAMES, permissions.SYSTEM_USER)
VENUE_SECRETS = ("venue-session", "drop-copy")
SECRETS = (*USERS, *VENUE_SECRETS, "warehouse", WEBHOOK_SECRET, *(f"key.{key}" for key in KEYS))

CLICKHOUSE_USERS = """\
<clickhouse>
  <users>
    <default>
      <password remove="1"/>
      <password_sha256_hex>{digest}</password_sha256_hex>
      <networks replace="1"><ip>::/0</ip></networks>
    </default>
  </users>
</clickhouse>
"""


def write(folder: Path, shards: int) -> None:
    """Writes every file; a secret that is there is kept."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder.chmod(0o700)
    known = {name: _secret(folder / name) for name in SECRETS}
    keys = {key: {"secret": known[f"key.{key}"], **rights} for key, rights in KEYS.items()}
    _put(folder / "gateway-keys.json", msgspec.json.encode({"keys": keys}).decode())
    digest = sha256(known["warehouse"].encode()).hexdigest()
    _put(folder / "clickhouse-users.xml", CLICKHOUSE_USERS.format(digest=digest))
    cluster = cluster_of({name: known[name] for name in USERS}, shards)
    for node in cluster.nodes:
        _put(folder / f"{node.name}.conf", render(cluster, node))


def cluster_of(passwords: dict[str, str], shards: int) -> Cluster:
    """The bus: each node is found under its service's name, and listens on all its addresses."""
    nodes = [
        Node(
            name=name,
            host=name,
            bind="0.0.0.0",
            client_port=4222,
            monitor_port=8222,
            route_port=6222,
            store_dir=Path("/data"),
        )
        for name in NODES
    ]
    return Cluster(name="tradewind", nodes=nodes, passwords=passwords, shards=shards)


def _secret(path: Path) -> str:
    if not path.exists():
        _put(path, secrets.token_hex(24))
    return path.read_text().strip()


def _put(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o644)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Writes the stack's secrets and configurations.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--shards", type=int, default=1)
    told = parser.parse_args()
    write(told.folder, told.shards)
