# SPDX-License-Identifier: Apache-2.0
"""One thread, virtual time: an event loop whose every choice comes from a random generator.

Whatever runs belongs to a node (a process of the suite) or to the world (broker, venue, clients).
A node is told by the context of each callback, so it can be stopped between any two awaits: the
callbacks of a dead node are never run, those of a paused one wait for it to go on.
"""

import asyncio
import contextlib
import heapq
from collections import deque
from collections.abc import Callable
from contextvars import Context, ContextVar, copy_context
from hashlib import blake2b
from random import Random
from typing import Any

PERMUTED = 0.25
"""Share of the steps at which another callback than the first is run."""
REACH = 6


class Node:
    """One life of a process."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.is_dead = False
        self.is_paused = False
        self.parked: list[asyncio.Handle] = []
        self.context = copy_context()
        self.context.run(NODE.set, self)
        self._steps_left = 0
        self._trip: Callable[[], None] | None = None

    def trip(self, steps: int, action: Callable[[], None]) -> None:
        """Has `action` happen to the node before the step after `steps` more."""
        self._steps_left, self._trip = steps, action

    def takes(self, handle: asyncio.Handle) -> bool:
        """Whether the node runs this callback now."""
        if self._trip is not None:
            self._steps_left -= 1
            if self._steps_left < 0:
                action, self._trip = self._trip, None
                action()
        if self.is_dead or self.is_paused:
            self.parked.append(handle)
            return False
        return True


NODE: ContextVar[Node | None] = ContextVar("node", default=None)


class Finished(Exception):
    """Nothing can happen any more."""


class SimLoop(asyncio.BaseEventLoop):
    """Runs callbacks one at a time; when none is ready, time jumps to the next timer."""

    _ready: deque[asyncio.Handle]
    _scheduled: list[asyncio.TimerHandle]

    def __init__(self, rng: Random) -> None:
        super().__init__()
        self._rng = rng
        self._now_s = 0.0
        self._hash = blake2b(digest_size=16)
        self.story: list[tuple[float, str]] = []
        self._kept: list[asyncio.Task[Any]] = []
        self._stopped: dict[Node, None] = {}
        self.world = Context()
        self.is_ending = False
        self.set_task_factory(self._make_task)
        self.set_exception_handler(lambda _loop, _context: None)

    def time(self) -> float:
        """Virtual seconds since the start."""
        return self._now_s

    def note(self, text: str) -> None:
        """Something worth telling happened: part of the trace and of the story."""
        self._hash.update(text.encode())
        self.story.append((self._now_s, text))

    @property
    def trace(self) -> str:
        """The hash over every step and everything noted so far."""
        return self._hash.hexdigest()

    def later(self, delay_s: float, action: Callable[..., Any], *args: Any) -> asyncio.TimerHandle:
        """Has the world do something, whoever asks."""
        return self.call_later(delay_s, action, *args, context=self.world)

    def resume(self, node: Node) -> None:
        """A paused node goes on with what has become due meanwhile."""
        node.is_paused = False
        if node.is_dead:
            return
        self._ready.extend(node.parked)
        node.parked.clear()

    def end(self) -> None:
        """Lets every task end, so that nothing is left to the garbage collector."""
        self.is_ending = True
        for node in self._stopped:
            self._ready.extend(node.parked)
        for _ in range(20):
            left = [task for task in self._kept if not task.done()]
            for task in left:
                task.cancel()
            if left:
                with contextlib.suppress(Finished):
                    self.run_until_complete(asyncio.wait(left, timeout=1))
        self.close()

    def run_in_executor(  # type: ignore[override]
        self, _executor: Any, func: Any, *args: Any
    ) -> Any:
        """There are no threads here: the function is run at once."""
        future = self.create_future()
        try:
            future.set_result(func(*args))
        except Exception as error:
            future.set_exception(error)
        return future

    def _make_task(self, loop: Any, coro: Any, **kwargs: Any) -> "asyncio.Task[Any]":
        """Keeps every task: one that is forgotten would be ended by the garbage collector."""
        task: asyncio.Task[Any] = asyncio.Task(coro, loop=loop, **kwargs)
        self._kept.append(task)
        return task

    def _run_once(self) -> None:
        scheduled, ready = self._scheduled, self._ready
        while scheduled and scheduled[0].cancelled():
            heapq.heappop(scheduled)
        if not ready:
            if not scheduled:
                raise Finished
            self._now_s = max(self._now_s, scheduled[0].when())
        while scheduled and scheduled[0].when() <= self._now_s:
            ready.append(heapq.heappop(scheduled))
        handle = self._pick()
        if handle.cancelled():
            return
        node = handle._context.get(NODE)  # type: ignore[attr-defined]
        if node is not None and not self.is_ending and not node.takes(handle):
            self._stopped[node] = None
            return
        self._hash.update(f"{self._now_s!r}{node.name if node else ''}".encode())
        handle._run()

    def _pick(self) -> asyncio.Handle:
        ready = self._ready
        if len(ready) > 1 and self._rng.random() < PERMUTED:
            place = self._rng.randrange(min(len(ready), REACH))
            ready.rotate(-place)
            handle = ready.popleft()
            ready.rotate(place)
            return handle
        return ready.popleft()

    def _write_to_self(self) -> None:
        """Nobody else could wake this loop."""
