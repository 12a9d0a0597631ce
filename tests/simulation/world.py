# SPDX-License-Identifier: Apache-2.0
"""What all parts of one simulated run share: the plan, chance, time, the trace, the verdict."""

import asyncio
from collections import Counter, deque
from collections.abc import Callable
from contextvars import Context
from dataclasses import dataclass
from random import Random
from typing import Any

from tests.simulation.loop import SimLoop

START_NS = 1_700_000_000_000_000_000
CHAOS_S = 6.0
SETTLE_S = 90.0

KINDS = (
    "oms-crash",
    "oms-pause",
    "oms-all-crash",
    "venue-crash",
    "venue-pause",
    "venue-replaced",
    "gateway-crash",
    "gateway-pause",
    "journal-leader",
    "events-leader",
    "disconnect",
    "session-loss",
    "venue-restart",
    "lost-requests",
    "lost-acks",
    "late-requests",
    "failed-applies",
    "stale-reads",
    "rough-live",
    "lost-answers",
    "lost-fills",
    "duplicate-reports",
    "late-fills",
    "read-lag",
    "slow-wire",
    "clock-back",
)
"""Kinds of faults. A plan has some of them: a run with all of them gets nowhere."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run is made of; all of it follows from the seed unless a shrink takes some away."""

    seed: int
    kinds: tuple[str, ...]
    faults: int
    orders: int

    @classmethod
    def draw(cls, seed: int) -> "Plan":
        """The plan of a seed."""
        rng = Random(seed)
        share = rng.choice((0.15, 0.35, 0.6))
        kinds = tuple(kind for kind in KINDS if rng.random() < share)
        return cls(seed, kinds, faults=rng.randint(1, 8), orders=rng.randint(4, 16))


class World:
    """One run."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.rng = Random(plan.seed * 2 + 1)
        self.loop = SimLoop(self.rng)
        self.sometimes: Counter[str] = Counter()
        self.problems: list[str] = []
        self.is_healed = False

    @property
    def now_s(self) -> float:
        """Virtual time."""
        return self.loop.time()

    def now_ns(self) -> int:
        """Virtual time as clocks show it."""
        return START_NS + round(self.loop.time() * 1e9)

    def has(self, kind: str) -> bool:
        """Whether this kind of fault happens now."""
        return kind in self.plan.kinds and not self.is_healed

    def strikes(self, kind: str, chance: float) -> bool:
        """Whether a fault of this kind hits this time."""
        return self.has(kind) and self.rng.random() < chance

    def chance(self, chance: float) -> bool:
        """Whether something that is no fault happens."""
        return self.rng.random() < chance

    def delay(self) -> float:
        """How long a message is on its way: mostly short, sometimes not."""
        return self.rng.uniform(0.0002, 0.002) if self.chance(0.97) else self.rng.uniform(0, 0.05)

    def saw(self, event: str) -> None:
        """Something happened that a batch of runs must have seen."""
        self.sometimes[event] += 1
        self.loop.note(event)

    def broken(self, problem: str) -> None:
        """A promise does not hold."""
        if len(self.problems) < 20:
            self.problems.append(f"{self.now_s:.3f} {problem}")
        self.loop.note(problem)


class Wire:
    """One direction of a connection: in order, with delays, cut off at once."""

    def __init__(self, world: World, context: Context) -> None:
        self._world = world
        self._context = context
        self._under_way: deque[tuple[Callable[..., Any], tuple[Any, ...]]] = deque()
        self._last_s = 0.0

    def send(self, deliver: Callable[..., Any], *args: Any, delay_s: float | None = None) -> None:
        """Has the other end do something, after all that was sent before."""
        wait_s = self._world.delay() if delay_s is None else delay_s
        self._last_s = max(self._last_s, self._world.now_s + wait_s)
        self._under_way.append((deliver, args))
        self._world.loop.call_at(self._last_s, self._arrive, context=self._context)

    def cut(self, keep: int = 0) -> None:
        """Only the first `keep` of what is on its way still arrive."""
        while len(self._under_way) > keep:
            self._under_way.pop()

    def __len__(self) -> int:
        return len(self._under_way)

    def _arrive(self) -> None:
        if self._under_way:
            deliver, args = self._under_way.popleft()
            deliver(*args)


def settle(future: "asyncio.Future[Any]", outcome: Any) -> None:
    """Ends a future, with an error nobody has to fetch if the outcome is one."""
    if future.done():
        return
    if isinstance(outcome, BaseException):
        future.set_exception(outcome)
        future.exception()
    else:
        future.set_result(outcome)
