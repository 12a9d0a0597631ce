# SPDX-License-Identifier: Apache-2.0
"""A replicated stream as the broker keeps it, with what is bad about it.

A conditional append is checked against what the leader has proposed, and a proposal may still
fail when it is applied. Between leaders nothing is taken; what was on its way is stored or not,
and its sender is told or not. Readers may be served by a replica that is behind.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from tests.simulation.world import World
from tradewind.common.errors import Refused
from tradewind.common.jetstream import Message, PubAck, Record
from tradewind.common.jetstream.messages import NO_RESPONDERS, encode_headers

WRONG_LAST_SEQUENCE = 10071
APPLY_FAILED = 10077
Reply = Callable[[PubAck | Exception], None]


@dataclass(slots=True)
class Stored:
    """A committed record, also in the header form that readers get."""

    record: Record
    raw: bytes
    committed_s: float


@dataclass(slots=True)
class _Proposal:
    messages: Sequence[Message]
    reply: Reply
    fails: bool


class SimStream:
    """One stream. `on_commit` sees every record at the moment it is stored."""

    def __init__(self, world: World, name: str) -> None:
        self.name = name
        self.stored: list[Stored | None] = []
        self.listeners: list[Callable[[Stored], None]] = []
        self.on_commit: Callable[[Record], None] = lambda _record: None
        self._world = world
        self._proposed: deque[_Proposal] = deque()
        self._proposed_last = 0
        self._leaderless_until_s = 0.0
        self._last_ts_ns = 0

    @property
    def last_seq(self) -> int:
        """Sequence of the last committed record."""
        return len(self.stored)

    @property
    def has_leader(self) -> bool:
        """Whether anything is taken now."""
        return self._world.now_s >= self._leaderless_until_s

    def lose_leader(self, for_s: float) -> None:
        """The leader is gone; of what it had proposed a part is stored, nobody is told."""
        world = self._world
        world.saw(f"leader of {self.name} lost")
        self._leaderless_until_s = world.now_s + for_s
        kept = world.rng.randint(0, len(self._proposed))
        for place, proposal in enumerate(self._proposed):
            proposal.fails = proposal.fails or place >= kept
            proposal.reply = _nobody

    def arrive(self, messages: Sequence[Message], expected: int | None, reply: Reply) -> None:
        """A request has reached the servers."""
        world = self._world
        if not self.has_leader:
            world.saw("request without a leader")
            if world.chance(0.4):
                reply(Refused("no responders", err_code=NO_RESPONDERS))
            elif world.chance(0.5):
                wait_s = self._leaderless_until_s - world.now_s + world.delay()
                world.loop.later(wait_s, self.arrive, messages, expected, _nobody)
            return
        if expected is not None and expected != self._proposed_last:
            world.saw("append refused")
            reply(
                Refused(f"wrong last sequence: {self._proposed_last}", err_code=WRONG_LAST_SEQUENCE)
            )
            return
        fails = world.strikes("failed-applies", 0.05)
        self._proposed.append(_Proposal(messages, reply, fails))
        self._proposed_last += len(messages)
        world.loop.later(world.rng.uniform(0.0002, 0.001), self._apply)

    def visible(self, *, at_leader: bool) -> int:
        """How many records a reader sees now."""
        world = self._world
        share = 0.1 if at_leader else 0.3
        is_stale = world.strikes("stale-reads", share) or not self.has_leader
        if not is_stale:
            return len(self.stored)
        horizon_s = world.now_s - world.rng.uniform(0, 0.5)
        count = len(self.stored)
        while count and self._committed_s(count) > horizon_s:
            count -= 1
        if count < len(self.stored):
            world.saw("stale read")
        return count

    def purge(self, matches: Callable[[str], bool]) -> None:
        """Removes the records on some subjects; their sequences stay empty."""
        for place, stored in enumerate(self.stored):
            if stored is not None and matches(stored.record.subject):
                self.stored[place] = None

    def _committed_s(self, seq: int) -> float:
        stored = self.stored[seq - 1]
        return 0.0 if stored is None else stored.committed_s

    def _apply(self) -> None:
        proposal = self._proposed.popleft()
        if proposal.fails:
            self._world.saw("apply failed")
            self._proposed_last -= len(proposal.messages)
            proposal.reply(Refused("the append failed", err_code=APPLY_FAILED))
            return
        for message in proposal.messages:
            self._store(message)
        proposal.reply(PubAck(self.name, len(self.stored)))

    def _store(self, message: Message) -> None:
        world = self._world
        ts_ns = world.now_ns() - (800_000_000 if world.strikes("clock-back", 0.05) else 0)
        headers = dict(message.headers)
        if headers.pop("Nats-Rollup", "") == "sub":
            self.purge(lambda subject: subject == message.subject)
        seq = len(self.stored) + 1
        record = Record(seq, ts_ns, message.subject, headers, message.body)
        own = (
            f"Nats-Sequence: {seq}\r\nNats-Time-Stamp: {stamp(ts_ns)}\r\n"
            f"Nats-Subject: {message.subject}\r\n"
        )
        stored = Stored(record, encode_headers(headers, own), world.now_s)
        self.stored.append(stored)
        world.loop.note(f"{self.name} {seq} {message.body!r}")
        self.on_commit(record)
        for listener in list(self.listeners):
            listener(stored)


def stamp(ts_ns: int) -> str:
    """Nanoseconds as the broker writes them."""
    seconds, rest = divmod(ts_ns, 1_000_000_000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:09}Z"


def matcher(pattern: str) -> Callable[[str], bool]:
    """Whether a subject matches; only a last `>` is a wildcard here."""
    if pattern.endswith(">"):
        prefix = pattern[:-1]
        return lambda subject: subject.startswith(prefix)
    return lambda subject: subject == pattern


def _nobody(_outcome: Any) -> None:
    """The sender is not told."""
