# SPDX-License-Identifier: Apache-2.0
"""Real small processes, started in order, restarted, adopted, given up, and stopped."""

import asyncio
import json
import os
import signal
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import msgspec
import pytest

from tradewind.common.settings import BusSettings
from tradewind.common.testing import eventually
from tradewind.orchestrator.plan import Plan, ProcessSpec, Ready, Stage
from tradewind.orchestrator.process import identify
from tradewind.orchestrator.readiness import Readiness
from tradewind.orchestrator.supervisor import StartFailed, Supervisor
from tradewind.orchestrator.table import Phase, read_living

pytestmark = pytest.mark.anyio
NO_BUS = BusSettings(urls=("nats://127.0.0.1:1",), user="nobody", password="")


@pytest.fixture
def stranger() -> Iterator["subprocess.Popen[bytes]"]:
    """A process that no orchestrator has started."""
    child = subprocess.Popen(["/bin/sleep", "60"])
    yield child
    child.kill()
    child.wait()


def shell(name: str, script: str, ready: Ready = Ready.ALIVE) -> ProcessSpec:
    return ProcessSpec(name=name, argv=["/bin/sh", "-c", script], ready=ready, grace_ms=2_000)


def sleeper(name: str) -> ProcessSpec:
    return shell(name, "exec sleep 60")


def is_up(log: Path) -> bool:
    return log.read_text() == "up\n"


def plan_of(*stages: list[ProcessSpec]) -> Plan:
    return Plan(
        stages=[Stage(name=f"stage-{n}", processes=specs) for n, specs in enumerate(stages)]
    )


def supervisor_of(plan: Plan, folder: Path) -> Supervisor:
    table_path = folder / "run" / "processes.json"
    return Supervisor(
        plan,
        Readiness(NO_BUS),
        env={"PATH": os.environ["PATH"], "OUT": str(folder / "out")},
        log_dir=folder / "logs",
        table_path=table_path,
        earlier=read_living(table_path),
    )


@asynccontextmanager
async def running(plan: Plan, folder: Path) -> AsyncIterator[Supervisor]:
    """Started and watched; stopped at the end."""
    supervisor = supervisor_of(plan, folder)
    try:
        await supervisor.start()
        watching = asyncio.create_task(supervisor.watch())
        try:
            yield supervisor
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
    finally:
        await supervisor.stop()


async def test_a_stage_begins_only_when_the_one_before_is_ready(tmp_path: Path) -> None:
    plan = plan_of(
        [shell("job", "sleep 0.3; echo job >>$OUT", Ready.EXIT)],
        [shell("service", "echo service >>$OUT; exec sleep 60")],
    )
    async with running(plan, tmp_path) as supervisor:
        out = tmp_path / "out"
        await eventually(lambda: out.read_text() == "job\nservice\n")
        phases = {name: row.phase for name, row in supervisor.table.rows.items()}
        assert phases == {"job": Phase.DONE, "service": Phase.READY}


async def test_what_is_killed_is_back_and_counted(tmp_path: Path) -> None:
    async with running(plan_of([sleeper("it"), sleeper("other")]), tmp_path) as supervisor:
        row, other = supervisor.table.rows["it"], supervisor.table.rows["other"]
        first, unharmed = row.pid, other.pid
        os.kill(first, signal.SIGKILL)
        await eventually(lambda: row.restarts == 1 and row.phase is Phase.READY)
        assert row.pid != first
        assert identify(row.pid) is not None
        assert (other.pid, other.restarts) == (unharmed, 0)


async def test_what_has_peers_starts_again_when_they_had_their_time(tmp_path: Path) -> None:
    peer = msgspec.structs.replace(sleeper("peer"), takeover_ms=60_000)
    async with running(plan_of([sleeper("alone"), peer]), tmp_path) as supervisor:
        rows = supervisor.table.rows
        for name in ("peer", "alone"):
            os.kill(rows[name].pid, signal.SIGKILL)
        ended = {(await supervisor.ended.get())[0] for _ in rows}
        assert ended == set(rows)
        await eventually(lambda: rows["alone"].restarts == 1)
        assert rows["peer"].restarts == 0


async def test_what_ends_again_and_again_is_halted_and_says_why(tmp_path: Path) -> None:
    plan = plan_of([sleeper("other"), shell("flaky", "echo why; sleep 0.1; exit 4")])
    async with running(plan, tmp_path) as supervisor:
        row = supervisor.table.rows["flaky"]
        await eventually(lambda: row.phase is Phase.HALTED, timeout_s=20)
        assert "flaky ended with code 4" in row.text
        assert "why" in row.text
        assert str(tmp_path / "logs" / "flaky.log") in row.text
        assert supervisor.table.rows["other"].phase is Phase.READY, "the others go on"


async def test_corruption_is_halted_at_once(tmp_path: Path) -> None:
    async with running(plan_of([shell("it", "sleep 0.2; exit 70")]), tmp_path) as supervisor:
        row = supervisor.table.rows["it"]
        await eventually(lambda: row.phase is Phase.HALTED)
        assert (row.restarts, row.exit_code) == (0, 70)


async def test_a_job_that_fails_ends_the_start_with_the_end_of_its_log(tmp_path: Path) -> None:
    plan = plan_of([sleeper("early")], [shell("job", "echo the reason; exit 1", Ready.EXIT)])
    supervisor = supervisor_of(plan, tmp_path)
    with pytest.raises(StartFailed, match=r"job ended with code 1") as failure:
        await supervisor.start()
    early = supervisor.table.rows["early"].pid
    await supervisor.stop()
    assert "the reason" in failure.value.text
    assert identify(early) is None, "what had started is stopped"


async def test_a_service_that_is_never_ready_ends_the_start(tmp_path: Path) -> None:
    deaf = ProcessSpec(
        name="deaf",
        argv=["/bin/sleep", "60"],
        ready=Ready.HTTP,
        ready_url="http://127.0.0.1:1/readyz",
        ready_timeout_ms=200,
    )
    supervisor = supervisor_of(plan_of([deaf]), tmp_path)
    with pytest.raises(StartFailed, match="deaf was not ready after"):
        await supervisor.start()
    await supervisor.stop()


async def test_stages_stop_in_reverse_order(tmp_path: Path) -> None:
    script = "trap 'echo {0} >>$OUT; exit 0' TERM; echo up >&2; while :; do sleep 0.02; done"
    plan = plan_of(*([shell(name, script.format(name))] for name in ("first", "second", "third")))
    async with running(plan, tmp_path):
        for name in ("first", "second", "third"):
            log = tmp_path / "logs" / f"{name}.log"
            await eventually(partial(is_up, log))
    assert (tmp_path / "out").read_text().split() == ["third", "second", "first"]


async def test_nothing_is_left_after_a_stop(tmp_path: Path) -> None:
    async with running(plan_of([sleeper("a")], [sleeper("b")]), tmp_path) as supervisor:
        pids = [row.pid for row in supervisor.table.rows.values()]
    assert [identify(pid) for pid in pids] == [None, None]
    table = json.loads((tmp_path / "run" / "processes.json").read_text())
    assert [row["phase"] for row in table["processes"]] == ["stopped", "stopped"]


async def test_the_next_life_adopts_what_still_runs_and_starts_what_does_not(
    tmp_path: Path,
) -> None:
    plan = plan_of([sleeper("kept"), sleeper("gone")])
    before = supervisor_of(plan, tmp_path)
    await before.start()
    kept, gone = (before.table.rows[name].pid for name in ("kept", "gone"))
    os.kill(gone, signal.SIGKILL)
    await eventually(lambda: identify(gone) is None)
    async with running(plan, tmp_path) as after:
        rows = after.table.rows
        assert rows["kept"].pid == kept
        assert rows["gone"].pid != gone
        os.kill(kept, signal.SIGKILL)
        await eventually(lambda: rows["kept"].restarts == 1)
        assert rows["kept"].pid != kept


async def test_what_the_plan_no_longer_has_is_ended(tmp_path: Path) -> None:
    before = supervisor_of(plan_of([sleeper("kept"), sleeper("dropped")]), tmp_path)
    await before.start()
    kept, dropped = (before.table.rows[name].pid for name in ("kept", "dropped"))
    async with running(plan_of([sleeper("kept")]), tmp_path) as after:
        assert after.table.rows["kept"].pid == kept
        assert identify(dropped) is None


async def test_a_life_that_ends_before_it_begins_still_stops_what_an_earlier_one_left(
    tmp_path: Path,
) -> None:
    plan = plan_of([sleeper("a")], [sleeper("b")])
    before = supervisor_of(plan, tmp_path)
    await before.start()
    pids = [row.pid for row in before.table.rows.values()]
    await supervisor_of(plan, tmp_path).stop()
    assert [identify(pid) for pid in pids] == [None, None]


async def test_a_stranger_that_got_an_old_process_id_is_left_alone(
    tmp_path: Path, stranger: "subprocess.Popen[bytes]"
) -> None:
    identity = identify(stranger.pid)
    assert identity is not None
    table = {"processes": [{"name": "it", "pid": identity.pid, "started": identity.started - 1}]}
    path = tmp_path / "run" / "processes.json"
    path.parent.mkdir()
    path.write_text(json.dumps(table))
    async with running(plan_of([sleeper("it")]), tmp_path) as supervisor:
        assert supervisor.table.rows["it"].pid != stranger.pid
    assert stranger.poll() is None


async def test_a_stop_while_a_stage_starts_leaves_nothing(tmp_path: Path) -> None:
    never = ProcessSpec(
        name="never",
        argv=["/bin/sleep", "60"],
        ready=Ready.HTTP,
        ready_url="http://127.0.0.1:1/readyz",
    )
    supervisor = supervisor_of(plan_of([sleeper("early")], [never]), tmp_path)
    starting = asyncio.create_task(supervisor.start())
    rows = supervisor.table.rows
    await eventually(lambda: rows["never"].pid)
    pids = [rows[name].pid for name in ("early", "never")]
    starting.cancel()
    await asyncio.gather(starting, return_exceptions=True)
    await supervisor.stop()
    assert [identify(pid) for pid in pids] == [None, None]
