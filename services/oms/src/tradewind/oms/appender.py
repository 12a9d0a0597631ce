# SPDX-License-Identifier: Apache-2.0
"""Leadership is doing: whoever appends the next outputs leads, and anyone may.

An output has its place (its ordinal), and an append can succeed only there, so two replicas
that append at once cannot both succeed, and would have written the same. A standby that sees
outputs missing for longer than its patience appends them itself, and need not be patient once a
supervisor has seen the leader's process end. A refused or unanswered append decides nothing: the
tail is read and what is still missing is appended again.
"""

import asyncio
import contextlib
from collections.abc import Iterable, Sequence
from itertools import islice

import msgspec

from tradewind.common import subjects
from tradewind.common.errors import CorruptionError, Refused, Unknown
from tradewind.common.jetstream import Bus, Message, StreamReader
from tradewind.common.lease import Holder
from tradewind.common.lifecycle import Stop
from tradewind.common.trace import HEADER as TRACE_HEADER
from tradewind.oms.replica import Output, Replica

BATCH_MESSAGES_MAX = 500
BATCH_BYTES_MAX = 512 * 1024
APPEND_TIMEOUT_MS = 1000
STAGGER_MS = 15
BACKOFF_MAX = 16
WRONG_LAST_SEQUENCE = 10071


class Appender:
    """Appends what EVENTS lacks, at once when leading, after patience when not."""

    def __init__(
        self,
        bus: Bus,
        replica: Replica,
        events: StreamReader,
        *,
        instance: str,
        patience_ms: int,
        rank: int = 0,
    ) -> None:
        self._bus = bus
        self._replica = replica
        self._events = events
        self._instance = instance
        self._stagger_s = rank * STAGGER_MS / 1000  # not all take over at once
        self._patience_s = patience_ms / 1000 + self._stagger_s
        self._backoff = 1
        self._ended: set[str] = set()
        self._news = asyncio.Event()
        self._wake = asyncio.Event()
        self._moved_s = _now_s()
        self.takeovers = 0
        self.refusals = 0

    @property
    def is_leading(self) -> bool:
        """The last output in EVENTS is this replica's."""
        return self._replica.appended_by == self._instance

    @property
    def role(self) -> str:
        """What operators call it: leader, standby, or shadow (may not append)."""
        if self._replica.is_shadow:
            return "shadow"
        return "leader" if self.is_leading else "standby"

    def outputs_ready(self) -> None:
        """Outputs were added to the outbox."""
        if not self._wake.is_set():
            self._moved_s = max(self._moved_s, _now_s())
            self._wake.set()

    def tail_moved(self) -> None:
        """EVENTS has grown: someone works, so patience starts again.

        Unless it is the last work of one that has ended: an append may land after its author.
        """
        self._moved_s = _now_s()
        if not self._is_leader_ended:
            self._ended.clear()
        self._news.set()

    def hear_end(self, body: bytes) -> None:
        """A supervisor saw a process end; if it was the leader's, nobody will do its work."""
        self._ended.add(msgspec.json.decode(body, type=Holder).instance)
        self._news.set()

    @property
    def _is_leader_ended(self) -> bool:
        return self._replica.appended_by in self._ended

    async def run(self, stop: Stop) -> None:
        """Works until `stop`.

        Raises:
            CorruptionError: if an append landed anywhere but at its place.
        """
        while not stop.is_set():
            if not self._replica.outbox:
                self._wake.clear()
                await self._wake.wait()
                continue
            if not self.is_leading and not await self._patience_over():
                continue
            outputs = _cut(self._replica.appendable())
            if outputs:
                await self._append(outputs)
            else:
                await asyncio.sleep(self._patience_s)

    async def _patience_over(self) -> bool:
        """Waits one round; true once outputs have been missing for too long."""
        if self._is_leader_ended:
            left_s = self._moved_s + self._stagger_s - _now_s()
            await asyncio.sleep(max(left_s, 0))
            return left_s <= 0
        left_s = self._moved_s + self._patience_s * self._backoff - _now_s()
        if left_s <= 0:
            return True
        await self._hear_news(left_s)
        return False

    async def _append(self, outputs: Sequence[Output]) -> None:
        was_leading = self.is_leading
        last = outputs[-1].ordinal
        try:
            ack = await self._bus.append_batch(
                [_message(output, self._instance) for output in outputs],
                expected_last_seq=outputs[0].ordinal - 1,
                timeout_ms=APPEND_TIMEOUT_MS,
            )
        except Refused as error:
            self._lost(is_race=error.err_code == WRONG_LAST_SEQUENCE)
            await self._look_again()
            return
        except Unknown:
            await self._look_again()
            return
        if ack.seq != last:
            raise CorruptionError(f"outputs up to {last} were stored up to {ack.seq}")
        self._replica.confirm_own(last, self._instance)
        self._backoff = 1
        self._moved_s = _now_s()
        self.takeovers += not was_leading

    def _lost(self, *, is_race: bool) -> None:
        self.refusals += 1
        if is_race:
            if self.is_leading:
                self._replica.appended_by = ""
            self._backoff = min(self._backoff * 2, BACKOFF_MAX)
            self._moved_s = _now_s()

    async def _look_again(self) -> None:
        """Has the tail read, and gives the reading time to arrive."""
        self._events.hurry()
        await self._hear_news(self._patience_s / 2)

    async def _hear_news(self, at_most_s: float) -> None:
        """Waits for a growth of EVENTS or the end of a process."""
        self._news.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(at_most_s):
                await self._news.wait()


def _now_s() -> float:
    return asyncio.get_running_loop().time()


def _cut(outbox: Iterable[Output]) -> list[Output]:
    """The next batch: bounded in messages and bytes, cut anywhere, since each has its ordinal."""
    batch: list[Output] = []
    size = 0
    for output in islice(outbox, BATCH_MESSAGES_MAX):
        size += len(output.body)
        if batch and size > BATCH_BYTES_MAX:
            break
        batch.append(output)
    return batch


def _message(output: Output, instance: str) -> Message:
    headers = {
        subjects.HEADER_ENTRY: str(output.entry_seq),
        subjects.HEADER_INDEX: str(output.index),
        subjects.HEADER_CHAIN: output.chain,
        subjects.HEADER_BY: instance,
    }
    if output.traceparent:
        headers[TRACE_HEADER] = output.traceparent
    return Message(subject=output.subject, body=output.body, headers=headers)
