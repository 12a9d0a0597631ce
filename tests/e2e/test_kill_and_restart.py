# SPDX-License-Identifier: Apache-2.0
"""Kill -9: of one process, of the orchestrator, of everything."""

import asyncio
import json
import os
import signal

import pytest

from tests.e2e.terminal import UP_TIMEOUT_S, Terminal, wait_for
from tradewind.cli.suite.facts import Facts, read_facts
from tradewind.cli.verify_replay import Replay
from tradewind.common import subjects
from tradewind.common.jetstream import Bus, StreamReader

pytestmark = [pytest.mark.cluster, pytest.mark.slow]
BACK_WITHIN_S = 30.0


def kill(terminal: Terminal, name: str) -> None:
    os.kill(terminal.pids()[name], signal.SIGKILL)


@pytest.mark.parametrize("name", ["oms-0-0", "gateway-0", "archiver-0", "nats-n2"])
def test_what_is_killed_is_back_and_the_others_are_left_alone(running: Terminal, name: str) -> None:
    before = running.pids()
    restarts = running.row(name)["restarts"]
    kill(running, name)

    def is_back() -> bool:
        row = running.row(name)
        return bool(row["restarts"] == restarts + 1 and row["phase"] == "ready")

    wait_for(is_back, BACK_WITHIN_S, running.table)
    after = running.pids()
    assert {other for other in after if after[other] != before[other]} == {name}


def test_a_killed_orchestrator_is_back_and_adopts_what_runs(running: Terminal) -> None:
    orchestrator, before = running.table()["orchestrator_pid"], running.pids()
    os.kill(orchestrator, signal.SIGKILL)

    def is_back() -> bool:
        table = running.table()
        return bool(table.get("is_up")) and table["orchestrator_pid"] != orchestrator

    wait_for(is_back, UP_TIMEOUT_S, running.said)
    assert running.pids() == before
    kill(running, "oms-1-1")
    wait_for(lambda: running.row("oms-1-1")["restarts"] == 1, BACK_WITHIN_S, running.table)


def test_up_adopts_what_a_killed_terminal_and_orchestrator_left(terminal: Terminal) -> None:
    terminal.up()
    before, ports = terminal.pids(), terminal.ports()
    terminal.kill_up()
    os.kill(terminal.table()["orchestrator_pid"], signal.SIGKILL)
    terminal.up()
    assert terminal.pids() == before
    assert terminal.ports() == ports
    assert terminal.ctrl_c() == 0
    assert terminal.left() == {}


async def _digests(facts: Facts) -> dict[int, tuple[int, str]]:
    """Where each shard's first replica to answer is, and the digest of its whole state there."""
    bus = await Bus.connect(facts.bus("auditor"), name="test")
    try:
        found = {}
        for shard in range(facts.shards):
            state = json.loads(await bus.request(subjects.query_oms(shard, "state"), b"{}"))
            found[shard] = (state["seq"], state["digest"])
        return found
    finally:
        await bus.close()


async def _replayed(facts: Facts, shard: int, seq: int) -> str:
    """The digest after `seq` entries of the journal as it is stored now."""
    bus = await Bus.connect(facts.bus("auditor"), name="test")
    try:
        live = subjects.live(subjects.journal_all(shard))
        reader = StreamReader(bus, subjects.journal_stream(shard), live, 1)
        await reader.open()
        replay = Replay(shard)
        while replay.seq < seq:
            for record in await reader.next_batch(seq - replay.seq):
                replay.apply(record)
        await reader.close()
        return replay.digest()
    finally:
        await bus.close()


def buy(terminal: Terminal, account: str) -> int:
    result = terminal.run(
        *("order", "submit", "--account", account, "--side", "BUY"),
        *("--qty", "0.01", "--type", "MARKET"),
    )
    return result.returncode


def held(terminal: Terminal) -> list[dict[str, str]]:
    """The positions, without what they are worth: prices move on."""
    found = terminal.json("positions")["positions"]
    return [{name: each[name] for name in each if name != "unrealised"} for each in found]


def test_after_the_death_of_everything_state_positions_and_archive_are_as_before(
    terminal: Terminal,
) -> None:
    terminal.up()
    accounts = ("ALPHA", "BETA")
    wait_for(lambda: buy(terminal, accounts[0]) == 0, BACK_WITHIN_S, terminal.said)
    assert buy(terminal, accounts[1]) == 0

    def are_filled() -> bool:
        orders = terminal.json("order", "list")["orders"]
        return {"FILLED"} == {order["ord_status"] for order in orders if order["cum_qty"] != "0"}

    wait_for(are_filled, BACK_WITHIN_S, terminal.said)
    terminal.json("halt", "--reason", "so that nothing moves")
    positions = held(terminal)
    assert {position["account"] for position in positions} == set(accounts)
    facts = read_facts(terminal.folder)
    assert facts is not None
    digests = asyncio.run(_digests(facts))
    terminal.kill_everything()

    terminal.up()
    after = read_facts(terminal.folder)
    assert after is not None
    for shard, (seq, digest) in digests.items():
        assert asyncio.run(_replayed(after, shard, seq)) == digest
    report = terminal.json("verify")
    assert report["holds"], report
    assert [shard["archive_equal"] for shard in report["shards"]] == [True, True]
    assert held(terminal) == positions
    assert buy(terminal, "ALPHA") == 1, "the halt holds through the death of everything"
    terminal.json("resume")
    assert buy(terminal, "ALPHA") == 0
