# SPDX-License-Identifier: Apache-2.0
"""Many runs, on several processes; the same results whatever their number."""

import gc
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from hashlib import blake2b
from multiprocessing import get_context

from tests.simulation.run import simulate
from tests.simulation.world import Plan

CHUNK = 20
REPRESENTATIVE = 200
"""So many seeds must see everything that is in SOMETIMES."""

SOMETIMES = (
    "takeover",
    "append refused",
    "apply failed",
    "ack lost",
    "request lost",
    "request late",
    "request without a leader",
    "question lost",
    "stale read",
    "live message lost",
    "live message again, out of order",
    "disconnected",
    "leader of JOURNAL_0 lost",
    "leader of EVENTS_0 lost",
    "snapshot stored",
    "begun at a snapshot",
    "crash of oms",
    "pause of oms",
    "crash of venue",
    "pause of venue",
    "crash of gateway",
    "pause of gateway",
    "second connector started",
    "session taken from another",
    "session lost to another",
    "message of a fenced session dropped",
    "possibly sent: asked first",
    "order asked about",
    "request repeated at the venue",
    "request for an order that did not arrive",
    "venue connection broken",
    "venue's answer lost",
    "report repeated",
    "slow wire",
    "fill after the cancel",
    "journaled UNKNOWN",
    "journaled EXPIRED",
    "client told unknown",
    "client refused",
    "client repeats a request",
    "client answered duplicate",
)
"""What a batch of runs must have met: a simulation that never takes over proves nothing."""


@dataclass
class Batch:
    """What runs showed so far. `trace` is a hash over the traces of all of them, in order."""

    seeds: int = 0
    trace: str = ""
    failed: list[int] = field(default_factory=list)
    sometimes: Counter[str] = field(default_factory=Counter)

    @property
    def unseen(self) -> list[str]:
        """What should have happened in so many runs and did not."""
        if self.seeds < REPRESENTATIVE:
            return []
        return [event for event in SOMETIMES if not self.sometimes[event]]

    def add(self, other: "Batch") -> None:
        """Takes in what other runs showed."""
        self.seeds += other.seeds
        self.trace = _linked(self.trace, other.trace)
        self.failed += other.failed
        self.sometimes.update(other.sometimes)


def run_batch(
    seeds: range, bug: str = "", jobs: int = 1, said: Callable[[Batch], None] = lambda _batch: None
) -> Batch:
    """Runs every seed; with a planted bug only until one finds it. `said` hears of progress."""
    batch = Batch()
    for part in _parts(seeds, bug, jobs):
        batch.add(part)
        said(batch)
        if bug and batch.failed:
            break
    return batch


def _parts(seeds: range, bug: str, jobs: int) -> Iterator[Batch]:
    chunks = [seeds[place : place + CHUNK] for place in range(0, len(seeds), CHUNK)]
    run = partial(_run_chunk, bug)
    if jobs == 1:
        yield from map(run, chunks)
    else:
        with get_context("forkserver").Pool(jobs) as pool:
            yield from pool.imap(run, chunks)


def _linked(before: str, trace: str) -> str:
    return blake2b(f"{before}{trace}".encode(), digest_size=16).hexdigest()


def _run_chunk(bug: str, seeds: range) -> Batch:
    batch = Batch()
    for seed in seeds:
        result = simulate(Plan.draw(seed), bug)
        batch.seeds += 1
        batch.trace = _linked(batch.trace, result.trace)
        batch.sometimes.update(result.sometimes)
        if result.problems:
            batch.failed.append(seed)
            if bug:
                break
    gc.collect()  # what a run leaves behind refers to itself, and seldom is looked for
    return batch
