# SPDX-License-Identifier: Apache-2.0
"""Which node leads what: a shard's two streams on the same node, the meta leader elsewhere.

Losing a stream's leader costs seconds of writes, so shards are spread, and a shard has one such
place instead of two. The broker forgets the places at every failover: place again afterwards.
"""

import asyncio
import contextlib
from typing import Any

import msgspec

from tradewind.common import subjects
from tradewind.common.errors import BusError, Refused, Unknown
from tradewind.common.jetstream.bus import Bus

PLACE_TIMEOUT_S = 20.0
LOOK_AGAIN_S = 0.1
WRONG_LAST_SEQUENCE = 10071
NEVER_LAST_SEQ = 2**53
HEARD_NS = 2_500_000_000
"""Nodes are heard of each second."""


async def nodes(bus: Bus) -> list[str]:
    """The names of the nodes that hold shard 0, in the order in which shards are dealt out.

    Raises:
        BusError: if the stream has no leader.
    """
    stream = subjects.journal_stream(0)
    cluster = await _cluster(bus, stream)
    if not cluster.get("leader"):
        raise BusError(f"{stream} has no leader now")
    return sorted([cluster["leader"], *(replica["name"] for replica in cluster["replicas"])])


async def place_leaders(bus: Bus, system: Bus | None, shards: int) -> dict[str, str]:
    """Moves every shard's leaders to its node, and the meta leader off them where there is room.

    `system` is a connection of the system account; without it the meta leader stays.

    Returns:
        The leader of each stream that was placed.

    Raises:
        BusError: if a leader would not move in time.
    """
    names = await nodes(bus)
    if system is not None:
        await _place_meta(bus, system, _place_of_meta(names, shards))
    table = _places(names, shards)
    for stream, node in table.items():
        await place_stream(bus, stream, node)
    for shard in range(shards):
        await _until_taking(
            bus, subjects.journal_stream(shard), subjects.journal_control(shard, "-")
        )
    return table


async def misplaced(bus: Bus, shards: int) -> dict[str, str]:
    """Streams that are not led by their node although it is in sync, with that node.

    Raises:
        BusError: if a stream has no leader now.
    """
    found = {}
    for stream, node in _places(await nodes(bus), shards).items():
        cluster = await _cluster(bus, stream)
        replicas = cluster.get("replicas", [])
        in_sync = [replica["name"] for replica in replicas if _is_in_sync(replica)]
        if cluster.get("leader") != node and node in in_sync:
            found[stream] = node
    return found


async def is_placed(bus: Bus, shards: int) -> bool:
    """Whether every stream is led by its node.

    Raises:
        BusError: if it cannot be known now.
    """
    for stream, node in _places(await nodes(bus), shards).items():
        if (await _cluster(bus, stream)).get("leader") != node:
            return False
    return True


async def meta_misplaced(bus: Bus, system: Bus, shards: int) -> str:
    """The node that should lead JetStream itself, if one that leads a journal does; else empty.

    Nor is one named that has not been heard of lately: it may be going to stop.

    Raises:
        BusError: if a stream has no leader now.
    """
    names = await nodes(bus)
    meta = await _meta(system)
    leader, home = meta.get("leader", ""), _place_of_meta(names, shards)
    heard = [each["name"] for each in meta.get("replicas") or [] if _is_heard(each)]
    is_misplaced = leader in _places(names, shards).values() and leader != home
    return home if is_misplaced and home in heard else ""


async def move_meta(system: Bus, node: str) -> None:
    """Asks once that `node` lead JetStream itself."""
    await _step_down(system, "META.LEADER.STEPDOWN", node)


async def move_leader(bus: Bus, stream: str, node: str) -> None:
    """Asks once that `node` lead `stream`: a planned move costs some tens of milliseconds."""
    await _step_down(bus, f"STREAM.LEADER.STEPDOWN.{stream}", node)


async def leave(bus: Bus, node: str) -> None:
    """Has others lead everything that `node` leads and they hold too; journals and EVENTS last.

    Raises:
        BusError: if a leader would not move in time.
    """
    names: list[str] = (await bus.api("STREAM.NAMES"))["streams"]
    for stream in sorted(names, key=lambda name: name.startswith(("JOURNAL_", "EVENTS_"))):
        cluster = await _cluster(bus, stream)
        others = [each["name"] for each in cluster.get("replicas", []) if _is_in_sync(each)]
        if cluster.get("leader") == node and others:
            await place_stream(bus, stream, sorted(others)[0])


async def place_stream(bus: Bus, stream: str, node: str) -> None:
    """Has `node` lead `stream`.

    Raises:
        BusError: if it would not in time.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + PLACE_TIMEOUT_S
    while (await _cluster(bus, stream)).get("leader") != node:
        if loop.time() > deadline:
            raise BusError(f"{stream} would not move to {node}: see whether that node is in sync")
        await move_leader(bus, stream, node)


async def _until_taking(bus: Bus, stream: str, subject: str) -> None:
    """Waits until a new leader is heard of: it answers an append that cannot be meant."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + PLACE_TIMEOUT_S
    while loop.time() < deadline:
        try:
            await bus.publish(subject, b"", expected_last_seq=NEVER_LAST_SEQ)
        except Refused as error:
            if error.err_code == WRONG_LAST_SEQUENCE:
                return
        except Unknown:
            pass
        await asyncio.sleep(LOOK_AGAIN_S)
    raise BusError(f"{stream} takes nothing")


def _places(names: list[str], shards: int) -> dict[str, str]:
    return {
        stream: names[shard % len(names)]
        for shard in range(shards)
        for stream in (subjects.journal_stream(shard), subjects.events_stream(shard))
    }


def _place_of_meta(names: list[str], shards: int) -> str:
    """A node that leads no journal, if there is one."""
    return names[min(shards, len(names) - 1)]


def _is_in_sync(replica: dict[str, Any]) -> bool:
    return bool(replica.get("current")) and not replica.get("offline")


def _is_heard(replica: dict[str, Any]) -> bool:
    return _is_in_sync(replica) and replica.get("active", 0) < HEARD_NS


async def _place_meta(bus: Bus, system: Bus, node: str) -> None:
    loop = asyncio.get_running_loop()
    deadline = loop.time() + PLACE_TIMEOUT_S
    while await meta_leader(system) != node:
        if loop.time() > deadline:
            raise BusError(f"the meta leader would not move to {node}: see whether it is in sync")
        await move_meta(system, node)
    await bus.api("INFO", timeout_s=PLACE_TIMEOUT_S)


async def meta_leader(system: Bus) -> str:
    """The name of the node that leads JetStream itself; empty while there is none."""
    return str((await _meta(system)).get("leader", ""))


async def _meta(system: Bus) -> dict[str, Any]:
    """What the node that leads JetStream says of it; empty while there is none."""
    try:
        body = await system.request("$SYS.REQ.SERVER.PING.JSZ", b'{"leader_only":true}')
    except Unknown:
        return {}  # only the leader answers
    answer = msgspec.json.decode(body, type=dict[str, Any])
    meta: dict[str, Any] = answer.get("data", {}).get("meta_cluster", {})
    return meta


async def _step_down(bus: Bus, api: str, node: str) -> None:
    """Asks once. A refusal (the node may not be in sync yet) ends nothing before the time is up."""
    with contextlib.suppress(BusError):
        await bus.api(api, {"placement": {"preferred": node}}, timeout_s=5.0)
    await asyncio.sleep(LOOK_AGAIN_S)


async def _cluster(bus: Bus, stream: str) -> dict[str, Any]:
    cluster: dict[str, Any] = (await bus.api(f"STREAM.INFO.{stream}", timeout_s=10.0))["cluster"]
    return cluster
