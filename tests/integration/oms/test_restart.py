# SPDX-License-Identifier: Apache-2.0
"""How long a replica takes to be back: bounded by the tail, not by the history.

A third of the orders lives. By hand, with the figures of the documentation:
TRADEWIND_RESTART_ENTRIES=1000000 .venv/bin/pytest tests/integration/oms/test_restart.py
"""

import json
import os
from dataclasses import replace
from pathlib import Path
from time import perf_counter

import pytest

from tests.integration.oms.shard import BATCH, OPENING, Shard, opened, order
from tradewind.common import codec, subjects
from tradewind.common.errors import BusError
from tradewind.common.jetstream import Message
from tradewind.common.snapshots import SnapshotStore
from tradewind.common.testing import eventually
from tradewind.core.commands import ApplyVenueReport, Command
from tradewind.core.types import ExecType, Side

pytestmark = [pytest.mark.cluster, pytest.mark.anyio]

ENTRIES = int(os.environ.get("TRADEWIND_RESTART_ENTRIES", "6000"))
EVERY = max(ENTRIES // 100, 1000)
"""A leader takes a snapshot at twice this: a hundredth of the history may be tail, or two."""
LONG_S = 900
GOAL_S = 5.0


def report(order_seq: int, number: int, exec_type: ExecType, qty: int = 0) -> ApplyVenueReport:
    order_id = f"test01-0-{order_seq}"
    return ApplyVenueReport(
        venue="SIM",
        order_id=order_id,
        request_id=order_id,
        venue_order_id=f"V{order_seq}",
        exec_id=f"SIM-{order_seq}-{number}",
        exec_no=0,
        exec_type=exec_type,
        last_qty=qty,
        last_px=100 if qty else 0,
        order_qty=0,
        price=0,
        text="",
    )


def three_orders(seq: int) -> list[Command]:
    """Ten entries from `seq` on: one order lives, two are filled, one of them in parts."""
    commands: list[Command] = []
    for fills in ((), (10,), (2, 3, 5)):
        mine = seq + len(commands)
        side = Side.BUY if mine % 2 else Side.SELL
        commands.append(replace(order(f"client-{mine:012d}"), order_qty=10, side=side))
        commands.append(report(mine, 0, ExecType.NEW))
        commands += [
            report(mine, number, ExecType.TRADE, qty) for number, qty in enumerate(fills, 1)
        ]
    return commands


async def fill(shard: Shard, entries: int) -> int:
    """A journal with a long past; returns its last sequence."""
    last = len(OPENING)
    while last < entries:
        commands = [
            command
            for start in range(last + 1, last + 1 + BATCH, 10)
            for command in three_orders(start)
        ]
        messages = [
            Message(subjects.journal_subject(0, command), codec.encode(command))
            for command in commands
        ]
        ack = await shard.bus.append_batch(messages, expected_last_seq=last, timeout_ms=30_000)
        last = ack.seq
    return last


async def back_within_s(shard: Shard, seq: int) -> float:
    """Seconds until a replica started now has applied entry `seq` and answers."""
    started_s = perf_counter()
    shard.start(0, snapshot_every=10**9)

    async def is_back() -> bool:
        try:
            body = await shard.bus.request(subjects.query_oms(0, "state"), b"{}", 1000)
        except BusError:
            return False
        return bool(json.loads(body)["seq"] >= seq)

    await eventually(is_back, LONG_S, what=f"a replica at entry {seq}")
    return perf_counter() - started_s


@pytest.mark.timeout(3 * LONG_S)
async def test_a_restart_takes_as_long_as_the_tail_not_as_the_history(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with opened(tmp_path, is_listening=False) as shard:
        last = await fill(shard, ENTRIES)
        instance = shard.start(0, snapshot_every=EVERY)

        async def caught_up() -> bool:
            facts = await shard.facts(instance)
            is_done = facts.get("confirmed", 0) == facts.get("ordinal") and facts["seq"] >= last
            return bool(is_done and last - facts["snapshot_seq"] <= 3 * EVERY)

        await eventually(caught_up, LONG_S, what="the replica at the journal's end")
        facts = await shard.facts(instance)
        await shard.end(instance)
        (stored, *_) = await SnapshotStore(shard.bus, 0).newest_first()
        took_s = await back_within_s(shard, last)
        begun = await shard.until(instance, lambda _: True)
        assert begun["begun_at"] == stored.meta.seq
        with capsys.disabled():
            print(
                f"\n{last} entries, {facts['orders']} orders ({facts['live_orders']} live): back "
                f"in {took_s:.2f} s from a snapshot of {stored.info.size / 1e6:.1f} MB and "
                f"{last - stored.meta.seq} entries; the fork took {facts['snapshot_stall_ms']} ms"
            )
        assert took_s < GOAL_S


def test_the_past_is_what_it_says() -> None:
    kinds = [type(command).__name__ for command in three_orders(1)]
    assert len(kinds) == 10
    assert kinds.count("SubmitOrder") == 3
