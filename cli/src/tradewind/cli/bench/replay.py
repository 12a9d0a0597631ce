# SPDX-License-Identifier: Apache-2.0
"""How fast a journal is replayed, how soon a replica is back, and what a live order weighs."""

import gc
import json
import subprocess
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from tradewind.cli.bench.figures import percentiles_us
from tradewind.cli.bench.journal_mix import JournalMix
from tradewind.cli.bench.replay_restart import SNAPSHOT, TAIL, write_tail
from tradewind.common import snapshots
from tradewind.common.codec import CHAIN_START, decode_command, encode, link
from tradewind.common.errors import TradewindError
from tradewind.core.commands import Entry
from tradewind.core.machine import StateMachine

CHUNK = 20_000
"""Entries made and replayed at a time; also the tail of the restart: the interval of snapshots."""
BATCH = 1_000
"""Entries between two checkpoints of a replica, at which it takes what is there by then out of the
garbage collector's sight; so does this."""
WEIGHED = 10_000
RESTARTS = 3

Numbered = tuple[int, int, bytes]
Progress = Callable[[int, int], None]


def measure_replay(
    entries: int, live_orders: int, instruments: int, env: Mapping[str, str], progress: Progress
) -> dict[str, Any]:
    """The figures of a journal of `entries` with `live_orders` that stay live in some instruments.

    `entries_per_s` decodes and steps; `replica_entries_per_s` also encodes the outputs and chains
    their hashes, which is all that a replica computes.
    """
    mix = JournalMix(live_orders, instruments)
    journal = mix.entries()
    run = _Run()
    with tempfile.TemporaryDirectory(prefix="tradewind-replay-") as made:
        folder = Path(made)
        while run.seq < entries:
            chunk = list(islice(journal, min(CHUNK, entries - run.seq)))
            if run.seq + len(chunk) >= entries:
                content = snapshots.encode(run.machine, chain=run.chain, build="", instance="")
                (folder / SNAPSHOT).write_bytes(content)
                write_tail(folder / TAIL, chunk)
            run.replay(chunk)
            progress(run.seq, entries)
        restarts = [_restart(folder, env, run) for _ in range(RESTARTS)]
        snapshot_bytes = (folder / SNAPSHOT).stat().st_size
    gc.unfreeze()
    return {
        "entries": entries,
        "instruments": instruments,
        "entries_per_s": round(entries / run.step_s),
        "replica_entries_per_s": round(entries / (run.step_s + run.output_s)),
        "step_us": percentiles_us(run.steps_ns),
        "restart_s": round(sorted(restarts)[RESTARTS // 2], 2),
        "snapshot_bytes": snapshot_bytes,
        "live_orders": len(run.machine.state.live_orders),
        "orders": len(run.machine.state.orders),
        "bytes_per_live_order": _weigh(),
        "digest": run.machine.digest(),
        "mix": dict(sorted(mix.counts.items())),
    }


class _Run:
    """A replay, chunk by chunk, with what each part of the work took."""

    def __init__(self) -> None:
        self.machine = StateMachine()
        self.chain = CHAIN_START
        self.step_s = 0.0
        self.output_s = 0.0
        self.steps_ns: list[int] = []

    @property
    def seq(self) -> int:
        """The last entry replayed."""
        return self.machine.state.seq

    def replay(self, chunk: Iterable[Numbered]) -> None:
        """Replays in batches, as a replica does."""
        rest = iter(chunk)
        while batch := list(islice(rest, BATCH)):
            self._replay_batch(batch)
            gc.freeze()

    def _replay_batch(self, batch: list[Numbered]) -> None:
        """Decodes and applies; then, on its own clock, encodes and chains what followed."""
        step, steps_ns = self.machine.step, self.steps_ns
        clock_ns = time.perf_counter_ns
        outputs = []
        start_s = time.perf_counter()
        for seq, ts_ns, body in batch:
            entry = Entry(seq=seq, ts_ns=ts_ns, command=decode_command(body))
            before_ns = clock_ns()
            outputs.append(step(entry))
            steps_ns.append(clock_ns() - before_ns)
        middle_s = time.perf_counter()
        chain = self.chain
        for events in outputs:
            for event in events:
                chain = link(chain, encode(event))
        self.chain = chain
        self.output_s += time.perf_counter() - middle_s
        self.step_s += middle_s - start_s


def _restart(folder: Path, env: Mapping[str, str], run: _Run) -> float:
    """Seconds from the start of a process to a replica that has caught up."""
    start_s = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "tradewind.cli.bench.replay_restart", str(folder)],
        env=dict(env),
        capture_output=True,
        check=False,
    )
    took_s = time.perf_counter() - start_s
    if done.returncode != 0:
        raise TradewindError(f"the restart failed: {done.stderr.decode()[-500:]}")
    if json.loads(done.stdout)["digest"] != run.machine.digest():
        raise TradewindError("the restarted machine has another digest than the one that went on")
    return took_s


def _weigh() -> int:
    """Bytes per live order, all that is kept of it included."""
    journal = JournalMix(WEIGHED * 2).entries()
    machine = StateMachine()
    weights = []
    tracemalloc.start()
    try:
        for live in (WEIGHED, WEIGHED * 2):
            while len(machine.state.live_orders) < live:
                seq, ts_ns, body = next(journal)
                machine.step(Entry(seq=seq, ts_ns=ts_ns, command=decode_command(body)))
            machine.digest()
            gc.collect()
            weights.append(tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()
    return round((weights[1] - weights[0]) / WEIGHED)
