# SPDX-License-Identifier: Apache-2.0
"""Replicas of two builds: followed in shadow, upgraded under load, halted when they differ."""

import asyncio
import shutil
from pathlib import Path

import pytest

import tradewind.core
from tests.integration.oms.shard import DEADLINE_S, Shard, opened, order
from tradewind.common import codec, snapshots
from tradewind.common.errors import CorruptionError
from tradewind.common.testing import eventually
from tradewind.core.commands import ApproveBuild, RevokeBuild, SetTradingState
from tradewind.core.events import OrderReport
from tradewind.core.snapshot import dump
from tradewind.core.types import ExecType, Reason, TradingState
from tradewind.oms.replica import CHECKPOINT_EVERY

pytestmark = [pytest.mark.cluster, pytest.mark.anyio]

LIKE_BEFORE = ("fingerprint=fingerprint(command)", "fingerprint=(fingerprint(command))")
OTHER_STATE = ("fingerprint=fingerprint(command)", "fingerprint=fingerprint(command) + '!'")


def built(folder: Path, change: tuple[str, str]) -> Path:
    """A copy of the core with one line changed: another build."""
    source = Path(tradewind.core.__path__[0])
    copy = folder / "other-build" / "tradewind" / "core"
    shutil.copytree(source, copy)
    changed = copy / "evolve_orders.py"
    before = changed.read_text()
    assert change[0] in before
    changed.write_text(before.replace(*change))
    return folder / "other-build"


async def build_of(shard: Shard, instance: str) -> str:
    facts = await shard.until(instance, lambda _: True)
    return str(facts["build"])


async def test_a_new_build_follows_in_shadow_takes_the_lead_and_nothing_is_lost_or_doubled(
    tmp_path: Path,
) -> None:
    async with opened(tmp_path) as shard:
        old = shard.start(0)
        shard.start(1)
        old_build = await build_of(shard, old)
        await shard.put(ApproveBuild(build=old_build, actor="ops"))
        ids = [f"o{number}" for number in range(3 * CHECKPOINT_EVERY)]

        async def load() -> None:
            for cl_ord_id in ids:
                await shard.put(order(cl_ord_id))

        loading = asyncio.create_task(load())
        new = shard.start(2, code=built(tmp_path, LIKE_BEFORE))
        facts = await shard.until(new, lambda facts: facts["digests_compared"] > 0)
        assert (facts["role"], facts["disagreements"]) == ("shadow", 0)
        assert facts["build"] != old_build
        await shard.put(ApproveBuild(build=facts["build"], actor="ops"))
        await shard.put(RevokeBuild(build=old_build, actor="ops"))
        await eventually(lambda: shard.leader == new, DEADLINE_S, what="the new build's lead")
        await shard.until("oms-0-1", lambda facts: facts["role"] == "shadow")
        for instance in ("oms-0-0", "oms-0-1"):
            await shard.end(instance)
        await loading
        await shard.until_accepted(len(ids))
        assert shard.accepted() == ids
        assert [record.seq for record in shard.records] == list(range(1, len(shard.records) + 1))


async def test_an_unapproved_build_appends_nothing_until_it_is_approved(tmp_path: Path) -> None:
    async with opened(tmp_path) as shard:
        await shard.put(ApproveBuild(build="another", actor="ops"))
        instance = shard.start(0, patience_ms=5)
        seq = await shard.put(order("waits"))
        facts = await shard.until(instance, lambda facts: facts["seq"] >= seq)
        assert facts["role"] == "shadow"
        # The outputs before the approval belong to anyone; what follows it is not this build's.
        await eventually(lambda: shard.records, DEADLINE_S)
        beats = facts["beat"]
        await shard.until(instance, lambda facts: facts["beat"] > beats + 2)
        assert shard.accepted() == []
        await shard.put(ApproveBuild(build=facts["build"], actor="ops"))
        await shard.until_accepted(1)


async def test_replicas_that_differ_halt_the_shard_and_keep_both_states(tmp_path: Path) -> None:
    async with opened(tmp_path) as shard:
        shard.start(0)
        shard.start(1, code=built(tmp_path, OTHER_STATE))
        await shard.until("oms-0-0", lambda facts: facts["seq"] > 1)
        await shard.until("oms-0-1", lambda facts: facts["seq"] > 1)
        await shard.fill(CHECKPOINT_EVERY)
        for instance in ("oms-0-0", "oms-0-1"):
            await shard.until(instance, lambda facts: facts["disagreements"] > 0)
            assert "DIVERGENCE of shard 0 at entry" in shard.log(instance)
        await is_halted(shard)
        left, right = [await kept(shard, instance) for instance in ("oms-0-0", "oms-0-1")]
        assert left.keys() == right.keys()
        assert [name for name in left if left[name] != right[name]] == ["id_uses"]
        await shard.put(
            SetTradingState(scope="shard", state=TradingState.ACTIVE, actor="ops", reason="seen")
        )
        await shard.put(order("after"))
        await eventually(lambda: "after" in shard.accepted(), DEADLINE_S)


async def is_halted(shard: Shard) -> None:
    """An order journaled now is denied."""
    tried = 0

    async def denied() -> bool:
        nonlocal tried
        tried += 1
        await shard.put(order(f"tried{tried}"))
        events = [codec.decode_event(record.body) for record in shard.records[-20:]]
        return any(
            isinstance(event, OrderReport)
            and event.exec_type is ExecType.DENIED
            and event.reason is Reason.TRADING_HALTED
            for event in events
        )

    await eventually(denied, DEADLINE_S, what="the halt")


async def kept(shard: Shard, instance: str) -> dict[str, object]:
    """The state that a replica kept at the first reported divergence."""
    folder = shard.folder / instance

    def read() -> dict[str, object]:
        for path in sorted(folder.glob("divergence-*.snapshot")):
            try:
                return dump(snapshots.decode(path.read_bytes()).state)
            except CorruptionError:
                return {}
        return {}

    found: dict[str, object] = await eventually(read, DEADLINE_S, what="the kept state")
    return found


async def test_a_shadow_that_differs_stops_and_the_shard_goes_on(tmp_path: Path) -> None:
    async with opened(tmp_path) as shard:
        shard.start(0)
        await shard.put(ApproveBuild(build=await build_of(shard, "oms-0-0"), actor="ops"))
        shadow = shard.start(1, code=built(tmp_path, OTHER_STATE))
        await shard.until(shadow, lambda facts: facts["role"] == "shadow")
        await shard.fill(CHECKPOINT_EVERY)
        await shard.end(shadow, code=70)
        assert "this build is not approved, so it stops" in shard.log(shadow)
        await shard.put(order("goes on"))
        await eventually(lambda: "goes on" in shard.accepted(), DEADLINE_S)
