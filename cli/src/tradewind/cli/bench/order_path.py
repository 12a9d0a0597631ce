# SPDX-License-Identifier: Apache-2.0
"""Latencies along the order path at a given rate, beside the raw publish of the same bus.

Open loop: orders leave on their schedule, whatever became of the earlier ones. Between any two
orders the same client publishes one raw message of the same size, with the same settings, to a
stream led by the same node, so both see the same machine.
"""

import asyncio
import gc
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from tradewind.cli.bench import orders, raw
from tradewind.cli.bench.figures import percentiles_us, ratio
from tradewind.cli.bench.target import Target
from tradewind.common import codec, subjects
from tradewind.common.jetstream import Bus, Message
from tradewind.common.permissions import raw_subject
from tradewind.core.events import OrderReport
from tradewind.core.types import ExecType

WARM_UP_ORDERS = 100
WARM_UP_RATE = 50
SETTLE_S = 5.0


class Samples:
    """What was measured: times in nanoseconds by client order id."""

    def __init__(self) -> None:
        self.sent_ns: dict[str, int] = {}
        self.sent_wall_ns: dict[str, int] = {}
        self.durable_ns: list[int] = []
        self.accepted_ns: list[int] = []
        self.raw_ns: list[int] = []
        self.order_ids: dict[str, str] = {}
        self.denied: dict[str, int] = {}
        self.failed = 0
        self._moved = asyncio.Event()

    def on_report(self, message: Message) -> None:
        """An output of the shard: the first report of one of our orders is its acceptance."""
        now_ns = time.perf_counter_ns()
        is_accepted = orders.ACCEPTED in message.body
        if not is_accepted and orders.DENIED not in message.body:
            return
        report = codec.decode_event(message.body)
        if not isinstance(report, OrderReport) or report.cl_ord_id not in self.sent_ns:
            return
        if report.exec_type is ExecType.PENDING_NEW:
            if report.cl_ord_id not in self.order_ids:
                self.order_ids[report.cl_ord_id] = report.order_id
                self.accepted_ns.append(now_ns - self.sent_ns[report.cl_ord_id])
        else:
            self.denied[report.reason] = self.denied.get(report.reason, 0) + 1
        self._moved.set()

    async def complete(self) -> None:
        """Waits until every order that was taken has its first report."""
        while len(self.order_ids) + sum(self.denied.values()) < len(self.sent_ns) - self.failed:
            self._moved.clear()
            await self._moved.wait()


async def measure_order_path(target: Target, *, rate: float, seconds: float) -> dict[str, Any]:
    """Measures; the figures are those of `tradewind bench order-path --json`.

    Raises:
        TradewindError: if the suite does not take orders.
    """
    await raw.prepare(target)
    bus = await Bus.connect(target.bus("bench"), name="bench")
    try:
        price = await orders.reference_price(bus, target.shards)
        requests = orders.resting(orders.new_run(), price, target.shards)
        current = [Samples()]
        for shard in range(target.shards):
            subject = subjects.live(f"events.{shard}.order.*")
            await bus.subscribe(subject, lambda message: current[0].on_report(message))
        await _run(bus, current[0], requests, WARM_UP_ORDERS, WARM_UP_RATE)
        current[0] = samples = Samples()
        started_ns = time.perf_counter_ns()
        gc.collect()
        gc.freeze()
        await _run(bus, samples, requests, max(1, int(rate * seconds)), rate)
        sending_s = (max(samples.sent_ns.values()) - started_ns) / 1e9
    finally:
        await bus.close()
    venue_ns = await asyncio.to_thread(venue_latencies, target.venue_log, samples)
    return _figures(samples, venue_ns, sending_s)


async def _run(
    bus: Bus, samples: Samples, requests: Iterator[orders.Request], number: int, rate: float
) -> None:
    loop = asyncio.get_running_loop()
    start_s, step_s = loop.time() + 0.01, 1 / rate
    for place in range(number):
        await _sleep_until(loop, start_s + place * step_s)
        request = next(requests)
        sent_ns = time.perf_counter_ns()
        samples.sent_ns[request.cl_ord_id] = sent_ns
        samples.sent_wall_ns[request.cl_ord_id] = time.time_ns()
        ack = bus.publish_nowait(request.subject, request.body, request.headers)
        _note(samples, ack, sent_ns, samples.durable_ns, is_order=True)
        await _sleep_until(loop, start_s + (place + 0.5) * step_s)
        sent_ns = time.perf_counter_ns()
        ack = bus.publish_nowait(raw_subject(request.shard), request.body, request.headers)
        _note(samples, ack, sent_ns, samples.raw_ns, is_order=False)
    try:
        async with asyncio.timeout(SETTLE_S):
            await samples.complete()
    except TimeoutError:
        return


async def _sleep_until(loop: asyncio.AbstractEventLoop, when_s: float) -> None:
    left_s = when_s - loop.time()
    if left_s > 0:
        await asyncio.sleep(left_s)


def _note(
    samples: Samples,
    ack: "asyncio.Future[Any]",
    sent_ns: int,
    times_ns: list[int],
    *,
    is_order: bool,
) -> None:
    def done(future: "asyncio.Future[Any]") -> None:
        if future.cancelled() or future.exception() is not None:
            samples.failed += is_order
        else:
            times_ns.append(time.perf_counter_ns() - sent_ns)

    ack.add_done_callback(done)


def venue_latencies(log: Path | None, samples: Samples) -> list[int]:
    """From sending to the venue's own note of having received the order."""
    if log is None:
        return []
    sent_wall_ns = {
        order_id: samples.sent_wall_ns[cl_ord_id]
        for cl_ord_id, order_id in samples.order_ids.items()
    }
    found = []
    with log.open("rb") as lines:
        for line in lines:
            if b'"op":"new"' not in line:
                continue
            noted = msgspec.json.decode(line)
            sent_ns = sent_wall_ns.get(noted["msg"].get("cl_id", ""))
            if sent_ns is not None:
                found.append(noted["ts_ns"] - sent_ns)
    return found


def _figures(samples: Samples, venue_ns: list[int], sending_s: float) -> dict[str, Any]:
    raw_us = percentiles_us(samples.raw_ns)
    accepted_us = percentiles_us(samples.accepted_ns)
    number = len(samples.sent_ns)
    return {
        "orders": number,
        "achieved_rate": round((number - 1) / sending_s, 1) if sending_s > 0 else None,
        "durable_ack_us": percentiles_us(samples.durable_ns),
        "accepted_us": accepted_us,
        "venue_us": percentiles_us(venue_ns),
        "raw_r3_publish_us": {"p50": raw_us["p50"], "p99": raw_us["p99"]},
        "ratio_accepted_p50": ratio(accepted_us["p50"], raw_us["p50"]),
        "accepted": len(samples.accepted_ns),
        "denied": samples.denied,
        "not_acked": samples.failed,
        "at_venue": len(venue_ns),
    }
