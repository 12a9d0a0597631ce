# SPDX-License-Identifier: Apache-2.0
"""Nodes whose store went bad: found by asking each of them, kept from leading, made whole.

A damaged copy, or one that stands still, is moved aside while its node is stopped, never deleted,
and comes anew from the others. A node that gave up its store (a full disk, a failed fsync) stays so
until it is started again. One node at a time, and only while all others are whole: two of three
must stay.
"""

import asyncio
import logging
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec

from tradewind.common import placement, subjects
from tradewind.common.jetstream import Bus
from tradewind.orchestrator.copies import Copy, copies_of, damaged
from tradewind.orchestrator.readiness import http_get
from tradewind.orchestrator.standstill import Standstill
from tradewind.orchestrator.supervisor import Supervisor

log = logging.getLogger(__name__)

LOOK_EVERY_S = 1.0
START_AGAIN_S = 3.0
"""Not more often."""
PROBE_BYTES = 1024 * 1024
ASIDE = "damaged"
NAME, HEALTH = "/varz", "/healthz"
COPIES = "/jsz?accounts=true&streams=true&raft=true&config=true"
FAILED = ("write error", "not enabled", "disabled")
"""What the broker calls a store that it has given up; one that is only behind is well."""


@dataclass(frozen=True, slots=True)
class Node:
    """What one node said at one look; `copies` is None if it said nothing.

    `process` is its name here. `has_failed`: it says itself that it can store nothing.
    """

    process: str
    name: str = ""
    has_failed: bool = False
    copies: Sequence[Copy] | None = None

    @property
    def is_whole(self) -> bool:
        """It stores, and can be seen to."""
        return bool(self.copies) and not self.has_failed


class Scrubber:
    """Looks at every node again and again."""

    def __init__(self, supervisor: Supervisor, shards: int) -> None:
        self._supervisor = supervisor
        self._streams = [
            stream
            for shard in range(shards)
            for stream in (subjects.journal_stream(shard), subjects.events_stream(shard))
        ]
        self._nodes = supervisor.nodes()
        self._intact: frozenset[tuple[str, str]] = frozenset()
        self._stores: dict[str, Path] = {}
        self._started_s: dict[str, float] = {}
        self._standstill = Standstill()
        self.resynced = 0

    def may_lead(self, stream: str, node: str) -> bool:
        """Whether a node was seen at the last look, with this stream and nothing to be mended.

        Where nodes are started by others, as in containers, none is looked at: then the broker's
        word that a copy is in sync is all there is.
        """
        return not self._nodes or (stream, node) in self._intact

    async def run(self, bus: Bus) -> None:
        """Looks, and mends one node at a time; runs until cancelled."""
        failing: set[str] = set()
        while True:
            nodes = await asyncio.gather(*(self._look(*each) for each in self._nodes.items()))
            copies = [copy for node in nodes for copy in node.copies or ()]
            bad = self._bad(copies)
            stopping = {copy.node for copy in bad}
            self._intact = frozenset(
                (each.stream, each.node) for each in copies if each.node not in stopping
            )
            await self._keep_from_leading(bus, copies)
            failed = {node.process for node in nodes if node.has_failed}
            for node in nodes:
                others = [other for other in nodes if other is not node]
                mine = [copy for copy in bad if copy.node == node.name]
                if not all(self._is_whole(other, bad) for other in others):
                    continue
                if mine:
                    await self._resync(node, mine)
                    break
                if node.process in failed & failing & self._stores.keys():
                    await self._start_again(node)
                    break
            failing = failed
            await asyncio.sleep(LOOK_EVERY_S)

    async def _look(self, process: str, url: str) -> Node:
        """Asks one node. Silence is no failure: it may be cut off, and be well."""
        if not self._supervisor.is_ready(process):
            return Node(process)
        base = "{0.scheme}://{0.netloc}".format(urlsplit(url))
        answers = await asyncio.gather(*(http_get(base + path) for path in (NAME, HEALTH, COPIES)))
        bodies = [answer[1] for answer in answers if answer is not None]
        node = _understood(process, bodies, self._streams)
        for copy in node.copies or ():
            self._stores[process] = copy.folders[0].parents[2]
        return node

    def _is_whole(self, node: Node, bad: Sequence[Copy]) -> bool:
        return node.is_whole and not any(copy.node == node.name for copy in bad)

    def _bad(self, copies: Sequence[Copy]) -> list[Copy]:
        """Copies that have to come anew."""
        lossy = damaged(copies)
        for copy in lossy:
            log.error("%s has lost records of %s", copy.node, copy.stream)
        still = self._standstill.found(copies, time.monotonic())
        for copy in still:
            log.error("%s stays at record %d of %s", copy.node, copy.last_seq, copy.stream)
        return [*lossy, *(copy for copy in still if copy not in lossy)]

    async def _keep_from_leading(self, bus: Bus, copies: Sequence[Copy]) -> None:
        for copy in copies:
            if self.may_lead(copy.stream, copy.node):
                continue
            whole = sorted(node for stream, node in self._intact if stream == copy.stream)
            if copy.leader == copy.node and whole:
                log.error("%s must not lead %s", copy.node, copy.stream)
                await placement.move_leader(bus, copy.stream, whole[0])

    async def _resync(self, node: Node, bad: Sequence[Copy]) -> None:
        if any(copy.leader == copy.node for copy in node.copies or ()):
            return  # at the next look others lead
        names = ", ".join(copy.stream for copy in bad)
        log.error("%s is stopped; its copies of %s are moved aside", node.process, names)
        folders = [folder for copy in bad for folder in copy.folders]
        await self._supervisor.restart(node.process, partial(_move_aside, folders))
        self.resynced += len(bad)

    async def _start_again(self, node: Node) -> None:
        now_s = time.monotonic()
        if now_s - self._started_s.get(node.process, -START_AGAIN_S) < START_AGAIN_S:
            return
        self._started_s[node.process] = now_s
        if not await asyncio.to_thread(_takes_writes, self._stores[node.process]):
            log.error("%s cannot store: there is no room, or its disk is bad", node.process)
            return
        log.error("%s stores nothing any more: it is started again", node.process)
        await self._supervisor.restart(node.process)


def _understood(process: str, bodies: Sequence[bytes], streams: Sequence[str]) -> Node:
    try:
        varz, health, jsz = (msgspec.json.decode(body, type=dict[str, Any]) for body in bodies)
        name = varz["server_name"]
        copies = copies_of(name, jsz, streams)
    except (msgspec.MsgspecError, KeyError, ValueError):
        return Node(process)
    has_failed = any(words in health.get("error", "") for words in FAILED)
    return Node(process, name, has_failed=has_failed, copies=copies)


def _takes_writes(store: Path) -> bool:
    """A node whose disk is still full would not even start."""
    probe = store / "probe"
    try:
        with probe.open("wb") as file:
            file.write(bytes(PROBE_BYTES))
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        return False
    finally:
        probe.unlink(missing_ok=True)
    return True


def _move_aside(folders: Sequence[Path]) -> None:
    """Out of the broker's sight; a person may look at it, or delete it."""
    for folder in folders:
        if folder.exists():
            aside = folder.parents[3] / ASIDE / f"{time.time_ns()}-{folder.name}"
            aside.parent.mkdir(parents=True, exist_ok=True)
            folder.rename(aside)
