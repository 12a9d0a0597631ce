# SPDX-License-Identifier: Apache-2.0
"""What every OMS replica says of its state, compared with a replay at the same sequences."""

import asyncio
import secrets
from typing import Any

import msgspec

from tradewind.cli.verify_replay import Replay
from tradewind.common import permissions, subjects
from tradewind.common.jetstream import Bus

ANSWER_PATIENCE_S = 3.0
QUIET_S = 0.5
LOOK_AGAIN_S = 0.01


class _Checkpoint(msgspec.Struct):
    seq: int
    ordinal: int
    chain: str
    digest: str


class _Answer(msgspec.Struct):
    ok: bool
    instance: str = ""
    seq: int = 0
    ordinal: int = 0
    digest: str = ""
    chain: str = ""
    checkpoints: list[_Checkpoint] = []


class Replicas:
    """The replicas of one shard that answered, and how they compare."""

    def __init__(self, shard: int, answers: list[_Answer], wanted: int) -> None:
        self._shard = shard
        self._wanted = wanted
        self._answers = answers
        self._states: dict[int, list[_Answer]] = {}
        self._chains: dict[int, list[tuple[_Answer, _Checkpoint]]] = {}
        self._compared: dict[str, int] = dict.fromkeys((a.instance for a in answers), 0)
        self._different: dict[str, int] = {}
        self.problems: list[dict[str, Any]] = []
        for answer in answers:
            self._states.setdefault(answer.seq, []).append(answer)
            for point in answer.checkpoints:
                self._chains.setdefault(point.seq, []).append((answer, point))

    @property
    def highest_seq(self) -> int:
        """The furthest that any replica has come."""
        return max((answer.seq for answer in self._answers), default=0)

    @property
    def lowest_seq(self) -> int:
        """Where the one that is furthest behind stands."""
        return min((answer.seq for answer in self._answers), default=0)

    @property
    def missing(self) -> str:
        """What to say if too few answered; empty if enough did."""
        if len(self._answers) >= self._wanted:
            return ""
        return (
            f"{len(self._answers)} of at least {self._wanted} OMS replicas of shard {self._shard} "
            f"answered within {ANSWER_PATIENCE_S:.0f} s: see `tradewind status`"
        )

    @property
    def are_equal(self) -> bool:
        """Every replica was compared, enough of them, and none differed."""
        return not self.missing and not self._different and all(self._compared.values())

    @property
    def seen(self) -> list[dict[str, Any]]:
        """Each replica, by name."""
        return [
            {
                "instance": answer.instance,
                "seq": answer.seq,
                "equal": bool(self._compared[answer.instance])
                and answer.instance not in self._different,
                "compared": self._compared[answer.instance],
            }
            for answer in sorted(self._answers, key=lambda answer: answer.instance)
        ]

    def compare(self, replay: Replay) -> None:
        """Compares whoever has said something about the sequence that the replay is at."""
        seq = replay.seq
        for answer, point in self._chains.get(seq, ()):
            said = (point.ordinal, point.chain, point.digest)
            self._note(answer, seq, said == (replay.ordinal, replay.chain, replay.digest()))
        for answer in self._states.get(seq, ()):
            is_equal = (answer.ordinal, answer.chain, answer.digest) == (
                replay.ordinal,
                replay.chain,
                replay.digest(),
            )
            self._note(answer, seq, is_equal)

    def _note(self, answer: _Answer, seq: int, is_equal: bool) -> None:
        self._compared[answer.instance] += 1
        if is_equal or answer.instance in self._different:
            return
        self._different[answer.instance] = seq
        self.problems.append(
            {
                "check": "replicas",
                "stream": subjects.journal_stream(self._shard),
                "seq": seq,
                "text": f"{answer.instance} has another state or chain after it than the replay",
            }
        )


async def ask_replicas(bus: Bus, shard: int, wanted: int | None) -> Replicas:
    """Asks all replicas of a shard for their digests; each answers for itself.

    With `wanted`, waits until as many have answered; without, takes who answers in a moment.
    """
    bodies: list[bytes] = []
    inbox = f"{permissions.inbox_prefix(bus.user)}.{secrets.token_hex(8)}"
    subscription = await bus.subscribe_raw(
        inbox, lambda _subject, _reply, body, _headers: bodies.append(body) if body else None
    )
    loop = asyncio.get_running_loop()
    at_least = wanted or 1
    quiet_s = loop.time() + (QUIET_S if wanted is None else 0)
    deadline_s = loop.time() + ANSWER_PATIENCE_S
    try:
        bus.nc.send(subjects.query_oms(shard, "digests"), inbox, b"", b"{}")
        while len(bodies) < at_least or loop.time() < quiet_s:
            if loop.time() > deadline_s:
                break
            await asyncio.sleep(LOOK_AGAIN_S)
    finally:
        await subscription.unsubscribe()
    answers = [answer for answer in map(_decode, bodies) if answer.ok]
    return Replicas(shard, answers, at_least)


def _decode(body: bytes) -> _Answer:
    try:
        return msgspec.json.decode(body, type=_Answer)
    except msgspec.MsgspecError:
        return _Answer(ok=False)
