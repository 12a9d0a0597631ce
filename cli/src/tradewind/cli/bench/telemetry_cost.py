# SPDX-License-Identifier: Apache-2.0
"""What telemetry costs: orders per second with and without it, by turns, in one suite.

With it, both telemetry and a receiver of what it sends run on the same machine; telemetry gives way
to others as it does in a suite. `behind_s` is how long it goes on after all others rest;
`cpu_us_per_order` has that in it. What the services put into each record for it is there in either
case.
"""

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from statistics import median
from typing import Any

from aiohttp import ClientError, ClientSession

from tradewind.cli.bench.figures import ratio
from tradewind.cli.bench.target import Target
from tradewind.cli.bench.throughput import accepted_per_s, drained, reference_price
from tradewind.cli.suite.processes import PATIENT
from tradewind.common.errors import TradewindError
from tradewind.common.http import listen
from tradewind.orchestrator.process import give_way

WARM_UP_S = 2.0
READY_S = 20.0
LOOK_AGAIN_S = 0.1
REST_S = 0.5
RESTING = 0.1
HOST = "127.0.0.1"
RUNS, COUNTS = "tradewind.service.up", "tradewind.order.accepted"


async def measure_telemetry(
    target: Target, env: Mapping[str, str], *, pairs: int, seconds: float
) -> dict[str, Any]:
    """Measures commands published as a gateway does; `env` is what the telemetry service is told.

    Raises:
        TradewindError: if the suite does not take orders, or telemetry does not follow them.
    """
    price = await reference_price(target)

    async def orders_per_s(time_s: float) -> float:
        await drained(target)
        return await accepted_per_s(target, price, time_s)

    await orders_per_s(WARM_UP_S)
    found: dict[bool, list[float]] = {True: [], False: []}
    used_s: list[float] = []
    behind_s: list[float] = []
    for number in range(pairs):
        for is_on in (True, False) if number % 2 else (False, True):
            if is_on:
                async with _telemetry(env) as pid:
                    began_s = _cpu_s(pid)
                    found[is_on].append(await orders_per_s(seconds))
                    await drained(target)
                    behind_s.append(await _rests(pid))
                    used_s.append(_cpu_s(pid) - began_s)
            else:
                found[is_on].append(await orders_per_s(seconds))
    with_it, without = median(found[True]), median(found[False])
    return {
        "with_per_s": round(with_it, 1),
        "without_per_s": round(without, 1),
        "ratio": ratio(with_it, without),
        "cpu_us_per_order": round(median(used_s) / (with_it * seconds) * 1e6, 1),
        "behind_s": round(median(behind_s), 1),
        "pairs": pairs,
        "with": [round(rate) for rate in found[True]],
        "without": [round(rate) for rate in found[False]],
    }


@asynccontextmanager
async def _telemetry(env: Mapping[str, str]) -> AsyncIterator[int]:
    """Its process's id. It was seen to follow the orders that came meanwhile."""
    with listen(HOST, 0) as free:
        port = free.getsockname()[1]
    told = {**env, "TRADEWIND_HTTP_HOST": HOST, "TRADEWIND_HTTP_PORT": str(port)}
    url = f"http://{HOST}:{port}"
    receiver = await _start("tradewind.telemetry.receiver", told)
    telemetry = await _start("tradewind.telemetry", told | {"OTEL_EXPORTER_OTLP_ENDPOINT": url})
    give_way(telemetry.pid, PATIENT["telemetry"])
    try:
        await _sent(url, RUNS)
        yield telemetry.pid
        await _sent(url, COUNTS)
    finally:
        for process in (telemetry, receiver):
            process.terminate()
            await process.wait()


def _cpu_s(pid: int) -> float:
    """CPU time that a process has used."""
    told = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(told[11]) + int(told[12])) / os.sysconf("SC_CLK_TCK")


async def _rests(pid: int) -> float:
    """Waits until a process does next to nothing; how long that took."""
    began_s = time.monotonic()
    while True:
        used_s = _cpu_s(pid)
        await asyncio.sleep(REST_S)
        if _cpu_s(pid) - used_s < RESTING * REST_S:
            return time.monotonic() - began_s - REST_S


async def _start(module: str, env: Mapping[str, str]) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", module, env=dict(env), start_new_session=True
    )


async def _sent(url: str, metric: str) -> None:
    """Waits until the receiver has got a metric."""
    loop = asyncio.get_running_loop()
    deadline_s = loop.time() + READY_S
    async with ClientSession() as session:
        while loop.time() < deadline_s:
            try:
                async with session.get(f"{url}/metrics") as answer:
                    if metric in await answer.json():
                        return
            except ClientError:
                pass
            await asyncio.sleep(LOOK_AGAIN_S)
    raise TradewindError(f"telemetry sent no {metric} within {READY_S:.0f} s", code="NO_TELEMETRY")
