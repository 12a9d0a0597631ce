# SPDX-License-Identifier: Apache-2.0
"""Nodes in network namespaces that a run makes for itself, so that their network can be cut.

Every node has an address of its own on one bridge; the bridge has a namespace too, so that no rule
of the machine is met. What a run leaves behind when it is killed, the next one takes away: all
names carry the process id of their run.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path

from tradewind.cli.chaos.tools import PREFIX, is_left_over, run

NAMESPACES = Path("/run/netns")
NAME = re.compile(rf"{PREFIX}(\d+)-\w+")
HUB, HOST_NUMBER = "hub", 254
INSIDE = "eth0"


class Cut(StrEnum):
    """What a node is cut off from. Packets vanish; nobody is told."""

    EVERYTHING = "everything"
    PEERS = "the other nodes, while clients still reach it"
    HEARING = "hearing the other nodes"
    SPEAKING = "being heard by the other nodes"


class Network:
    """The namespaces of one run. `with Network.made(run_id, 3) as network`."""

    def __init__(self, run_id: int, nodes: int) -> None:
        self._run_id = run_id
        self._net = f"10.213.{run_id % 250}"
        self._nodes = range(1, nodes + 1)

    @classmethod
    @contextmanager
    def made(cls, run_id: int, nodes: int) -> Iterator["Network"]:
        """The network for the time of a block."""
        remove_left_over()
        network = cls(run_id, nodes)
        try:
            network._make()
            yield network
        finally:
            _remove(run_id)

    def host(self, node: int) -> str:
        """A node's address."""
        return f"{self._net}.{node}"

    def prefix(self, node: int) -> tuple[str, ...]:
        """What is put before a command that is to run at the node's address."""
        return ("nsenter", f"--net={NAMESPACES / self._name(f'n{node}')}")

    def cut(self, node: int, cut: Cut) -> None:
        """Cuts a node off."""
        peers = ",".join(self.host(other) for other in self._nodes if other != node)
        rules = {
            Cut.EVERYTHING: (("INPUT", "-i", INSIDE), ("OUTPUT", "-o", INSIDE)),
            Cut.PEERS: (("INPUT", "-s", peers), ("OUTPUT", "-d", peers)),
            Cut.HEARING: (("INPUT", "-s", peers),),
            Cut.SPEAKING: (("OUTPUT", "-d", peers),),
        }
        for chain, *match in rules[cut]:
            self._within(f"n{node}", "iptables", "-w", "-A", chain, *match, "-j", "DROP")

    def join(self, node: int) -> None:
        """Takes every cut of a node back."""
        self._within(f"n{node}", "iptables", "-w", "-F")

    def _make(self) -> None:
        host_end = _host_end(self._run_id)
        run("ip", "netns", "add", self._name(HUB))
        self._within(HUB, "ip", "link", "add", "br0", "type", "bridge")
        self._within(HUB, "ip", "link", "set", "br0", "up")
        run("ip", "link", "add", host_end, "type", "veth", "peer", "host", "netns", self._name(HUB))
        run("ip", "address", "add", f"{self._net}.{HOST_NUMBER}/24", "dev", host_end)
        run("ip", "link", "set", host_end, "up")
        self._within(HUB, "ip", "link", "set", "host", "master", "br0", "up")
        for node in self._nodes:
            self._make_node(f"n{node}", self.host(node))

    def _make_node(self, name: str, address: str) -> None:
        run("ip", "netns", "add", self._name(name))
        peer = ("peer", INSIDE, "netns", self._name(name))
        self._within(HUB, "ip", "link", "add", name, "type", "veth", *peer)
        self._within(HUB, "ip", "link", "set", name, "master", "br0", "up")
        self._within(name, "ip", "address", "add", f"{address}/24", "dev", INSIDE)
        for device in (INSIDE, "lo"):
            self._within(name, "ip", "link", "set", device, "up")

    def _within(self, name: str, *command: str) -> None:
        run("ip", "netns", "exec", self._name(name), *command)

    def _name(self, name: str) -> str:
        return f"{PREFIX}{self._run_id}-{name}"


def remove_left_over() -> None:
    """Takes away what runs that are no more have left."""
    names = [path.name for path in NAMESPACES.glob(f"{PREFIX}*")]
    for run_id in {int(found[1]) for name in names if (found := NAME.fullmatch(name))}:
        if is_left_over(run_id):
            _remove(run_id)


def _remove(run_id: int) -> None:
    run("ip", "link", "delete", _host_end(run_id), is_required=False)
    for path in sorted(NAMESPACES.glob(f"{PREFIX}{run_id}-*")):
        run("ip", "netns", "delete", path.name, is_required=False)


def _host_end(run_id: int) -> str:
    return f"{PREFIX}{run_id}"
