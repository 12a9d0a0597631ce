# SPDX-License-Identifier: Apache-2.0
"""Replicas of a shard tell each other their digests at fixed sequences, and compare.

A difference between two replicas that may append goes into the journal: the core halts the
shard, and every replica keeps its state at that very entry for a diff. A replica in shadow has no
say: if it differs from the others it is the one that stops.
"""

import asyncio
import logging
from itertools import takewhile

import msgspec

from tradewind.common import codec, subjects
from tradewind.common.errors import CorruptionError, Refused, Unknown
from tradewind.common.jetstream import Bus
from tradewind.core.commands import ReportDivergence
from tradewind.oms.replica import Checkpoint, Replica

log = logging.getLogger(__name__)

HELD_MAX = 10_000
RETRY_S = 0.2
SHADOW = "SHADOW_DIFFERS"


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What a replica says of itself at a checkpoint."""

    shard: int
    instance: str
    build: str
    is_shadow: bool
    seq: int
    ordinal: int
    chain: str
    digest: str

    @property
    def checkpoint(self) -> Checkpoint:
        """The part that must be the same everywhere."""
        return Checkpoint(self.seq, self.ordinal, self.chain, self.digest)


_decoder = msgspec.json.Decoder(Told)


class Agreement:
    """Tells and compares. `disagreements` counts what did not match."""

    def __init__(self, bus: Bus, replica: Replica, *, instance: str) -> None:
        self._bus = bus
        self._replica = replica
        self._instance = instance
        self._held: dict[tuple[int, str], Told] = {}
        self._told_seq = 0
        self._divergence: asyncio.Future[ReportDivergence] = asyncio.Future()
        self.compared = 0
        self.disagreements = 0

    async def listen(self) -> None:
        """Hears what the others tell from now on."""
        await self._bus.subscribe(
            subjects.digest(self._replica.shard), lambda message: self.hear(message.body)
        )

    async def run(self) -> None:
        """Waits for a divergence and puts it on record, however long the journal takes."""
        command = await self._divergence
        subject = subjects.journal_subject(self._replica.shard, command)
        while True:
            try:
                await self._bus.publish(subject, codec.encode(command))
            except (Refused, Unknown) as error:
                log.critical("the divergence is not on record yet: %s", error)
                await asyncio.sleep(RETRY_S)
            else:
                return

    def tell(self) -> bool:
        """Tells the others what is new, after comparing it with what was heard; true if anything.

        Raises:
            CorruptionError: if this replica follows in shadow and differs.
        """
        news = self._news()
        for told in news:
            self._bus.tell(subjects.digest(self._replica.shard), msgspec.json.encode(told))
        return bool(news)

    def hear(self, body: bytes) -> None:
        """Compares what another replica says, now or once this one is as far.

        Raises:
            CorruptionError: if this replica follows in shadow and differs.
        """
        try:
            told = _decoder.decode(body)
        except msgspec.MsgspecError as error:
            log.warning("a digest was not understood: %s", error)
            return
        if told.instance == self._instance:
            return
        if told.seq in self._replica.checkpoints:
            self._compare(told)
        elif told.seq > self._replica.seq and len(self._held) < HELD_MAX:
            self._held[told.seq, told.instance] = told

    def _news(self) -> list[Told]:
        replica = self._replica
        newest_first = reversed(replica.checkpoints.values())
        news = list(takewhile(lambda point: point.seq > self._told_seq, newest_first))
        if news:
            self._told_seq = news[0].seq
        for key in [key for key in self._held if key[0] <= self._told_seq]:
            self._compare(self._held.pop(key))
        return [self._told(point) for point in reversed(news)]

    def _told(self, point: Checkpoint) -> Told:
        return Told(
            shard=self._replica.shard,
            instance=self._instance,
            build=self._replica.build,
            is_shadow=self._replica.is_shadow,
            seq=point.seq,
            ordinal=point.ordinal,
            chain=point.chain,
            digest=point.digest,
        )

    def _compare(self, told: Told) -> None:
        mine = self._replica.checkpoints.get(told.seq)
        if mine is None:
            return
        self.compared += 1
        if mine == told.checkpoint:
            return
        self.disagreements += 1
        text = (
            f"DIVERGENCE of shard {told.shard} at entry {told.seq}: {self._instance} (build "
            f"{self._replica.build}) has {_text(mine)}, {told.instance} (build {told.build}) has "
            f"{_text(told.checkpoint)}"
        )
        if self._replica.is_shadow:
            raise CorruptionError(f"{text}; this build is not approved, so it stops", code=SHADOW)
        log.critical("%s", text)
        if not told.is_shadow and not self._divergence.done():
            self._divergence.set_result(
                ReportDivergence(seq=told.seq, digest=mine.digest, instance=self._instance)
            )


def _text(point: Checkpoint) -> str:
    return f"{point.ordinal} outputs, chain {point.chain[:16]}, digest {point.digest[:16]}"
