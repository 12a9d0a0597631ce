# SPDX-License-Identifier: Apache-2.0
"""The configuration of one bus node, as text: the same for the local suite and for the tests."""

import json
import sysconfig
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from shutil import which

from tradewind.common import permissions
from tradewind.common.errors import SettingsError

GIB = 1024**3


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One server: its name (unique in the cluster, with the run's nonce) and its addresses.

    `bind` is where it listens, if that is not where it is found: a container's own address may
    change while it runs.
    """

    name: str
    host: str
    client_port: int
    monitor_port: int
    route_port: int
    store_dir: Path
    bind: str = ""

    @property
    def url(self) -> str:
        """Address for clients."""
        return f"nats://{self.host}:{self.client_port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """What the nodes of one cluster share. `passwords` is by user, the system user's included."""

    name: str
    nodes: Sequence[Node]
    passwords: Mapping[str, str]
    shards: int
    is_fsync_always: bool = True


def server_binary() -> Path:
    """The nats-server executable that was installed beside this package.

    Raises:
        SettingsError: if there is none.
    """
    beside = Path(sysconfig.get_path("scripts")) / "nats-server"
    if beside.exists():
        return beside
    found = which("nats-server")
    if found is None:
        raise SettingsError(
            "nats-server was not found: run `make install`, which installs it with the packages"
        )
    return Path(found)


def render(cluster: Cluster, node: Node) -> str:
    """The configuration of `node`.

    An ack means fsynced on a quorum only with `sync_interval: always`; the server's default would
    lose up to two minutes of acknowledged orders on a power failure.
    """
    routes = [f"nats://{other.host}:{other.route_port}" for other in cluster.nodes if other != node]
    bind = node.bind or node.host
    sync = "always" if cluster.is_fsync_always else "2m"
    return f"""\
server_name: {_text(node.name)}
listen: "{bind}:{node.client_port}"
client_advertise: "{node.host}:{node.client_port}"
http: "{bind}:{node.monitor_port}"
jetstream {{
  store_dir: {_text(str(node.store_dir))}
  sync_interval: {sync}
  max_mem: {2 * GIB}
  max_file: {512 * GIB}
  limits {{ max_ha_assets: 200 }}
}}
cluster {{
  name: {_text(cluster.name)}
  listen: "{bind}:{node.route_port}"
  advertise: "{node.host}:{node.route_port}"
  routes: {_texts(routes)}
  ping_interval: "2s"
  ping_max: 2
}}
accounts {{
  APP {{
    jetstream: enabled
    users: [
{_users(cluster)}
    ]
  }}
  SYS {{
    users: [ {_user(permissions.SYSTEM_USER, cluster.passwords)} }} ]
  }}
}}
system_account: SYS
ping_interval: "2s"
ping_max: 2
write_deadline: "2s"
lame_duck_duration: "30s"
lame_duck_grace_period: "2s"
"""


def _users(cluster: Cluster) -> str:
    lines = []
    for name, permission in permissions.users(cluster.shards).items():
        allowed = (
            f"publish: {{ allow: {_texts(permission.publish)} }}, "
            f"subscribe: {{ allow: {_texts(permission.subscribe)} }}, allow_responses: true"
        )
        lines.append(f"      {_user(name, cluster.passwords)}, permissions: {{ {allowed} }} }}")
    return "\n".join(lines)


def _user(name: str, passwords: Mapping[str, str]) -> str:
    if name not in passwords:
        raise SettingsError(f"the bus user {name} has no password: give every user one")
    return f"{{ user: {_text(name)}, password: {_text(passwords[name])}"


def _text(value: str) -> str:
    return json.dumps(value)


def _texts(values: Sequence[str]) -> str:
    return json.dumps(list(values))
