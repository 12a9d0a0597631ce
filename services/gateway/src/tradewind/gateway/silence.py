# SPDX-License-Identifier: Apache-2.0
"""Notices that a shard's journal acknowledges nothing, long before its acknowledgements time out.

A slow journal acknowledges late but steadily and in order; one without a leader says nothing, or
answers later requests and not those that it lost. Such requests are called unknown. While nothing
is heard new ones are refused before they are sent, but for one now and then that finds out whether
the journal is back.
"""

from collections import defaultdict
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

QUIET_AFTER_NS = 60_000_000
SILENT_AFTER_NS = 150_000_000
PROBE_EVERY_NS = 250_000_000


class Sent(Protocol):
    """A request on its way to the journal."""

    shard: int
    started_ns: int


S = TypeVar("S", bound=Sent)


class Silence(Generic[S]):
    """The requests that wait for the journal's word, by shard, oldest first."""

    def __init__(self, now_ns: Callable[[], int]) -> None:
        self._now_ns = now_ns
        self._waiting: defaultdict[int, dict[S, None]] = defaultdict(dict)
        self._heard_ns: defaultdict[int, int] = defaultdict(int)
        self._answered_ns: defaultdict[int, int] = defaultdict(int)
        self._probed_ns: defaultdict[int, int] = defaultdict(int)

    def sent(self, request: S) -> None:
        """A request was published."""
        self._waiting[request.shard][request] = None

    def overtaken_by(self, request: S) -> list[S]:
        """What was sent before it and has no answer: a leader that goes loses what it has not kept.

        They wait behind all others again, since they are sent again.
        """
        waiting = self._waiting[request.shard]
        found: list[S] = []
        for earlier in waiting:
            if earlier is request:
                break
            found.append(earlier)
        for earlier in found:
            del waiting[earlier]
            waiting[earlier] = None
        return found

    def ended(self, request: S, *, is_answered: bool) -> None:
        """The journal has answered, or the wait for it is over."""
        self._waiting[request.shard].pop(request, None)
        if is_answered:
            shard = request.shard
            self._heard_ns[shard] = self._now_ns()
            self._answered_ns[shard] = max(self._answered_ns[shard], request.started_ns)

    def is_silent(self, shard: int) -> bool:
        """Something waits, and nothing has been heard for too long."""
        return self._quiet_ns(shard) > SILENT_AFTER_NS

    def quiet_shards(self) -> list[int]:
        """Where something waits and nothing has been heard for a moment."""
        return [shard for shard in self._waiting if self._quiet_ns(shard) > QUIET_AFTER_NS]

    def may_try(self, shard: int) -> bool:
        """Whether a silent journal may be tried again with one request."""
        now_ns = self._now_ns()
        if now_ns - self._probed_ns[shard] < PROBE_EVERY_NS:
            return False
        self._probed_ns[shard] = now_ns
        return True

    def overdue(self) -> list[S]:
        """What has waited too long: at a silent journal, or while later requests were answered."""
        horizon_ns = self._now_ns() - SILENT_AFTER_NS
        found: list[S] = []
        for shard, waiting in self._waiting.items():
            until_ns = horizon_ns
            if not self.is_silent(shard):
                until_ns = min(until_ns, self._answered_ns[shard])
            found += [request for request in waiting if request.started_ns < until_ns]
        return found

    def _quiet_ns(self, shard: int) -> int:
        """For how long something has waited and nothing was heard."""
        oldest = next(iter(self._waiting[shard]), None)
        if oldest is None:
            return 0
        return self._now_ns() - max(oldest.started_ns, self._heard_ns[shard])
