# SPDX-License-Identifier: Apache-2.0
"""Moves unused parts of bounds to the shards that need them, and looks that a lowered one holds.

Every process of risk does so. The first acts at once, the others on what is still left to do after
their patience; steps that two of them take count once. What one began and did not end is seen in
the shards' own answers by the next.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from tradewind.common import subjects
from tradewind.common.errors import BusError
from tradewind.common.jetstream import Bus
from tradewind.core.commands import Command, TakeShare
from tradewind.core.events import Event, ScopeLimitsSet, ShareGiven, ShareTaken, ShareWanted
from tradewind.core.shares import spans
from tradewind.risk.sharing import Holding, Key, Sent, Told, steps

log = logging.getLogger(__name__)

GLANCE_S = 0.1
PAUSE_S = 0.01
"""So long between two looks: clients that go on at a limit that is reached cost no more."""
PATIENCE_S = 0.15
ANSWER_MS = 150
WANTED_FOR_S = 1.0
"""So long an order that was refused is remembered: its client may try again."""

Journal = Callable[[int, Command], Awaitable[bool]]


class _Row(msgspec.Struct):
    scope: str
    bound: str


class _HoldingRow(_Row):
    limit: int
    version: int
    agreed: int
    since_seq: int
    units: int
    needed: int | None


class _SentRow(_Row):
    shard: int
    given: int
    units: int
    taken: int


class _Answer(msgspec.Struct):
    holdings: list[_HoldingRow]
    sent: list[_SentRow]


class Balance:
    """At work for all shards; with one there is nothing to divide and nothing to do."""

    def __init__(self, bus: Bus, shards: int, rank: int, journal: Journal) -> None:
        self._bus = bus
        self._shards = shards
        self._patience_s = rank * PATIENCE_S
        self._journal = journal
        self._wants: dict[tuple[Key, int], tuple[int, float]] = {}
        self._wake = asyncio.Event()
        self._taking: set[asyncio.Future[bool]] = set()
        self._since_s: float | None = None
        self.moved = 0

    def take(self, shard: int, event: Event) -> None:
        """Hears what a shard has just put out."""
        match event:
            case ShareWanted():
                key = (event.scope, event.bound), shard
                self._wants[key] = event.amount, _now_s()
                self._wake.set()
            case ShareGiven():
                self._pass_on(shard, event)
            case ShareTaken():
                self.moved += 1
                self._wake.set()
            case ScopeLimitsSet() if spans(event.scope):
                self._wake.set()

    async def run(self) -> None:
        """Looks again and again, and at once where a shard needs something."""
        while self._shards > 1:
            self._wake.clear()
            await self.glance()
            await asyncio.sleep(PAUSE_S)
            try:
                await asyncio.wait_for(self._wake.wait(), GLANCE_S)
            except TimeoutError:
                continue

    async def glance(self) -> None:
        """Asks every shard, and journals what follows once it is this process's turn."""
        answers = await asyncio.gather(*(self._ask(shard) for shard in range(self._shards)))
        told = {shard: answer for shard, answer in enumerate(answers) if answer is not None}
        now_s = _now_s()
        for key in [key for key, want in self._wants.items() if now_s - want[1] > WANTED_FOR_S]:
            del self._wants[key]
        wants = {key: amount for key, (amount, _at_s) in self._wants.items()}
        todo = steps(told, wants, self._shards)
        if not todo:
            self._since_s = None
            return
        if self._since_s is None:
            self._since_s = now_s
        if now_s - self._since_s >= self._patience_s:
            await asyncio.gather(*(self._journal(shard, command) for shard, command in todo))

    def _pass_on(self, giver: int, event: ShareGiven) -> None:
        """The first process need not ask first; what the others see undone they do later."""
        if self._patience_s:
            return
        taken = TakeShare(
            scope=event.scope,
            bound=event.bound,
            shard=giver,
            number=event.number,
            units=event.units,
        )
        taking = asyncio.ensure_future(self._journal(event.shard, taken))
        self._taking.add(taking)
        taking.add_done_callback(self._taking.discard)

    async def _ask(self, shard: int) -> Told | None:
        try:
            body = await self._bus.request(subjects.query_oms(shard, "shares"), b"{}", ANSWER_MS)
            answer = msgspec.json.decode(body, type=_Answer)
        except (BusError, msgspec.MsgspecError) as error:
            log.debug("shard %d does not tell its parts: %s", shard, error)
            return None
        return told_by(answer)


def told_by(answer: Any) -> Told:
    """A shard's answer by bound."""
    return Told(
        holdings={
            (row.scope, row.bound): Holding(
                limit=row.limit,
                version=row.version,
                agreed=row.agreed,
                since_seq=row.since_seq,
                units=row.units,
                needed=row.needed,
            )
            for row in answer.holdings
        },
        sent={
            ((row.scope, row.bound), row.shard): Sent(
                given=row.given, units=row.units, taken=row.taken
            )
            for row in answer.sent
        },
    )


def _now_s() -> float:
    return asyncio.get_running_loop().time()
