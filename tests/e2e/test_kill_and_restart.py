# SPDX-License-Identifier: Apache-2.0
"""Kill -9: of one process, of the orchestrator, of everything."""

import os
import signal
from typing import Any

import pytest

from tests.e2e.terminal import UP_TIMEOUT_S, Terminal, wait_for

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


def digests(report: dict[str, Any]) -> list[tuple[int, int]]:
    return [(shard["shard"], shard["entries"]) for shard in report["shards"]]


def test_after_the_death_of_everything_state_and_archive_are_as_before(
    terminal: Terminal,
) -> None:
    terminal.up("--demo")

    def has_traded() -> bool:
        positions = terminal.json("positions")["positions"]
        return any(float(position["bought_qty"]) > 0 for position in positions)

    wait_for(has_traded, BACK_WITHIN_S, terminal.said)
    terminal.json("halt", "--reason", "so that nothing moves")
    before = terminal.json("verify")
    terminal.kill_everything()
    terminal.up()
    after = terminal.json("verify")
    assert (before["holds"], after["holds"]) == (True, True)
    for old, new in zip(before["shards"], after["shards"], strict=True):
        assert new["entries"] >= old["entries"]
    result = terminal.run(
        "order",
        "submit",
        "--account",
        "ALPHA",
        "--side",
        "BUY",
        "--qty",
        "0.01",
        "--type",
        "MARKET",
    )
    assert result.returncode == 1, "the halt holds through the death of everything"
