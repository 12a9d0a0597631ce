# SPDX-License-Identifier: Apache-2.0
"""How many orders per second: through the core, through one gateway, through the venue and back.

The load processes keep a bounded window under way, so what is counted is what the suite keeps up
with, not what piles up in the journal.
"""

import asyncio
import sys
from typing import Any

import msgspec

from tradewind.cli.bench import orders, raw
from tradewind.cli.bench.figures import ratio
from tradewind.cli.bench.gateway_load import gateway_orders_per_s
from tradewind.cli.bench.load import Counts, Task
from tradewind.cli.bench.target import Target
from tradewind.common import subjects
from tradewind.common.errors import TradewindError
from tradewind.common.jetstream import Bus

WINDOWS = {"raw": 2000, "accepted": 2000, "filled": 400}
WARM_UP_S = 2.0
DRAIN_QUIET_S = 1.0
DRAIN_LOOKS_MAX = 60


async def measure_throughput(
    target: Target, *, seconds: float, processes: int = 1
) -> dict[str, Any]:
    """Measures; the figures are those of `tradewind bench throughput --json`.

    Raises:
        TradewindError: if the suite does not take orders, or a load process fails.
    """
    core = await measure_core(target, seconds=seconds, processes=processes)
    return core | await measure_whole(target, seconds=seconds)


async def measure_core(target: Target, *, seconds: float, processes: int = 1) -> dict[str, Any]:
    """Commands published as a gateway does, until accepted; beside raw replicated publishes.

    Raises:
        TradewindError: if the suite does not take orders, or a load process fails.
    """
    await raw.prepare(target)
    price = await reference_price(target)
    raw_counts = await _load(target, "raw", price, seconds, processes)
    await _load(target, "accepted", price, WARM_UP_S, processes)
    accepted = await _load(target, "accepted", price, seconds, processes)
    orders_per_s, raw_per_s = _rate(accepted, "done"), _rate(raw_counts, "acked")
    return {
        "orders_per_s": orders_per_s,
        "raw_r3_publish_per_s": raw_per_s,
        "ratio": ratio(orders_per_s, raw_per_s),
        "processes": processes,
        "denied": sum(counts.denied for counts in accepted),
        "failed": sum(counts.failed for counts in (*accepted, *raw_counts)),
    }


async def measure_whole(target: Target, *, seconds: float) -> dict[str, Any]:
    """Through one gateway's WebSocket until accepted, and through the venue until filled.

    Raises:
        TradewindError: if the suite does not take orders, or a load process fails.
    """
    gateway = filled = None
    await drained(target)
    if target.gateway_url is not None and target.credentials is not None:
        gateway = await gateway_orders_per_s(
            target.gateway_url, target.credentials, await reference_price(target), seconds
        )
        await drained(target)
    if target.venue_log is not None:
        filled = await _load(target, "filled", await reference_price(target), seconds, 1)
    return {
        "gateway_orders_per_s": gateway,
        "filled_per_s": None if filled is None else _rate(filled, "done"),
    }


async def reference_price(target: Target) -> int:
    """The price around which orders are made."""
    bus = await Bus.connect(target.bus("bench"), name="bench")
    try:
        return await orders.reference_price(bus, target.shards)
    finally:
        await bus.close()


async def accepted_per_s(target: Target, price: int, seconds: float) -> float:
    """Orders accepted per second, published as a gateway does.

    Raises:
        TradewindError: if the load process fails.
    """
    return _rate(await _load(target, "accepted", price, seconds, 1), "done")


def _rate(counts: list[Counts], what: str) -> float:
    rate: float = sum(getattr(each, what) / each.seconds for each in counts)
    return round(rate, 1)


async def _load(
    target: Target, kind: str, price: int, seconds: float, processes: int
) -> list[Counts]:
    """Runs load processes side by side; each counts its own orders only."""
    task = Task(
        kind=kind,
        urls=list(target.urls),
        password_dir=str(target.password_dir),
        shards=target.shards,
        seconds=seconds,
        window=WINDOWS[kind],
        price=price,
    )
    return list(await asyncio.gather(*(_process(task) for _ in range(processes))))


async def _process(task: Task) -> Counts:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tradewind.cli.bench.load",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate(msgspec.json.encode(task))
    if process.returncode != 0:
        lines = err.decode().strip().splitlines() or ["no reason given"]
        raise TradewindError(f"a load process failed: {lines[-1]}", code="LOAD_FAILED")
    return msgspec.json.decode(out, type=Counts)


async def drained(target: Target) -> None:
    """Waits until no order is reported on any more: the next figure is not to pay for the last."""
    bus = await Bus.connect(target.bus("bench"), name="bench")
    heard = asyncio.Event()
    try:
        for shard in range(target.shards):
            await bus.subscribe(
                subjects.live(f"events.{shard}.order.*"), lambda _message: heard.set()
            )
        for _look in range(DRAIN_LOOKS_MAX):
            heard.clear()
            await asyncio.sleep(DRAIN_QUIET_S)
            if not heard.is_set():
                return
    finally:
        await bus.close()
