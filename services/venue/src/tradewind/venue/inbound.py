# SPDX-License-Identifier: Apache-2.0
"""Venue reports into the journal: in the venue's order, until each is on a quorum's disks.

A shard's reports go in atomic batches, one after the other, so that the highest execution number
in the journal always means that all before it are there too: the next session asks the venue
for what comes after that number.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Sequence

from tradewind.common import codec, subjects
from tradewind.common.errors import Refused, Unknown
from tradewind.common.jetstream import Bus, Message
from tradewind.common.trace import HEADER as TRACE_HEADER
from tradewind.common.trace import child
from tradewind.core.commands import ApplyVenueReport

BATCH_MAX = 200
TIMEOUT_MS = 2000
RETRY_S = 0.05
TRACES_MAX = 100_000


class Traces:
    """Trace contexts of recent orders, so that a report continues the trace of its order."""

    def __init__(self) -> None:
        self._by_order: OrderedDict[str, str] = OrderedDict()

    def note(self, order_id: str, traceparent: str) -> None:
        """Remembers the newest context of an order, within bounds."""
        if not traceparent:
            return
        self._by_order[order_id] = traceparent
        self._by_order.move_to_end(order_id)
        if len(self._by_order) > TRACES_MAX:
            self._by_order.popitem(last=False)

    def headers(self, order_id: str) -> dict[str, str]:
        """Headers for a report of this order."""
        traceparent = self._by_order.get(order_id)
        return {TRACE_HEADER: child(traceparent)} if traceparent else {}


class Inbound:
    """The way of reports into the journals of all shards."""

    def __init__(self, bus: Bus, shards: int, traces: Traces) -> None:
        self._bus = bus
        self._traces = traces
        self._queues: list[asyncio.Queue[ApplyVenueReport]] = [
            asyncio.Queue() for _ in range(shards)
        ]
        self._seen_exec_no = [0] * shards
        self.journaled = 0
        self.foreign = 0

    def start_after(self, shard: int, exec_no: int) -> None:
        """The shard's journal holds the venue's reports up to this number."""
        self._seen_exec_no[shard] = max(self._seen_exec_no[shard], exec_no)

    def take(self, reports: Sequence[ApplyVenueReport]) -> None:
        """Sorts reports by shard. One of no order of ours is counted: nobody here asked for it."""
        for report in reports:
            try:
                shard = subjects.shard_of_order(report.order_id)
            except ValueError:
                self.foreign += 1
                continue
            if not 0 <= shard < len(self._queues):
                self.foreign += 1
            elif report.exec_no == 0 or report.exec_no > self._seen_exec_no[shard]:
                self._seen_exec_no[shard] = max(self._seen_exec_no[shard], report.exec_no)
                self._queues[shard].put_nowait(report)

    async def run(self, shard: int) -> None:
        """Journals one shard's reports, for ever."""
        queue = self._queues[shard]
        while True:
            batch = [await queue.get()]
            while not queue.empty() and len(batch) < BATCH_MAX:
                batch.append(queue.get_nowait())
            await self._journal(shard, batch)
            self.journaled += len(batch)

    async def _journal(self, shard: int, batch: Sequence[ApplyVenueReport]) -> None:
        """Tries until it is stored. Stored twice is harmless: the core knows execution ids."""
        messages = [
            Message(
                subject=subjects.journal_subject(shard, report),
                body=codec.encode(report),
                headers=self._traces.headers(report.order_id),
            )
            for report in batch
        ]
        while True:
            try:
                await self._bus.append_batch(messages, None, TIMEOUT_MS)
            except (Refused, Unknown):
                await asyncio.sleep(RETRY_S)
            else:
                return
