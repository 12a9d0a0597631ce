# SPDX-License-Identifier: Apache-2.0
"""The venue misbehaves: failure classes F1 to F11 under load, alone or while a connector dies.

docs/venues.md says what each class is. The venue plays them itself, on request; what it truly did
is in its log, which the judge reads. F6, F12 and F13 end in a halt by design, so they are no faults
that a run could go on after; tests/integration/venue plays them.
"""

import asyncio
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Self, TypeVar

import aiohttp

from tradewind.cli.status import heartbeats
from tradewind.cli.suite.facts import Facts, Protocol, SuiteError
from tradewind.common.errors import BusError
from tradewind.common.jetstream import Bus

KILLED_TOO = 0.25
"""The share of faults during which a connector is killed besides, where the class says nothing."""
PLAYED_WITHIN_S = 4.0
SETTLED_WITHIN_S = 45.0
LOOK_AGAIN_S = 0.02
READ_LAG_MS = 300
ALL = 1_000_000
"""As often as there is an occasion."""
CONNECTOR_SETTINGS = {
    "VENUE_READ_LAG_MS": "400",
    "VENUE_POSITION_EVERY_MS": "1000",
    "VENUE_UNKNOWN_AFTER_MS": "500",
}
"""What connectors must know of this venue: how far it can lag. They are less patient than usual."""
TIMEOUT = aiohttp.ClientTimeout(total=5.0)

Message = dict[str, Any]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Play:
    """What the venue is told to do; `kinds` are the faults that it then counts as played."""

    failure_class: str
    messages: tuple[Message, ...]
    is_deadly: bool | None = None
    """Whether a connector is killed too; None: now and then."""
    protocol: Protocol | None = None
    """The only one that has this; None: every one."""

    @property
    def kinds(self) -> tuple[str, ...]:
        """What must have been played, or the fault was none."""
        return tuple(str(message.get("kind") or message["op"]) for message in self.messages)

    def __str__(self) -> str:
        return f"{self.failure_class} {'+'.join(self.kinds)}"


def _fault(kind: str, count: int = 1, ms: int = 0) -> Message:
    return {"op": "fault", "kind": kind, "count": count, "ms": ms}


PLAYS = (
    Play("F1", (_fault("drop_reply", 3),), is_deadly=False),
    Play("F1", (_fault("ambiguous", 3),)),
    Play("F1", (_fault("hang", ms=2_500),)),
    Play("F2", (_fault("rate_limit", 8, 100),), is_deadly=True),
    Play("F3", (_fault("drop_reply", 3),), is_deadly=True),
    Play("F4", (_fault("drop_fill", 3),)),
    Play("F5", (_fault("duplicate_report", 20),)),
    Play("F5", (_fault("reorder_reports", 10, 100),)),
    Play("F7", (_fault("read_lag", ALL, READ_LAG_MS), _fault("drop_reply", 5), {"op": "cut"})),
    Play("F8", (_fault("drop_cancel_ack", 3),)),
    Play("F9", (_fault("fill_after_cancel", 2, 200),)),
    Play("F9", (_fault("late_fill", 3, 300),)),
    Play("F10", (_fault("cut"),)),
    Play("F10", (_fault("sequence_reset"),), protocol=Protocol.FIX),
    Play("F11", ({"op": "cut", "is_cancelling": True},), is_deadly=False),
)


def plays(
    chance: random.Random, failure_class: str = "", protocol: Protocol = Protocol.SIM
) -> Iterator[Play]:
    """For ever, every one (of a class) that a protocol has, as often as any other."""
    some = [
        play
        for play in PLAYS
        if failure_class in ("", play.failure_class) and play.protocol in (None, protocol)
    ]
    return rounds(chance, some)


def rounds(chance: random.Random, some: Sequence[T]) -> Iterator[T]:
    """For ever, every one as often as any other, in an order of its own each time."""
    while True:
        yield from chance.sample(some, len(some))


def is_deadly(play: Play, chance: random.Random) -> bool:
    """Whether a connector dies too."""
    return chance.random() < KILLED_TOO if play.is_deadly is None else play.is_deadly


def coverage(faults: Iterable[tuple[str, int]], kinds: Sequence[str]) -> dict[str, int]:
    """How often the classes that were drawn were really played, and orders were UNKNOWN after F1.

    A 0 makes a run invalid.
    """
    found: dict[str, int] = {}
    for failure_class, played in faults:
        if failure_class:
            found[failure_class] = found.get(failure_class, 0) + played
    return found | ({"unknown": kinds.count("UNKNOWN")} if "F1" in found else {})


class VenuePeople:
    """Those who can tell the venue what to do."""

    def __init__(self, facts: Facts) -> None:
        self._url = f"{facts.venue_url}/v1"
        self._headers = {"Venue-Key": facts.secret("venue-session")}
        self._before: Mapping[str, int] = {}

    async def __aenter__(self) -> Self:
        self._http = aiohttp.ClientSession(timeout=TIMEOUT)
        return self

    async def __aexit__(self, *_exc: object) -> None:
        await self.administer({"op": "heal"})
        await self._http.close()

    async def administer(self, message: Message) -> None:
        """Tells it one thing.

        Raises:
            SuiteError: BAD_VENUE, if it does not understand.
        """
        async with self._http.post(
            f"{self._url}/admin", json=message, headers=self._headers
        ) as answer:
            if answer.status != 200:
                raise SuiteError(f"the venue: {await answer.text()}", code="BAD_VENUE")

    async def begin(self, play: Play) -> None:
        """From now on this is played."""
        self._before = await self._counts()
        last: Message = {}
        for message in play.messages:
            if last and message["op"] == "cut":
                await self._until_seen(last["kind"], last["count"])
            await self.administer(message)
            last = message

    async def until_played(self, play: Play) -> int:
        """How often, in the time there is; 0 if the load gave no occasion for one of its kinds."""
        for kind, message in zip(play.kinds, play.messages, strict=True):
            await self._until_seen(kind, message.get("count", 1))
        counts = await self._counts()
        played = [counts.get(kind, 0) - self._before.get(kind, 0) for kind in play.kinds]
        return sum(played) if all(played) else 0

    async def until_first(self, play: Play) -> None:
        """The first of it is played, or the load gives no occasion."""
        for kind in play.kinds:
            await self._until_seen(kind, 1)

    async def _until_seen(self, kind: str, times: int) -> None:
        times = 1 if times == ALL else times
        for _ in range(round(PLAYED_WITHIN_S / LOOK_AGAIN_S)):
            if (await self._counts()).get(kind, 0) >= self._before.get(kind, 0) + times:
                return
            await asyncio.sleep(LOOK_AGAIN_S)

    async def _counts(self) -> Mapping[str, int]:
        async with self._http.get(f"{self._url}/status") as answer:
            counts: Mapping[str, int] = (await answer.json())["faults_played"]
            return counts


async def until_settled(bus: Bus, shards: int) -> None:
    """Waits until every shard's position has been stated and settled twice from now on.

    Raises:
        SuiteError: NOT_IN_STEP, if that takes too long.
    """
    first: dict[tuple[str, int], int] = {}
    for _ in range(round(SETTLED_WITHIN_S / LOOK_AGAIN_S)):
        with suppress(BusError):
            if len(_settled(await heartbeats(bus), first)) == shards:
                return
        await asyncio.sleep(LOOK_AGAIN_S)
    raise SuiteError("positions are not settled with the venue", code="NOT_IN_STEP")


def _settled(beats: list[dict[str, Any]], first: dict[tuple[str, int], int]) -> set[int]:
    """Shards that have settled twice since `first`, which is filled here."""
    settled = set()
    for beat in beats:
        if beat["service"] != "venue" or beat.get("role") != "connected":
            continue
        for row in beat["shards"]:
            count = row["position_settled"]
            before = first.setdefault((beat["instance"], row["shard"]), count)
            if count < before:  # another life of the process
                first[beat["instance"], row["shard"]] = count
            elif count >= before + 2:
                settled.add(row["shard"])
    return settled
