# SPDX-License-Identifier: Apache-2.0
"""Faults of the machine: what a machine lacks is said, what a dead run left is taken away."""

import subprocess
from pathlib import Path

import pytest

from tradewind.cli.chaos import disks, machine, network, tools
from tradewind.cli.chaos.machine import Machine
from tradewind.cli.chaos.network import Cut, Network
from tradewind.cli.chaos.scenarios import SCENARIOS, Action
from tradewind.cli.suite.facts import HOST, SuiteError

can_cut = not tools.missing(*machine.PROGRAMS[Action.CUT])
can_mount = not tools.missing(*machine.PROGRAMS[Action.FILL])


def dead_process() -> int:
    """The id of a process that is no more."""
    process = subprocess.Popen(["true"])
    process.wait()
    return process.pid


def test_a_scenario_that_the_machine_cannot_do_is_refused_with_what_it_lacks(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tools, "missing", lambda *_programs: ["root", "iptables"])
    with (
        pytest.raises(SuiteError, match="lacks iptables, root") as refused,
        Machine.prepared(SCENARIOS["nats-partition"], tmp_path),
    ):
        pass
    assert refused.value.code == "MACHINE_LACKS"


def test_a_run_of_everything_leaves_out_what_the_machine_cannot_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tools, "missing", lambda *programs: list(programs))
    with Machine.prepared(SCENARIOS["everything"], tmp_path) as made:
        assert made.scenarios
        assert not any(machine.PROGRAMS.get(each.action) for each in made.scenarios)
        assert {(place.host, place.prefix) for place in made.places} == {(HOST, ())}


@pytest.mark.skipif(not can_cut, reason="needs root, ip, iptables and nsenter")
def test_a_network_is_gone_after_its_run_and_that_of_a_dead_run_when_the_next_one_begins() -> None:
    left, run_id = dead_process(), dead_process()
    Network(left, 1)._make()
    assert list(network.NAMESPACES.glob(f"twc{left}-*"))
    with Network.made(run_id, 2) as made:
        assert not list(network.NAMESPACES.glob(f"twc{left}-*"))
        for cut in Cut:
            made.cut(1, cut)
            made.join(1)
        assert len(list(network.NAMESPACES.glob(f"twc{run_id}-*"))) == 3
    assert not list(network.NAMESPACES.glob(f"twc{run_id}-*"))


@pytest.mark.skipif(not can_mount, reason="needs root and the tools of file systems")
def test_a_full_disk_takes_nothing_and_has_room_again_afterwards(tmp_path: Path) -> None:
    run_id = dead_process()
    with disks.Disks.made(run_id, tmp_path / "disks", 1) as made:
        assert f"{tools.PREFIX}{run_id}-n1" in disks.MOUNTS.read_text()
        store = made.store(1)
        store.mkdir()
        with made.full(1), pytest.raises(OSError, match="No space"):
            (store / "file").write_bytes(bytes(100_000))
        (store / "file").write_bytes(bytes(100_000))
    assert f"{tools.PREFIX}{run_id}-n" not in disks.MOUNTS.read_text()
