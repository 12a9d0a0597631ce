# SPDX-License-Identifier: Apache-2.0
"""What the nemesis must know of the suite: who does what now, and who is back in step."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from tradewind.cli.chaos.driver import Roster
from tradewind.cli.chaos.scenarios import Victim
from tradewind.cli.status import heartbeats, stream_leaders
from tradewind.cli.suite.facts import PRESENT, Facts, SuiteError
from tradewind.common import placement, subjects
from tradewind.common.errors import BusError
from tradewind.common.jetstream import Bus

IN_STEP_S = 90.0
LOOK_AGAIN_S = 0.05
LAG_MAX = 200
BEAT_FRESH_MS = 1_500
ALL_NODES = "all nodes"


class View:
    """Reads the suite's own tables; it decides whom to hit, never whether the suite is right."""

    def __init__(self, roster: Roster, bus: Bus) -> None:
        self._roster = roster
        self.bus = bus

    @property
    def facts(self) -> Facts:
        """Where everything is now."""
        return self._roster.facts

    async def candidates(self, victim: Victim) -> dict[str, int | None]:
        """Processes that are this kind of victim now, each with the shard that it would harm."""
        names = sorted(await self._roster.rows())
        shards = range(self.facts.shards)
        if victim in BUSY:
            beats = await heartbeats(self.bus)
            return {beat["instance"]: beat.get("shard") for beat in beats if BUSY[victim](beat)}
        match victim:
            case Victim.JOURNAL_LEADER:
                leaders = await stream_leaders(self.bus, self.facts.shards)
                by_stream = {row["stream"]: node_of(row["leader"] or "") for row in leaders}
                return {by_stream[subjects.journal_stream(shard)]: shard for shard in shards}
            case Victim.NODE:
                return {name: None for name in names if name.startswith("nats-")}
            case Victim.COPY:
                return self._copies()
            case Victim.ZONE:
                return await self._zones()
            case Victim.RISK | Victim.VENUE:
                return {name: None for name in names if name.startswith(PREFIXES[victim])}
            case _:
                return {ALL_NODES: None}

    async def members(self, victim: str) -> dict[str, int]:
        """The processes that a victim consists of, with their ids: some have several.

        Raises:
            SuiteError: NOT_RUNNING, if one of them does not.
        """
        rows = await self._roster.rows()
        if victim == ALL_NODES:
            names = frozenset(name for name in rows if name.startswith("nats-"))
        elif victim in self._roster.groups:
            names = self._roster.groups[victim] & rows.keys()
        else:
            names = frozenset({victim})
        for name in names:
            if name not in rows or rows[name].phase != "ready":
                raise SuiteError(f"{name} does not run", code="NOT_RUNNING")
        return {name: rows[name].pid for name in sorted(names)}

    def _copies(self) -> dict[str, int | None]:
        copies = [name for name in self._roster.groups if name.startswith("copy-")]
        return {name: int(name.split("-")[1]) for name in copies}

    async def _zones(self) -> dict[str, int | None]:
        """Every zone, with a shard whose journal another zone leads: that one must go on."""
        leaders = await stream_leaders(self.bus, self.facts.shards)
        led_by = {row["stream"]: node_of(row["leader"]) for row in leaders if row["leader"]}
        found: dict[str, int | None] = {}
        for zone, members in self._roster.groups.items():
            for shard in range(self.facts.shards):
                leader = led_by.get(subjects.journal_stream(shard))
                if zone.startswith("zone-") and leader is not None and leader not in members:
                    found[zone] = shard
        return found

    async def until_replaced(self, name: str, pid: int) -> None:
        """Waits until another process runs in the place of a killed one.

        Raises:
            SuiteError: NOT_IN_STEP, if that takes too long.
        """

        async def lacking() -> str:
            row = (await self._roster.rows())[name]
            return "" if row.phase == "ready" and row.pid != pid else f"another {name}"

        await self._until_nothing(lacking)

    async def until_in_step(self) -> None:
        """Waits until every process is ready, every replica follows and every leader is in place.

        Raises:
            SuiteError: NOT_IN_STEP, if that takes too long.
        """
        await self._until_nothing(self._lacking)

    async def _until_nothing(self, lacking: Callable[[], Awaitable[str]]) -> None:
        deadline_s = time.monotonic() + IN_STEP_S
        while text := await lacking():
            if time.monotonic() > deadline_s:
                raise SuiteError(
                    f"the suite is not back in step after {IN_STEP_S:.0f} s: waiting for {text}",
                    code="NOT_IN_STEP",
                )
            await asyncio.sleep(LOOK_AGAIN_S)

    async def _lacking(self) -> str:
        """What the suite waits for; nothing, if it is in step."""
        rows = await self._roster.rows()
        for row in rows.values():
            if row.phase == "halted":
                raise SuiteError(f"the suite cannot come back: {row.text}", code="NOT_IN_STEP")
        absent = [name for name, row in rows.items() if row.phase not in PRESENT]
        if absent:
            return ", ".join(absent)
        try:
            beats = await heartbeats(self.bus)
            if not await placement.is_placed(self.bus, self.facts.shards):
                return "leaders of streams in their places"
        except (BusError, msgspec.MsgspecError) as error:
            return str(error)
        roles = {beat["role"] for beat in beats if beat["service"] == "venue"}
        if roles != {"connected", "standby"}:
            return "a connector and its stand-by"
        shards = range(self.facts.shards)
        behind = [shard for shard in shards if not self._is_shard_in_step(shard, beats)]
        return f"replicas of shards {behind}" if behind else ""

    def _is_shard_in_step(self, shard: int, beats: list[dict[str, Any]]) -> bool:
        mine = [b for b in beats if b["service"] == "oms" and b.get("shard") == shard]
        fresh = [beat for beat in mine if beat["age_ms"] < BEAT_FRESH_MS]
        if len(fresh) < self.facts.replicas or not any(b["role"] == "leader" for b in fresh):
            return False
        seqs = [beat["seq"] for beat in fresh]
        return bool(max(seqs) - min(seqs) <= LAG_MAX)


def node_of(server: str) -> str:
    """The name among the members of a node that calls itself so on the bus."""
    return f"nats-{server.rpartition('-')[2]}"


PREFIXES = {
    Victim.RISK: "risk-",
    Victim.VENUE: "simvenue",
}
BUSY: dict[Victim, Callable[[dict[str, Any]], bool]] = {
    Victim.SHARD_LEADER: lambda beat: beat["service"] == "oms" and beat["role"] == "leader",
    Victim.GATEWAY: lambda beat: bool(beat.get("sessions")),
    Victim.CONNECTOR: lambda beat: beat.get("role") == "connected",
    Victim.ARCHIVER: lambda beat: beat.get("role") == "writer",
}
"""Victims that are known by what they say they do."""
