# SPDX-License-Identifier: Apache-2.0
"""One run: chaos while clients trade, then everything heals, then everything must settle."""

import asyncio
import gc
import logging
from collections import Counter
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import Any

from tests.simulation.bugs import BUGS
from tests.simulation.bus import Broker
from tests.simulation.exchange import SYMBOL, VENUE, Exchange
from tests.simulation.faults import Faults
from tests.simulation.judge import Judge
from tests.simulation.planting import planted
from tests.simulation.substitutes import Substituted
from tests.simulation.suite import Suite
from tests.simulation.wire import SimVenueDialer
from tests.simulation.world import CHAOS_S, SETTLE_S, Plan, World
from tradewind.common import codec, subjects
from tradewind.common.jetstream import Message
from tradewind.core.commands import (
    Command,
    DefineInstrument,
    OpenSegment,
    SetLimits,
    SetReferencePrice,
)

CHECK_EVERY_S = 0.25
CALM_FOR = 3


@dataclass(frozen=True, slots=True)
class Result:
    """What a run showed. `trace` is a hash over every step, `story` what is worth telling."""

    plan: Plan
    problems: tuple[str, ...]
    sometimes: Counter[str]
    trace: str
    story: tuple[tuple[float, str], ...]


def simulate(plan: Plan, bug: str = "") -> Result:
    """Runs one plan, with a planted bug if one is named."""
    world = World(plan)
    broker = Broker(world)
    judge = Judge(world)
    exchange = Exchange(world, judge.venue_acted)
    judge.exchange = exchange
    broker.streams["JOURNAL_0"].on_commit = judge.journaled
    broker.streams["EVENTS_0"].on_commit = judge.emitted
    dialer = SimVenueDialer(exchange)
    was_enabled, level = gc.isenabled(), logging.root.manager.disable
    gc.disable()
    logging.disable(logging.CRITICAL)
    try:
        asyncio.set_event_loop(world.loop)
        with (
            Substituted(suite := Suite(broker, dialer)),
            planted(BUGS[bug]) if bug else nullcontext(),
        ):
            try:
                world.loop.run_until_complete(_run(suite, judge, Faults(suite, exchange, dialer)))
                result = Result(
                    plan,
                    tuple(world.problems),
                    world.sometimes,
                    world.loop.trace,
                    tuple(world.loop.story),
                )
            finally:
                world.loop.end()
    finally:
        asyncio.set_event_loop(None)
        logging.disable(level)
        gc.unfreeze()
        if was_enabled:
            gc.enable()
    return result


def shrink(result: Result, bug: str = "") -> Result:
    """A smaller plan of the same seed that fails too: fewer kinds of faults, faults and orders."""
    best = result
    for kind in result.plan.kinds:
        kinds = tuple(each for each in best.plan.kinds if each != kind)
        best = _smaller(best, bug, kinds=kinds)
    for name, least in (("faults", 0), ("orders", 1)):
        while (number := getattr(best.plan, name)) > least:
            less = _smaller(best, bug, **{name: max(least, number // 2)})
            if less is best:
                break
            best = less
    return best


def _smaller(best: Result, bug: str, **changes: Any) -> Result:
    found = simulate(replace(best.plan, **changes), bug)
    return found if found.problems else best


async def _run(suite: Suite, judge: Judge, faults: Faults) -> None:
    world = suite.world
    _open_shard(suite.broker)
    for process in suite.processes:
        process.start()
    suite.clients.start()
    faults.start()
    for _ in range(round(CHAOS_S / CHECK_EVERY_S)):
        await asyncio.sleep(CHECK_EVERY_S if not world.problems else 0)
    faults.heal()
    await _settle(suite, judge)


async def _settle(suite: Suite, judge: Judge) -> None:
    """Waits until nothing is open for a while; what is still open after the bound is a failure."""
    world = suite.world
    deadline_s, calm = world.now_s + SETTLE_S, 0
    while calm < CALM_FOR and not world.problems:
        suite.ensure_connector()
        await asyncio.sleep(CHECK_EVERY_S)
        open_ends = [*judge.settled(), *suite.clients.found(judge.machine.state)]
        open_ends += suite.behind(judge.machine)
        if not suite.clients.is_done:
            open_ends.append("a client has no answer")
        calm = 0 if open_ends else calm + 1
        if world.now_s > deadline_s:
            for text in open_ends:
                world.broken(f"not settled: {text}")
            return


def _open_shard(broker: Broker) -> None:
    limits: dict[str, Any] = {
        "max_order_qty": 100,
        "max_notional": 10_000_000,
        "max_position": 100_000,
        "collar_bps": 5_000,
        "max_reference_age_ms": 3_600_000,
        "version": 1,
    }
    commands: list[Command] = [
        OpenSegment(segment="seg", shard=0),
        DefineInstrument(
            symbol=SYMBOL, venue=VENUE, tick_size="0.01", lot_size="0.001", currency="USD"
        ),
        *(SetLimits(account=account, symbol=SYMBOL, **limits) for account in ("A", "B")),
        SetReferencePrice(symbol=SYMBOL, price=1_000),
    ]
    for command in commands:
        message = Message(subjects.journal_subject(0, command), codec.encode(command))
        broker.streams["JOURNAL_0"].arrive([message], None, lambda _outcome: None)
