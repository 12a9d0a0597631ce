# SPDX-License-Identifier: Apache-2.0
"""One load process: keeps a window of commands on the way and counts what came of them.

`python -m tradewind.cli.bench.load` reads its task from stdin and prints the counts, as JSON.
"""

import asyncio
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import uvloop

from tradewind.cli.bench import orders
from tradewind.cli.bench.target import Target
from tradewind.common import subjects
from tradewind.common.jetstream import Bus, Message
from tradewind.common.permissions import raw_subject

ACK_TIMEOUT_MS = 20_000
BURST = 64
STALLED_S = 10.0


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """What to do. `kind`: raw (count acks), accepted or filled (count reports)."""

    kind: str
    urls: list[str]
    password_dir: str
    shards: int
    seconds: float
    window: int
    price: int


class Counts(msgspec.Struct, kw_only=True):
    """What came of it within the time."""

    sent: int = 0
    acked: int = 0
    done: int = 0
    denied: int = 0
    failed: int = 0
    seconds: float = 0.0


class Load:
    """Keeps at most `window` requests between their publication and their end."""

    def __init__(self, bus: Bus, task: Task) -> None:
        self._bus = bus
        self._task = task
        self._wake = asyncio.Event()
        self._run = orders.new_run()
        self._own = f'"cl_ord_id":"{self._run}-'.encode()
        self._mark = orders.FILLED if task.kind == "filled" else orders.ACCEPTED
        self.counts = Counts()

    async def run(self) -> Counts:
        """Runs for the task's time."""
        if self._task.kind != "raw":
            for shard in range(self._task.shards):
                live = subjects.live(f"events.{shard}.order.*")
                await self._bus.subscribe(live, self._on_report)
        requests = self._requests()
        start_s = time.perf_counter()
        end_s = start_s + self._task.seconds
        while time.perf_counter() < end_s:
            room = min(BURST, self._task.window - self._under_way)
            for _ in range(room):
                self._send(next(requests))
            if room <= 0:
                await self._until_room()
            await asyncio.sleep(0)
        self.counts.seconds = time.perf_counter() - start_s
        return msgspec.structs.replace(self.counts)

    @property
    def _under_way(self) -> int:
        counts = self.counts
        ended = counts.acked if self._task.kind == "raw" else counts.done + counts.denied
        return counts.sent - ended - counts.failed

    def _requests(self) -> Iterator[orders.Request]:
        make = orders.crossing if self._task.kind == "filled" else orders.resting
        return make(self._run, self._task.price, self._task.shards)

    def _send(self, request: orders.Request) -> None:
        subject = request.subject if self._task.kind != "raw" else raw_subject(request.shard)
        ack = self._bus.publish_nowait(
            subject, request.body, request.headers, timeout_ms=ACK_TIMEOUT_MS
        )
        self.counts.sent += 1
        ack.add_done_callback(self._on_ack)

    def _on_ack(self, ack: "asyncio.Future[Any]") -> None:
        if ack.cancelled() or ack.exception() is not None:
            self.counts.failed += 1
        else:
            self.counts.acked += 1
        self._wake.set()

    def _on_report(self, message: Message) -> None:
        if self._own not in message.body:
            return
        if self._mark in message.body:
            self.counts.done += 1
        elif orders.DENIED in message.body:
            self.counts.denied += 1
        else:
            return
        self._wake.set()

    async def _until_room(self) -> None:
        self._wake.clear()
        try:
            async with asyncio.timeout(STALLED_S):
                await self._wake.wait()
        except TimeoutError:
            return


async def _main(task: Task) -> Counts:
    target = Target(urls=tuple(task.urls), password_dir=Path(task.password_dir), shards=task.shards)
    bus = await Bus.connect(target.bus("bench"), name=f"bench-{task.kind}")
    counts = await Load(bus, task).run()
    await bus.close()
    return counts


if __name__ == "__main__":
    asked = msgspec.json.decode(sys.stdin.buffer.read(), type=Task)
    sys.stdout.buffer.write(msgspec.json.encode(uvloop.run(_main(asked))))
